"""How often the gate opens within a year of daily looks, for models of a known R2: ``python benchmarks/gate.py``.

With the path of an ``evaluation_predictions.parquet`` and a model's name, it draws from those days instead:
``python benchmarks/gate.py reports/evaluation_predictions.parquet hybrid``. A table of days (model, benchmark: the
squared errors summed up over each day) can be given as CSV.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from frame import OURS, Result, Row, SkippedError

from options_pricing.evaluation.operating_curve import HISTORIES, operating_curve
from options_pricing.evaluation.protocols import Setting, next_day
from options_pricing.evaluation.sequential import DayErrors
from options_pricing.models.hybrid import Hybrid
from options_pricing.models.random_walk import RandomWalk
from options_pricing.quotes.schema import PREDICTIONS
from options_pricing.quotes.tables import read_parquet
from options_pricing.release.gate import rule_of
from options_pricing.run.calendar import sessions_ending
from options_pricing.run.governance import Gate
from options_pricing.run.params import Params, SimulatedSource
from options_pricing.run.threads import one_thread
from options_pricing.sources import make_source
from options_pricing.surface.features import build_features
from options_pricing.surface.zero_curve import ZeroCurve
from options_pricing.validation.engine import validate

TITLE = "The gate within a year of daily looks"
NOTE = (
    f"Histories of a year and more ({HISTORIES} of each) are drawn from the squared errors of whole days, those of the "
    "model scaled so that its R2 against the random walk is the one in the first column; the gate's line is 0.25. At "
    "the line opening is an error, above it a success. Beside it what simpler rules would do at some time of the year: "
    "five days in a row with an R2 above the line, R2 of the last 120 days above it, a bound made for one look. The "
    "speed is that of drawing and judging."
)
DAYS = 130
SEED = 11
UNDERLYINGS = ("XIDX", "XETF", "XTEC", "XOIL")


def simulated_days() -> DayErrors:
    """The hybrid model on days of the simulator, each predicted from those before it."""
    params = Params(source=SimulatedSource(seed=SEED, underlyings=UNDERLYINGS, density="tiny", defects=0.0))
    source, parts = make_source(params.source), []
    with one_thread():
        for day in sessions_ending("20261120", DAYS):
            validated = validate(source.chain(day).quotes, [], day, params.validation).validated
            parts.append(build_features(validated, params.features, curve=ZeroCurve.flat(0.04)))
        setting = Setting(params.train, 0.2, 42, names=(RandomWalk.name, Hybrid.name))
        told = next_day(pd.concat(parts, ignore_index=True), setting)
    return DayErrors.of(told[told["model"] == Hybrid.name])


def days_of_2008() -> DayErrors:
    """The hybrid model on every day from the 400th of 2008 to 2012 (`long_history`)."""
    import long_history

    long_history.STEP = 1
    told = pd.concat(long_history.predictions(long_history.quotes()), ignore_index=True)
    told = told.dropna(subset=["hybrid", "random_walk"])
    squares = (
        ((told[name] - told["vol"]) ** 2).groupby(told["date"]).sum().to_numpy() for name in ("hybrid", "random_walk")
    )
    return DayErrors(*squares)


def days_in(path: Path, model: str = Hybrid.name) -> DayErrors:
    """The days of an evaluation, or of a table."""
    if path.suffix == ".csv":
        table = pd.read_csv(path)
        return DayErrors(table["model"].to_numpy(dtype=float), table["benchmark"].to_numpy(dtype=float))
    told = read_parquet(path, PREDICTIONS, only={"protocol": "next_day", "model": model})
    return DayErrors.of(told[told["held_out"]])


def curve(name: str, days: DayErrors) -> Iterator[Row]:
    """One row for each R2."""
    started = time.process_time()
    points = operating_curve(days, rule_of(Gate()))
    spent = (time.process_time() - started) / len(points) / HISTORIES
    for p in points:
        said = (
            f"{p.within_a_year:.3f} within a year ({p.first_look:.3f} at the first look); five days in a row "
            f"{p.five_days:.3f}, R2 above without a bound {p.any_window:.3f}, bound for one look {p.one_look:.3f}"
        )
        work = f"R2 {p.r2:.2f}, {name}: {days.days} days of R2 {days.r2:.3f}"
        yield Row(work, "histories", [Result(OURS, spent, spent, said)])


def rows() -> list[Row]:
    """The curves of both kinds of day; without the file of 2008 the simulator's alone."""
    found = list(curve("simulated", simulated_days()))
    try:
        return [*found, *curve("SPX 2008-2012", days_of_2008())]
    except SkippedError:
        return found


if __name__ == "__main__":
    made = curve(sys.argv[1], days_in(Path(sys.argv[1]), *sys.argv[2:])) if len(sys.argv) > 1 else iter(rows())
    for row in made:
        print(f"{row.work}: {row.ours.error}")
