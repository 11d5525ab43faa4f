"""The HTTP client alone; what it does to data_fetch is in tests/scripts/test_fetch_faults.py."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.run.params import Http
from options_pricing.run.retry import RetryPolicy
from options_pricing.sources.http import HttpClient, retry_after, safe, shown, whole_json

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
VARIABLE = "OPTIONS_PRICING_TEST_TOKEN"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Fri, 20 Nov 2026 22:05:00 GMT", 300),
        ("Friday, 20-Nov-26 22:05:00 GMT", 300),
        ("Fri, 20 Nov 2026 21:00:00 GMT", 0),
        (None, 0),
        ("soon", 0),
        ("-5", 0),
        ("٣", 0),
        ("", 0),
    ],
)
def test_fault_01_retry_after_is_read_in_both_forms(value, seconds):
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_whatever_stands_in_retry_after_is_a_wait_or_none(value):
    assert retry_after(value, NOW) >= 0


@given(st.binary(max_size=200))
def test_fault_07_what_is_not_json_is_shown_harmlessly(body):
    try:
        whole_json(body)
    except ValueError as error:
        assert str(error).isascii() and str(error).isprintable() and len(str(error)) < 1000


def test_a_byte_order_mark_is_welcome():
    assert whole_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_safe_shows_eighty_characters():
    assert safe("x" * 100) == repr("x" * 80)


def test_an_address_is_shown_without_user_and_query():
    assert shown("https://me:secret@host:81/a/b?token=c#d") == "https://host:81/a/b"


def test_values_of_a_damaged_gzip_stream_are_never_used(httpserver):
    httpserver.expect_request("/x").respond_with_data(
        b"\x1f\x8b\x08\x00garbage" * 9, headers={"Content-Encoding": "gzip"}
    )
    client = HttpClient(RetryPolicy(), Http(), variable=VARIABLE)
    with pytest.raises(Exception, match="gzip"):
        client.json(httpserver.url_for("/x"))


def test_another_packing_than_was_asked_for_is_refused(httpserver):
    httpserver.expect_request("/x").respond_with_data(b"{}", headers={"Content-Encoding": "br, gzip"})
    with pytest.raises(Exception, match="br, gzip"):
        HttpClient(RetryPolicy(), Http(), variable=VARIABLE).json(httpserver.url_for("/x"))


def test_a_packed_answer_of_two_parts_is_read_whole(httpserver):
    import gzip

    packed = gzip.compress(b'{"a": [' + b"1, " * 100_000) + gzip.compress(b"2]}")
    httpserver.expect_request("/x").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    answer = HttpClient(RetryPolicy(), Http(), variable=VARIABLE).json(httpserver.url_for("/x"))
    assert len(answer.value["a"]) == 100_001 and answer.codes == (200,)


@pytest.mark.parametrize(
    ("url", "sent", "told"),
    [
        ("https://example.invalid/x", True, False),
        ("http://127.0.0.1/x", True, False),
        ("http://example.invalid/x", False, True),
    ],
)
def test_a_token_goes_over_an_encrypted_connection_or_to_this_machine_only(monkeypatch, url, sent, told):
    monkeypatch.setenv(VARIABLE, "canary-7788")
    heard = []
    client = HttpClient(RetryPolicy(), Http(), variable=VARIABLE, tell=lambda event, **fields: heard.append(event))
    assert ("Authorization" in client._headers(url)) == sent
    client._headers(url)
    assert heard == (["not_encrypted"] if told else [])


def test_netrc_is_not_read(httpserver, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine localhost login me password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    httpserver.expect_request("/x").respond_with_json({})
    HttpClient(RetryPolicy(), Http(), variable=VARIABLE).json(httpserver.url_for("/x"))
    assert "Authorization" not in httpserver.log[0][0].headers


def test_this_very_machine_is_asked_without_a_proxy(httpserver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    httpserver.expect_request("/x").respond_with_json({"a": 1})
    assert HttpClient(RetryPolicy(), Http()).json(httpserver.url_for("/x")).value == {"a": 1}
