import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from options_pricing.quotes.schema import VALIDATED
from options_pricing.quotes.tables import conform
from options_pricing.run.errors import BadDataError, TaskError, UpstreamError
from options_pricing.run.params import DeribitSource, Features, Http
from options_pricing.sources import Network, make_source
from options_pricing.sources.deribit import INSTRUMENTS, TICKER, Deribit
from options_pricing.sources.payloads import Payload, PayloadStore
from options_pricing.surface.features import build_features
from tests.sources.deribit_feed import INDEX, TAKEN, answered, instruments, ticker

DAY = "20261120"


def payload(path, result, query=""):
    return Payload(f"https://host/{path}{query}", (200,), json.dumps(result).encode())


def read(listed=None, tickers=None, day=DAY):
    """Read answers without a server."""
    listed = instruments() if listed is None else listed
    tickers = [ticker(each["instrument_name"]) for each in listed] if tickers is None else tickers
    payloads = [payload(INSTRUMENTS, answered(listed)), *(payload(TICKER, answered(each)) for each in tickers)]
    return Deribit(None, PayloadStore(None), "https://host", ["BTC"])._read(day, payloads)


@pytest.fixture
def serve(httpserver):
    """Serve instruments and tickers; gives the source."""

    def run(listed, tickers):
        def a_ticker(request):
            from werkzeug import Response

            return Response(json.dumps(tickers[request.args["instrument_name"]]))

        httpserver.expect_request(f"/{INSTRUMENTS}").respond_with_json(listed)
        httpserver.expect_request(f"/{TICKER}").respond_with_handler(a_ticker)
        asked = DeribitSource(kind="deribit", base_url=httpserver.url_for("").rstrip("/"))
        return make_source(asked, Network(limits=Http(payloads=None)))

    return run


def test_every_instrument_listed_is_asked_for_its_ticker(serve, httpserver):
    tickers = {each["instrument_name"]: answered(ticker(each["instrument_name"])) for each in instruments()}
    chain = serve(answered(instruments()), tickers).chain(DAY)
    assert chain.quotes["contract_symbol"].tolist() == list(tickers)
    assert len(chain.inputs) == len(chain.response_codes) == 9
    asked = [parse_qs(urlsplit(each["path"]).query) for each in chain.inputs]
    assert asked[0] == {"currency": ["BTC"], "kind": ["option"], "expired": ["false"]}


def test_premiums_in_coins_become_dollars_at_the_index_and_that_is_said():
    chain = read()
    row = chain.quotes.iloc[0]
    assert (row["bid"], row["ask"], row["last_price"]) == (0.05 * INDEX, 0.0525 * INDEX, 0.051 * INDEX)
    assert (row["bid_size"], row["open_interest"], row["volume"], row["multiplier"]) == (3.5, 12.5, 7.5, 1)
    assert row["vendor_implied_vol"] == 0.525 and row["underlying_price"] == INDEX
    assert "index_price" in chain.notes["premiums"]


def test_an_option_quoted_in_dollars_is_left_as_it_is():
    listed = instruments(quote_currency="USDC")
    tickers = [ticker(each["instrument_name"], best_bid_price=4999.0) for each in listed]
    assert (read(listed, tickers).quotes["bid"] == 4999.0).all()


def test_terms_and_times():
    quotes = read().quotes
    assert set(quotes["exercise_style"]) == {"european"} and set(quotes["settlement"]) == {"utc08"}
    assert quotes["expiration"].dt.strftime("%Y%m%d").tolist() == ["20261121"] * 4 + ["20261218"] * 4
    assert quotes["option_type"].tolist() == ["C", "P"] * 4
    assert (quotes["quote_time"] == pd.Timestamp("2026-11-20 23:00:05Z")).all()
    odd = instruments(expiration_timestamp=1_797_580_800_000 + 3_600_000)
    assert read(odd).quotes["settlement"].isna().all()


@pytest.mark.parametrize(
    ("later", "day"), [(timedelta(hours=5), DAY), (timedelta(hours=7), "20261121"), (timedelta(hours=-10), DAY)]
)
def test_the_day_is_the_one_in_new_york_on_which_it_was_captured(later, day):
    tickers = [ticker(each["instrument_name"], TAKEN + later) for each in instruments()]
    assert (read(tickers=tickers, day=day).quotes["trade_date"] == pd.Timestamp(day)).all()
    with pytest.raises(UpstreamError, match=day):
        read(tickers=tickers, day="20261119")


def test_an_error_in_place_of_a_result_is_told():
    refused = payload(INSTRUMENTS, {"jsonrpc": "2.0", "error": {"code": 10028, "message": "too_many_requests"}})
    with pytest.raises(UpstreamError, match="too_many_requests"):
        Deribit(None, PayloadStore(None), "https://host", ["BTC"])._read(DAY, [refused])


def test_fault_16_an_empty_list_of_instruments_is_no_chain():
    with pytest.raises(UpstreamError, match="empty chain"):
        read([])


def test_fault_12_a_renamed_field_is_named():
    tickers = [ticker(each["instrument_name"]) for each in instruments()]
    for each in tickers:
        each["bid"] = each.pop("best_bid_price")
    with pytest.raises(BadDataError, match="best_bid_price"):
        read(tickers=tickers)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=1)
FIELDS = st.sampled_from([*ticker("x"), "new"])


@given(st.dictionaries(FIELDS, VALUES), st.integers(0, 7))
@example({"timestamp": 253402300800000.0}, 0)
def test_no_ticker_whatever_it_holds_is_an_uncaught_error_or_a_lost_row(changed, place):
    tickers = [ticker(each["instrument_name"]) for each in instruments()]
    tickers[place] |= changed
    try:
        assert len(read(tickers=tickers).quotes) == 8
    except TaskError as error:
        assert str(error).count("\n") <= 4


@given(st.dictionaries(st.sampled_from([*instruments()[0], "new"]), VALUES), st.integers(0, 7))
def test_no_instrument_whatever_it_holds_is_an_uncaught_error_or_a_lost_row(changed, place):
    listed = instruments()
    listed[place] |= changed
    tickers = [ticker(each["instrument_name"]) for each in instruments()]
    try:
        assert len(read(listed, tickers).quotes) == 8
    except TaskError as error:
        assert str(error).count("\n") <= 4


@pytest.mark.parametrize(
    "tickers", [[], [ticker("BTC-21NOV26-95000-C")], [ticker("x")] * 8], ids=["no", "one", "other"]
)
def test_fault_15_tickers_that_are_missing_or_of_something_else_are_no_chain(tickers):
    with pytest.raises(BadDataError, match="deribit"):
        read(tickers=tickers)


@pytest.mark.market
def test_the_recorded_chain_gives_the_services_own_vols(market):
    """Forward, discounting, time and conversion are right where vols at the mids are those of the service."""
    folder = market / "payloads/deribit"
    listed = json.loads((folder / "get_instruments_btc_option_20260122.json").read_bytes())
    recorded = json.loads((folder / "ticker_all_btc_options_20260122.json").read_bytes())
    quotes = read(listed["result"], [each["result"] for each in recorded], "20260122").quotes
    assert len(quotes) == 678 and quotes["settlement"].notna().all()
    numbered = quotes.assign(raw_row=np.arange(len(quotes)), warnings=None)
    features = build_features(conform(numbered[numbered["bid"] > 0], VALIDATED), Features())
    near = features[features["out_of_the_money"] & (features["standardised_moneyness"].abs() < 0.5)]
    difference = (near["implied_vol"] - near["vendor_implied_vol"]).dropna()
    assert len(difference) > 100
    assert difference.abs().median() < 0.002 and abs(difference.mean()) < 0.001
    by_expiry = features.groupby("expiration")[["discount_factor", "underlying_price", "forward"]].first().dropna()
    carried = by_expiry["underlying_price"] / by_expiry["forward"]
    np.testing.assert_allclose(by_expiry["discount_factor"], carried, atol=0.0015)


@pytest.mark.live
def test_contract_the_service_lists_options_with_tickers():
    today = f"{pd.Timestamp.now(tz='America/New_York'):%Y%m%d}"
    chain = make_source(DeribitSource(kind="deribit"), Network(limits=Http(payloads=None))).chain(today)
    assert len(chain.quotes) > 300 and not chain.unreadable
    assert chain.quotes["settlement"].notna().all()
