"""Small pages of Yahoo's option chains, made by hand in its layout."""

from datetime import UTC, datetime

CLOSED = int(datetime(2026, 11, 20, 21, 0, 2, tzinfo=UTC).timestamp())
EXPIRATIONS = [int(datetime(2026, 12, 18, tzinfo=UTC).timestamp()), int(datetime(2027, 1, 15, tzinfo=UTC).timestamp())]


def row(symbol, strike, expiration, **more):
    return {
        "contractSymbol": symbol,
        "strike": strike,
        "currency": "USD",
        "lastPrice": 1.04,
        "volume": 4,
        "openInterest": 30,
        "bid": 1.0,
        "ask": 1.1,
        "contractSize": "REGULAR",
        "expiration": expiration,
        "lastTradeDate": CLOSED - 4,
        "impliedVolatility": 0.2,
        "inTheMoney": False,
    } | more


def rows(expiration, kind, **more):
    at = f"{datetime.fromtimestamp(expiration, UTC):%y%m%d}"
    return [row(f"SPY{at}{kind}{strike:05d}000", strike, expiration, **more) for strike in (640, 660)]


def page(expiration=EXPIRATIONS[0], *, calls=None, puts=None, named=EXPIRATIONS, traded=CLOSED, **quote):
    options = {
        "expirationDate": expiration,
        "calls": rows(expiration, "C") if calls is None else calls,
        "puts": rows(expiration, "P") if puts is None else puts,
    }
    quoted = {"symbol": "SPY", "regularMarketPrice": 650.0, "regularMarketTime": traded} | quote
    chain = {"underlyingSymbol": "SPY", "expirationDates": named, "quote": quoted, "options": [options]}
    return {"optionChain": {"result": [chain], "error": None}}
