"""A small answer of Cboe's service, made by hand in its layout."""

import json

DAY = "20261120"


def option(symbol, bid=1.0, ask=1.1, traded="2026-11-20T15:59:58", **more):
    return {
        "option": symbol,
        "bid": bid,
        "bid_size": 5.0,
        "ask": ask,
        "ask_size": 7.0,
        "iv": 0.2,
        "open_interest": 30.0,
        "volume": 4.0,
        "delta": 0.5,
        "theo": 1.05,
        "last_trade_price": 1.04,
        "last_trade_time": traded,
    } | more


def feed(options=None, ticker="SPY", timestamp="2026-11-20 22:41:22", price=650.0):
    """The document for `ticker`; by default a call and a put of two strikes and two expirations."""
    if options is None:
        options = [
            option(f"{ticker.removeprefix('_')}{at}{kind}{strike:05d}000")
            for at in ("261218", "270115")
            for strike in (640, 660)
            for kind in "CP"
        ]
    data = {"options": options, "symbol": ticker, "current_price": price, "last_trade_time": "2026-11-20T16:00:00"}
    return {"timestamp": timestamp, "data": data, "symbol": ticker}


def body(*args, **given):
    return json.dumps(feed(*args, **given)).encode()
