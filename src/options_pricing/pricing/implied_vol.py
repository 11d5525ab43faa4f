"""Implied vol of European options: vectorised, right in the deep wings, with a reason where there is none."""

from enum import IntEnum
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfcx, lambertw

from options_pricing.pricing.black import SQRT_HALF, Array, is_call

BLOCK = 16384
SQRT_2_OVER_PI = np.sqrt(2 / np.pi)
# A step of relative size d leaves an error of about d^4.
SMALL_STEP = 2e-4
SETTLED = 1e-6
LEAST, MOST = 1e-12, 70.0
# The table of starts covers prices over about 1e-12 and shares of the upper bound under 0.95.
WING_NODES, SHARE_NODES, WING_END, SHARE_END = 192, 128, 5.2, 1.75
ROUNDS = 100


class Reason(IntEnum):
    """Why an option has no implied vol; `OK` where it has one."""

    OK = 0
    BAD_ARGUMENT = 1  # an argument is NaN or infinite, or a forward, strike or discount factor is not positive
    EXPIRED = 2  # no time is left
    BELOW_LOWER_BOUND = 3  # under discounted intrinsic value
    AT_LOWER_BOUND = 4  # exactly discounted intrinsic value (0 out of the money): any small enough vol gives it
    ABOVE_UPPER_BOUND = 5  # a call worth the discounted forward or more, a put worth the discounted strike or more


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
    inverted by Householder steps of fourth order (Jaeckel, "Let's be rational", 2015) from a tabulated start;
    what has not settled after one goes on inside a bracket.

    Parameters
    ----------
    price : array_like
        Of the option, in the currency of the strike.
    forward, strike, year_fraction, discount_factor, option_type : array_like
        As for `black_price`. All arguments broadcast.

    Returns
    -------
    VolAndReason
        Vols with a relative error of about 1e-13 (more only where the price itself does not hold the vol: deep in
        the money, or ``vol sqrt(T)`` over 4), NaN outside the no-arbitrage bounds; and the reasons.
    """
    numbers = [np.asarray(v, dtype=float) for v in (price, forward, strike, year_fraction, discount_factor)]
    arguments = np.broadcast_arrays(*numbers, is_call(option_type))
    flat = [values.ravel() for values in arguments]
    vols = np.empty(flat[0].size)
    reasons = np.empty(flat[0].size, dtype=np.int8)
    # In blocks that stay in the processor's cache this is several times faster than in one go.
    for start in range(0, vols.size, BLOCK):
        rows = slice(start, start + BLOCK)
        vols[rows], reasons[rows] = _block(*(values[rows] for values in flat))
    shape = arguments[0].shape
    return VolAndReason(vols.reshape(shape), reasons.reshape(shape))


def _block(
    price: Array, forward: Array, strike: Array, years: Array, discount: Array, call: NDArray[np.bool_]
) -> VolAndReason:
    with np.errstate(all="ignore"):
        undiscounted = price / discount
        parity = np.where(call, forward - strike, strike - forward)
        value = undiscounted - np.maximum(parity, 0.0)
        low = np.minimum(forward, strike)
        share = value / low
        good = (share > 0) & (share < 1) & (years > 0) & (low > 0) & (discount > 0)
        x = np.log1p((np.maximum(forward, strike) - low) / low)
        normalised = value / (np.sqrt(forward) * np.sqrt(strike))
        deviation = _deviations(x, normalised, share, good)
        vols = deviation / np.sqrt(years)
    good &= np.isfinite(vols) & (vols > 0)
    if good.all():
        return VolAndReason(vols, np.zeros(len(vols), dtype=np.int8))
    usable = np.isfinite(price + forward + strike + years + discount) & (low > 0) & (discount > 0)
    cases = [good, ~usable, years <= 0, value < 0, value == 0]
    codes = [Reason.OK, Reason.BAD_ARGUMENT, Reason.EXPIRED, Reason.BELOW_LOWER_BOUND, Reason.AT_LOWER_BOUND]
    reasons = np.select(cases, codes, Reason.ABOVE_UPPER_BOUND).astype(np.int8)
    return VolAndReason(np.where(good, vols, np.nan), reasons)


def _deviations(x: Array, price: Array, share: Array, good: NDArray[np.bool_]) -> Array:
    """The ``s = vol sqrt(T)`` at which an option with ``|log(F / K)| = x`` is worth `price` times ``sqrt(F K)``."""
    log_price = np.log(price)
    start = _start(x, price, share)
    step, newton, _ = _step(x, log_price, start)
    s = start + step
    rough = np.flatnonzero(good & ~(np.abs(newton) < SMALL_STEP * start))
    if rough.size:
        s[rough] = _bracketed(x[rough], log_price[rough], s[rough])
    return s


def _step(x: Array, log_price: Array, s: Array) -> tuple[Array, Array, Array]:
    """The fourth-order Householder step on the log of the price, Newton's, and the log's shortfall at `s`."""
    h, t = x / s, s / 2
    spread = erfcx((h - t) * SQRT_HALF) - erfcx((h + t) * SQRT_HALF)
    lack = log_price - np.log(spread / 2) + (h * h + t * t) / 2
    # Derivatives of log b: b'/b, then b''/b' and b'''/b' of the normalised Black price b.
    first = SQRT_2_OVER_PI / spread
    second = h * h / s - s / 4
    third = second * second - 3 * (h / s) ** 2 - 0.25
    newton = lack / first
    curve = second - first
    bend = third - 3 * first * second + 2 * first * first
    householder = newton * (1 + curve * newton / 2) / (1 + newton * (curve + bend * newton / 6))
    return householder, newton, lack


def _bracketed(x: Array, log_price: Array, s: Array) -> Array:
    """Householder steps kept inside a shrinking bracket, until each option has settled."""
    found = np.clip(np.where(np.isfinite(s), s, np.sqrt(2 * x) + LEAST), LEAST, MOST)
    least, most = np.full_like(found, LEAST), np.full_like(found, MOST)
    todo = np.arange(found.size)
    for _ in range(ROUNDS):
        at = found[todo]
        step, newton, lack = _step(x[todo], log_price[todo], at)
        least[todo] = np.where(lack > 0, at, least[todo])
        most[todo] = np.where(lack < 0, at, most[todo])
        # Far from the solution, rounding can spoil the higher derivatives.
        proposed = at + np.where(np.abs(step / newton - 1) < 0.75, step, newton)
        inside = (proposed >= least[todo]) & (proposed <= most[todo])
        found[todo] = np.where(inside, proposed, np.sqrt(least[todo] * most[todo]))
        todo = todo[(lack != 0) & ~(inside & (np.abs(newton) <= SETTLED * at))]
        if not todo.size:
            break
    return found


def _start(x: Array, price: Array, share: Array) -> Array:
    """A start for the iteration: bilinear in the table, else by the asymptotics of the wing."""
    wing_squared = np.log1p(x / price)
    wing = np.sqrt(wing_squared)
    across = wing * ((WING_NODES - 1) / WING_END)
    along = np.sqrt(-np.log1p(-share)) * ((SHARE_NODES - 1) / SHARE_END)
    # NaN and what lies outside the table is left to the bracketed iteration.
    row, column = _cell(across, WING_NODES), _cell(along, SHARE_NODES)
    across -= row
    along -= column
    row *= SHARE_NODES
    row += column
    corner, to_next, to_wing, both = (coefficients[row] for coefficients in _start_table())
    # x / wing^2 tends to the price at the money.
    start = np.where(x > 1e-9 * price, x / wing_squared, price) * (1 + wing)
    start /= corner + along * to_next + across * (to_wing + along * both)
    outside = np.flatnonzero(wing_squared > WING_END**2)
    if outside.size:
        start[outside] = _wing_start(x[outside], price[outside])
    return start


def _cell(position: Array, nodes: int) -> NDArray[np.int64]:
    """The cell of a table's axis in which each position lies; the nearest one outside, the first for NaN."""
    return np.fmax(np.fmin(position, nodes - 2.0), 0.0).astype(np.int64)


def _wing_start(x: Array, price: Array) -> Array:
    """``x / h`` where ``log b = log x - 3 log h - log(2 pi) / 2 - (h^2 + t^2) / 2``, the price far out in the wing."""
    depth = -2 * np.log(price)
    h = np.sqrt(depth)
    for _ in range(3):
        t = x / h / 2
        h = np.sqrt(np.maximum(depth + 2 * np.log(x) - 6 * np.log(h) - np.log(2 * np.pi) - t * t, 1.0))
    return x / h


@cache
def _start_table() -> tuple[Array, Array, Array, Array]:
    """Bilinear coefficients of ``h (1 + u) / u^2`` over ``u = sqrt(log(1 + x / b))`` and ``sqrt(-log(1 - c))``.

    `b` is the price over ``sqrt(F K)``, `c` the price over its upper bound ``min(F, K)``. In these coordinates the
    solution is smooth and bounded all the way from the money into the wing. One value a node, rows along u.
    """
    u = np.maximum(np.linspace(0, WING_END, WING_NODES), 1e-4)[:, None]
    share = -np.expm1(-(np.maximum(np.linspace(0, SHARE_END, SHARE_NODES), 1e-3) ** 2))
    x = 2 * lambertw(share * np.expm1(u * u) / 2).real
    log_price = np.log(share) - x / 2
    with np.errstate(all="ignore"):
        s = _bracketed(x.ravel(), log_price.ravel(), np.sqrt(2 * x).ravel()).reshape(x.shape)
    table = x / s * (1 + u) / (u * u)
    along, across = np.zeros_like(table), np.zeros_like(table)
    along[:, :-1], across[:-1] = np.diff(table, axis=1), np.diff(table, axis=0)
    both = np.zeros_like(table)
    both[:-1] = np.diff(along, axis=0)
    return table.ravel(), along.ravel(), across.ravel(), both.ravel()
