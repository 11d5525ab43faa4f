"""Cboe's delayed quotes: one JSON document for each ticker, the newest day's whole chain.

``timestamp`` is the time of the capture in UTC, ``last_trade_time`` New York time; neither says so. The trading day is
the date of the greatest ``last_trade_time`` of the options: before the open the service still shows the day before.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from options_pricing.quotes.osi import parse_symbols
from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import conform
from options_pricing.run.calendar import NEW_YORK, parse_day
from options_pricing.run.errors import BadDataError, UpstreamError
from options_pricing.run.files import parsed_json
from options_pricing.sources.base import RawChain, contract_terms
from options_pricing.sources.http import HttpClient
from options_pricing.sources.live import LiveSource, numbers, origins, require_fields, table_of, texts
from options_pricing.sources.payloads import Payload, PayloadStore

PATH = "api/global/delayed_quotes/options/{ticker}.json"
NUMBERS = {
    "bid": "bid",
    "ask": "ask",
    "bid_size": "bid_size",
    "ask_size": "ask_size",
    "last_trade_price": "last_price",
    "volume": "volume",
    "open_interest": "open_interest",
    "iv": "vendor_implied_vol",
}
FIELDS = ("option", *NUMBERS, "last_trade_time")


class _Feed(NamedTuple):
    """One ticker's document, taken apart."""

    ticker: str
    options: pd.DataFrame
    captured_at: pd.Timestamp
    price: float


class Cboe(LiveSource):
    """The newest chains of some tickers.

    Parameters
    ----------
    client, store, base_url
        As in `LiveSource`.
    tickers : sequence of str
        As Cboe names them: ``_SPX`` is the index SPX (with its weeklies, SPXW), ``SPY`` the fund.
    """

    name = "cboe"

    def __init__(self, client: HttpClient, store: PayloadStore, base_url: str, tickers: Sequence[str]) -> None:
        super().__init__(client, store, base_url)
        self._tickers = tuple(tickers)

    def request(self, day: str) -> dict[str, Any]:
        """What is asked for `day`."""
        return {"source": self.name, "tickers": list(self._tickers), "day": day}

    def _download(self) -> list[Payload]:
        return [self._ask(PATH.format(ticker=ticker)) for ticker in self._tickers]

    def _read(self, day: str, payloads: Sequence[Payload]) -> RawChain:
        unreadable: dict[str, int] = {}
        feeds = [_feed(ticker, payload) for ticker, payload in zip(self._tickers, payloads, strict=True)]
        for feed in feeds:
            held = _trading_day(feed)
            if held != day:
                raise self._other_day(day, held, feed.ticker)
        return RawChain(
            quotes=pd.concat([_raw(feed, day, unreadable) for feed in feeds], ignore_index=True),
            request=self.request(day),
            captured_at=f"{max(feed.captured_at for feed in feeds).isoformat()}Z",
            unreadable=unreadable,
            **origins(payloads),
        )


def _feed(ticker: str, payload: Payload) -> _Feed:
    document = parsed_json(payload.body)
    what = f"the answer of {payload.url}"
    require_fields(document if isinstance(document, dict) else {}, ("timestamp", "data"), what)
    data = document["data"]
    require_fields(data if isinstance(data, dict) else {}, ("options", "current_price"), f"`data` in {what}")
    if not isinstance(data["options"], list) or not data["options"]:
        raise UpstreamError(
            f"cboe gave an empty chain of {ticker}",
            why="there is no option in its answer, though a trading day has some",
            fix="check the ticker (an index begins with _), or try again later",
        )
    options = table_of(data["options"], FIELDS, f"`options` in {what}")
    said = texts(pd.Series([document["timestamp"]], dtype=object))
    captured_at = pd.to_datetime(said, format="%Y-%m-%d %H:%M:%S", errors="coerce").iloc[0]
    if pd.isna(captured_at):
        raise BadDataError(
            f"{what} does not say when it was captured",
            why=f"its timestamp is {document['timestamp']!r:.60}",
            fix="see whether the service has changed its layout",
        )
    price = numbers(pd.Series([data["current_price"]], dtype=object), {}, "current_price").iloc[0]
    return _Feed(ticker, options, captured_at.as_unit("s"), float(price))


def _traded(feed: _Feed) -> pd.Series:
    """When each option last traded, in New York, without a zone."""
    given = texts(feed.options["last_trade_time"])
    return pd.to_datetime(given, format="%Y-%m-%dT%H:%M:%S", errors="coerce").dt.as_unit("s")


def _trading_day(feed: _Feed) -> str:
    latest = _traded(feed).max()
    if pd.isna(latest):
        raise UpstreamError(
            f"cboe does not say which trading day its chain of {feed.ticker} is of",
            why="no option has a last_trade_time that can be read",
            fix="leave the ticker out, or try again after the next close",
        )
    return f"{latest:%Y%m%d}"


def _raw(feed: _Feed, day: str, unreadable: dict[str, int]) -> pd.DataFrame:
    """One feed as the raw table, in its own order; a symbol that cannot be read leaves its contract null."""
    given = feed.options
    symbols = texts(given["option"])
    traded = _traded(feed).dt.tz_localize(NEW_YORK, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    named = {ours: numbers(given[theirs], unreadable, theirs) for theirs, ours in NUMBERS.items()}
    made = pd.DataFrame(index=given.index).assign(
        **contract_terms(symbols),
        **parse_symbols(symbols)[["expiration", "strike", "option_type"]],
        **named,
        source=Cboe.name,
        underlying=feed.ticker.removeprefix("_"),
        trade_date=parse_day(day),
        underlying_price=feed.price,
        quote_time=feed.captured_at.tz_localize("UTC"),
        last_trade_time=traded,
    )
    return conform(made, RAW)
