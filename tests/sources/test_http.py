"""The HTTP client alone; what it does to data_fetch is in tests/scripts/test_fetch_faults.py."""

import pytest

from options_pricing.run.params import Http
from options_pricing.run.retry import RetryPolicy
from options_pricing.sources.http import HttpClient

VARIABLE = "OPTIONS_PRICING_TEST_TOKEN"


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
