import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.run.errors import TaskError, UpstreamError
from options_pricing.run.params import CboeSource, Http
from options_pricing.sources import Network, make_source
from options_pricing.sources.cboe import Cboe
from options_pricing.sources.live import numbers
from options_pricing.sources.payloads import Payload, PayloadStore
from tests.sources.cboe_feed import DAY, feed, option

PATH = "/api/global/delayed_quotes/options/{}.json"
QUOTES = ["bid", "ask", "bid_size", "ask_size", "last_price", "volume", "open_interest", "vendor_implied_vol"]


@pytest.fixture
def serve(httpserver):
    """Serve one document per ticker; gives the source."""

    def run(documents):
        for ticker, document in documents.items():
            httpserver.expect_request(PATH.format(ticker)).respond_with_data(document)
        base_url = httpserver.url_for("").rstrip("/")
        asked = CboeSource(kind="cboe", tickers=tuple(documents), base_url=base_url)
        return make_source(asked, Network(limits=Http(payloads=None)))

    return run


def read(document, day=DAY):
    """Read one answer without a server."""
    source = Cboe(None, PayloadStore(None), "https://host", ["SPY"])
    return source._read(day, [Payload("https://host/x", (200,), json.dumps(document).encode())])


def test_an_index_and_a_fund_are_one_table_with_their_own_terms(serve):
    weekly = [option("SPX261218C06500000"), option("SPXW261218C06500000"), option("SPXW261218P06500000")]
    documents = {"_SPX": json.dumps(feed(weekly, "_SPX", price=6500.5)), "SPY": json.dumps(feed())}
    quotes = serve(documents).chain(DAY).quotes
    assert quotes["underlying"].tolist() == ["SPX"] * 3 + ["SPY"] * 8
    assert quotes["root"].tolist()[:3] == ["SPX", "SPXW", "SPXW"]
    assert quotes["settlement"].tolist()[:4] == ["am", "pm", "pm", "pm"]
    assert quotes["exercise_style"].tolist()[2:4] == ["european", "american"]
    assert quotes["underlying_price"].tolist()[2:4] == [6500.5, 650.0]


def test_the_capture_is_utc_and_trades_are_new_york():
    row = read(feed()).quotes.iloc[0]
    assert row["quote_time"] == pd.Timestamp("2026-11-20 22:41:22Z")
    assert row["last_trade_time"] == pd.Timestamp("2026-11-20 20:59:58Z")
    summer = feed([option("SPY260821C00640000", traded="2026-08-05T16:14:59")], timestamp="2026-08-05 22:41:22")
    assert read(summer, "20260805").quotes["last_trade_time"][0] == pd.Timestamp("2026-08-05 20:14:59Z")


def test_the_trading_day_is_that_of_the_last_trade_and_not_of_the_capture():
    captured_next_morning = feed(timestamp="2026-11-23 13:00:00")
    assert (read(captured_next_morning).quotes["trade_date"] == pd.Timestamp(DAY)).all()
    with pytest.raises(UpstreamError, match="20261120"):
        read(captured_next_morning, "20261123")


def test_a_symbol_that_cannot_be_read_stays_as_a_row_without_a_contract():
    quotes = read(feed([option("SPY261218C00640000"), option("what?"), option(None)])).quotes
    assert len(quotes) == 3
    assert quotes["strike"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("changed", [{"timestamp": "yesterday"}, {"timestamp": None}, {"data": 3}, {"data": {}}])
def test_a_document_of_another_layout_is_refused(changed):
    with pytest.raises(TaskError):
        read(feed() | changed)


def test_a_chain_in_which_nothing_ever_traded_has_no_day():
    with pytest.raises(UpstreamError, match="trading day"):
        read(feed([option("SPY261218C00640000", traded=None)]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda v: st.lists(v, max_size=2)
)


@given(st.lists(JSON, max_size=20))
def test_fault_13_only_finite_numbers_come_through_and_the_others_are_counted(values):
    counted = {}
    found = numbers(pd.Series(values, dtype=object), counted, "bid")
    assert not found.isin([float("inf"), -float("inf")]).any()
    null = sum(value is None or value != value for value in values)
    assert found.isna().sum() == null + counted.get("bid", 0)


@given(st.dictionaries(st.sampled_from(["option", "bid", "last_trade_time", "iv", "new"]), JSON), st.integers(0, 7))
def test_no_option_whatever_it_holds_is_an_uncaught_error_or_a_lost_row(changed, place):
    document = feed()
    document["data"]["options"][place] |= changed
    try:
        assert len(read(document).quotes) == 8
    except TaskError as error:
        assert str(error).count("\n") <= 4


@pytest.mark.market
@pytest.mark.parametrize(
    ("ticker", "day", "rows"), [("SPY_2026-08-05", "20260805", 1482), ("_SPX_2026-08-05", "20260805", 1886)]
)
def test_a_recorded_answer_gives_the_rows_of_the_archive_of_that_day(serve, market, ticker, day, rows):
    recorded = (market / "payloads/cboe" / f"{ticker}.json").read_bytes()
    name = ticker.rpartition("_")[0]
    live = serve({name: recorded}).chain(day).quotes.set_index("contract_symbol")
    assert len(live) == rows
    archive = make_source(Archive(market / "cboe_eod", (name,))).chain(day).quotes.set_index("contract_symbol")
    same = archive.loc[live.index]
    terms = ["root", "expiration", "strike", "option_type", "settlement", "exercise_style", "last_trade_time"]
    pd.testing.assert_frame_equal(live[QUOTES + terms], same[QUOTES + terms])


class Archive:
    kind = "cboe_eod"

    def __init__(self, folder: Path, tickers: tuple[str, ...]) -> None:
        self.folder, self.tickers = folder, tickers


@pytest.mark.market
def test_the_genuine_excerpt_is_read(serve, market):
    recorded = (market / "payloads/cboe/AAPL_20260807_excerpt.json").read_bytes()
    quotes = serve({"AAPL": recorded}).chain("20260807").quotes
    assert quotes["strike"].tolist() == [110, 110, 125, 125]
    assert quotes["ask"].tolist() == [202.25, 0.01, 188.55, 0.01]
    assert quotes["last_trade_time"].isna().tolist() == [False, False, False, True]
    assert (quotes["quote_time"] == pd.Timestamp("2026-08-07 18:58:23Z")).all()


@pytest.mark.live
def test_contract_the_service_shows_a_chain_of_a_trading_day():
    source = make_source(CboeSource(kind="cboe", tickers=("_SPX",)), Network(limits=Http(payloads=None)))
    with pytest.raises(UpstreamError, match="newest day only") as raised:
        source.chain("20000103")
    newest = raised.value.why.split("only, ")[1][:8]
    chain = source.chain(newest)
    assert len(chain.quotes) > 10_000 and not chain.unreadable
    assert set(chain.quotes["root"]) >= {"SPX", "SPXW"}
