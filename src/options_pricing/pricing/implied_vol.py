"""Implied vol of European options: vectorised, right in the deep wings, with a reason where there is none."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.pricing.black import Array, Reason, is_call
from options_pricing.pricing.blocks import flat_together, in_blocks
from options_pricing.pricing.formulas import (
    HALF_WAY,
    LARGE,
    LEAST_DEVIATION,
    WIDTH_END,
    WIDTH_NODES,
    WING_END,
    WING_NODES,
    exp,
    log,
    looked_up,
    normalised,
    started,
    step,
    usable,
    vol_of,
)

__all__ = ["Reason", "VolAndReason", "implied_vol", "implied_vol_with_reason"]

SETTLED = 1e-6
LEAST, MOST = 1e-12, 70.0
ROUNDS = 120
COLUMN = 12


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
        Vols with a relative error of some 1e-15, 1e-14 at most (more only where the price itself
        does not hold the vol: deep in the money, or ``vol sqrt(T)`` over 4), for prices down to 1e-290 of
        ``sqrt(F K)``; NaN outside the no-arbitrage bounds; and the reasons.
    """
    numbers = [np.asarray(v, dtype=float) for v in (price, forward, strike, year_fraction, discount_factor)]
    flat, shape = flat_together(*numbers, is_call(option_type))
    vols = in_blocks("vols", vol_of, flat, start_table())[0]
    reasons = np.zeros(vols.size, dtype=np.int8)
    rows = np.flatnonzero(np.isnan(vols))
    if rows.size:
        vols[rows], reasons[rows] = _settle(*(values[rows] for values in flat))
    return VolAndReason(vols.reshape(shape), reasons.reshape(shape))


def _settle(price: Array, forward: Array, strike: Array, years: Array, discount: Array, call: NDArray[Any]) -> Any:
    """Say why options have no vol, and find those they have inside a bracket."""
    with np.errstate(all="ignore"):
        _, value, normal = normalised(price, forward, strike, discount, call)
        cases = {
            Reason.BAD_ARGUMENT: ~(usable(forward, strike, abs(years), discount, 0.0) & (abs(price) < LARGE)),
            Reason.EXPIRED: years <= 0,
            Reason.BELOW_LOWER_BOUND: value < 0,
            Reason.AT_LOWER_BOUND: normal < LEAST_DEVIATION,
            Reason.ABOVE_UPPER_BOUND: value >= np.minimum(forward, strike),
        }
        reasons = np.select(list(cases.values()), list(cases), Reason.OK).astype(np.int8)
        vols = np.full(price.size, np.nan)
        good = reasons == Reason.OK
        option = (values[good] for values in (price, forward, strike, years, discount, call))
        down, along, w, x, log_price = started(*option)
        start = w / looked_up(start_table(), down, along)
        start = np.where(start > 0, start, np.sqrt(2 * x))
        vols[good] = _bracketed(x, log_price, start) / np.sqrt(years[good])
    return vols, reasons


def _bracketed(x: Array, log_price: Array, start: Array) -> Array:
    """Householder steps inside a shrinking bracket, until each option has settled."""
    found = np.clip(start, LEAST, MOST)
    least, most = np.full_like(found, LEAST), np.full_like(found, MOST)
    todo = np.arange(found.size)
    for _ in range(ROUNDS):
        at = found[todo]
        change, newton, lack = step(x[todo], log_price[todo], at)
        least[todo] = np.where(lack > 0, at, least[todo])
        most[todo] = np.where(lack < 0, at, most[todo])
        # Far from the solution, rounding can spoil the higher derivatives.
        proposed = at + np.where(np.abs(change - newton) < 0.75 * np.abs(newton), change, newton)
        inside = (proposed >= least[todo]) & (proposed <= most[todo])
        found[todo] = np.where(inside, proposed, np.sqrt(least[todo] * most[todo]))
        todo = todo[(lack != 0) & ~(inside & (np.abs(newton) <= SETTLED * at))]
        if not todo.size:
            break
    return found


@cache
def start_table() -> Array:
    """The table of starts, ``R = w / s`` with rows along u, flat.

    ``u = sqrt(log(1 + x / b))`` and ``w = (1 + u) x / u^2`` of an option with ``x = |log(F / K)|`` whose
    out-of-the-money price over ``sqrt(F K)`` is b. In these the solution is smooth and bounded from the money (where
    w is b) all the way into the wing (where ``R`` tends to the square root of 2).
    """
    part = np.linspace(0, WING_END, WING_NODES)
    u = np.maximum(HALF_WAY * part / (1 - part), 1e-4)[:, None]
    w = np.maximum(np.linspace(0, WIDTH_END, WIDTH_NODES), 1e-6)
    x = w * u * u / (1 + u)
    # log(exp(u^2) - 1), which is the log of x / b
    over_price = np.where(u < 0.1, log(u * u * (1 + u * u / 2)), u * u + log(1 - exp(-u * u)))
    # No price is over its bound; the cells beyond it are never asked for.
    log_price = np.minimum(log(x) - over_price, -0.5 * x - 1e-6)
    with np.errstate(all="ignore"):
        # One column first: from its neighbours every other cell is a few steps.
        known = w[COLUMN] / _bracketed(x[:, COLUMN], log_price[:, COLUMN], np.sqrt(2 * x[:, COLUMN]))
        found = _bracketed(x.ravel(), log_price.ravel(), (w / known[:, None]).ravel())
    return np.tile(w, WING_NODES) / found
