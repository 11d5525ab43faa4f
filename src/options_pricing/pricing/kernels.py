"""Compiled Black prices, greeks and implied vols, a block of options at a time.

Only additions, multiplications, divisions and square roots, without branches where it counts: the compiler puts
them into vector instructions, and every processor gives the same bits. All of it is in this one file, since compiled
code is cached by the file that it is in.

A block is one flat array of `BLOCK` options whose rows (price, forward, ...) lie `BLOCK` apart: with a single array
the compiler need not fear that one row overlaps another.
"""

from math import sqrt
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from options_pricing.pricing.black import DAYS_A_YEAR, Reason

BLOCK = 1024

INV_SQRT_2PI = 0.3989422804014327
SQRT_2PI = 2.5066282746310002
# Under this half-deviation the difference of two Mills ratios is their Taylor series: it would lose digits.
SHORT = 0.08
# Past these an option in double precision is worth nothing, or its payoff.
MOST_DEVIATIONS, LEAST_DEVIATION = 1e9, 1e-300
LARGE = 1e300

# A step of relative size d leaves an error of about d^4.
SMALL_STEP = 1.5e-4
SETTLED = 1e-6
LEAST, MOST = 1e-12, 70.0
ROUNDS = 120
# The table of starts: u / (u + HALF_WAY) up to WING_END down the rows, w up to WIDTH_END along them.
WING_NODES, WIDTH_NODES, HALF_WAY, WING_END, WIDTH_END = 192, 96, 4.0, 0.875, 2.0

OK, BAD_ARGUMENT, EXPIRED = int(Reason.OK), int(Reason.BAD_ARGUMENT), int(Reason.EXPIRED)
BELOW_LOWER_BOUND, AT_LOWER_BOUND = int(Reason.BELOW_LOWER_BOUND), int(Reason.AT_LOWER_BOUND)
ABOVE_UPPER_BOUND = int(Reason.ABOVE_UPPER_BOUND)

# Put into its caller whatever its size: a call would keep a loop from being vectorised.
_compiled = njit(error_model="numpy", forceinline=True)
_kernel = njit(error_model="numpy", cache=True)


def _cast(given: Any, wanted: Any) -> Any:
    """What reads the bits of one type as another."""

    def typed(context: Any, value: Any) -> Any:
        def cast(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(wanted))

        return wanted(given), cast

    return intrinsic(typed)


_bits, _double = _cast(types.float64, types.int64), _cast(types.int64, types.float64)


@_compiled
def _log(x: float) -> float:
    """Natural logarithm of a normal positive number, to an ulp (as in FreeBSD's e_log.c, 1993)."""
    shifted = _bits(x) + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    exponent = float((shifted >> 52) - 1023)
    f = _double((shifted & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD) - 1.0
    s = f / (2.0 + f)
    z = s * s
    r = z * 1.479819860511658591e-01 + 1.531383769920937332e-01
    r = z * r + 1.818357216161805012e-01
    r = z * r + 2.222219843214978396e-01
    r = z * r + 2.857142874366239149e-01
    r = z * r + 3.999999999940941908e-01
    r = z * (z * r + 6.666666666666735130e-01)
    half = 0.5 * f * f
    low = s * (half + r) + exponent * 1.90821492927058770002e-10
    return exponent * 6.93147180369123816490e-01 - ((half - low) - f)


@_compiled
def _log1p(y: float) -> float:
    """``log(1 + y)`` for y over -1."""
    u = 1.0 + y
    return _log(u) + (y - (u - 1.0)) / u


@_compiled
def _exp(x: float) -> float:
    """Exponential of ``x <= 700``, to an ulp (as in FreeBSD's e_exp.c, 1993); 0 under -708."""
    inside = x if x > -708.0 else -708.0
    # Adding 1.5 * 2^52 rounds to a whole number, which then stands in the last bits.
    rounded = inside * 1.44269504088896338700e00 + 6755399441055744.0
    whole = rounded - 6755399441055744.0
    high, low = inside - whole * 6.93147180369123816490e-01, whole * 1.90821492927058770002e-10
    r = high - low
    z = r * r
    c = z * 4.13813679705723846039e-08 - 1.65339022054652515390e-06
    c = z * c + 6.61375632143793436117e-05
    c = z * c - 2.77777777770155933842e-03
    c = r - z * (z * c + 1.66666666666666019037e-01)
    y = 1.0 - ((low - (r * c) / (2.0 - c)) - high)
    power = y * _double((_bits(rounded) + 1023) << 52)
    return power if x > -708.0 else 0.0


@_compiled
def _mills(z: float) -> float:
    """Mills' ratio ``N(-z) / n(z)`` for ``0 <= z <= 1e9``.

    A rational function fitted in 60 digits to the least relative error on [0, infinity), 1.0e-17; all its
    coefficients are positive, so that nothing cancels.
    """
    p = (z + 29.388572157893986) * z + 427.9041694502192
    p = (p * z + 4001.7361718805587) * z + 26387.739537644014
    p = (p * z + 127570.82919933027) * z + 456980.97517014353
    p = (p * z + 1198438.5978660034) * z + 2210285.039771617
    p = (p * z + 2609856.1104228967) * z + 1522545.6617089477
    q = (z + 29.388572157894018) * z + 428.9041694502022
    q = (q * z + 4031.1247440418565) * z + 26813.6437067398
    q = (q * z + 131513.78824923316) * z + 482522.9054321232
    q = (q * z + 1318299.8683237778) * z + 2618694.96070234
    q = (q * z + 3591006.1523417863) * z + 3051646.5689998483
    return p / (q * z + 1214815.6765949517)


@_compiled
def _short_spread(h: float, t: float, mills: float) -> float:
    """``M(h - t) - M(h + t)`` by Taylor's series, from ``M(h)``; derivatives by ``M' = h M - 1`` onwards."""
    d1 = h * mills - 1.0
    d2 = h * d1 + mills
    d3 = h * d2 + 2.0 * d1
    d4 = h * d3 + 3.0 * d2
    d5 = h * d4 + 4.0 * d3
    d6 = h * d5 + 5.0 * d4
    d7 = h * d6 + 6.0 * d5
    d8 = h * d7 + 7.0 * d6
    d9 = h * d8 + 8.0 * d7
    tt = t * t
    series = d5 + tt * (1.0 / 42.0) * (d7 + tt * (1.0 / 72.0) * d9)
    return -2.0 * t * (d1 + tt * (1.0 / 6.0) * (d3 + tt * (1.0 / 20.0) * series))


@_compiled
def _log_moneyness(low: float, high: float) -> float:
    return _log1p((high - low) / low)


@_compiled
def _positive(value: float) -> bool:
    return (value > 0.0) & (value < LARGE)


@_compiled
def _usable(forward: float, strike: float, years: float, discount: float, vol: float) -> bool:
    """Whether all are finite, forward, strike and discount factor positive, and time and vol not negative."""
    time_and_vol = (years >= 0.0) & (years < LARGE) & (vol >= 0.0) & (vol < LARGE)
    return _positive(forward) & _positive(strike) & _positive(discount) & time_and_vol


@_compiled
def _tails(forward: float, strike: float, years: float, vol: float) -> Any:
    """What every Black quantity is made of, for ``high = max(F, K)``, ``low = min(F, K)``, ``s = vol sqrt(T)``.

    With ``h = log(high / low) / s`` and ``t = s / 2``: h, t, ``n(sqrt(h^2 + t^2))``, ``sqrt(low / high)`` and Mills'
    ratios at ``|h - t|`` and ``h + t``.
    """
    low = forward if forward < strike else strike
    high = strike if forward < strike else forward
    s = vol * sqrt(years)
    s = s if s > LEAST_DEVIATION else LEAST_DEVIATION
    h, t = _log_moneyness(low, high) / s, 0.5 * s
    h = h if h < MOST_DEVIATIONS else MOST_DEVIATIONS
    t = t if t < MOST_DEVIATIONS else MOST_DEVIATIONS
    density = INV_SQRT_2PI * _exp(-0.5 * (h * h + t * t))
    return h, t, density, sqrt(low / high), _mills(abs(h - t)), _mills(h + t)


@_compiled
def _time_value(h: float, t: float, density: float, ratio: float, near: float, far: float) -> float:
    """Undiscounted price of the out-of-the-money option over ``sqrt(F K)``."""
    short = (t < SHORT) & (h * t < 0.5)
    by_series = _short_spread(h, t, _mills(h))
    wing = density * (by_series if short else near - far)
    value = wing if short | (h >= t) else ratio - density * (near + far)
    return value if t > LEAST_DEVIATION else 0.0


@_kernel
def black_prices(block: Any) -> None:
    """Rows: forward, strike, year fraction, discount factor, vol, whether a call; then the price."""
    for i in range(BLOCK):
        f, k, years = block[i], block[i + BLOCK], block[i + 2 * BLOCK]
        discount, vol, call = block[i + 3 * BLOCK], block[i + 4 * BLOCK], block[i + 5 * BLOCK]
        h, t, density, ratio, near, far = _tails(f, k, years, vol)
        parity = f - k if call > 0.0 else k - f
        parity = parity if parity > 0.0 else 0.0
        price = discount * (sqrt(f) * sqrt(k) * _time_value(h, t, density, ratio, near, far) + parity)
        block[i + 6 * BLOCK] = price if _usable(f, k, years, discount, vol) else np.nan


@_compiled
def _forward_slope(
    h: float, t: float, density: float, ratio: float, near: float, far: float, strike_below: bool, call: float
) -> float:
    """dPrice/dF undiscounted: N(d1) of a call, -N(-d1) of a put, small ones without cancellation."""
    tail = density * near / ratio
    out_call = tail if h >= t else 1.0 - tail
    out_put = -density * far * ratio
    of_call = 1.0 + out_put if strike_below else out_call
    of_put = out_put if strike_below else out_call - 1.0
    return of_call if call > 0.0 else of_put


@_kernel
def black_greeks(block: Any) -> None:
    """Rows: those of `black_prices` up to the call, and spot; then price and the seven greeks."""
    for i in range(BLOCK):
        f, k, years = block[i], block[i + BLOCK], block[i + 2 * BLOCK]
        discount, vol, call = block[i + 3 * BLOCK], block[i + 4 * BLOCK], block[i + 5 * BLOCK]
        spot = block[i + 6 * BLOCK]
        h, t, density, ratio, near, far = _tails(f, k, years, vol)
        root, root_years = sqrt(f) * sqrt(k), sqrt(years)
        parity = f - k if call > 0.0 else k - f
        parity = parity if parity > 0.0 else 0.0
        price = discount * (root * _time_value(h, t, density, ratio, near, far) + parity)
        slope = discount * _forward_slope(h, t, density, ratio, near, far, f >= k, call)
        lever, s = f / spot, 2.0 * t
        # F D n(d1); where it is nothing, d1 and d2 may be anything.
        vega_root = discount * root * density
        vega = vega_root * root_years
        signed = h if f >= k else -h
        carry, rate = _log(lever) / years, -_log(discount) / years
        decay = rate * price - carry * f * slope - vega * vol / (2.0 * years)
        vanna = -lever * (vega_root / f) * root_years * ((signed - t) / s)
        volga = vega * root_years * ((h * h - t * t) / s)
        good = _usable(f, k, years, discount, vol) & _positive(spot)
        nan, nothing = np.nan, density == 0.0
        block[i + 7 * BLOCK] = price if good else nan
        block[i + 8 * BLOCK] = lever * slope if good else nan
        block[i + 9 * BLOCK] = lever * lever * vega_root / (f * f * s) if good else nan
        block[i + 10 * BLOCK] = vega if good else nan
        block[i + 11 * BLOCK] = decay / DAYS_A_YEAR if good & (years > 0.0) else nan
        block[i + 12 * BLOCK] = years * (f * slope - price) if good else nan
        block[i + 13 * BLOCK] = (0.0 if nothing else vanna) if good else nan
        block[i + 14 * BLOCK] = (0.0 if nothing else volga) if good else nan


@_compiled
def _step(x: float, log_price: float, s: float) -> Any:
    """The fourth-order Householder step on the log of the price, Newton's, and the log's shortfall at `s`."""
    h, t = x / s, 0.5 * s
    h = h if h < MOST_DEVIATIONS else MOST_DEVIATIONS
    short, over = (t < SHORT) & (h * t < 0.5), h < t
    z = h if short else abs(h - t)
    mills, far = _mills(z), _mills(h + t)
    near = SQRT_2PI * _exp(0.5 * z * z if over else 0.0) - mills if over else mills
    spread = _short_spread(h, t, mills) if short else near - far
    lack = log_price - _log(INV_SQRT_2PI * spread) + 0.5 * (h * h + t * t)
    # The first three derivatives of the normalised price's log over its own first one.
    first = 1.0 / spread
    ratio = h / s
    second = h * ratio - 0.25 * s
    third = second * second - 3.0 * ratio * ratio - 0.25
    newton = lack * spread
    curve = second - first
    bend = third - 3.0 * first * second + 2.0 * first * first
    householder = newton * (1.0 + 0.5 * curve * newton) / (1.0 + newton * (curve + bend * newton * (1.0 / 6.0)))
    return householder, newton, lack


@_compiled
def _place(x: float, price: float) -> Any:
    """Where an option lies in the table of starts (row and column, with fractions), and its w."""
    wing_squared = _log1p(x / price)
    u = sqrt(wing_squared)
    # x / u^2 tends to the price at the money.
    w = (x / wing_squared if x > 1e-9 * price else price) * (1.0 + u)
    return u / (u + HALF_WAY) * ((WING_NODES - 1) / WING_END), w * ((WIDTH_NODES - 1) / WIDTH_END), w


@_compiled
def _tabulated(down: float, along: float, table: Any) -> float:
    """The table between its nodes, bilinear; beyond its end the last cell goes on."""
    # NaN must not become an index: every comparison with it is false.
    row = int(down) if 0.0 <= down < WING_NODES - 2.0 else WING_NODES - 2
    column = int(along) if 0.0 <= along < WIDTH_NODES - 2.0 else WIDTH_NODES - 2
    at = row * WIDTH_NODES + column
    upper = table[at] + (along - column) * (table[at + 1] - table[at])
    at += WIDTH_NODES
    lower = table[at] + (along - column) * (table[at + 1] - table[at])
    return upper + (down - row) * (lower - upper)


@_compiled
def _bracketed(x: float, log_price: float, start: float) -> float:
    """Householder steps kept inside a shrinking bracket, until they have settled."""
    s = start if LEAST < start < MOST else min(max(sqrt(2.0 * x), LEAST), MOST)
    least, most = LEAST, MOST
    for _ in range(ROUNDS):
        step, newton, lack = _step(x, log_price, s)
        if lack > 0.0:
            least = s
        else:
            most = s
        if lack == 0.0:
            break
        # Far from the solution, rounding can spoil the higher derivatives.
        proposed = s + (step if abs(step - newton) < 0.75 * abs(newton) else newton)
        inside = least <= proposed <= most
        settled = inside and abs(newton) <= SETTLED * s
        s = proposed if inside else sqrt(least * most)
        if settled:
            break
    return s


@_kernel
def fill_table(table: Any) -> None:
    """The table of starts, ``R = w / s`` with rows along u.

    ``u = sqrt(log(1 + x / b))`` and ``w = (1 + u) x / u^2`` of an option with ``x = |log(F / K)|`` whose
    out-of-the-money price over ``sqrt(F K)`` is b. In these the solution is smooth and bounded from the money (where
    w is b) all the way into the wing (where ``R`` tends to the square root of 2). Each cell starts from its neighbour.
    """
    first = INV_SQRT_2PI
    for row in range(WING_NODES):
        part = row * (WING_END / (WING_NODES - 1))
        u = max(HALF_WAY * part / (1.0 - part), 1e-4)
        # log(exp(u^2) - 1), which is the log of x / b
        over_price = u * u + _log(1.0 - _exp(-u * u)) if u > 0.1 else _log(u * u * (1.0 + 0.5 * u * u))
        beside = first
        for column in range(WIDTH_NODES):
            w = max(column * (WIDTH_END / (WIDTH_NODES - 1)), 1e-6)
            x = w * u * u / (1.0 + u)
            # No price is over its bound; the cells beyond it are never asked for.
            log_price = min(_log(x) - over_price, -0.5 * x - 1e-6)
            beside = w / _bracketed(x, log_price, w / beside)
            table[row * WIDTH_NODES + column] = beside
            first = beside if column == 0 else first


@_compiled
def _settle(block: Any, i: int, table: Any) -> None:
    """Say why an option has no vol, or find it inside a bracket."""
    price, f, k = block[i], block[i + BLOCK], block[i + 2 * BLOCK]
    years, discount, call = block[i + 3 * BLOCK], block[i + 4 * BLOCK], block[i + 5 * BLOCK]
    value = price / discount - max(f - k if call > 0.0 else k - f, 0.0)
    normal = value / (sqrt(f) * sqrt(k))
    reason = OK
    if not (_usable(f, k, abs(years), discount, 0.0) and abs(price) < LARGE):
        reason = BAD_ARGUMENT
    elif years <= 0.0:
        reason = EXPIRED
    elif value < 0.0:
        reason = BELOW_LOWER_BOUND
    elif normal < LEAST_DEVIATION:
        reason = AT_LOWER_BOUND
    elif value >= min(f, k):
        reason = ABOVE_UPPER_BOUND
    else:
        x = _log_moneyness(min(f, k), max(f, k))
        down, along, w = _place(x, normal)
        start = w / _tabulated(down, along, table)
        block[i + 6 * BLOCK] = _bracketed(x, _log(normal), start) / sqrt(years)
    block[i + 7 * BLOCK] = reason


@_kernel
def black_vols(block: Any, table: Any) -> None:
    """Rows: price, forward, strike, year fraction, discount factor, whether a call; then vol and the reason.

    Five more rows are scratch: what looks a number up in the table can't be a vector instruction, what comes before
    and after it can.
    """
    for i in range(BLOCK):
        price, f, k = block[i], block[i + BLOCK], block[i + 2 * BLOCK]
        years, discount, call = block[i + 3 * BLOCK], block[i + 4 * BLOCK], block[i + 5 * BLOCK]
        low = f if f < k else k
        high = k if f < k else f
        parity = f - k if call > 0.0 else k - f
        value = price / discount - (parity if parity > 0.0 else 0.0)
        normal = value / (sqrt(f) * sqrt(k))
        x = _log_moneyness(low, high)
        good = _usable(f, k, years, discount, 0.0) & (normal > 1e-290) & (value < low) & (years > 0.0)
        down, along, w = _place(x, normal)
        block[i + 6 * BLOCK] = down
        block[i + 7 * BLOCK] = along
        block[i + 8 * BLOCK] = w if good else np.nan
        block[i + 9 * BLOCK] = x
        block[i + 10 * BLOCK] = _log(normal)
    for i in range(BLOCK):
        block[i + 6 * BLOCK] = _tabulated(block[i + 6 * BLOCK], block[i + 7 * BLOCK], table)
    for i in range(BLOCK):
        start = block[i + 8 * BLOCK] / block[i + 6 * BLOCK]
        step, newton, _ = _step(block[i + 9 * BLOCK], block[i + 10 * BLOCK], start)
        settled = abs(newton) < SMALL_STEP * start
        block[i + 6 * BLOCK] = (start + step) / sqrt(block[i + 3 * BLOCK]) if settled else np.nan
        block[i + 7 * BLOCK] = OK
    for i in range(BLOCK):
        if np.isnan(block[i + 6 * BLOCK]):
            _settle(block, i, table)
