import gzip

import pytest

from options_pricing.run.errors import BadDataError
from options_pricing.sources.payloads import Payload, PayloadStore

REQUEST = {"source": "cboe", "tickers": ["SPY"], "day": "20261120"}
PAYLOADS = [Payload("https://host/a", (500, 200), b'{"a": "\xc3\xa9"}'), Payload("https://host/b", (200,), b"[]\n")]


def test_what_is_kept_is_given_again(tmp_path):
    store = PayloadStore(tmp_path)
    assert store.read(REQUEST) is None
    store.keep(REQUEST, PAYLOADS)
    assert store.read(REQUEST) == PAYLOADS
    assert store.read(REQUEST | {"day": "20261119"}) is None
    assert store.read(REQUEST | {"tickers": ["QQQ"]}) is None
    assert PayloadStore(tmp_path, reading=False).read(REQUEST) is None


def test_the_same_answers_are_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        PayloadStore(tmp_path / folder).keep(REQUEST, PAYLOADS)
    one, two = (path.read_bytes() for path in sorted(tmp_path.rglob("*.gz")))
    assert one == two


def test_the_days_kept_are_those_of_the_same_request(tmp_path):
    store = PayloadStore(tmp_path)
    for day in ("20261120", "20261118"):
        store.keep(REQUEST | {"day": day}, PAYLOADS)
    store.keep(REQUEST | {"day": "20261117", "tickers": ["QQQ"]}, PAYLOADS)
    assert store.days(REQUEST) == ["20261118", "20261120"]


def test_without_a_folder_nothing_is_kept():
    store = PayloadStore(None)
    store.keep(REQUEST, PAYLOADS)
    assert store.read(REQUEST) is None and store.days(REQUEST) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda held: held[:-5],
        lambda held: b"",
        lambda held: gzip.compress(gzip.decompress(held).replace(b"[]", b"{}")),
        lambda held: gzip.compress(b"[1, 2]\n"),
        lambda held: gzip.compress(b"not json\n"),
    ],
    ids=["short", "empty", "changed", "other", "text"],
)
def test_a_damaged_file_is_refused(tmp_path, damage):
    store = PayloadStore(tmp_path)
    store.keep(REQUEST, PAYLOADS)
    (path,) = tmp_path.rglob("*.gz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadDataError, match=path.name):
        store.read(REQUEST)
