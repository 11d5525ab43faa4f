"""A day of the simulated market as services on the network show theirs, on a local server."""

import json

import pandas as pd
from werkzeug import Request, Response

from options_pricing.quotes.osi import build_symbols
from options_pricing.sources.simulated import SimulatedMarket

YIELDS = "Date,1 Mo,3 Mo,6 Mo,1 Yr,2 Yr\n11/20/2026,4.0,4.0,3.9,3.8,3.7\n11/19/2026,4.1,4.1,4.0,3.9,3.8\n"
YIELDS_PATH = "/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/2026/all"


def simulated(underlying: str, day: str) -> pd.DataFrame:
    """The clean chain of one underlying."""
    return SimulatedMarket(5, (underlying,), "tiny", 0.0).chain(day).quotes


def milliseconds(at: pd.Timestamp) -> int:
    return round(at.timestamp() * 1000)


def serve_yields(httpserver) -> None:
    httpserver.expect_request(YIELDS_PATH).respond_with_data(YIELDS)


def serve_cboe(httpserver, day: str) -> None:
    """XETF, as Cboe's delayed quotes have a fund."""
    quotes = simulated("XETF", day)
    close = f"{pd.Timestamp(day):%Y-%m-%d}"
    options = [
        {
            "option": row.contract_symbol,
            "bid": row.bid,
            "ask": row.ask,
            "bid_size": row.bid_size,
            "ask_size": row.ask_size,
            "iv": 0.0,
            "volume": row.volume,
            "open_interest": row.open_interest,
            "last_trade_price": None if pd.isna(row.last_price) else row.last_price,
            "last_trade_time": f"{close}T15:59:58",
        }
        for row in quotes.itertuples()
    ]
    data = {"options": options, "current_price": quotes["underlying_price"].iloc[0]}
    document = {"timestamp": f"{close} 21:15:00", "data": data}
    httpserver.expect_request("/api/global/delayed_quotes/options/XETF.json").respond_with_json(document)


def serve_deribit(httpserver, day: str) -> None:
    """XIDXW as if it were a coin: its premiums divided by its price, its expirations at 08:00 UTC."""
    quotes = simulated("XIDX", day)
    quotes = quotes[quotes["root"] == "XIDXW"]
    listed, tickers = [], {}
    for row in quotes.itertuples():
        name = f"BTC-{row.expiration:%d%b%y}-{row.strike:.0f}-{row.option_type}".upper()
        listed.append(
            {
                "instrument_name": name,
                "base_currency": "BTC",
                "quote_currency": "BTC",
                "expiration_timestamp": milliseconds(row.expiration.tz_localize("UTC") + pd.Timedelta(hours=8)),
                "strike": row.strike,
                "option_type": {"C": "call", "P": "put"}[row.option_type],
                "contract_size": 1,
            }
        )
        tickers[name] = {
            "instrument_name": name,
            "timestamp": milliseconds(row.quote_time),
            "index_price": row.underlying_price,
            "best_bid_price": row.bid / row.underlying_price,
            "best_ask_price": row.ask / row.underlying_price,
            "best_bid_amount": row.bid_size,
            "best_ask_amount": row.ask_size,
            "last_price": None,
            "mark_price": None,
            "mark_iv": None,
            "open_interest": row.open_interest,
            "stats": {"volume": row.volume},
        }

    def ticker(request: Request) -> Response:
        return Response(json.dumps({"jsonrpc": "2.0", "result": tickers[request.args["instrument_name"]]}))

    httpserver.expect_request("/api/v2/public/get_instruments").respond_with_json({"jsonrpc": "2.0", "result": listed})
    httpserver.expect_request("/api/v2/public/ticker").respond_with_handler(ticker)


def serve_yahoo(httpserver, day: str) -> None:
    """XETF, as Yahoo's pages have a fund, one an expiration."""
    quotes = simulated("XETF", day)
    seconds = {at: round(at.tz_localize("UTC").timestamp()) for at in sorted(quotes["expiration"].unique())}
    traded = round(quotes["quote_time"].iloc[0].timestamp()) - 900
    symbols = build_symbols(quotes["root"], quotes["expiration"], quotes["option_type"], quotes["strike"])
    rows: dict[tuple[int, str], list[dict[str, object]]] = {}
    for symbol, row in zip(symbols, quotes.itertuples(), strict=True):
        given = {"contractSymbol": symbol, "strike": row.strike, "bid": row.bid, "ask": row.ask}
        given |= {"volume": row.volume, "openInterest": row.open_interest, "contractSize": "REGULAR"}
        given |= {"expiration": seconds[row.expiration], "lastTradeDate": traded}
        rows.setdefault((seconds[row.expiration], row.option_type), []).append(given)
    quote = {"regularMarketPrice": quotes["underlying_price"].iloc[0], "regularMarketTime": traded}

    def page(request: Request) -> Response:
        at = int(request.args.get("date", min(seconds.values())))
        options = {"expirationDate": at, "calls": rows.get((at, "C"), []), "puts": rows.get((at, "P"), [])}
        chain = {"expirationDates": [*seconds.values()], "quote": quote, "options": [options]}
        return Response(json.dumps({"optionChain": {"result": [chain], "error": None}}))

    httpserver.expect_request("/v1/test/getcrumb").respond_with_data("crumbly")
    httpserver.expect_request("/").respond_with_data("")
    httpserver.expect_request("/v7/finance/options/XETF").respond_with_handler(page)


SERVED = {
    "cboe": (serve_cboe, {"tickers": ["XETF"]}),
    "deribit": (serve_deribit, {"currencies": ["BTC"]}),
    "yahoo": (serve_yahoo, {"tickers": ["XETF"]}),
}
