"""How a surface of vols moves from one day to the next: six shapes, and what is believed of them beforehand.

Vols are taken in logs. A quote lies at ``z = log(K / F) / (sqrt(T) level)``, moneyness in standard deviations of
yesterday's level of vol, and at ``log(4 T)``, which is 0 at a quarter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.models.base import Array, standardised_moneyness
from options_pricing.models.columns import Table
from options_pricing.models.moves import Yesterday
from options_pricing.pricing.black import DAYS_A_YEAR

QUARTERS_A_YEAR = 4.0
# Least squares of the daily move of SPX's level of vol, and of its slope in log(4 T), on the return over that level:
# 803 days of 2008-2012, coefficients of determination 0.80 and 0.40. No other shape had a stable answer.
RESPONSE = np.array([-0.87, 0.30, 0.0, 0.0, 0.0, 0.0])
# Standard deviations of a day's six coefficients. Those of the first two and their correlation are of the same days.
DEVIATION = np.array([0.056, 0.027, 0.03, 0.012, 0.008, 0.004])
LEVEL_AND_SLOPE = -0.8
LARGEST_SHOCK = 0.25
# A day's standard deviation of returns over the level of vol: one over the root of 252.
USUAL_SHOCK = 0.063
PRIOR_DAYS = 10
# A prior day moves vols by a twentieth, and is as likely to speak for the prior response as for none.
PRIOR_MOVE, PRIOR_BELIEF, PRIOR_SPREAD = 0.05, 0.5, 1.0
ONE_SIDED_95 = 1.645
LEAST_SQUARED = 1e-12
# The error with which a day's coefficients are told from its quotes: neighbouring quotes err alike.
MISFIT = 0.03
QUOTES_OF_A_DAY = 50
# How much of an expiration's own level, apart from the term structure, stays with it as time passes.
BUMP_STAYS = 0.8


def shapes(year_fraction: Array, z: Array) -> Array:
    """The six shapes, an array of shape (quotes, 6).

    A hump at the money, a tilt across it, and a level, each also times ``log(4 T)``. In the wings hump and tilt die
    away as ``1 / z^2`` and ``1 / z``: on most days the vols of far strikes do not follow those at the money.
    """
    later = np.log(QUARTERS_A_YEAR * year_fraction)
    hump = 1 / (1 + z**2)
    tilt = z * hump
    level = np.ones_like(z)
    return np.column_stack([hump, hump * later, tilt, tilt * later, level, level * later])


def combined(shape: Array, coefficients: Array) -> Array:
    """The shapes times their coefficients, added up.

    Not a matrix product: the last bits of one would depend on how many options are asked.
    """
    return np.asarray(sum(shape[:, k] * value for k, value in enumerate(coefficients)))


def prior_covariance() -> Array:
    """Covariance of a day's six coefficients before any day is known."""
    correlation = np.eye(len(DEVIATION))
    correlation[0, 1] = correlation[1, 0] = LEVEL_AND_SLOPE
    return np.outer(DEVIATION, DEVIATION) * correlation


class Bumps:
    """What of yesterday's vols belongs to an expiration and stays with it, rather than with its time to expiry.

    The same option has, yesterday and at today's time to expiry, two vols; their difference in logs less a parabola
    in ``log(4 T)`` fitted over yesterday's quotes is the expiration's own: an announcement before it, a weekend.

    Parameters
    ----------
    yesterday : Yesterday
    elapsed : float
        Years since then.
    vols_at : callable
        Yesterday's vols at years and standardised moneyness.
    """

    def __init__(self, yesterday: Yesterday, elapsed: float, vols_at: Callable[[Array, Array], Array]) -> None:
        years = yesterday.surface.year_fraction
        kept = years - elapsed >= years.min()
        # All strikes of an expiration say nearly the same.
        rows = np.flatnonzero(kept)[:: max(1, int(kept.sum()) // 1000)]
        now, moneyness = years[rows] - elapsed, yesterday.surface.moneyness[rows]
        self.smooth = np.zeros(3)
        if len(rows) > len(self.smooth):
            difference = np.log(yesterday.surface.vol[rows] / vols_at(now, moneyness))
            weight = yesterday.surface.vol[rows]
            self.smooth = np.linalg.lstsq(_parabola(now) * weight[:, None], difference * weight, rcond=None)[0]

    def of(self, before: Array, now: Array, year_fraction: Array) -> Array:
        """Log change of vols, given yesterday's at the same expiration and at the same time to expiry."""
        return BUMP_STAYS * (np.log(before / now) - combined(_parabola(year_fraction), self.smooth))


def _parabola(year_fraction: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        later = np.log(QUARTERS_A_YEAR * year_fraction)
    return np.column_stack([np.ones_like(later), later, later**2])


@dataclass(frozen=True)
class PastMove:
    """What one day says of the response to returns, and of how surfaces move.

    `days` have passed since the one before; `shock` is the median of its quotes' shocks. `explained` and `squared` are
    means over its quotes, of the prior response times the true change of vol and of the squared prior response, both
    relative to the level of vol.
    """

    days: float
    shock: float
    explained: float
    squared: float
    coefficients: Array


def past_move(yesterday: Yesterday, quotes: pd.DataFrame, log_base: Array) -> PastMove:
    """One day's evidence.

    Parameters
    ----------
    yesterday : Yesterday
    quotes : DataFrame
        Eligible quotes of the day after.
    log_base : ndarray
        Logs of the vols expected of them if the surface does not move.
    """
    vol = quotes["implied_vol"].to_numpy(dtype=float)
    shape = shapes(quotes["year_fraction"].to_numpy(dtype=float), moneyness_in_deviations(yesterday, quotes))
    base = np.exp(log_base)
    shock = clipped_shocks(yesterday, quotes)
    response = base * np.expm1(combined(shape, RESPONSE) * shock) / yesterday.level
    change = (vol - base) / yesterday.level
    weight = np.sqrt(QUOTES_OF_A_DAY / (base**2).sum()) * base / MISFIT
    weighted = shape * weight[:, None]
    precision = weighted.T @ weighted + np.linalg.inv(prior_covariance())
    coefficients = np.linalg.solve(precision, weighted.T @ (weight * (np.log(vol) - log_base)))
    return PastMove(
        days=float(yesterday.years_until(quotes).max()) * DAYS_A_YEAR,
        shock=float(np.median(shock)),
        explained=float(np.mean(response * change)),
        squared=float(np.mean(response**2)),
        coefficients=coefficients,
    )


def moneyness_in_deviations(yesterday: Yesterday, quotes: Table) -> Array:
    """``z`` of quotes."""
    return standardised_moneyness(quotes) / yesterday.level


def clipped_shocks(yesterday: Yesterday, quotes: Table) -> Array:
    """Returns of the quotes' forwards since yesterday, over the level of vol, within 0.25 either way."""
    return np.minimum(np.maximum(yesterday.shocks(quotes), -LARGEST_SHOCK), LARGEST_SHOCK)


@dataclass(frozen=True)
class Learnt:
    """What is believed of the next move: the shapes' coefficients per unit of shock, and their covariance.

    `belief` is the share of the response that its days bear out, and is already in `response`.
    """

    belief: float
    response: Array
    covariance: Array
    days: int

    @classmethod
    def of(cls, moves: Sequence[PastMove]) -> "Learnt":
        """Prior and evidence together, each day once and the prior as `PRIOR_DAYS` days."""
        total = PRIOR_DAYS * prior_covariance()
        for move in moves:
            total = total + np.outer(move.coefficients, move.coefficients)
        explained, squared = (np.array([getattr(m, name) for m in moves]) for name in ("explained", "squared"))
        belief = believed(explained, squared)
        return cls(belief, belief * responses(moves), total / (PRIOR_DAYS + len(moves)), len(moves))


def responses(moves: Sequence[PastMove]) -> Array:
    """Least squares of the days' coefficients on their shocks, the prior as `PRIOR_DAYS` of usual shocks."""
    weight = PRIOR_DAYS * USUAL_SHOCK**2
    total = weight * RESPONSE
    for move in moves:
        weight += move.shock**2
        total = total + move.shock * move.coefficients
    return np.asarray(total / weight)


def believed(explained: NDArray[Any], squared: NDArray[Any]) -> float:
    """The share of the prior response that days bear out, 0 to 1.

    The share with the least squared error over prior and days is their mean, each weighing as much as its squared
    response. Believed is the lower end of its one-sided 95 % interval, from the scatter of single days around it,
    the prior's included: doubt leads back to yesterday's surface.

    Parameters
    ----------
    explained, squared : ndarray of shape (days,)
        As in `PastMove`.
    """
    weight = np.r_[np.full(PRIOR_DAYS, PRIOR_MOVE**2), squared]
    mean = (PRIOR_BELIEF * weight[:PRIOR_DAYS].sum() + explained.sum()) / weight.sum()
    share = explained / np.maximum(squared, LEAST_SQUARED)
    scatter = float((squared * (share - mean) ** 2).sum() / max(squared.sum(), LEAST_SQUARED))
    spread = (PRIOR_DAYS * PRIOR_SPREAD**2 + len(squared) * scatter) / len(weight)
    error = np.sqrt(spread * (weight**2).sum()) / weight.sum()
    return float(np.clip(mean - ONE_SIDED_95 * error, 0.0, 1.0))
