import logging

import pytest

from options_pricing.run.errors import UpstreamError
from options_pricing.run.log import LogfmtFormatter
from options_pricing.run.redact import redacted
from options_pricing.run.secrets import secret

CANARY = "canary/4f1c 77aa+"
QUOTED = "canary%2F4f1c%2077aa%2B"


@pytest.fixture(autouse=True)
def held(monkeypatch):
    monkeypatch.setenv("OPTIONS_PRICING_CBOE_TOKEN", CANARY)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"sent {CANARY} to it", "sent *** to it"),
        (f"GET /x?q={QUOTED}", "GET /x?q=***"),
        ("https://user:pass@host/x", "https://***@host/x"),
        ("https://host/x?api_key=abc&n=1", "https://host/x?api_key=***&n=1"),
        ("https://host/x?n=1&crumb=abc", "https://host/x?n=1&crumb=***"),
        ("me@host, no secret at https://host/x?n=1", "me@host, no secret at https://host/x?n=1"),
    ],
)
def test_secrets_are_taken_out_of_a_text(text, shown):
    assert redacted(text) == shown


def test_fault_72_neither_a_message_nor_a_log_line_nor_a_traceback_tells_one():
    assert CANARY not in str(UpstreamError(CANARY, why=f"because of {CANARY}", fix=f"not {CANARY}"))
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        kind = (type(error), error, error.__traceback__)
    record = logging.LogRecord("task", logging.ERROR, "", 0, "bug", None, kind)
    record.fields = {"url": f"https://host/?token={QUOTED}"}
    line = LogfmtFormatter().format(record)
    assert "Traceback" in line and CANARY not in line and QUOTED not in line


@pytest.mark.parametrize(
    "name", ["SOME_API_KEY", "DB_PASSWORD", "my_secret", "GH_TOKEN", "AWS_CREDENTIALS", "OPTIONS_PRICING_ALERT_URLS"]
)
def test_a_variable_is_a_secret_by_its_name(monkeypatch, name):
    monkeypatch.setenv(name, "hunter22")
    monkeypatch.setenv("HARMLESS", "visible77")
    assert redacted("hunter22 visible77") == "*** visible77"


def test_a_value_of_a_few_characters_is_no_secret_or_every_text_would_be_holes(monkeypatch):
    monkeypatch.setenv("SHORT_TOKEN", "on")
    assert redacted("on and on") == "on and on"


def test_a_secret_is_read_from_the_environment(monkeypatch):
    assert secret("OPTIONS_PRICING_CBOE_TOKEN") == CANARY
    monkeypatch.delenv("OPTIONS_PRICING_CBOE_TOKEN")
    assert secret("OPTIONS_PRICING_CBOE_TOKEN") is None
