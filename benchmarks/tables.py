"""Writing and reading 1.5 million rows of quotes, through our checked tables and through the peers."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from frame import OURS, Contender, Row, compare

from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import conform, read_csv, read_parquet, write_csv, write_parquet

TITLE = "1.5 million rows of quotes"
NOTE = (
    "The raw table of the product, 23 columns, to and from a file on disk. Ours checks columns, types and nulls, "
    "writes whole files or none (with a flush to disk), and gives the same pandas table back, dates as dates; the "
    "peers do neither, and polars (on all cores) gives its own table."
)
ROWS, ROUNDS = 1_500_000, 3


def rows() -> list[Row]:
    """CSV and parquet, each written and read."""
    quotes = made_quotes(ROWS)
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    try:
        return [made(quotes, folder) for made in (csv_write, csv_read, parquet_write, parquet_read)]
    finally:
        shutil.rmtree(folder)


def made_quotes(count: int) -> pd.DataFrame:
    """A raw table of `count` options on 5,500 underlyings."""
    random = np.random.default_rng(0)
    tickers = np.array([f"T{number:04d}" for number in range(5500)])
    which = np.sort(np.minimum(random.geometric(1 / 700, count), tickers.size) - 1)
    spot = np.round(np.exp(random.normal(4, 1, tickers.size)), 2)[which]
    strike = np.round(spot * np.exp(random.normal(0, 0.3, count)), 1)
    mid = np.round(spot * 0.05 * random.random(count), 2)
    call = random.random(count) < 0.5
    day, captured = pd.Timestamp("2026-11-23"), pd.Timestamp("2026-11-23 21:15", tz="UTC")
    traded = captured - pd.to_timedelta(random.integers(0, 20_000, count), "s")
    underlying = tickers[which]
    letters = np.where(call, "C", "P")
    thousandths = np.round(strike * 1000).astype(int)
    symbols = [f"{t}261218{c}{k:08d}" for t, c, k in zip(underlying, letters, thousandths, strict=True)]
    columns: dict[str, Any] = {
        "source": "cboe_eod",
        "underlying": underlying,
        "root": underlying,
        "contract_symbol": symbols,
        "trade_date": day,
        "expiration": day + pd.to_timedelta(random.integers(1, 900, count), "D"),
        "strike": strike,
        "option_type": letters,
        "exercise_style": "american",
        "settlement": "pm",
        "multiplier": 100.0,
        "bid": mid,
        "ask": np.round(mid + 0.05, 2),
        "bid_size": random.integers(0, 500, count).astype(float),
        "ask_size": random.integers(0, 500, count).astype(float),
        "last_price": mid,
        "volume": random.poisson(5, count).astype(float),
        "open_interest": random.poisson(200, count).astype(float),
        "underlying_price": spot,
        "quote_time": captured,
        "last_trade_time": pd.Series(traded).where(random.random(count) < 0.77),
        "vendor_implied_vol": np.round(0.2 + 0.3 * random.random(count), 4),
        "vendor_price": np.nan,
    }
    return conform(pd.DataFrame(columns), RAW)


def csv_write(quotes: pd.DataFrame, folder: Path) -> Row:
    """Writing CSV."""
    polars = pl.from_pandas(quotes)
    return timed(
        "write CSV",
        {
            OURS: lambda: write_csv(quotes, folder / "ours.csv", RAW),
            "pandas to_csv": lambda: quotes.to_csv(folder / "pandas.csv", index=False),
            "polars write_csv": lambda: polars.write_csv(folder / "polars.csv"),
        },
    )


def csv_read(quotes: pd.DataFrame, folder: Path) -> Row:
    """Reading the CSV that we wrote."""
    file = folder / "ours.csv"
    return timed(
        "read CSV",
        {
            OURS: lambda: read_csv(file, RAW),
            "pandas read_csv": lambda: pd.read_csv(file),
            "pandas read_csv (pyarrow)": lambda: pd.read_csv(file, engine="pyarrow"),
            "polars read_csv": lambda: pl.read_csv(file, infer_schema_length=10_000),
        },
        lambda found: same(found, quotes),
    )


def parquet_write(quotes: pd.DataFrame, folder: Path) -> Row:
    """Writing parquet, all with zstd."""
    polars = pl.from_pandas(quotes)
    return timed(
        "write parquet",
        {
            OURS: lambda: write_parquet(quotes, folder / "ours.parquet", RAW),
            "pandas to_parquet": lambda: quotes.to_parquet(folder / "pandas.parquet", compression="zstd", index=False),
            "polars write_parquet": lambda: polars.write_parquet(folder / "polars.parquet", compression="zstd"),
        },
    )


def parquet_read(quotes: pd.DataFrame, folder: Path) -> Row:
    """Reading the parquet file that we wrote."""
    file = folder / "ours.parquet"
    return timed(
        "read parquet",
        {
            OURS: lambda: read_parquet(file, RAW),
            "pandas read_parquet": lambda: pd.read_parquet(file),
            "polars read_parquet": lambda: pl.read_parquet(file),
        },
        lambda found: same(found, quotes),
    )


def timed(work: str, runs: dict[str, Callable[[], object]], judge: Callable[[pd.DataFrame], str] | None = None) -> Row:
    """Contenders of equal work; only ours gives a table that can be judged cell by cell."""
    contenders = [
        Contender(name, run, ROWS, judge) if judge and name == OURS else Contender(name, run, ROWS)
        for name, run in runs.items()
    ]
    return compare(work, "rows", contenders, ROUNDS)


def same(found: pd.DataFrame, quotes: pd.DataFrame) -> str:
    """Whether every cell came back."""
    pd.testing.assert_frame_equal(found, quotes)
    return "every cell equal"
