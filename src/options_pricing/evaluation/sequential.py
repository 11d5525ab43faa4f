r"""Is a model's R2 against the random walk above a line, when that is asked anew every day?

With the squared errors of the model :math:`A_t` and of the benchmark :math:`B_t` summed up over the quotes of day t,
:math:`R^2 = 1 - \sum A / \sum B` is above the line :math:`\ell` where :math:`d_t = (1 - \ell) B_t - A_t` is above 0 in
the mean. A day is one observation, as quotes of one day err together. The statistic of the last n days is
:math:`T = \sqrt{n}\, \bar d / s_d`, and it is held against the value that it exceeds *at any* of a year's daily looks,
the model being exactly at the line, with a chance of 5 %. That value is found by drawing such years from the model's
own days, its errors scaled so that its R2 over all of them is the line: blocks of days that follow each other (Politis
and Romano 1992), and single days. The larger of the two values counts, since what few days say of their dependence
would else lower it by chance; and half of the 5 % is spent, the other half kept for what else they do not tell.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from options_pricing.evaluation.bootstrap import drawn_in_blocks
from options_pricing.evaluation.metrics import Array, DaySums

KEPT = 0.5
LINES = np.arange(1.0, -1.0, -0.001)


class DayErrors(NamedTuple):
    """Squared errors of vol of the model and of the benchmark; days are along the last axis."""

    model: Array
    benchmark: Array

    @classmethod
    def of(cls, told: pd.DataFrame) -> Self:
        """Of PREDICTIONS of one model under one protocol; days without a quote that both have a vol for left out."""
        sums = DaySums.of(told, sorted(told["date"].unique()))
        known = sums.compared > 0
        return cls(sums.compared_squares[known], sums.benchmark_squares[known])

    @property
    def days(self) -> int:
        """How many days there are."""
        return int(self.model.shape[-1])

    @property
    def r2(self) -> float:
        """R2 of all days together; NaN where the benchmark never errs."""
        total = self.benchmark.sum()
        return float(1 - self.model.sum() / total) if total > 0 else np.nan

    def part(self, first: int, days: int) -> "DayErrors":
        """So many days from the place `first` on."""
        return DayErrors(*(held[..., first : first + days] for held in self))

    def with_r2(self, r2: float) -> "DayErrors":
        """The same days with the model's errors scaled so that its R2 over all of them is this one."""
        return DayErrors(self.model * ((1 - r2) * self.benchmark.sum() / self.model.sum()), self.benchmark)

    def drawn(self, paths: int, length: int, block: int, seed: int) -> "DayErrors":
        """Histories of `length` days, put together of blocks of these days; shape (paths, length)."""
        places = drawn_in_blocks(self.days, paths, length, block, seed)
        return DayErrors(self.model[places], self.benchmark[places])


@dataclass(frozen=True)
class Rule:
    """How the question is asked.

    Parameters
    ----------
    days : int
        How many days the statistic is of, n.
    line : float
        The R2 to be above.
    looks : int
        How often in a row it is asked; the chance of ever being wrong is over all of them.
    confidence : float
        1 less that chance.
    block : int
        Days that are drawn together.
    paths, seed : int
        How many histories are drawn, and from where.
    """

    days: int
    line: float
    looks: int
    confidence: float
    block: int
    paths: int
    seed: int

    @property
    def length(self) -> int:
        """Days of a history in which the question is asked `looks` times."""
        return self.days + self.looks - 1


def statistics(errors: DayErrors, days: int, line: float) -> Array:
    """T of each run of `days` days that follow each other; shape (..., all days - `days` + 1)."""
    gain = (1 - line) * errors.benchmark - errors.model
    mean = sums(gain, days) / days
    variance = np.maximum(sums(gain**2, days) / days - mean**2, 0.0) * days / (days - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.sqrt(days) * mean / np.sqrt(variance)
    return np.asarray(np.where(mean == 0, 0.0, found))


def sums(values: Array, days: int) -> Array:
    """Of each run of so many values that follow each other."""
    total = np.cumsum(values, axis=-1)
    total = np.concatenate([np.zeros_like(total[..., :1]), total], axis=-1)
    return np.asarray(total[..., days:] - total[..., :-days])


def critical_value(errors: DayErrors, rule: Rule) -> float:
    """What T must exceed, by the days of `errors`; infinite where the model never errs, which no model does."""
    if not errors.model.sum() > 0:
        return np.inf
    at_line = errors.with_r2(rule.line)
    found = []
    for block in {1, rule.block}:
        highest = statistics(at_line.drawn(rule.paths, rule.length, block, rule.seed), rule.days, rule.line).max(
            axis=-1
        )
        found.append(float(np.quantile(highest, 1 - KEPT * (1 - rule.confidence))))
    return max(found)


def lower_bound(errors: DayErrors, critical: float) -> float | None:
    """The highest line, in steps of 0.001, for which T of all days is above `critical`; None if all are below -1."""
    each = statistics(DayErrors(errors.model, np.multiply.outer(1 - LINES, errors.benchmark)), errors.days, 0.0)[:, 0]
    above = each > critical
    return float(LINES[above.argmax()]) if above.any() else None
