import pytest

from options_pricing.run.outgoing import outgoing

CANARY = "canary-7f3a/91+b"
ENVIRON = {
    "DATA_API_KEY": CANARY,
    "OPTIONS_PRICING_ALERT_URLS": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ mailto://me:hunter22@example.org",
    "HOME": "/home/someone",
    "PASSAGE": "yes",
}


@pytest.mark.parametrize(
    "text",
    [
        f"the source said no to {CANARY}",
        f"GET https://api.example.org/v1?key={CANARY}",
        "at /v1/canary-7f3a%2F91%2Bb",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ did not answer",
        "TIiajkdnlazkcOXrIdevi7FQ",
        "me:hunter22 is wrong",
        "Authorization: Bearer canary-7f3a.other",
        'api_key="canary-7f3a.other"',
    ],
    ids=lambda text: f"fault-72-{text[:12]}",
)
def test_no_secret_is_left(text):
    said = outgoing(text, ENVIRON)
    for secret in ("canary", "T1JJ3T3L2", "TIiajkdnlazkcOXrIdevi7FQ", "hunter22"):
        assert secret not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no answer from https://cdn.example.org:8443/api/x.json?a=1 after 5 tries",
         "no answer from https://cdn.example.org:8443/... after 5 tries"),
        ("https://me:word@example.org/x", "https://example.org/..."),
        ("ftp://host/x", "ftp:///..."),
    ],
)  # fmt: skip
def test_of_an_address_the_host_is_left(text, said):
    assert outgoing(text, {}) == said


def test_the_rest_of_a_text_is_left_as_it_is():
    text = "F07: XIDX: 100.0% of 512 quotes are those of 20261119; read /home/someone/logs, yes"
    assert outgoing(text, ENVIRON) == text
