"""How far a figure would have come out otherwise on other days: whole days resampled."""

import numpy as np
from numpy.typing import NDArray

from options_pricing.evaluation.metrics import DaySums, finite_or_none
from options_pricing.run.params import Evaluate

FEWEST_DAYS = 3


def resampled_days(days: int, samples: int, seed: int, *, block: int = 1) -> NDArray[np.float64]:
    """How often each day is drawn in each sample of as many days, with replacement; shape (samples, days).

    Days are drawn in blocks of `block` that follow each other, the first day following the last (the circular
    bootstrap of Politis and Romano 1992), and the last block is cut where the sample is full.
    """
    drawn = drawn_in_blocks(days, samples, days, block, seed)
    times = np.zeros((samples, days))
    np.add.at(times, (np.arange(samples)[:, None], drawn), 1.0)
    return times


def drawn_in_blocks(days: int, samples: int, length: int, block: int, seed: int) -> NDArray[np.intp]:
    """Which of `days` days each of `length` places of a sample holds, drawn as in `resampled_days`."""
    starts = np.random.default_rng(seed).integers(0, days, (samples, -(-length // block)))
    return ((starts[:, :, None] + np.arange(block)) % days).reshape(samples, -1)[:, :length]


def figures_with_intervals(sums: DaySums, evaluate: Evaluate) -> dict[str, dict[str, float | None]]:
    """Each figure as ``{"value", "low", "high"}``, the ends those of a percentile interval.

    Quotes of one day err together, so that days, not quotes, are drawn. With fewer than three days the ends are
    None; so is a figure that cannot be computed.
    """
    days = len(sums.asked)
    values = {name: float(found[0]) for name, found in sums.figures(np.ones((1, days))).items()}
    ends = dict.fromkeys(values, (np.nan, np.nan))
    if days >= FEWEST_DAYS:
        drawn = sums.figures(resampled_days(days, evaluate.bootstrap, evaluate.seed))
        tails = [(1 - evaluate.confidence) / 2, (1 + evaluate.confidence) / 2]
        ends = {name: _quantiles(found, tails) for name, found in drawn.items()}
    return {
        name: {"value": finite_or_none(value), "low": finite_or_none(low), "high": finite_or_none(high)}
        for name, value in values.items()
        for low, high in [ends[name]]
    }


def _quantiles(found: NDArray[np.float64], tails: list[float]) -> tuple[float, float]:
    known = found[np.isfinite(found)]
    if not len(known):
        return np.nan, np.nan
    low, high = np.quantile(known, tails)
    return float(low), float(high)
