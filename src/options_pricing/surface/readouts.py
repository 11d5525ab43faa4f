"""What a surface says beside prices: densities and quantiles, term structures, variance swaps, local vols.

Everything is told per unit of forward: ``k`` is the underlying's price at the expiry, or a strike, over the forward.
Derivatives are differences of prices over steps of a few hundredths of a standard deviation, so that a surface without
arbitrage gives densities and local variances that are not negative.
"""

from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from options_pricing.surface.surface import Surface

Array = NDArray[np.float64]

# Steps and reach in standard deviations at the money; the time step is a share of the time to expiry.
STRIKE_STEP, SKEW_STEP, TIME_STEP = 0.05, 0.1, 0.02
REACH, NODES = 40.0, 3001
QUANTILE_REACH = 10.0
DELTA = 0.25
HALVINGS = 60
TERMS = ("year_fraction", "atm_vol", "skew", "risk_reversal_25", "butterfly_25", "variance_swap_vol")


class Priced(Protocol):
    """What prices European options at any maturity and strike: a `Surface`, or a model that is asked like one."""

    def prices(
        self,
        year_fraction: ArrayLike,
        strike: ArrayLike,
        forward: ArrayLike,
        discount_factor: ArrayLike,
        option_type: ArrayLike,
    ) -> Array:
        """As `Surface.prices`."""

    def vols_at(self, year_fraction: ArrayLike, moneyness: ArrayLike) -> Array:
        """As `Surface.vols_at`."""


def density(surface: Priced, year_fraction: ArrayLike, k: ArrayLike) -> Array:
    r"""Risk-neutral density of ``S_T / F``: :math:`\partial^2 c / \partial k^2` (Breeden and Litzenberger 1978).

    Averaged over a triangle of a twentieth of a standard deviation to either side.

    Parameters
    ----------
    surface : Surface
    year_fraction, k : array_like
        Years and multiples of the forward; they broadcast.

    Returns
    -------
    ndarray
        Per unit of k; NaN where an argument is NaN or not positive.
    """
    t, k, step = _steps(surface, year_fraction, k)
    low, middle, high = (surface.prices(t, at, 1.0, 1.0, k >= 1) for at in (k - step, k, k + step))
    return (low - 2 * middle + high) / step**2


def probability_below(surface: Priced, year_fraction: ArrayLike, k: ArrayLike) -> Array:
    r"""Risk-neutral probability that ``S_T / F <= k``: :math:`1 + \partial c / \partial k`; arguments as `density`."""
    t, k, step = _steps(surface, year_fraction, k)
    call = k >= 1
    low, high = (surface.prices(t, at, 1.0, 1.0, call) for at in (k - step, k + step))
    return np.where(call, 1.0, 0.0) + (high - low) / (2 * step)


def quantiles(surface: Priced, year_fraction: float, probability: ArrayLike) -> Array:
    """The ``S_T / F`` that lie above with these risk-neutral probabilities; NaN outside (0, 1).

    Inverts `probability_below` on 3001 points within ten standard deviations, linearly between them.
    """
    wanted = np.asarray(probability, dtype=float)
    deviation = float(_deviation(surface, np.array([year_fraction]))[0])
    k = np.exp(np.linspace(-QUANTILE_REACH, QUANTILE_REACH, NODES) * deviation)
    below = np.maximum.accumulate(probability_below(surface, year_fraction, k))
    return np.where((wanted > 0) & (wanted < 1), np.exp(np.interp(wanted, below, np.log(k))), np.nan)


def atm_vols(surface: Priced, year_fraction: ArrayLike) -> Array:
    """Implied vols at the money forward."""
    t = np.asarray(year_fraction, dtype=float)
    return surface.vols_at(t, np.zeros(t.shape))


def skews(surface: Priced, year_fraction: ArrayLike) -> Array:
    r"""Slope of the vol in log-moneyness at the money, :math:`\partial\sigma / \partial\log(K/F)`.

    Between a tenth of a standard deviation below the forward and one above.
    """
    t = np.asarray(year_fraction, dtype=float)
    step = SKEW_STEP * atm_vols(surface, t)
    return (surface.vols_at(t, step) - surface.vols_at(t, -step)) / (2 * step * np.sqrt(t))


def delta_vols(surface: Priced, year_fraction: ArrayLike, delta: float) -> Array:
    """Vols of the options whose delta on the forward, ``N(d1)`` for a call and ``N(d1) - 1`` for a put, is `delta`.

    Parameters
    ----------
    surface : Surface
    year_fraction : array_like
    delta : float
        Between 0 and 1 for a call, -1 and 0 for a put.
    """
    if not (-1 < delta < 1) or delta == 0:
        raise ValueError(f"delta must be between -1 and 1 and not 0, not {delta}")
    t = np.asarray(year_fraction, dtype=float)
    above = delta if delta > 0 else 1 + delta
    low, high = (np.full(t.shape, side * REACH) * atm_vols(surface, t) for side in (-1, 1))
    for _ in range(HALVINGS):
        x = (low + high) / 2
        vol = surface.vols_at(t, x)
        # d1 of standardised moneyness x: -x / vol + vol sqrt(T) / 2.
        too_low = ndtr(-x / vol + vol * np.sqrt(t) / 2) > above
        low, high = np.where(too_low, x, low), np.where(too_low, high, x)
    return surface.vols_at(t, (low + high) / 2)


def risk_reversals(surface: Priced, year_fraction: ArrayLike, delta: float = DELTA) -> Array:
    """Vol of the call of this delta less that of the put; deltas on the forward, without discounting."""
    return delta_vols(surface, year_fraction, delta) - delta_vols(surface, year_fraction, -delta)


def butterflies(surface: Priced, year_fraction: ArrayLike, delta: float = DELTA) -> Array:
    """Mean vol of the call and the put of this delta, less that at the money forward."""
    wings = delta_vols(surface, year_fraction, delta) + delta_vols(surface, year_fraction, -delta)
    return wings / 2 - atm_vols(surface, year_fraction)


def vix_variance(
    strike: ArrayLike, price: ArrayLike, forward: float, discount_factor: float, year_fraction: float
) -> float:
    r"""Variance per year that a strip of out-of-the-money options pays (Cboe, VIX methodology).

    .. math:: \frac{2}{T} \sum_i \frac{\Delta K_i}{K_i^2} \frac{Q_i}{D} - \frac1T \left(\frac{F}{K_0} - 1\right)^2

    with :math:`\Delta K` half the distance of the neighbours (at the ends that to the neighbour) and :math:`K_0` the
    highest strike not above the forward.

    Parameters
    ----------
    strike : array_like of shape (strikes,)
        Ascending, at least two, one of them not above the forward.
    price : array_like of shape (strikes,)
        Of the put below :math:`K_0`, of the call above, at it the mean of both.
    forward, discount_factor, year_fraction : float

    Raises
    ------
    ValueError
        The strikes are not ascending, too few, or all above the forward.
    """
    k, q = np.asarray(strike, dtype=float), np.asarray(price, dtype=float)
    if len(k) < 2 or not (np.diff(k) > 0).all() or k[0] > forward:
        raise ValueError("strikes must ascend, be two or more, and start at the forward or below")
    ends = np.concatenate([k[:1], (k[1:] + k[:-1]) / 2, k[-1:]])
    width = np.diff(ends)
    width[[0, -1]] = k[1] - k[0], k[-1] - k[-2]
    at = k[np.searchsorted(k, forward, side="right") - 1]
    strip = float((width / k**2 * q).sum()) / discount_factor
    return (2 * strip - (forward / at - 1) ** 2) / year_fraction


def variance_swap_vols(surface: Priced, year_fraction: ArrayLike) -> Array:
    """Fair strikes of variance swaps, as vols: `vix_variance` of 3001 strikes within 40 standard deviations."""
    times = np.atleast_1d(np.asarray(year_fraction, dtype=float))
    vols = np.full(times.shape, np.nan)
    for i, t in enumerate(times):
        if t > 0:
            k = np.exp(np.linspace(-REACH, REACH, NODES) * _deviation(surface, times[i : i + 1]))
            k[NODES // 2] = 1.0
            price = surface.prices(t, k, 1.0, 1.0, k >= 1)
            vols[i] = np.sqrt(vix_variance(k, price, 1.0, 1.0, t))
    return vols.reshape(np.shape(year_fraction))


def local_vols(surface: Surface, year_fraction: ArrayLike, k: ArrayLike) -> Array:
    r"""Local vols (Dupire 1994) at prices of k times the forward.

    .. math:: \sigma^2(T, k) = \frac{\partial c / \partial T}{\tfrac12 k^2 \, \partial^2 c / \partial k^2}

    for the undiscounted price per unit of forward, with steps of a twentieth of a standard deviation in k and of a
    fiftieth of the time in T; arguments as for `density`. NaN where the density is nothing.
    """
    t, k, _ = _steps(surface, year_fraction, k)
    aside = TIME_STEP * t
    rise = (surface.call_prices(t + aside, k, 1.0, 1.0) - surface.call_prices(t - aside, k, 1.0, 1.0)) / (2 * aside)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = 2 * rise / (k**2 * density(surface, t, k))
        return np.sqrt(np.where(np.isfinite(variance), np.maximum(variance, 0.0), np.nan))


def term_structure(surface: Surface, year_fraction: ArrayLike | None = None) -> pd.DataFrame:
    """Columns `TERMS`, one row a maturity: those given, or the expirations that were fitted."""
    t = np.atleast_1d(surface.year_fraction if year_fraction is None else np.asarray(year_fraction, dtype=float))
    columns = (
        t,
        atm_vols(surface, t),
        skews(surface, t),
        risk_reversals(surface, t),
        butterflies(surface, t),
        variance_swap_vols(surface, t),
    )
    return pd.DataFrame(dict(zip(TERMS, columns, strict=True)))


def _steps(surface: Priced, year_fraction: ArrayLike, k: ArrayLike) -> tuple[Array, Array, Array]:
    """Both arguments as arrays of one shape, and the step in k."""
    t, k = np.broadcast_arrays(np.asarray(year_fraction, dtype=float), np.asarray(k, dtype=float))
    with np.errstate(invalid="ignore"):
        return t, k, np.minimum(STRIKE_STEP * _deviation(surface, t), 0.5) * k


def _deviation(surface: Priced, t: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return atm_vols(surface, t) * np.sqrt(t)
