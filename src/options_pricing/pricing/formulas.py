"""Black's formulas for prices, greeks and implied vols, written once for NumPy arrays and for compiled loops.

Only additions, multiplications, divisions, square roots, choices and bits: the same of a whole array as of one number,
and the same bits on every processor. Where the compiler takes them over (`kernels`) it puts them into vector
instructions. Choices are made by `pick`, never by an `if`.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

DAYS_A_YEAR = 365.0
INV_SQRT_2PI = 0.3989422804014327
SQRT_2PI = 2.5066282746310002
# Under this half-deviation the difference of two Mills ratios is their Taylor series: it would lose digits.
SHORT = 0.08
# Past these an option in double precision is worth nothing, or its payoff.
MOST_DEVIATIONS, LEAST_DEVIATION = 1e9, 1e-300
LARGE, LEAST_VALUE = 1e300, 1e-290

# A step of relative size d leaves an error of about d^4.
SMALL_STEP = 1.5e-4
# The table of starts: u / (u + HALF_WAY) up to WING_END down the rows, w up to WIDTH_END along them.
WING_NODES, WIDTH_NODES, HALF_WAY, WING_END, WIDTH_END = 192, 96, 4.0, 0.875, 2.0


def pick(condition: Any, this: Any, other: Any) -> Any:
    """`this` where the condition holds, `other` elsewhere."""
    return np.where(condition, this, other)


def bits(number: Any) -> Any:
    """The bits of a double as an integer."""
    return number.view(np.int64)


def double(integer: Any) -> Any:
    """The double that has these bits."""
    return integer.view(np.float64)


def log(x: Any) -> Any:
    """Natural logarithm of a normal positive number, to an ulp (as in FreeBSD's e_log.c, 1993)."""
    shifted = bits(x) + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    exponent = ((shifted >> 52) - 1023) * 1.0
    f = double((shifted & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD) - 1.0
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


def log1p(y: Any) -> Any:
    """``log(1 + y)`` for y over -1."""
    u = 1.0 + y
    return log(u) + (y - (u - 1.0)) / u


def exp(x: Any) -> Any:
    """Exponential of ``x <= 700``, to an ulp (as in FreeBSD's e_exp.c, 1993); 0 under -708."""
    inside = pick(x > -708.0, x, -708.0)
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
    power = y * double((bits(rounded) + 1023) << 52)
    return pick(x > -708.0, power, 0.0)


def mills(z: Any) -> Any:
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


def short_spread(h: Any, t: Any, at_h: Any) -> Any:
    """``M(h - t) - M(h + t)`` by Taylor's series, from ``M(h)``; derivatives by ``M' = h M - 1`` onwards."""
    d1 = h * at_h - 1.0
    d2 = h * d1 + at_h
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


def log_moneyness(low: Any, high: Any) -> Any:
    """``log(high / low)``, right when they are close."""
    return log1p((high - low) / low)


def positive(value: Any) -> Any:
    """Whether a number is over 0 and finite."""
    return (value > 0.0) & (value < LARGE)


def usable(forward: Any, strike: Any, years: Any, discount: Any, vol: Any) -> Any:
    """Whether all are finite, forward, strike and discount factor positive, and time and vol not negative."""
    time_and_vol = (years >= 0.0) & (years < LARGE) & (vol >= 0.0) & (vol < LARGE)
    return positive(forward) & positive(strike) & positive(discount) & time_and_vol


def tails(forward: Any, strike: Any, years: Any, vol: Any) -> Any:
    """What every Black quantity is made of, for ``high = max(F, K)``, ``low = min(F, K)``, ``s = vol sqrt(T)``.

    With ``h = log(high / low) / s`` and ``t = s / 2``: h, t, ``n(sqrt(h^2 + t^2))``, ``sqrt(low / high)`` and Mills'
    ratios at ``|h - t|`` and ``h + t``.
    """
    low, high = pick(forward < strike, forward, strike), pick(forward < strike, strike, forward)
    s = vol * np.sqrt(years)
    s = pick(s > LEAST_DEVIATION, s, LEAST_DEVIATION)
    h, t = log_moneyness(low, high) / s, 0.5 * s
    h = pick(h < MOST_DEVIATIONS, h, MOST_DEVIATIONS)
    t = pick(t < MOST_DEVIATIONS, t, MOST_DEVIATIONS)
    density = INV_SQRT_2PI * exp(-0.5 * (h * h + t * t))
    return h, t, density, np.sqrt(low / high), mills(abs(h - t)), mills(h + t)


def time_value(h: Any, t: Any, density: Any, ratio: Any, near: Any, far: Any) -> Any:
    """Undiscounted price of the out-of-the-money option over ``sqrt(F K)``."""
    short = (t < SHORT) & (h * t < 0.5)
    wing = density * pick(short, short_spread(h, t, mills(h)), near - far)
    value = pick(short | (h >= t), wing, ratio - density * (near + far))
    return pick(t > LEAST_DEVIATION, value, 0.0)


def forward_slope(h: Any, t: Any, density: Any, ratio: Any, near: Any, far: Any, strike_below: Any, call: Any) -> Any:
    """dPrice/dF undiscounted: N(d1) of a call, -N(-d1) of a put, small ones without cancellation."""
    tail = density * near / ratio
    out_call = pick(h >= t, tail, 1.0 - tail)
    out_put = -density * far * ratio
    of_call = pick(strike_below, 1.0 + out_put, out_call)
    of_put = pick(strike_below, out_put, out_call - 1.0)
    return pick(call > 0.0, of_call, of_put)


def step(x: Any, log_price: Any, s: Any) -> Any:
    """The fourth-order Householder step on the log of the price, Newton's, and the log's shortfall at `s`."""
    h, t = x / s, 0.5 * s
    h = pick(h < MOST_DEVIATIONS, h, MOST_DEVIATIONS)
    short, over = (t < SHORT) & (h * t < 0.5), h < t
    z = pick(short, h, abs(h - t))
    at_z, far = mills(z), mills(h + t)
    near = pick(over, SQRT_2PI * exp(pick(over, 0.5 * z * z, 0.0)) - at_z, at_z)
    spread = pick(short, short_spread(h, t, at_z), near - far)
    lack = log_price - log(INV_SQRT_2PI * spread) + 0.5 * (h * h + t * t)
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


def place(x: Any, price: Any) -> Any:
    """Where an option lies in the table of starts (row and column, with fractions), and its w."""
    wing_squared = log1p(x / price)
    u = np.sqrt(wing_squared)
    # x / u^2 tends to the price at the money.
    w = pick(x > 1e-9 * price, x / wing_squared, price) * (1.0 + u)
    return u / (u + HALF_WAY) * ((WING_NODES - 1) / WING_END), w * ((WIDTH_NODES - 1) / WIDTH_END), w


def priced(forward: Any, strike: Any, discount: Any, call: Any, value: Any) -> Any:
    """Price from the time value over ``sqrt(F K)``."""
    parity = pick(call > 0.0, forward - strike, strike - forward)
    return discount * (np.sqrt(forward) * np.sqrt(strike) * value + pick(parity > 0.0, parity, 0.0))


def price_of(forward: Any, strike: Any, years: Any, discount: Any, vol: Any, call: Any) -> Any:
    """Black's price; NaN where an argument is not usable."""
    h, t, density, ratio, near, far = tails(forward, strike, years, vol)
    price = priced(forward, strike, discount, call, time_value(h, t, density, ratio, near, far))
    return pick(usable(forward, strike, years, discount, vol), price, np.nan)


def greeks_of(forward: Any, strike: Any, years: Any, discount: Any, vol: Any, call: Any, spot: Any) -> Any:
    """Price, delta, gamma, vega, theta, rho, vanna and volga, as `black.price_and_greeks` says them."""
    h, t, density, ratio, near, far = tails(forward, strike, years, vol)
    price = priced(forward, strike, discount, call, time_value(h, t, density, ratio, near, far))
    good = usable(forward, strike, years, discount, vol) & positive(spot)
    slope = discount * forward_slope(h, t, density, ratio, near, far, forward >= strike, call)
    lever, s, root_years = forward / spot, 2.0 * t, np.sqrt(years)
    # F D n(d1); where it is nothing, d1 and d2 may be anything.
    vega_root = discount * (np.sqrt(forward) * np.sqrt(strike)) * density
    nothing = density == 0.0
    vega = vega_root * root_years
    signed = pick(forward >= strike, h, -h)
    carry, rate = log(lever) / years, -log(discount) / years
    decay = rate * price - carry * forward * slope - vega * vol / (2.0 * years)
    vanna = -lever * (vega_root / forward) * root_years * ((signed - t) / s)
    volga = vega * root_years * ((h * h - t * t) / s)
    return (
        pick(good, price, np.nan),
        pick(good, lever * slope, np.nan),
        pick(good, lever * lever * vega_root / (forward * forward * s), np.nan),
        pick(good, vega, np.nan),
        pick(good & (years > 0.0), decay / DAYS_A_YEAR, np.nan),
        pick(good, years * (forward * slope - price), np.nan),
        pick(good, pick(nothing, 0.0, vanna), np.nan),
        pick(good, pick(nothing, 0.0, volga), np.nan),
    )


def normalised(price: Any, forward: Any, strike: Any, discount: Any, call: Any) -> Any:
    """``|log(F / K)|``, and the out-of-the-money twin's price undiscounted and over ``sqrt(F K)``."""
    low, high = pick(forward < strike, forward, strike), pick(forward < strike, strike, forward)
    parity = pick(call > 0.0, forward - strike, strike - forward)
    value = price / discount - pick(parity > 0.0, parity, 0.0)
    return log_moneyness(low, high), value, value / (np.sqrt(forward) * np.sqrt(strike))


def started(price: Any, forward: Any, strike: Any, years: Any, discount: Any, call: Any) -> Any:
    """Where to look in the table of starts: row, column, w (NaN where there is no vol), x and the price's log."""
    x, value, normal = normalised(price, forward, strike, discount, call)
    low = pick(forward < strike, forward, strike)
    good = usable(forward, strike, years, discount, 0.0) & (years > 0.0) & (normal > LEAST_VALUE) & (value < low)
    down, along, w = place(x, normal)
    # NaN must not become an index: every comparison with it is false. Off it, any cell will do.
    down = pick((down >= 0.0) & (down < WING_NODES - 1.0), down, WING_NODES - 1.5)
    along = pick((along >= 0.0) & (along < WIDTH_NODES - 1.0), along, WIDTH_NODES - 1.5)
    return down, along, pick(good, w, np.nan), x, log(normal)


def settled(w: Any, tabulated: Any, x: Any, log_price: Any, years: Any) -> Any:
    """Vol after one step from the tabulated start; NaN where that is not enough."""
    start = w / tabulated
    change, newton, _ = step(x, log_price, start)
    return pick(abs(newton) < SMALL_STEP * start, (start + change) / np.sqrt(years), np.nan)


def tabulated(table: Any, row: Any, column: Any, down: Any, along: Any) -> Any:
    """The table of starts between its nodes, bilinear, at fractions `down` and `along` of a cell."""
    at = row * WIDTH_NODES + column
    below = at + WIDTH_NODES
    upper = table[at] + along * (table[at + 1] - table[at])
    lower = table[below] + along * (table[below + 1] - table[below])
    return upper + down * (lower - upper)


def looked_up(table: Any, down: Any, along: Any) -> Any:
    """The table of starts at places that are arrays."""
    row, column = down.astype(np.int64), along.astype(np.int64)
    return tabulated(table, row, column, down - row, along - column)


def vol_of(price: Any, forward: Any, strike: Any, years: Any, discount: Any, call: Any, table: Any) -> Any:
    """Implied vol of arrays; NaN where there is none or one step doesn't settle it."""
    down, along, w, x, log_price = started(price, forward, strike, years, discount, call)
    return settled(w, looked_up(table, down, along), x, log_price, years)
