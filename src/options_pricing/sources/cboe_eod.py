"""An archive of Cboe's delayed quotes, captured after the close: ``<folder>/<ticker>/YYYY-MM-DD.csv.gz``.

The name of a file is the day of its capture, which may be a day after the trading day it holds, and several captures
of one trading day may lie side by side. The trading day is the date of the greatest ``last_trade_time``.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import conform
from options_pricing.run.calendar import NEW_YORK, parse_day, sessions_between
from options_pricing.run.errors import BadDataError, MissingInputError, UpstreamError
from options_pricing.sources.base import RawChain, contract_terms
from options_pricing.sources.delimited import read_columns

CAPTURED_WITHIN = timedelta(days=5)
NEIGHBOURHOOD = timedelta(days=7)
SECONDS = pa.timestamp("s")
TRADED = {"last_trade_time": SECONDS}
CHAIN = {
    "expiry": pa.date32(),
    "right": pa.string(),
    "strike": pa.float64(),
    "option": pa.string(),
    "bid": pa.float64(),
    "bid_size": pa.float64(),
    "ask": pa.float64(),
    "ask_size": pa.float64(),
    "last_trade_price": pa.float64(),
    "volume": pa.float64(),
    "open_interest": pa.float64(),
    "iv": pa.float64(),
    "last_trade_time": SECONDS,
}
UNDERLYING = {
    "session_date": pa.date32(),
    "ticker": pa.string(),
    "payload_timestamp": SECONDS,
    "current_price": pa.float64(),
}


class Capture(NamedTuple):
    """When a chain was captured (UTC, no zone attached) and at what price of the underlying."""

    at: pd.Timestamp
    price: float


class CboeEod:
    """Chains of an archive on disk.

    Parameters
    ----------
    folder : Path
        Holds one folder per ticker, and ``underlying.csv``.
    tickers : sequence of str
        As the folders are named: ``_SPX`` is the index SPX.
    """

    name = "cboe_eod"
    simulated = False

    def __init__(self, folder: Path, tickers: Sequence[str]) -> None:
        self._folder, self._tickers = Path(folder), tuple(tickers)

    def request(self, day: str) -> dict[str, Any]:
        """What is asked for `day`."""
        return {"source": self.name, "folder": self._folder.as_posix(), "tickers": list(self._tickers), "day": day}

    def chain(self, day: str) -> RawChain:
        """The chains of one trading day, all tickers in one table, each in the order of its file.

        Raises
        ------
        UpstreamError
            The archive has no capture of that trading day; the days it does have around it are named.
        MissingInputError
            The archive's folder, a ticker's folder or ``underlying.csv`` is not there.
        BadDataError
            A file cannot be read, or ``underlying.csv`` does not know the capture.
        """
        tables, inputs, captures = [], [], []
        self._require_folder()
        underlying_file = self._folder / "underlying.csv"
        underlyings, underlying_sha256 = read_columns(underlying_file, UNDERLYING)
        for ticker in self._tickers:
            path, rows, sha256 = self._first_capture(ticker, day)
            capture = _capture(underlyings, ticker, path, underlying_file)
            tables.append(_raw(rows, ticker, day, capture))
            inputs.append({"path": path.as_posix(), "sha256": sha256})
            captures.append(capture.at)
        return RawChain(
            quotes=pd.concat(tables, ignore_index=True),
            request=self.request(day),
            captured_at=f"{max(captures).isoformat()}Z",
            inputs=[*inputs, {"path": underlying_file.as_posix(), "sha256": underlying_sha256}],
        )

    def trading_days(self, ticker: str, first: date, last: date) -> list[str]:
        """The trading days ``YYYYMMDD`` that files named from `first` to `last` hold, each once, oldest first."""
        return sorted({_trading_day(read_columns(path, TRADED)[0], path) for path in self._files(ticker, first, last)})

    def _require_folder(self) -> None:
        if not self._folder.is_dir():
            raise MissingInputError(
                f"the archive {self._folder} is not a folder",
                why="`source.folder` in the parameter file points at it",
                fix="point it at the folder that holds underlying.csv and one folder per ticker",
            )

    def _first_capture(self, ticker: str, day: str) -> tuple[Path, pa.Table, str]:
        first = parse_day(day).date()
        for path in self._files(ticker, first, first + CAPTURED_WITHIN):
            rows, sha256 = read_columns(path, CHAIN)
            if _trading_day(rows, path) == day:
                return path, rows, sha256
        raise self._no_such_day(ticker, day)

    def _files(self, ticker: str, first: date, last: date) -> list[Path]:
        """The files of a ticker whose names lie from `first` to `last`, oldest first."""
        folder = self._folder / ticker
        if not folder.is_dir():
            raise MissingInputError(
                f"the archive has no folder {folder}",
                why="it holds one folder per ticker",
                fix="correct source.folder or source.tickers in the parameter file",
            )
        named = {path: _name_date(path) for path in sorted(folder.glob("*.csv.gz"))}
        return [path for path, at in named.items() if at is not None and first <= at <= last]

    def _no_such_day(self, ticker: str, day: str) -> UpstreamError:
        asked = parse_day(day).date()
        held = self.trading_days(ticker, asked - NEIGHBOURHOOD, asked + NEIGHBOURHOOD)
        return UpstreamError(
            f"the archive has no chain of {ticker} for {day}",
            why=f"around it, it holds {', '.join(held) or 'no day at all'}",
            fix=f"list the days it lacks in run.without: [{', '.join(_lacking(asked, held))}]",
        )


def _lacking(asked: date, held: list[str]) -> list[str]:
    """The sessions around `asked` that are not among `held`; `asked` itself in any case."""
    days = [pd.Timestamp(day).date() for day in held] + [asked]
    sessions = {f"{session:%Y%m%d}" for session in sessions_between(min(days), max(days))}
    return sorted((sessions | {f"{asked:%Y%m%d}"}) - set(held))


def _name_date(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.name.removesuffix(".csv.gz"))
    except ValueError:
        return None


def _trading_day(rows: pa.Table, path: Path) -> str:
    """The trading day of a capture, ``YYYYMMDD``: the date of the latest trade in it."""
    latest = pa.compute.max(rows["last_trade_time"]).as_py()
    if latest is None:
        raise BadDataError(
            f"{path} does not say which trading day it holds",
            why="no row has a last_trade_time",
            fix="get the file again, or take it out of the archive",
        )
    return f"{latest:%Y%m%d}"


def _capture(underlyings: pa.Table, ticker: str, path: Path, underlying_file: Path) -> Capture:
    found = underlyings.filter(
        (pa.compute.field("ticker") == ticker) & (pa.compute.field("session_date") == _name_date(path))
    ).to_pylist()
    if len(found) != 1 or found[0]["payload_timestamp"] is None:
        raise BadDataError(
            f"{underlying_file} does not say when {path} was captured",
            why=f"it has {len(found)} rows of {ticker} for that date, and needs one with a payload_timestamp",
            fix="complete that file from the archive's source",
        )
    price = found[0]["current_price"]
    return Capture(pd.Timestamp(found[0]["payload_timestamp"]), float("nan") if price is None else price)


def _raw(rows: pa.Table, ticker: str, day: str, capture: Capture) -> pd.DataFrame:
    """One capture as the raw table. Times of trades are New York's in the file, the capture's is UTC already."""
    given = rows.to_pandas(date_as_object=False)
    traded = given["last_trade_time"].dt.tz_localize(NEW_YORK, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    made = given.assign(
        **contract_terms(given["option"]),
        source=CboeEod.name,
        underlying=ticker.removeprefix("_"),
        trade_date=parse_day(day),
        expiration=given["expiry"],
        option_type=given["right"],
        last_price=given["last_trade_price"],
        underlying_price=capture.price,
        quote_time=capture.at.tz_localize("UTC"),
        last_trade_time=traded,
        vendor_implied_vol=given["iv"],
    )
    return conform(made, RAW)
