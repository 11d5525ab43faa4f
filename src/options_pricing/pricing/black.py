"""European option prices and greeks on a forward (Black 1976), accurate far into both wings."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.pricing.blocks import flat_together, in_blocks
from options_pricing.pricing.formulas import DAYS_A_YEAR, Array, greeks_of, price_of

__all__ = [
    "DAYS_A_YEAR",
    "Array",
    "PriceAndGreeks",
    "PricedAndReason",
    "Reason",
    "black_price",
    "is_call",
    "price_and_greeks",
    "price_and_greeks_with_reason",
]


class Reason(IntEnum):
    """Why an option has no price or no implied vol; `OK` where it has one."""

    OK = 0
    BAD_ARGUMENT = 1  # NaN or infinite; or a forward, strike, discount factor or spot not positive; or a negative vol
    EXPIRED = 2  # no time is left; a price is still the payoff when exactly none is
    BELOW_LOWER_BOUND = 3  # under discounted intrinsic value
    AT_LOWER_BOUND = (
        4  # discounted intrinsic value (0 out of the money), or not distinguishable: any small vol gives it
    )
    ABOVE_UPPER_BOUND = 5  # a call worth the discounted forward or more, a put worth the discounted strike or more


class PriceAndGreeks(NamedTuple):
    """Price and sensitivities of each option; arrays of one shape, units as `price_and_greeks` says."""

    price: Array
    delta: Array
    gamma: Array
    vega: Array
    theta: Array
    rho: Array
    vanna: Array
    volga: Array


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
        stays small, down to 1e-300: some 1e-15, and 2e-15 times the price's logarithm far out. Without time or vol
        it is the discounted payoff on the forward.
    """
    given = _arrays(forward, strike, year_fraction, discount_factor, vol)
    flat, shape = flat_together(*given, is_call(option_type))
    return in_blocks("prices", price_of, flat).reshape(shape)


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
        `vanna`   change of delta per 1.00 of vol, which is that of vega per 1 of S
        `volga`   change of vega per 1.00 of vol
        ========= =================================================================================================

        At ``year_fraction = 0`` the price is the payoff and theta is NaN. What is NaN or outside its range gives NaN
        in all of them; `price_and_greeks_with_reason` says why.
    """
    return price_and_greeks_with_reason(
        forward, strike, year_fraction, discount_factor, vol, option_type, spot=spot
    ).priced


class PricedAndReason(NamedTuple):
    """Prices and greeks and, for each option, a `Reason` as int8."""

    priced: PriceAndGreeks
    reason: NDArray[np.int8]


def price_and_greeks_with_reason(
    forward: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    discount_factor: ArrayLike,
    vol: ArrayLike,
    option_type: ArrayLike,
    *,
    spot: ArrayLike | None = None,
) -> PricedAndReason:
    """`price_and_greeks`, and for each option why it has none: `OK`, `BAD_ARGUMENT` or `EXPIRED`."""
    given = _arrays(forward, strike, year_fraction, discount_factor, vol)
    call = is_call(option_type)
    underlying = given[0] if spot is None else np.asarray(spot, dtype=float)
    flat, shape = flat_together(*given, call, underlying)
    made = PriceAndGreeks(*in_blocks("greeks", greeks_of, flat, made=8).reshape(8, *shape))
    if spot is None:
        made = made._replace(rho=-given[2] * made.price)
    return PricedAndReason(made, _reasons(made.price, given, underlying))


def _reasons(price: Array, given: tuple[Array, ...], spot: Array) -> NDArray[np.int8]:
    """Why prices are NaN."""
    reasons = np.zeros(price.shape, dtype=np.int8)
    nothing = np.isnan(price)
    if nothing.any():
        positive = [np.broadcast_to(given[at], price.shape)[nothing] for at in (0, 1, 3)]
        years, vol, underlying = (np.broadcast_to(v, price.shape)[nothing] for v in (given[2], given[4], spot))
        fine = np.isfinite(years) & np.isfinite(vol) & (vol >= 0)
        for values in (*positive, underlying):
            fine &= np.isfinite(values) & (values > 0)
        reasons[nothing] = np.where(fine & (years < 0), Reason.EXPIRED, Reason.BAD_ARGUMENT)
    return reasons


def _arrays(*values: ArrayLike) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=float) for value in values)
