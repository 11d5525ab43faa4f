r"""Raw SVI: five numbers an expiration, each expiration for itself; not free of arbitrage by construction.

Total variance at ``y = log(K / F)`` (Gatheral 2004; Gatheral and Jacquier 2014, eq. 3.1):

.. math:: w(y) = a + b \left(\rho (y - m) + \sqrt{(y - m)^2 + \sigma^2}\right)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.surface.essvi import Essvi
from options_pricing.surface.least_squares import minimise_each
from options_pricing.surface.quoted import Quoted

Array = NDArray[np.float64]

# Lee (2004): no wing of total variance is steeper than 2.
STEEPEST_WING, STEEPEST = 2.0, 0.999
MODEL_ERROR, HUBER = 0.005, 1.5
# A weak pull to the start decides what fewer than five quotes leave open.
PULL = 0.02
ROUNDS, STEP, TINY = 60, 1e-6, 1e-12
PARAMETERS = 5


class Svi(NamedTuple):
    """Parameters of each expiration, ascending in time; arrays of one shape, letters as in the module."""

    year_fraction: Array
    a: Array
    b: Array
    rho: Array
    m: Array
    sigma: Array


def svi_variance(
    a: ArrayLike, b: ArrayLike, rho: ArrayLike, m: ArrayLike, sigma: ArrayLike, log_moneyness: ArrayLike
) -> Array:
    """Total variance of raw SVI; all arguments broadcast."""
    a, b, rho, m, sigma, y = (np.asarray(value, dtype=float) for value in (a, b, rho, m, sigma, log_moneyness))
    return np.asarray(a + b * (rho * (y - m) + np.hypot(y - m, sigma)))


def svi_variances_at(surface: Svi, year_fraction: Array, log_moneyness: Array) -> Array:
    """Total variances, linear in time between expirations at one log-moneyness; arrays of one shape.

    Outside the expirations vols stay as they are at one standardised moneyness.
    """
    known = surface.year_fraction
    inside = np.clip(year_fraction, known[0], known[-1])
    later = np.clip(np.searchsorted(known, inside), 1, max(len(known) - 1, 1))
    earlier = later - 1
    later = np.minimum(later, len(known) - 1)
    y = log_moneyness * np.sqrt(inside / year_fraction)
    low, high = (
        svi_variance(surface.a[i], surface.b[i], surface.rho[i], surface.m[i], surface.sigma[i], y)
        for i in (earlier, later)
    )
    share = (inside - known[earlier]) / np.where(later > earlier, known[later] - known[earlier], 1.0)
    return (low + share * (high - low)) * year_fraction / inside


def fit_svi(quoted: Quoted, start: Essvi) -> Svi:
    """Fit each expiration alone, by robust least squares of vols weighted by the quoted spread.

    Levenberg-Marquardt from the slices of `start`, which are SVI too, in parameters that keep
    ``b (1 + |rho|) <= 2`` and the least variance positive.

    Parameters
    ----------
    quoted : Quoted
        At least one quote.
    start : Essvi
        Its expirations are those of `quoted`.
    """
    first = _from_essvi(start)
    point = minimise_each(_Problem(quoted, first).misfit, first, rounds=ROUNDS)
    return Svi(quoted.year_fraction, *_slices(point))


class _Problem:
    """The misfits of the expirations and their derivatives, all at once."""

    def __init__(self, quoted: Quoted, start: Array) -> None:
        self.quoted, self.start = quoted, start
        self.y, self.years, self.at = np.log(quoted.k), quoted.years, quoted.expiration
        self.error = np.hypot(quoted.vol_error, MODEL_ERROR * quoted.vol)

    def misfit(self, point: Array) -> tuple[Array, Array, Array]:
        """Of each expiration the misfit, its gradient and Gauss-Newton Hessian."""
        off = self._residuals(point)
        by = np.stack([(self._residuals(point + STEP * unit) - off) / STEP for unit in np.eye(PARAMETERS)])
        size = np.abs(off)
        weight = np.minimum(1.0, HUBER / np.maximum(size, HUBER))
        pull = PULL * (point - self.start)
        cost = self._sums(np.where(size < HUBER, size**2 / 2, HUBER * (size - HUBER / 2)))
        gradient, hessian = self._sums(weight * off * by), self._sums((weight * by)[:, None] * by[None])
        return cost + (pull**2).sum(axis=1) / 2, gradient + PULL * pull, hessian + PULL**2 * np.eye(PARAMETERS)

    def _residuals(self, point: Array) -> Array:
        a, b, rho, m, sigma = (values[self.at] for values in _slices(point))
        variance = svi_variance(a, b, rho, m, sigma, self.y)
        return (np.sqrt(np.maximum(variance, TINY) / self.years) - self.quoted.vol) / self.error

    def _sums(self, values: Array) -> Array:
        return np.moveaxis(np.add.reduceat(values, self.quoted.start[:-1], axis=-1), -1, 0)


def _slices(point: Array) -> tuple[Array, Array, Array, Array, Array]:
    """a, b, rho, m and sigma of unbounded parameters, shape (expirations, 5)."""
    least, wing, skew, middle, width = point.T
    rho, sigma = STEEPEST * np.tanh(skew), np.exp(np.clip(width, -12, 4))
    b = STEEPEST_WING / (1 + np.abs(rho)) / (1 + np.exp(-wing))
    return np.exp(np.clip(least, -30, 5)) - b * sigma * np.sqrt(1 - rho**2), b, rho, middle, sigma


def _from_essvi(surface: Essvi) -> Array:
    """Unbounded parameters of eSSVI slices (Gatheral and Jacquier 2014, section 3.2)."""
    _, theta, rho, psi = surface
    rest = np.sqrt(1 - rho**2)
    sigma, b = theta * rest / psi, psi / 2
    share = np.clip(b * (1 + np.abs(rho)) / STEEPEST_WING, 1e-6, 1 - 1e-6)
    least = theta * rest**2
    return np.stack(
        [np.log(least), np.log(share / (1 - share)), np.arctanh(rho / STEEPEST), -rho * theta / psi, np.log(sigma)],
        axis=1,
    )
