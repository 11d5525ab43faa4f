"""When a release has to be trained anew: its error on live days against its error on the days it was judged on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

LINE = 1.10
FEWEST_LIVE_DAYS, FEWEST_REFERENCE_DAYS = 3, 5


def retraining(
    reference: Sequence[float], live: Sequence[float], *, days: int, confidence: float, line: float = LINE
) -> dict[str, Any]:
    """Whether performance has fallen by more than a tenth, and whether that is more than chance.

    The error of a day is its root mean square error of implied vol. What is compared is the mean of its log over the
    last live days and over the reference days; days vary, so that the lower end of a one-sided interval for the ratio
    (Welch 1947) has to be over `line`.

    Parameters
    ----------
    reference, live : sequence of float
        Errors of the reference days and of the live ones, oldest first.
    days : int
        How many of the last live days are looked at, at most.
    confidence : float
        Of the interval.

    Returns
    -------
    dict
        ``due`` (None where there are too few days; False says only that it is not shown), ``why``, ``line``, ``days``,
        ``reference_days``; ``ratio`` of the errors and ``low``, the end of its interval.
    """
    before, now = (np.log(_positive(errors)) for errors in (reference, live[-days:]))
    told = {"line": line, "confidence": confidence, "days": len(now), "reference_days": len(before)}
    if len(now) < FEWEST_LIVE_DAYS or len(before) < FEWEST_REFERENCE_DAYS:
        return {"due": None, "why": _too_few(len(now), len(before)), **told, "ratio": None, "low": None}
    parts = np.array([np.var(values, ddof=1) / len(values) for values in (now, before)])
    freedom = parts.sum() ** 2 / (parts**2 / (np.array([len(now), len(before)]) - 1)).sum() if parts.any() else 1.0
    difference = now.mean() - before.mean()
    low = float(np.exp(difference - student.ppf(confidence, freedom) * np.sqrt(parts.sum())))
    ratio = float(np.exp(difference))
    said = f"the error of the last {len(now)} live days is {ratio:.2f} times that of the reference"
    why = f"{said}{_by_chance(ratio, low, line, len(now))}"
    return {"due": low > line, "why": why, **told, "ratio": ratio, "low": low}


def _too_few(live: int, reference: int) -> str:
    """What is missing: only what there are too few of is counted."""
    few = [(live, FEWEST_LIVE_DAYS, "live days"), (reference, FEWEST_REFERENCE_DAYS, "days of reference")]
    return " and ".join(f"{have} of {need} {what}" for have, need, what in few if have < need) + " so far"


def _by_chance(ratio: float, low: float, line: float, days: int) -> str:
    if ratio <= line:
        return ""
    if low > line:
        return f", and even by bad luck it is at least {low:.2f} times"
    return f", but on {days} days it could be as low as {low:.2f} times by chance"


def _positive(errors: Sequence[float]) -> np.ndarray:
    values = np.array([np.nan if error is None else error for error in errors], dtype=float)
    return values[np.isfinite(values) & (values > 0)]
