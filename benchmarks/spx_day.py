"""A real day of SPX and SPXW options through data_validate and feature_engineer: time and memory."""

import sys
import tempfile
from pathlib import Path

from frame import ROOT, Result, Row, market_folder, measure_command

TITLE = "The real SPX day"
NOTE = (
    "The chain of 2026-08-05 as Cboe showed it after the close, each task as the workflow runs it, in a process of its "
    "own (imports, reading and writing included); no peer does this work. The first run isn't counted."
)
DAY, ROUNDS = "20260805", 5
PARAMS = """\
run: {{date: '{day}', days: 1}}
source: {{kind: cboe_eod, folder: {folder}, tickers: [_SPX]}}
"""


def rows() -> list[Row]:
    """One row a task, after the day was fetched."""
    market = market_folder()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as place:
        folder = Path(place)
        (folder / "params.yaml").write_text(PARAMS.format(day=DAY, folder=market / "cboe_eod"))
        measure_command([*task("data_fetch", folder), "--out", raw(folder)])
        validate = [
            *task("data_validate", folder),
            *("--raw", raw(folder), "--out", folder / "validated.csv"),
            *("--quarantine", folder / "quarantine.csv", "--report", folder / "validation.json"),
        ]
        features = [
            *task("feature_engineer", folder),
            *("--validated", folder / "validated.csv", "--out", folder / "features.csv"),
        ]
        for command in (validate, features):
            measure_command(command)
        return [
            timed("data_validate", validate, raw(folder)),
            timed("feature_engineer", features, folder / "validated.csv"),
        ]


def raw(folder: Path) -> Path:
    """The day's raw table."""
    return folder / f"options_data_{DAY}.csv"


def task(name: str, folder: Path) -> list[str | Path]:
    """The start of a task's command line."""
    return [sys.executable, ROOT / "scripts" / f"{name}.py", "--params", folder / "params.yaml", "--date", DAY]


def timed(name: str, command: list[str | Path], table: Path, rounds: int = ROUNDS) -> Row:
    """The median run of a task, by CPU time, and how many rows it was given."""
    runs = sorted((measure_command(command) for _ in range(rounds)), key=lambda run: run.cpu)
    count = len(table.read_bytes().splitlines()) - 1
    middle: Result = runs[rounds // 2]
    return Row(f"{name}, {count:,} rows", "runs", [middle])
