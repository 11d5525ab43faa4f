"""Discount factors of one day, as its European options imply them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Over a shorter time the noise of the quotes outweighs the interest.
SHORTEST_NODE = 0.2
SAME_MATURITY = 1 / 365
FARTHEST_RATE = 0.03


class ZeroCurve:
    """``-log D`` as a piecewise linear function of time, straight from the origin to its first node.

    Parameters
    ----------
    year_fraction, discount_factor : array_like
        Of expirations, in any order; those under `SHORTEST_NODE` years are used only where there is no other, all of
        them then for one rate (least squares through the origin). A rate over 3 % away from the median is left out,
        and expirations within a day of each other are averaged.
    fallback_rate : float
        Continuous rate per year where no expiration is given.
    """

    def __init__(self, year_fraction: ArrayLike, discount_factor: ArrayLike, fallback_rate: float) -> None:
        years, interest = np.asarray(year_fraction, dtype=float), -np.log(np.asarray(discount_factor, dtype=float))
        known = np.isfinite(years) & np.isfinite(interest) & (years > 0)
        years, interest = years[known], interest[known]
        if not years.size:
            years, interest = np.array([1.0]), np.array([fallback_rate])
        elif years.max() < SHORTEST_NODE:
            years, interest = np.array([1.0]), np.array([(years * interest).sum() / (years**2).sum()])
        else:
            years, interest = years[years >= SHORTEST_NODE], interest[years >= SHORTEST_NODE]
            agreed = np.abs(interest / years - np.median(interest / years)) <= FARTHEST_RATE
            years, interest = _merged(years[agreed], interest[agreed])
        self._years, self._interest = np.r_[0.0, years], np.r_[0.0, interest]

    def discount_factor(self, year_fraction: ArrayLike) -> Array:
        """Present value of 1 paid after `year_fraction` years; past the last node at its zero rate."""
        years = np.asarray(year_fraction, dtype=float)
        inside = np.interp(years, self._years, self._interest)
        beyond = years * (self._interest[-1] / self._years[-1])
        return np.exp(-np.where(years > self._years[-1], beyond, inside))


def _merged(years: Array, interest: Array) -> tuple[Array, Array]:
    order = np.argsort(years, kind="stable")
    years, interest = years[order], interest[order]
    node = np.r_[0, np.cumsum(np.diff(years) > SAME_MATURITY)]
    count = np.bincount(node)
    return np.bincount(node, years) / count, np.bincount(node, interest) / count
