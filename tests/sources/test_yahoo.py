import json
import sys

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import Response

from options_pricing.run.errors import BadDataError, MissingInputError, TaskError, UpstreamError
from options_pricing.run.params import Http, YahooSource
from options_pricing.run.retry import RetryPolicy
from options_pricing.sources import Network, make_source
from options_pricing.sources.payloads import Payload, PayloadStore
from options_pricing.sources.yahoo import Yahoo
from options_pricing.sources.yahoo_talk import moved
from tests.sources.yahoo_feed import CLOSED, EXPIRATIONS, page, rows

DAY = "20261120"
PATH = "/v7/finance/options/SPY"
POLICY = RetryPolicy(tries=2, first_wait=0.0)


@pytest.fixture(scope="module", autouse=True)
def cookies(tmp_path_factory):
    """yfinance keeps cookies in the user's own folder; tests have one of theirs."""
    yfinance = pytest.importorskip("yfinance")
    yfinance.set_tz_cache_location(str(tmp_path_factory.mktemp("yfinance")))


@pytest.fixture
def source(httpserver):
    """The source, pointed at the test server, which gives a cookie and a crumb as Yahoo does."""
    httpserver.expect_request("/v1/test/getcrumb").respond_with_data("crumbly")
    httpserver.expect_request("/").respond_with_data("")

    def make(handler, ticker="SPY", **limits):
        httpserver.expect_request(f"/v7/finance/options/{ticker}").respond_with_handler(handler)
        asked = YahooSource(kind="yahoo", tickers=(ticker,), base_url=httpserver.url_for("").rstrip("/"))
        return make_source(asked, Network(POLICY, Http(payloads=None, **limits)))

    return make


def pages(request):
    return Response(json.dumps(page(int(request.args.get("date", EXPIRATIONS[0])))))


def read(*given, day=DAY):
    """Read pages without a server."""
    payloads = [Payload(f"https://host{PATH}", (200,), json.dumps(each).encode()) for each in given]
    return Yahoo(None, PayloadStore(None), "https://host", ["SPY"], Http())._read(day, payloads)


def asked_for_chains(httpserver):
    return [request.args.get("date") for request, _ in httpserver.log if request.path.startswith("/v7")]


def test_every_expiration_is_asked_for_once_and_kept_as_it_came(source, httpserver):
    chain = source(pages).chain(DAY)
    assert asked_for_chains(httpserver) == [None, str(EXPIRATIONS[1])]
    quotes = chain.quotes
    assert quotes["expiration"].dt.strftime("%Y%m%d").tolist() == ["20261218"] * 4 + ["20270115"] * 4
    assert quotes["option_type"].tolist() == ["C", "C", "P", "P"] * 2
    assert quotes["contract_symbol"].tolist()[0] == "SPY261218C00640000"
    assert (quotes["multiplier"] == 100).all() and (quotes["underlying_price"] == 650.0).all()
    assert chain.captured_at == "2026-11-20T21:00:02Z" and not chain.notes
    assert chain.response_codes == [200, 200]
    assert [each["path"].partition("/v7")[2] for each in chain.inputs] == [
        "/finance/options/SPY",
        f"/finance/options/SPY?date={EXPIRATIONS[1]}",
    ]


def test_this_very_machine_is_asked_without_a_proxy(source, monkeypatch):
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert len(source(pages).chain(DAY).quotes) == 8


def test_fault_72_the_crumb_is_sent_and_never_told(source, httpserver):
    chain = source(pages).chain(DAY)
    assert any(request.args.get("crumb") for request, _ in httpserver.log)
    assert "crumb" not in json.dumps([list(chain.inputs), chain.request, chain.notes])


def test_without_yfinance_the_command_that_installs_it_is_said(source, monkeypatch):
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises(MissingInputError, match="pip install"):
        source(pages).chain(DAY)


@pytest.mark.parametrize("status", [429, 500, 503], ids=["fault-01-429", "fault-03-500", "fault-03-503"])
def test_a_failure_that_stays_is_told_with_its_status(source, status):
    with pytest.raises(UpstreamError, match=rf"answers {status}.*attempts: 2"):
        source(lambda request: Response(status=status)).chain(DAY)


def test_fault_02_a_failure_that_passes_is_tried_again(source):
    first = [True]

    def handle(request):
        # yfinance asks a second time by itself, with another cookie: fail both.
        if len(first) < 3:
            first.append(True)
            return Response(status=500)
        return pages(request)

    chain = source(handle).chain(DAY)
    assert chain.response_codes == [500, 500, 200, 200]


def test_fault_05_a_trickle_ends_at_the_deadline(source):
    def trickle(request):
        import time

        def body():
            for _ in range(100):
                time.sleep(0.1)
                yield b" "

        return Response(body())

    with pytest.raises(UpstreamError, match="attempts: 2"):
        source(trickle, deadline=0.5).chain(DAY)


def test_fault_07_a_page_that_is_not_json_is_named(source):
    with pytest.raises(UpstreamError, match="not JSON"):
        source(lambda request: Response("<html>consent</html>")).chain(DAY)


@pytest.mark.parametrize("status", [401, 403])
def test_fault_08_no_entry_is_not_tried_again(source, httpserver, status):
    with pytest.raises(UpstreamError, match=f"answers {status}"):
        source(lambda request: Response(status=status)).chain(DAY)
    assert len(asked_for_chains(httpserver)) == 2  # yfinance's own second cookie


def test_fault_09_a_redirect_is_not_followed(source):
    elsewhere = {"Location": "http://localhost:1/elsewhere"}
    with pytest.raises(UpstreamError, match="answers 302"):
        source(lambda request: Response(status=302, headers=elsewhere)).chain(DAY)


def test_fault_10_and_11_an_answer_over_the_limit_is_refused(source):
    import gzip

    packed = Response(gzip.compress(bytes(1 << 22)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(UpstreamError, match="too large"):
        source(lambda request: packed, largest=1 << 20).chain(DAY)


def test_fault_12_a_renamed_field_is_named():
    renamed = [{"Bid" if name == "bid" else name: value for name, value in each.items()} for each in rows(1, "C")]
    with pytest.raises(BadDataError, match=r"missing: bid.*Bid"):
        read(page(calls=renamed, puts=[]))


def test_fault_15_the_nearest_expiration_given_for_every_other_is_counted_as_missing():
    chain = read(page(), page())
    assert len(chain.quotes) == 4
    assert chain.notes == {"expirations_missing": ["SPY 2027-01-15"]}


def test_fault_16_a_chain_without_an_option_is_refused():
    with pytest.raises(UpstreamError, match="empty chain"):
        read(page(calls=[], puts=[]))


def test_the_day_is_that_of_the_last_regular_trade():
    before_the_open = page(preMarketTime=CLOSED + 60 * 3600)
    chain = read(before_the_open)
    assert (chain.quotes["trade_date"] == pd.Timestamp(DAY)).all()
    assert chain.captured_at == "2026-11-23T09:00:02Z"
    assert (chain.quotes["quote_time"] == pd.Timestamp("2026-11-20 21:00:02Z")).all()
    with pytest.raises(UpstreamError, match=f"newest day only, {DAY}"):
        read(before_the_open, day="20261123")
    with pytest.raises(UpstreamError, match="trading day"):
        read(page(traded=None))


def test_a_contract_of_another_size_has_no_multiplier():
    quotes = read(page(puts=rows(EXPIRATIONS[0], "P", contractSize="MINI"))).quotes
    assert quotes["multiplier"].isna().tolist() == [False, False, True, True]


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=1)


@given(st.dictionaries(st.sampled_from([*rows(1, "C")[0], "new"]), VALUES), st.integers(0, 1))
def test_no_option_whatever_it_holds_is_an_uncaught_error_or_a_lost_row(changed, place):
    calls = rows(EXPIRATIONS[0], "C")
    calls[place] |= changed
    assert len(read(page(calls=calls)).quotes) == 4


@given(st.sampled_from(["expirationDates", "quote", "options", "new"]), VALUES)
def test_no_page_whatever_it_holds_is_an_uncaught_error(name, value):
    changed = page()
    changed["optionChain"]["result"][0][name] = value
    try:
        read(changed)
    except TaskError as error:
        assert str(error).count("\n") <= 4


@pytest.mark.parametrize(
    ("url", "base_url", "to"),
    [
        ("https://query2.finance.yahoo.com/v7/x?a=1", "http://localhost:5", "http://localhost:5/v7/x?a=1"),
        ("https://fc.yahoo.com", "http://localhost:5", "http://localhost:5"),
        ("https://fc.yahoo.com", "https://query2.finance.yahoo.com", "https://fc.yahoo.com"),
        ("https://notyahoo.com/x", "http://localhost:5", "https://notyahoo.com/x"),
    ],
)
def test_what_is_meant_for_yahoo_goes_to_the_address_given(url, base_url, to):
    assert moved(url, base_url) == to


RECORDED = {"AAPL": 102, "ABBV": 47, "BABA": 196, "QQQ": 180, "EPAC": 1, "CRON": 11, "BFLY": 17, "SPOT": 179}
WITHOUT = ["GC=F", "OCDO.L", "BTC-USD", "AFRAF", "0P000071W8.TO"]


def recorded(market, ticker):
    body = json.loads((market / "payloads/yahoo" / f"options-{ticker}.json").read_text())["body"]
    chain = body["optionChain"]["result"][0]
    chain["expirationDates"] = chain["expirationDates"][:1]  # the others were not recorded
    return json.dumps(body)


@pytest.mark.market
@pytest.mark.parametrize("ticker", RECORDED)
def test_the_recorded_chains_are_read(source, market, ticker):
    body = recorded(market, ticker)
    quotes = source(lambda request: Response(body), ticker).chain("20250221").quotes
    assert len(quotes) == RECORDED[ticker]
    assert quotes["strike"].notna().all() and quotes["root"].notna().all()
    assert (quotes["expiration"] > pd.Timestamp("20250221")).all()


@pytest.mark.market
@pytest.mark.parametrize("ticker", WITHOUT)
def test_fault_16_a_recorded_name_without_options_is_no_empty_file(market, ticker):
    document = json.loads(recorded(market, ticker))
    with pytest.raises(UpstreamError):
        read(document, day="20250221")


@pytest.mark.live
def test_contract_yahoo_shows_a_chain():
    source = make_source(YahooSource(kind="yahoo"), Network(limits=Http(payloads=None)))
    with pytest.raises(UpstreamError, match="newest day only") as raised:
        source.chain("20000103")
    chain = source.chain(raised.value.why.split("only, ")[1][:8])
    assert len(chain.quotes) > 1000 and not chain.notes
