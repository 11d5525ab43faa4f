"""All validation rules on a million and a half rows: time and memory."""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from frame import ROOT, Result, Row, measure_command

from options_pricing.quotes.osi import build_symbols
from options_pricing.run.params import SimulatedSource
from options_pricing.sources import make_source

TITLE = "Validation"
NOTE = (
    "All 45 rules on a table in memory: the simulated market's densest day (an index, a fund, two stocks; a third of "
    "the rows American), copied under other names until there are enough rows, and the day before to compare with. "
    "In a process of its own, whose reading of both tables (parquet) is in time and memory. The goal is 15 s and 3 GB "
    "for 1.5 million rows."
)
DAY, BEFORE, DEFECTS = "20261118", "20261117", 0.01
ROUNDS = 3
SIZES = (150_000, 1_500_000)
WORK = """\
import sys
import pandas as pd
from options_pricing.run.params import Validation
from options_pricing.validation.engine import validate
today, before = (pd.read_parquet(path) for path in sys.argv[2:4])
judged = validate(today, [before], sys.argv[1], Validation())
assert len(judged.validated) + len(judged.quarantine) == len(today)
"""


def rows() -> list[Row]:
    """One row a size."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as place:
        return [measured(count, Path(place)) for count in SIZES]


def measured(count: int, folder: Path) -> Row:
    """The median run, by CPU time."""
    paths = [folder / f"{day}.parquet" for day in (DAY, BEFORE)]
    for day, path in zip((DAY, BEFORE), paths, strict=True):
        many(day, count).to_parquet(path)
    command: list[str | Path] = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n{WORK}",
        DAY,
    ]
    command += paths
    measure_command(command)
    runs: list[Result] = sorted((measure_command(command) for _ in range(ROUNDS)), key=lambda run: run.cpu)
    return Row(f"all rules, {count:,} rows", "runs", [runs[ROUNDS // 2]])


def many(day: str, count: int) -> pd.DataFrame:
    """The densest simulated day, copied under other tickers until it has `count` rows."""
    chain = make_source(SimulatedSource(density="full", defects=DEFECTS)).chain(day).quotes
    copies = [renamed(chain, number) for number in range(-(-count // len(chain)))]
    return pd.concat(copies, ignore_index=True).iloc[:count]


def renamed(chain: pd.DataFrame, number: int) -> pd.DataFrame:
    """The chain on underlyings of other names; its symbols say so."""
    name = "".join(chr(ord("A") + number // place % 26) for place in (676, 26, 1))
    weekly = np.where(chain["root"] == chain["underlying"], "", "W")
    copy = chain.assign(
        underlying=name + chain["underlying"].str[1:3], root=name + chain["underlying"].str[1:3] + weekly
    )
    copy["contract_symbol"] = build_symbols(copy["root"], copy["expiration"], copy["option_type"], copy["strike"])
    return copy
