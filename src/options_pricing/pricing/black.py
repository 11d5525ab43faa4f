"""European option prices and greeks on a forward (Black 1976), accurate far into both wings."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfcx

Array: TypeAlias = NDArray[np.float64]

DAYS_A_YEAR = 365.0
SQRT_HALF = np.sqrt(0.5)
INV_SQRT_2PI = 1 / np.sqrt(2 * np.pi)
SMALLEST_DEVIATION = 1e-300


class PriceAndGreeks(NamedTuple):
    """Price and sensitivities of each option; arrays of one shape, units as `price_and_greeks` says."""

    price: Array
    delta: Array
    gamma: Array
    vega: Array
    theta: Array
    rho: Array


class Tails(NamedTuple):
    """What every Black quantity is made of, for ``high = max(F, K)``, ``low = min(F, K)``, ``s = vol sqrt(T)``.

    With ``x = log(high / low)``, ``h = x / s`` and ``t = s / 2``: `density` is ``exp(-(h^2 + t^2) / 2)``, `near`
    is ``sqrt(low / high) N(-|h - t|)``, `far` is ``sqrt(high / low) N(-(h + t))``, `ratio` is ``sqrt(low / high)``,
    and `wing` says ``h >= t``.
    """

    density: Array
    near: Array
    far: Array
    ratio: Array
    wing: NDArray[np.bool_]


def is_call(option_type: ArrayLike) -> NDArray[np.bool_]:
    """Where an option is a call, from booleans (true is a call) or from the letters ``C`` and ``P``.

    Raises
    ------
    ValueError
        A letter is neither.
    """
    given = np.asarray(option_type)
    if given.dtype == bool:
        return given
    call = np.asarray(given == "C", dtype=bool)
    if not np.all(call | (given == "P")):
        raise ValueError("option_type must be 'C' or 'P', or booleans that say whether it is a call")
    return call


def black_price(
    forward: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    discount_factor: ArrayLike,
    vol: ArrayLike,
    option_type: ArrayLike,
) -> Array:
    r"""Price of European options, :math:`D [F N(d_1) - K N(d_2)]` for a call (Black 1976, eq. 16).

    Parameters
    ----------
    forward, strike : array_like
        Both positive, in the currency of the price.
    year_fraction : array_like
        Years to the expiry, zero or more.
    discount_factor : array_like
        Present value of 1 paid at the expiry.
    vol : array_like
        Per year, decimal, zero or more.
    option_type : array_like
        ``C`` or ``P``, or booleans (true is a call). All arguments broadcast.

    Returns
    -------
    ndarray
        Prices; NaN where an argument is NaN or outside its range. Out of the money it is the *relative* error that
        stays small, down to the smallest numbers: about ``1e-16 / (vol sqrt(T))``, and 1e-16 times the exponent
        of the price far out.
    """
    f, k, t, d, v = _arrays(forward, strike, year_fraction, discount_factor, vol)
    call = is_call(option_type)
    with np.errstate(all="ignore"):
        tails = tails_of(f, k, total_deviation(v, t))
        parity = np.maximum(np.where(call, f - k, k - f), 0.0)
        return d * (np.sqrt(f) * np.sqrt(k) * time_value(tails) + parity)


def price_and_greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    discount_factor: ArrayLike,
    vol: ArrayLike,
    option_type: ArrayLike,
    *,
    spot: ArrayLike | None = None,
) -> PriceAndGreeks:
    r"""Price and greeks of European options in one pass.

    With `spot` the greeks are those of an option on the spot under :math:`F = S e^{(r - q) T}`,
    :math:`D = e^{-r T}`; without it those of an option on the forward itself (as on a future: ``S = F``, no carry).

    Parameters
    ----------
    forward, strike, year_fraction, discount_factor, vol, option_type : array_like
        As for `black_price`; they broadcast.
    spot : array_like, optional
        What delta, gamma, theta and rho take to be the underlying's price.

    Returns
    -------
    PriceAndGreeks
        ========= =================================================================================================
        `delta`   dPrice/dS: :math:`\frac{F}{S} D N(d_1)` for a call; without `spot` :math:`D N(d_1)`
        `gamma`   d(delta)/dS, r and q held
        `vega`    change of price per 1.00 of vol (0.01 of it is one vol point)
        `theta`   change of price per calendar day that passes, 1/365 of a year; S, r, q and vol held
        `rho`     change of price per 1.00 of the continuous rate r; S and q held (so that F moves with r), or
                  without `spot` F held, when it is ``-T price``
        ========= =================================================================================================

        At ``year_fraction = 0`` the price is the payoff and theta is NaN. NaN arguments give NaN.
    """
    f, k, t, d, v = _arrays(forward, strike, year_fraction, discount_factor, vol)
    call = is_call(option_type)
    with np.errstate(all="ignore"):
        s = total_deviation(v, t)
        tails = tails_of(f, k, s)
        root = np.sqrt(f) * np.sqrt(k)
        price = d * (root * time_value(tails) + np.maximum(np.where(call, f - k, k - f), 0.0))
        slope = d * _forward_slope(tails, f >= k, call)
        vega_root = d * root * tails.density * INV_SQRT_2PI
        vega = vega_root * np.sqrt(t)
        rate = -np.log(d) / t
        if spot is None:
            lever, carry, rho = np.ones_like(f), 0.0, -t * price
        else:
            lever = f / np.asarray(spot, dtype=float)
            carry, rho = np.log(lever) / t, t * (f * slope - price)
        decay = rate * price - carry * f * slope - vega * v / (2 * t)
        gamma = lever**2 * vega_root / (f * f * s)
    return PriceAndGreeks(*np.broadcast_arrays(price, lever * slope, gamma, vega, decay / DAYS_A_YEAR, rho))


def total_deviation(vol: Array, year_fraction: Array) -> Array:
    """``vol * sqrt(year_fraction)``, kept just above zero; NaN where either is negative."""
    return np.maximum(np.where(vol < 0, np.nan, vol) * np.sqrt(year_fraction), SMALLEST_DEVIATION)


def tails_of(forward: Array, strike: Array, deviation: Array) -> Tails:
    """Both normal tails of each option out of one exponential and two scaled complementary error functions."""
    low, high = np.minimum(forward, strike), np.maximum(forward, strike)
    low = np.where(low > 0, low, np.nan)
    h, t = np.log1p((high - low) / low) / deviation, deviation / 2
    density = np.exp(-(h * h + t * t) / 2)
    half = density / 2
    near, far = half * erfcx(np.abs(h - t) * SQRT_HALF), half * erfcx((h + t) * SQRT_HALF)
    return Tails(density, near, far, np.sqrt(low / high), h >= t)


def time_value(tails: Tails) -> Array:
    """Undiscounted price of the out-of-the-money option over ``sqrt(F K)``."""
    return np.where(tails.wing, tails.near, tails.ratio - tails.near) - tails.far


def _forward_slope(tails: Tails, strike_below: NDArray[np.bool_], call: NDArray[np.bool_]) -> Array:
    """dPrice/dF undiscounted: N(d1) of a call, -N(-d1) of a put, small ones without cancellation."""
    near = tails.near / tails.ratio
    out_call = np.where(tails.wing, near, 1 - near)
    out_put = -tails.ratio * tails.far
    out = np.where(strike_below, out_put, out_call)
    return out + np.where(call & strike_below, 1.0, 0.0) - np.where(~call & ~strike_below, 1.0, 0.0)


def _arrays(*values: ArrayLike) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=float) for value in values)
