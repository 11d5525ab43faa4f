"""The part of a surface that single quotes cannot tell: eight coefficients, filtered over the days."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from options_pricing.models.base import Array
from options_pricing.models.surface_moves import QUARTERS_A_YEAR, combined, shapes

LOWEST_Z, HIGHEST_Z = -4.0, 3.0
FIRST = np.array([1.0, 0.3, 0.1, 0.3, 0.1, 0.3, 0.1, 0.1])
A_DAY = np.array([0.06, 0.012, 0.006, 0.006, 0.003, 0.006, 0.003, 0.003])
# Error of a quote around the trend, in logs; further off it counts in inverse proportion (Huber).
MISFIT, OUTLIER, ROUNDS = 0.05, 3.0, 4
LOWEST_LEVEL, HIGHEST_LEVEL = 0.02, 5.0
MOST_NOISE = 3.0
# The median of the square of a standard normal.
MEDIAN_SQUARE = 0.4549


@dataclass(frozen=True)
class DayOfQuotes:
    """Quotes of one day: years, standardised moneyness and log vols, sorted by the first two."""

    year_fraction: Array
    moneyness: Array
    log_vol: Array


@dataclass(frozen=True)
class Passage:
    """What lies between two days: how many days, and the expected move, as coefficients of the six shapes."""

    days: float
    move: Array


@dataclass(frozen=True)
class Trend:
    """Log vols as a smooth function of time to expiry and moneyness; `level` scales the moneyness.

    `noise` is the standard error of a single quote, in logs of vol, and `believed` the share of what quotes show beyond
    the trend that is none, 0 to 1.
    """

    coefficients: Array
    level: float
    noise: float
    believed: float

    def log_vols(self, year_fraction: Array, moneyness: Array) -> Array:
        """Log vols at any years and standardised moneyness."""
        return combined(_basis(year_fraction, moneyness / self.level), self.coefficients)

    def drawing(self, year_fraction: Array, moneyness: Array, log_vol: Array) -> Array:
        """Log vols as quoted, drawn to the trend as far as quotes are noise, and never by more than that can be."""
        beyond = log_vol - self.log_vols(year_fraction, moneyness)
        most = MOST_NOISE * self.noise
        return np.asarray(log_vol - (1 - self.believed) * np.clip(beyond, -most, most))


def filtered(days: Sequence[DayOfQuotes], passages: Sequence[Passage]) -> Trend:
    """The trend after the last of some days: a Kalman filter whose coefficients walk at random in the passages between.

    Each day's quotes are weighted against outliers. Where quotes are many and exact the last day alone decides;
    where they are few or noisy, so do the days before.
    """
    state, covariance = np.r_[_log_level(days[0]), np.zeros(len(FIRST) - 1)], np.diag(FIRST**2)
    level, residual = 0.0, days[0].log_vol
    for day, passage in zip(days, [None, *passages], strict=True):
        if passage is not None:
            state = state + _in_basis() @ passage.move
            covariance = covariance + np.diag(A_DAY**2 * passage.days)
        level = float(np.clip(np.exp(state[0]), LOWEST_LEVEL, HIGHEST_LEVEL))
        basis = _basis(day.year_fraction, day.moneyness / level)
        state, covariance = _updated(state, covariance, basis, day.log_vol)
        residual = day.log_vol - combined(basis, state)
    return Trend(state, level, *noise_and_signal(residual, days[-1].moneyness, days[-1].year_fraction))


def noise_and_signal(residual: Array, moneyness: Array, series: Array) -> tuple[float, float]:
    """The noise of single residuals, and how much of their variance their neighbours share.

    A residual is held against the line between its two neighbours of the same expiration. What is left of it, allowing
    for the noise of the neighbours, is its own noise; medians keep single bad quotes out.

    Parameters
    ----------
    residual, moneyness, series : ndarray of shape (quotes,)
        Sorted by series and moneyness.
    """
    inner = np.flatnonzero((series[2:] == series[:-2]) & (moneyness[2:] > moneyness[:-2])) + 1
    if not inner.size:
        return 0.0, 1.0
    weight = (moneyness[inner] - moneyness[inner - 1]) / (moneyness[inner + 1] - moneyness[inner - 1])
    own = residual[inner] - (1 - weight) * residual[inner - 1] - weight * residual[inner + 1]
    noise = np.median(own**2 / (1 + (1 - weight) ** 2 + weight**2)) / MEDIAN_SQUARE
    whole = np.median(residual[inner] ** 2) / MEDIAN_SQUARE
    return float(np.sqrt(noise)), float(np.clip(1 - noise / whole, 0.0, 1.0)) if whole > 0 else 1.0


def _log_level(day: DayOfQuotes) -> float:
    """Median log vol of the quarter of the quotes nearest to the money."""
    nearest = np.argsort(np.abs(day.moneyness), kind="stable")[: max(1, len(day.log_vol) // 4)]
    return float(np.median(day.log_vol[nearest]))


def _basis(year_fraction: Array, z: Array) -> Array:
    later = np.log(QUARTERS_A_YEAR * year_fraction)
    puts, calls = np.clip(z, LOWEST_Z, 0.0), np.clip(z, 0.0, HIGHEST_Z)
    one = np.ones_like(later)
    return np.column_stack([one, later, later**2, puts, puts * later, calls, calls * later, calls**2])


@cache
def _in_basis() -> Array:
    """The six shapes of a move, each as nearly as the trend's basis can show it (least squares over a grid)."""
    years, z = (values.ravel() for values in np.meshgrid(np.geomspace(0.02, 1.1, 12), np.linspace(-2.5, 2.0, 19)))
    return np.asarray(np.linalg.lstsq(_basis(years, z), shapes(years, z), rcond=None)[0])


def _updated(state: Array, covariance: Array, basis: Array, log_vol: Array) -> tuple[Array, Array]:
    prior = np.linalg.inv(covariance)
    weight, precision, found = np.ones(len(log_vol)), np.asarray(prior), state
    for _ in range(ROUNDS):
        weighted = basis * (weight / MISFIT**2)[:, None]
        precision = np.asarray(prior + basis.T @ weighted)
        found = np.linalg.solve(precision, prior @ state + weighted.T @ log_vol)
        off = np.abs(log_vol - basis @ found) / MISFIT
        weight = 1 / np.maximum(1.0, off / OUTLIER)
    inverse = np.linalg.inv(precision)
    return found, np.asarray((inverse + inverse.T) / 2)
