"""Spot and dividend yields behind the forwards of one day."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NEAREST_EXPIRATIONS = 3
LEAST_TIME_BETWEEN = 0.25
LOWEST_YIELD, HIGHEST_YIELD = -0.1, 0.3
EX_DIVIDEND = 0.05
BOUNDING_QUOTES = 5


def spot_and_mean_yield(year_fraction: Array, prepaid_forward: Array) -> tuple[float, float]:
    """Spot and average dividend yield of one underlying, from ``F D`` (the forward paid today) by expiration.

    ``log(F D) = log S - q T``: q is the median of the slopes between all pairs of expirations at least
    `LEAST_TIME_BETWEEN` years apart (Theil-Sen; 0 where there is none). S is what the `NEAREST_EXPIRATIONS` say
    (median): with q where that brings them closer together, else as they are, for dividends are paid at once and
    before the next one none is in any forward. NaN without any forward.
    """
    known = np.isfinite(prepaid_forward) & (year_fraction > 0)
    if not known.any():
        return np.nan, np.nan
    order = np.argsort(year_fraction[known], kind="stable")
    years, level = year_fraction[known][order], np.log(prepaid_forward[known][order])
    first, second = np.triu_indices(years.size, 1)
    apart = years[second] - years[first] >= LEAST_TIME_BETWEEN
    slopes = (level[second] - level[first])[apart] / (years[second] - years[first])[apart]
    dividend_yield = -float(np.median(slopes)) if slopes.size else 0.0
    dividend_yield = min(max(dividend_yield, LOWEST_YIELD), HIGHEST_YIELD)
    near = level[:NEAREST_EXPIRATIONS]
    with_yield = near + dividend_yield * years[:NEAREST_EXPIRATIONS]
    spot = np.exp(np.median(with_yield if np.ptp(with_yield) < np.ptp(near) else near))
    return float(spot), dividend_yield


def exercise_bounds(strike: Array, ask: Array, call: NDArray[np.bool_]) -> tuple[float, float]:
    """Between what the spot must lie so that no American option can be bought and exercised at a profit.

    A put's ask is not under K - S, a call's not under S - K. The median of the `BOUNDING_QUOTES` sharpest quotes
    is taken, so that a stale one does not count.
    """
    lower = np.sort((strike - ask)[~call & np.isfinite(ask)])[-BOUNDING_QUOTES:]
    upper = np.sort((strike + ask)[call & np.isfinite(ask)])[:BOUNDING_QUOTES]
    low = float(np.median(lower)) if lower.size == BOUNDING_QUOTES else 0.0
    high = float(np.median(upper)) if upper.size == BOUNDING_QUOTES else np.inf
    return (low, high) if low <= high else (0.0, np.inf)


def dividend_yields(year_fraction: Array, prepaid_forward: Array, spot: float) -> Array:
    """Yield of each expiration that leads from the spot to its forward: ``q = log(S / (F D)) / T``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(spot / prepaid_forward) / np.where(year_fraction > 0, year_fraction, np.nan)


def plausible(year_fraction: Array, yields: Array) -> NDArray[np.bool_]:
    """Whether a yield lies between -10 % and 30 % a year, give or take 5 % of the price at once."""
    paid = yields * year_fraction
    low, high = LOWEST_YIELD * year_fraction - EX_DIVIDEND, HIGHEST_YIELD * year_fraction + EX_DIVIDEND
    return (paid > low) & (paid < high)


def steadied(yields: Array, mean_yield: float, error: Array) -> Array:
    """Yields drawn to their mean where they differ from it by no more than their standard `error`.

    Over a few days the smallest error of a forward is a large yield; a dividend that goes ex is larger still and
    stays. The part of the difference d that is kept is ``d^2 / (d^2 + (2 error)^2)``.
    """
    difference = yields - mean_yield
    with np.errstate(invalid="ignore", divide="ignore"):
        kept = difference**2 / (difference**2 + (2 * error) ** 2)
    return mean_yield + np.where(difference == 0, 0.0, kept) * difference
