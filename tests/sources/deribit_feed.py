"""Small answers of Deribit's interface, made by hand in its layout."""

from datetime import UTC, datetime

TAKEN = datetime(2026, 11, 20, 23, 0, 5, 250_000, tzinfo=UTC)
EXPIRATIONS = {"21NOV26": datetime(2026, 11, 21, 8, tzinfo=UTC), "18DEC26": datetime(2026, 12, 18, 8, tzinfo=UTC)}
INDEX = 100_000.0


def milliseconds(at):
    return round(at.timestamp() * 1000)


def instruments(**more):
    """A call and a put of two strikes and two expirations."""
    return [
        {
            "instrument_name": f"BTC-{name}-{strike}-{kind}",
            "base_currency": "BTC",
            "quote_currency": "BTC",
            "expiration_timestamp": milliseconds(at),
            "strike": strike,
            "option_type": {"C": "call", "P": "put"}[kind],
            "contract_size": 1,
        }
        | more
        for name, at in EXPIRATIONS.items()
        for strike in (95_000, 105_000)
        for kind in "CP"
    ]


def ticker(name, at=TAKEN, **more):
    return {
        "instrument_name": name,
        "timestamp": milliseconds(at),
        "index_price": INDEX,
        "underlying_price": 100_500.0,
        "best_bid_price": 0.05,
        "best_ask_price": 0.0525,
        "best_bid_amount": 3.5,
        "best_ask_amount": 4.0,
        "last_price": 0.051,
        "mark_price": 0.0512,
        "mark_iv": 52.5,
        "open_interest": 12.5,
        "stats": {"volume": 7.5, "high": None},
        "greeks": {"delta": 0.5},
    } | more


def answered(result):
    return {"jsonrpc": "2.0", "result": result, "usIn": 1, "testnet": False}
