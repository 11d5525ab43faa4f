"""Implied vol of European options: vectorised, right in the deep wings, with a reason where there is none."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.pricing.black import Array, Reason, is_call

__all__ = ["Reason", "VolAndReason", "implied_vol", "implied_vol_with_reason"]


class VolAndReason(NamedTuple):
    """Implied vols and, for each, a `Reason` as int8."""

    implied_vol: Array
    reason: NDArray[np.int8]


def implied_vol(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    discount_factor: ArrayLike,
    option_type: ArrayLike,
) -> Array:
    """Black implied vol of European options, per year; NaN where there is none.

    Arguments as for `implied_vol_with_reason`, which also says why.
    """
    return implied_vol_with_reason(price, forward, strike, year_fraction, discount_factor, option_type).implied_vol


def implied_vol_with_reason(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    discount_factor: ArrayLike,
    option_type: ArrayLike,
) -> VolAndReason:
    """Black implied vol of European options, with the reason where there is none.

    An option in the money is taken to its out-of-the-money twin by put-call parity. The logarithm of that price is
    inverted by a Householder step of fourth order (Jaeckel, "Let's be rational", 2015) from a tabulated start; what
    has not settled after it goes on inside a bracket.

    Parameters
    ----------
    price : array_like
        Of the option, in the currency of the strike.
    forward, strike, year_fraction, discount_factor, option_type : array_like
        As for `black_price`. All arguments broadcast.

    Returns
    -------
    VolAndReason
        Vols with a relative error of a few 1e-15 (more only where the price itself does not hold the vol: deep in
        the money, or ``vol sqrt(T)`` over 4), for prices down to 1e-250 of the strike and less; NaN outside the
        no-arbitrage bounds; and the reasons.
    """
    # Here and not above: only who prices something waits for the compiler's run time.
    from options_pricing.pricing.blocks import in_blocks, start_table
    from options_pricing.pricing.kernels import black_vols

    numbers = [np.asarray(v, dtype=float) for v in (price, forward, strike, year_fraction, discount_factor)]
    vols, reasons = in_blocks(black_vols, [*numbers, is_call(option_type)], start_table(), made=2, scratch=3)
    return VolAndReason(vols, reasons.astype(np.int8))
