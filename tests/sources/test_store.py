"""A fetched day on disk: whole, once, and never taken for another."""

import json
from pathlib import Path

import pytest

from options_pricing.quotes.schema import RAW, TRUTH
from options_pricing.quotes.tables import read_csv
from options_pricing.run.errors import BadDataError, UpstreamError
from options_pricing.run.files import sha256_of
from options_pricing.sources.base import RawChain
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.sources.simulated import SimulatedMarket
from options_pricing.sources.store import fetched_before, raw_files, store

DAY = "20261120"
SOURCE = SimulatedMarket(1, ("XTEC",), "tiny", 0.05)


@pytest.fixture(scope="module")
def chain() -> RawChain:
    return SOURCE.chain(DAY)


@pytest.fixture
def files(tmp_path):
    return raw_files(tmp_path / "raw" / f"options_data_{DAY}.csv")


def test_names_beside_the_table(files):
    assert [path.name for path in files] == [f"options_data_{DAY}.{end}" for end in ("csv", "meta.json", "truth.csv")]


def test_what_is_written_is_read_again(chain, files):
    meta = store(SOURCE, DAY, chain, files)
    assert json.loads(files.meta.read_text()) == meta
    assert list(meta) == [
        *("source", "simulated", "trade_date", "underlyings", "rows", "sha256"),
        *("request", "response_codes", "captured_at", "inputs", "unreadable", "notes"),
    ]
    assert meta["sha256"] == sha256_of(files.table)
    assert meta["simulated"] is True and meta["underlyings"] == ["XTEC"]
    quotes = read_csv(files.table, RAW)
    assert len(quotes) == meta["rows"] == len(chain.quotes)
    assert quotes["bid"].equals(chain.quotes["bid"])
    truth = read_csv(files.truth, TRUTH)
    assert truth["defect"].notna().sum() == chain.truth["defect"].notna().sum() > 0


def test_a_day_is_there_only_with_its_meta(chain, files):
    assert fetched_before(SOURCE, DAY, files) is None
    meta = store(SOURCE, DAY, chain, files)
    assert fetched_before(SOURCE, DAY, files) == meta
    files.meta.unlink()
    assert fetched_before(SOURCE, DAY, files) is None


@pytest.mark.parametrize(
    "other",
    [
        SimulatedMarket(2, ("XTEC",), "tiny", 0.05),
        SimulatedMarket(1, ("XTEC", "XOIL"), "tiny", 0.05),
        SimulatedMarket(1, ("XTEC",), "normal", 0.05),
    ],
    ids=["seed", "underlyings", "density"],
)
def test_a_day_asked_for_otherwise_is_not_taken_for_this_one(chain, files, other):
    store(SOURCE, DAY, chain, files)
    assert fetched_before(other, DAY, files) is None


def test_real_quotes_do_not_give_way_to_another_source(chain, files):
    real = CboeEod(files.table.parent, ("_SPX",))
    store(real, DAY, RawChain(chain.quotes, real.request(DAY), chain.captured_at), files)
    before = files.table.read_bytes()
    with pytest.raises(BadDataError, match="real quotes from cboe_eod"):
        fetched_before(SOURCE, DAY, files)
    assert files.table.read_bytes() == before
    assert fetched_before(CboeEod(files.table.parent, ("_NDX",)), DAY, files) is None


def test_a_table_that_was_edited_is_named(chain, files):
    store(SOURCE, DAY, chain, files)
    files.table.write_bytes(files.table.read_bytes().replace(b"XTEC", b"XTEX", 1))
    with pytest.raises(BadDataError, match="not the file that was fetched"):
        fetched_before(SOURCE, DAY, files)


def test_an_empty_chain_is_no_day(chain, files):
    empty = RawChain(chain.quotes.iloc[:0], chain.request, chain.captured_at)
    with pytest.raises(UpstreamError, match="empty chain"):
        store(SOURCE, DAY, empty, files)
    assert not files.table.exists() and not files.meta.exists()


def test_another_days_quotes_are_not_stored_under_this_date(chain, files):
    with pytest.raises(UpstreamError, match="did not give 20261119") as raised:
        store(SOURCE, "20261119", chain, files)
    assert "20261120" in raised.value.why
    assert not files.table.exists()


def test_the_truth_of_an_earlier_source_does_not_stay(chain, files):
    store(SOURCE, DAY, chain, files)
    store(SOURCE, DAY, RawChain(chain.quotes, chain.request, chain.captured_at), files)
    assert files.meta.exists() and not files.truth.exists()


def test_a_fetch_that_fails_leaves_the_day_that_was_there(chain, files, monkeypatch):
    meta = store(SOURCE, DAY, chain, files)
    before = {path: path.read_bytes() for path in files}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("options_pricing.sources.store.write_csv", full)
    with pytest.raises(OSError, match="No space"):
        store(SOURCE, DAY, chain, files)
    assert {path: path.read_bytes() for path in files} == before
    assert fetched_before(SOURCE, DAY, files) == meta


def test_a_fetch_that_dies_between_two_of_its_files_leaves_no_meta_to_trust(chain, files, monkeypatch):
    store(SOURCE, DAY, chain, files)
    replace = Path.replace

    def killed(temporary, path):
        if path == files.meta:
            raise KeyboardInterrupt
        return replace(temporary, path)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        store(SOURCE, DAY, chain, files)
    assert fetched_before(SOURCE, DAY, files) is None


def test_another_day_is_not_fetched_over(chain, files):
    store(SOURCE, DAY, chain, files)
    with pytest.raises(BadDataError, match="holds another day than 20261119"):
        fetched_before(SOURCE, "20261119", files)
