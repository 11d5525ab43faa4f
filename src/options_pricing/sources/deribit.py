"""Deribit's options on coins, through its public JSON-RPC interface: the list of instruments, then each one's ticker.

These options are inverse: quoted and paid in the coin itself, ``max(S - K, 0) / S`` at the expiry for a call. A
premium of p coins is worth ``p * index_price`` dollars now, and that is what the table says; then ``C - P = D (F - K)``
holds in dollars with ``D = index / F``. They are European and stop at 08:00 UTC. Coins trade every day, but days here
are sessions of the exchange: a chain is of the day on which, in New York, it was captured.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import conform
from options_pricing.run.calendar import LAST_EXPIRATION, NEW_YORK, parse_day
from options_pricing.run.errors import BadDataError, UpstreamError
from options_pricing.run.files import parsed_json
from options_pricing.sources.base import RawChain
from options_pricing.sources.http import HttpClient
from options_pricing.sources.live import LiveSource, numbers, origins, require_fields, table_of, texts
from options_pricing.sources.payloads import Payload, PayloadStore

INSTRUMENTS = "api/v2/public/get_instruments"
TICKER = "api/v2/public/ticker"
SETTLEMENT = "utc08"
LATEST = 1000 * LAST_EXPIRATION.timestamp()
EXPIRES_AT = pd.Timedelta(hours=8)
OPTION_TYPES = {"call": "C", "put": "P"}
TERMS = (
    "instrument_name",
    "base_currency",
    "quote_currency",
    "expiration_timestamp",
    "strike",
    "option_type",
    "contract_size",
)
QUOTE = (
    "instrument_name",
    "timestamp",
    "index_price",
    "best_bid_price",
    "best_ask_price",
    "best_bid_amount",
    "best_ask_amount",
    "last_price",
    "mark_price",
    "mark_iv",
    "open_interest",
    "stats",
)
PREMIUMS = {"best_bid_price": "bid", "best_ask_price": "ask", "last_price": "last_price", "mark_price": "vendor_price"}
PLAIN = {"best_bid_amount": "bid_size", "best_ask_amount": "ask_size", "open_interest": "open_interest"}
PERCENT = 100
DECIMALS = 8


class Deribit(LiveSource):
    """The newest chains of some coins.

    Parameters
    ----------
    client, store, base_url
        As in `LiveSource`.
    currencies : sequence of str
        ``BTC``, ``ETH``.
    """

    name = "deribit"

    def __init__(self, client: HttpClient, store: PayloadStore, base_url: str, currencies: Sequence[str]) -> None:
        super().__init__(client, store, base_url)
        self._currencies = tuple(currencies)

    def request(self, day: str) -> dict[str, Any]:
        """What is asked for `day`."""
        return {"source": self.name, "currencies": list(self._currencies), "day": day}

    def _download(self) -> list[Payload]:
        payloads = []
        for currency in self._currencies:
            listed = self._ask(INSTRUMENTS, {"currency": currency, "kind": "option", "expired": "false"})
            payloads.append(listed)
            names = _instruments(listed)["instrument_name"]
            payloads.extend(self._ask(TICKER, {"instrument_name": str(name)}) for name in names)
        return payloads

    def _read(self, day: str, payloads: Sequence[Payload]) -> RawChain:
        listed = [payload for payload in payloads if INSTRUMENTS in payload.url]
        instruments = pd.concat([_instruments(payload) for payload in listed], ignore_index=True)
        tickers = table_of(
            [_result(payload, dict) for payload in payloads if payload not in listed], QUOTE, "the answers of deribit"
        )
        taken = _instants(tickers["timestamp"])
        held = f"{taken.max().tz_convert(NEW_YORK):%Y%m%d}"
        if held != day:
            raise self._other_day(day, held, ", ".join(self._currencies))
        unreadable: dict[str, int] = {}
        if len(tickers) != len(instruments):
            raise BadDataError(
                "the answers of deribit are not complete",
                why=f"there are {len(tickers)} tickers of {len(instruments)} instruments",
                fix="fetch the day with --again",
            )
        quotes = _raw(instruments, tickers.assign(quote_time=taken), day, unreadable)
        return RawChain(
            quotes=quotes,
            request=self.request(day),
            captured_at=f"{taken.max():%Y-%m-%dT%H:%M:%SZ}",
            notes={"premiums": "converted from the coin to USD at each quote's own index_price"},
            unreadable=unreadable,
            **origins(payloads),
        )


def _result(payload: Payload, kind: type) -> Any:
    """The ``result`` of a JSON-RPC answer; an ``error`` in its place is what the service says against it."""
    document = parsed_json(payload.body)
    what = f"the answer of {payload.url}"
    if isinstance(document, dict) and "error" in document:
        raise UpstreamError(
            f"{what} is an error",
            why=f"it says {document['error']!r:.200}",
            fix="try again later, or check source.currencies in the parameter file",
        )
    require_fields(document if isinstance(document, dict) else {}, ("result",), what)
    if not isinstance(document["result"], kind):
        raise BadDataError(
            f"{what} is of another layout",
            why=f"its result is no {'list' if kind is list else 'object'}",
            fix="see whether a newer version of this project reads it",
        )
    return document["result"]


def _instruments(payload: Payload) -> pd.DataFrame:
    listed = table_of(_result(payload, list), TERMS, f"the answer of {payload.url}")
    if listed.empty:
        raise UpstreamError(
            "deribit gave an empty chain",
            why=f"{payload.url} lists no option, though some always trade",
            fix="try again later",
        )
    return listed


def _instants(milliseconds: pd.Series) -> pd.Series:
    """Milliseconds since 1970 as instants; at least one must be known."""
    given = numbers(milliseconds, {}, "timestamp")
    # What lies centuries away has no calendar date in every zone.
    given = given.where(given.between(0, LATEST))
    found = pd.to_datetime(given, unit="ms", utc=True, errors="coerce").dt.as_unit("s")
    if found.isna().all():
        raise BadDataError(
            "the answers of deribit do not say when they are from",
            why="no ticker has a timestamp that can be read",
            fix="see whether a newer version of this project reads them",
        )
    return found


def _raw(instruments: pd.DataFrame, tickers: pd.DataFrame, day: str, unreadable: dict[str, int]) -> pd.DataFrame:
    """Instruments, each with its ticker in the same place, as the raw table."""
    other = texts(tickers["instrument_name"]) != texts(instruments["instrument_name"])
    if other.any():
        raise BadDataError(
            "the answers of deribit are not about the instruments that were asked for",
            why=f"{other.sum()} of {len(other)} tickers name another one or none",
            fix="try again later; see whether a newer version of this project reads them",
        )
    given = instruments.join(tickers.drop(columns="instrument_name"))
    stops = numbers(given["expiration_timestamp"], unreadable, "expiration_timestamp")
    expires = pd.to_datetime(stops, unit="ms", errors="coerce")
    expiration = expires.dt.normalize()
    index = numbers(given["index_price"], unreadable, "index_price")
    inverse = texts(given["quote_currency"]) == texts(given["base_currency"])
    dollars = index.where(inverse, 1.0)
    stats = given["stats"].map(lambda value: value.get("volume") if isinstance(value, dict) else None)
    made = given[["quote_time"]].assign(
        source=Deribit.name,
        underlying=texts(given["base_currency"]),
        root=texts(given["base_currency"]),
        contract_symbol=texts(given["instrument_name"]),
        trade_date=parse_day(day),
        expiration=expiration,
        strike=numbers(given["strike"], unreadable, "strike"),
        option_type=texts(given["option_type"]).map(OPTION_TYPES),
        exercise_style="european",
        settlement=pd.Series(SETTLEMENT, index=given.index).where(expires - expiration == EXPIRES_AT),
        multiplier=numbers(given["contract_size"], unreadable, "contract_size"),
        volume=numbers(stats.astype(object), unreadable, "volume"),
        underlying_price=index,
        vendor_implied_vol=numbers(given["mark_iv"], unreadable, "mark_iv") / PERCENT,
        **{
            ours: (numbers(given[theirs], unreadable, theirs) * dollars).round(DECIMALS)
            for theirs, ours in PREMIUMS.items()
        },
        **{ours: numbers(given[theirs], unreadable, theirs) for theirs, ours in PLAIN.items()},
    )
    return conform(made, RAW)
