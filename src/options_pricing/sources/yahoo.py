"""Yahoo's option chains: a page for each expiration, asked for through yfinance and read as they came.

The trading day is that of the underlying's last regular trade, in New York: before the open Yahoo still shows the day
before. Yahoo does not say when a page was captured; the latest time that it says of the underlying stands for that.
Options trade in regular hours only, so that the time of that regular trade, at whose price the underlying is given, is
the time of the quotes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import conform
from options_pricing.run.calendar import NEW_YORK, parse_day
from options_pricing.run.errors import BadDataError, UpstreamError
from options_pricing.run.files import parsed_json
from options_pricing.run.params import Http
from options_pricing.sources.answers import whole_json
from options_pricing.sources.base import RawChain, contract_terms
from options_pricing.sources.http import HttpClient
from options_pricing.sources.live import LiveSource, numbers, origins, require_fields, table_of, texts
from options_pricing.sources.payloads import Payload, PayloadStore
from options_pricing.sources.yahoo_talk import CHAINS, YahooTalk

SIDES = {"calls": "C", "puts": "P"}
NEEDED = ("contractSymbol", "strike", "expiration", "bid", "ask")
# A field that Yahoo leaves out of a row is one that it has no value for.
NUMBERS = {
    "strike": "strike",
    "bid": "bid",
    "ask": "ask",
    "lastPrice": "last_price",
    "volume": "volume",
    "openInterest": "open_interest",
    "impliedVolatility": "vendor_implied_vol",
}
OTHERS = ("contractSize", "lastTradeDate")
CLOCKS = ("regularMarketTime", "postMarketTime", "preMarketTime")
STANDARD = "REGULAR"


class _Page(NamedTuple):
    """One page of a chain, taken apart."""

    ticker: str
    expirations: list[int]
    quote: dict[str, Any]
    expiration: int | None
    rows: pd.DataFrame


class Yahoo(LiveSource):
    """The newest chains of some tickers.

    Parameters
    ----------
    client, store, base_url
        As in `LiveSource`.
    tickers : sequence of str
        As Yahoo names them: ``SPY``, ``^SPX``.
    limits : Http
        Deadline and size of an answer.
    """

    name = "yahoo"

    def __init__(
        self, client: HttpClient, store: PayloadStore, base_url: str, tickers: Sequence[str], limits: Http
    ) -> None:
        super().__init__(client, store, base_url)
        self._tickers, self._limits = tuple(tickers), limits

    def request(self, day: str) -> dict[str, Any]:
        """What is asked for `day`."""
        return {"source": self.name, "tickers": list(self._tickers), "day": day}

    def _download(self) -> list[Payload]:
        talk = YahooTalk(self._limits, self._base_url)
        return [payload for ticker in self._tickers for payload in self._pages(talk, ticker)]

    def _pages(self, talk: YahooTalk, ticker: str) -> list[Payload]:
        """The first page of a ticker's chain, and one for each expiration that it names beside its own."""
        url, codes = f"{self._base_url}{CHAINS}{ticker}", list[int]()
        answer = self._client.attempts(url, talk.chain_page(ticker, codes), codes, read=whole_json)
        pages = [Payload(url, answer.codes, answer.body)]
        first = _page(ticker, pages[0])
        for expiration in first.expirations:
            if expiration != first.expiration:
                at, codes = _date(expiration), []
                asked = talk.expiration_page(ticker, at, codes)
                answer = self._client.attempts(f"{url}?date={expiration}", asked, codes, read=whole_json)
                pages.append(Payload(f"{url}?date={expiration}", answer.codes, answer.body))
        return pages

    def _read(self, day: str, payloads: Sequence[Payload]) -> RawChain:
        pages = [_page(self._ticker_of(payload), payload) for payload in payloads]
        held = {page.ticker: _trading_day(page.quote, page.ticker) for page in pages}
        for ticker, its_day in held.items():
            if its_day != day:
                raise self._other_day(day, its_day, ticker)
        unreadable: dict[str, int] = {}
        kept, missing = _once(pages)
        quotes = [_raw(page, day, unreadable) for page in kept if len(page.rows)]
        if not quotes:
            raise UpstreamError(
                f"yahoo gave an empty chain of {', '.join(self._tickers)}",
                why="no page has an option, though a trading day has some",
                fix="check source.tickers in the parameter file, or try again later",
            )
        return RawChain(
            quotes=pd.concat(quotes, ignore_index=True),
            request=self.request(day),
            captured_at=f"{max(_captured(page.quote) for page in pages):%Y-%m-%dT%H:%M:%SZ}",
            unreadable=unreadable,
            notes={"expirations_missing": missing} if missing else {},
            **origins(payloads),
        )

    def _ticker_of(self, payload: Payload) -> str:
        return payload.url.partition(CHAINS)[2].partition("?")[0]


def _page(ticker: str, payload: Payload) -> _Page:
    what = f"the answer of {payload.url}"
    found: Any = parsed_json(payload.body)
    for name in ("optionChain", "result"):
        require_fields(found if isinstance(found, dict) else {}, (name,), what)
        found = found[name]
    if not isinstance(found, list) or not found:
        raise UpstreamError(
            f"yahoo has no chain of {ticker}",
            why="its answer is empty, as for a ticker that it does not know",
            fix="check source.tickers in the parameter file",
        )
    chain = found[0] if isinstance(found[0], dict) else {}
    require_fields(chain, ("expirationDates", "quote", "options"), what)
    quote, options, expirations = chain["quote"], chain["options"], chain["expirationDates"]
    parts = options if isinstance(options, list) else [options]
    sides = parts[0] if parts else {}
    if not (isinstance(quote, dict) and isinstance(sides, dict) and _whole_numbers(expirations)):
        raise BadDataError(
            f"{what} is of another layout",
            why="quote or options is no object, or expirationDates no list of numbers",
            fix="see whether a newer version of this project reads it",
        )
    at = sides.get("expirationDate")
    return _Page(ticker, expirations, quote, at if _whole_numbers([at]) else None, _rows(sides, what))


def _whole_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 < value < 1 << 33 for value in values)


def _rows(sides: dict[str, Any], what: str) -> pd.DataFrame:
    """Calls, then puts, with the type of each."""
    given = [(side, row) for name, side in SIDES.items() for row in sides.get(name) or []]
    rows = [row for _, row in given]
    named = {name for row in rows if isinstance(row, dict) for name in row}
    optional = [name for name in (*NUMBERS, *OTHERS) if name not in NEEDED]
    table = table_of(rows, NEEDED, what).reindex(columns=list(NEEDED))
    for name in optional:
        table[name] = pd.Series([row.get(name) for row in rows] if name in named else None, dtype=object)
    return table.assign(option_type=[side for side, _ in given])


def _date(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _clock(quote: dict[str, Any], name: str) -> pd.Timestamp | None:
    value: Any = quote.get(name)
    return pd.Timestamp(value, unit="s", tz="UTC") if _whole_numbers([value]) else None


def _captured(quote: dict[str, Any]) -> pd.Timestamp:
    """The latest time that a page says of the underlying."""
    return max(clock for clock in (_clock(quote, name) for name in CLOCKS) if clock is not None)


def _trading_day(quote: dict[str, Any], ticker: str) -> str:
    traded = _clock(quote, CLOCKS[0])
    if traded is None:
        raise UpstreamError(
            f"yahoo does not say which trading day its chain of {ticker} is of",
            why=f"the underlying has no {CLOCKS[0]} that can be read",
            fix="leave the ticker out, or try again after the next close",
        )
    return f"{traded.tz_convert(NEW_YORK):%Y%m%d}"


def _once(pages: Sequence[_Page]) -> tuple[list[_Page], list[str]]:
    """Each expiration's page once, and the expirations that were named but not given.

    Yahoo has been seen to answer with the nearest expiration whichever was asked for.
    """
    kept = {(page.ticker, page.expiration): page for page in reversed(pages)}
    named = [(page.ticker, expiration) for page in pages for expiration in page.expirations]
    missing = [f"{ticker} {_date(at)}" for ticker, at in dict.fromkeys(named) if (ticker, at) not in kept]
    return list(reversed(kept.values())), missing


def _raw(page: _Page, day: str, unreadable: dict[str, int]) -> pd.DataFrame:
    given = page.rows
    symbols = texts(given["contractSymbol"])
    terms = contract_terms(symbols)
    regular = given["contractSize"].isna() | (given["contractSize"] == STANDARD)
    seconds = {name: numbers(given[name], unreadable, name) for name in ("expiration", "lastTradeDate")}
    instants = {name: pd.to_datetime(value, unit="s", errors="coerce") for name, value in seconds.items()}
    named = {ours: numbers(given[theirs], unreadable, theirs) for theirs, ours in NUMBERS.items()}
    price = numbers(pd.Series([page.quote.get("regularMarketPrice")], dtype=object), unreadable, "regularMarketPrice")
    made = pd.DataFrame(index=given.index).assign(
        **terms.assign(multiplier=terms["multiplier"].where(regular, np.nan)),
        **named,
        source=Yahoo.name,
        underlying=page.ticker.removeprefix("^"),
        trade_date=parse_day(day),
        expiration=instants["expiration"].dt.normalize(),
        option_type=given["option_type"],
        underlying_price=float(price.iloc[0]),
        quote_time=_clock(page.quote, CLOCKS[0]),
        last_trade_time=instants["lastTradeDate"].dt.tz_localize("UTC"),
    )
    return conform(made, RAW)
