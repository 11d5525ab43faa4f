"""A million and a half validated quotes through feature_engineer: forwards, vols and greeks of them all."""

import tempfile
from pathlib import Path

import pandas as pd
from frame import Row, market_folder, measure_command
from spx_day import DAY, PARAMS, raw, task, timed

from options_pricing.quotes.schema import VALIDATED
from options_pricing.quotes.tables import read_csv, write_csv

TITLE = "1.5 million rows"
NOTE = (
    "The real chains of SPX (European) and SPY (American) of 2026-08-05 under as many names as it takes, each "
    "underlying with forwards, vols and greeks of its own, in one run of feature_engineer (imports, reading and "
    "writing of CSV included); no peer does this work. An uncounted run before it leaves compiled code behind."
)
ROWS = 1_500_000


def rows() -> list[Row]:
    """European rows alone, and with American ones among them."""
    market = market_folder()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as place:
        folder = Path(place)
        return [measured(folder, market, tickers) for tickers in (["_SPX"], ["_SPX", "SPY"])]


def measured(folder: Path, market: Path, tickers: list[str]) -> Row:
    """One run over copies of these chains."""
    (folder / "params.yaml").write_text(
        PARAMS.format(day=DAY, folder=market / "cboe_eod").replace("_SPX", ", ".join(tickers))
    )
    measure_command([*task("data_fetch", folder), "--out", raw(folder)])
    measure_command(
        [
            *task("data_validate", folder),
            *("--raw", raw(folder), "--out", folder / "validated.csv"),
            *("--quarantine", folder / "quarantine.csv", "--report", folder / "validation.json"),
        ]
    )
    day = read_csv(folder / "validated.csv", VALIDATED)
    many = copies(day, ROWS)
    write_csv(many, folder / "many.csv", VALIDATED)
    features = [*task("feature_engineer", folder), "--out", folder / "features.csv", "--validated"]
    measure_command([*features, folder / "validated.csv"])
    return timed(
        " and ".join(tickers).replace("_", ""), [*features, folder / "many.csv"], folder / "many.csv", rounds=1
    )


def copies(day: pd.DataFrame, count: int) -> pd.DataFrame:
    """`count` rows: the day's chains again and again, each time under other names, the last time in part."""
    times = -(-count // len(day))
    named = [
        day.assign(
            underlying=day["underlying"] + f"{place}",
            raw_row=day["raw_row"] + place * (int(day["raw_row"].max()) + 1),
        )
        for place in range(times)
    ]
    return pd.concat(named, ignore_index=True).iloc[:count]
