"""One CSV of a Yahoo chain, in the layout behind the first version of this model.

All of its quotes were downloaded within a second, but its ``simulated_trade_date`` spreads them over past weeks, by
expiration. The trading day is the greatest of these dates: the last session before the download.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import conform
from options_pricing.run.calendar import parse_day
from options_pricing.run.errors import BadDataError, UpstreamError
from options_pricing.sources.base import RawChain, contract_terms
from options_pricing.sources.delimited import read_columns

# The file's time_to_expiry is left out: it counts from the download, a day after the trading day, and is rounded down.
CHAIN = {
    "symbol": pa.string(),
    "underlying_symbol": pa.string(),
    "strike": pa.float64(),
    "expiration_date": pa.date32(),
    "contract_type": pa.string(),
    "implied_volatility": pa.float64(),
    "open_interest": pa.float64(),
    "volume": pa.float64(),
    "bid": pa.float64(),
    "ask": pa.float64(),
    "last_price": pa.float64(),
    "market_price": pa.float64(),
    "underlying_price": pa.float64(),
    "fetch_timestamp": pa.timestamp("us"),
    "simulated_trade_date": pa.timestamp("us"),
}
LONG_DATE = r"^([0-9]?[A-Z][A-Z0-9]*?)20([0-9]{6}[CP][0-9]{8})$"
OPTION_TYPES = {"call": "C", "put": "P"}


class YahooCsv:
    """The one chain of one file.

    Parameters
    ----------
    file : Path
        The CSV.
    """

    name = "yahoo_csv"
    simulated = False

    def __init__(self, file: Path) -> None:
        self._file = Path(file)

    def request(self, day: str) -> dict[str, Any]:
        """What is asked for `day`."""
        return {"source": self.name, "file": self._file.as_posix(), "day": day}

    def chain(self, day: str) -> RawChain:
        """The chain of `day`, in the order of the file.

        Raises
        ------
        UpstreamError
            The file holds another trading day.
        MissingInputError
            The file is not there.
        BadDataError
            It cannot be read, or does not say which trading day it holds.
        """
        rows, sha256 = read_columns(self._file, CHAIN)
        given = rows.to_pandas(date_as_object=False)
        held = self._trading_day(given)
        if held != day:
            raise UpstreamError(
                f"{self._file} has no chain for {day}",
                why=f"it holds the trading day {held} and no other",
                fix=f"set run.date to '{held}' and run.days to 1",
            )
        return RawChain(
            quotes=_raw(given, day),
            request=self.request(day),
            # The file names no zone for its times, so none is put after this one.
            captured_at=given["fetch_timestamp"].max().floor("s").isoformat(),
            inputs=[{"path": self._file.as_posix(), "sha256": sha256}],
        )

    def _trading_day(self, given: pd.DataFrame) -> str:
        """The trading day, ``YYYYMMDD``."""
        latest, fetched = given["simulated_trade_date"].max(), given["fetch_timestamp"].max()
        if pd.isna(latest) or pd.isna(fetched):
            raise BadDataError(
                f"{self._file} does not say which trading day it holds",
                why="no row has a simulated_trade_date, or none has a fetch_timestamp",
                fix="get the file again, or point `source` at another one",
            )
        return f"{latest:%Y%m%d}"


def _raw(given: pd.DataFrame, day: str) -> pd.DataFrame:
    made = given.assign(
        **contract_terms(_osi(given["symbol"])),
        source=YahooCsv.name,
        underlying=given["underlying_symbol"],
        trade_date=parse_day(day),
        expiration=given["expiration_date"],
        option_type=given["contract_type"].map(OPTION_TYPES),
        vendor_implied_vol=given["implied_volatility"],
        vendor_price=given["market_price"],
    )
    return conform(made, RAW)


def _osi(symbols: pd.Series) -> pd.Series:
    """The file's symbols as OSI has them: it writes the year with four digits, which are cut to two."""
    return symbols.str.replace(LONG_DATE, r"\1\2", regex=True)
