"""How often the gate opens within a year for models of a known R2: at its line an error, above it a success.

Histories are drawn from a model's own days, its errors scaled to the R2 that is asked about. The answer is as good as
those days are many and like the days to come.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from options_pricing.evaluation.metrics import Array
from options_pricing.evaluation.sequential import DayErrors, Rule, critical_value, statistics, sums

ABOVE_THE_LINE = (0.0, 0.05, 0.10, 0.25)
HISTORIES = 400
# A critical value of fewer histories is less exact, and hundreds of thousands of them are needed.
PATHS = 300
# No critical value of a year of looks lies below.
LEAST_LIKELY = 1.9
IN_A_ROW = 5


class Point(NamedTuple):
    """A model of this R2: how often the gate opens at the first look and within the year, and what simpler rules do.

    `five_days` is five days in a row whose R2 is above the line, at some time of the year; `any_window` the R2 of the
    last days being above the line, with no bound, at some look; `one_look` a bound for one look, at some look.
    """

    r2: float
    first_look: float
    within_a_year: float
    five_days: float
    any_window: float
    one_look: float


def operating_curve(errors: DayErrors, rule: Rule, histories: int = HISTORIES) -> list[Point]:
    """The chances for a model at the line and for some above it.

    Parameters
    ----------
    errors : DayErrors
        The days that histories are drawn from.
    rule : Rule
        The gate's.
    histories : int
        How many; the standard error of a chance p is ``sqrt(p (1 - p) / histories)``.
    """
    quick = replace(rule, paths=min(rule.paths, PATHS))
    return [_point(errors, quick, round(rule.line + above, 6), histories) for above in ABOVE_THE_LINE]


def _point(errors: DayErrors, rule: Rule, r2: float, histories: int) -> Point:
    drawn = errors.with_r2(r2).drawn(histories, rule.length, rule.block, rule.seed + 1)
    opened = np.array([first_open(DayErrors(*days), rule) for days in zip(*drawn, strict=True)], dtype=float)
    window = (1 - rule.line) * sums(drawn.benchmark, rule.days) > sums(drawn.model, rule.days)
    year = drawn.part(rule.days - 1, rule.looks)
    return Point(
        r2,
        float((opened == 0).mean()),
        float(np.isfinite(opened).mean()),
        float(days_in_a_row(year, rule.line).mean()),
        float(window.any(axis=-1).mean()),
        float((statistics(drawn, rule.days, rule.line) > 1.645).any(axis=-1).mean()),
    )


def first_open(errors: DayErrors, rule: Rule) -> float:
    """The first look at one history at which the gate opens, from 0, each with the critical value of its own days."""
    found = statistics(errors, rule.days, rule.line)
    for look in np.flatnonzero(found > LEAST_LIKELY):
        if found[look] > critical_value(errors.part(int(look), rule.days), rule):
            return float(look)
    return np.inf


def days_in_a_row(errors: DayErrors, line: float, days: int = IN_A_ROW) -> Array:
    """Which histories have so many days in a row with an R2 above the line, each day by itself."""
    above = (1 - line) * errors.benchmark > errors.model
    return np.asarray((sums(above.astype(float), days) == days).any(axis=-1))
