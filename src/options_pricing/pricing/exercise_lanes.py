r"""The equations of the exercise boundary as vector code; `exercise_boundary` says what they are.

An option takes one of `LANES` lanes of a scratch array. Exponential, logarithm and normal tail have neither branch nor
call, so that every loop over lanes becomes vector code, and what an option is worth does not depend on its neighbours.
All compiled code is in this one file: numba's cache sees changes in the file of the cached function only.
"""

from typing import Any

import numba
import numpy as np

LANES = 16
# Collocation points of the boundary after the first, and points of its integrals.
NODES, INNER_POINTS = 7, 6
CONTACT_ROUNDS, MATCH_ROUNDS = 4, 10
TINY, NEARLY_ONE = 1e-290, 1e-15

# Rows of the scratch array.
(SPOT, YEARS, RATE, YIELD, VOL, DEVIATION, CEILING, FLOOR, AT, ABOVE, BELOW) = (LANES * row for row in range(11))
(ABOVE_SLOPE, BELOW_SLOPE, NODE_DEVIATION, NODE_YEARS, LOG_SPOT) = (LANES * row for row in range(11, 16))
(PREMIUM, DELTA, GAMMA) = (LANES * row for row in range(16, 19))
# log(boundary / ceiling) at each node, and its square.
LOGS = 19 * LANES
SQUARES = LOGS + (NODES + 1) * LANES
SCRATCH = SQUARES + (NODES + 1) * LANES

# Neither reassociation nor the absence of NaN may be assumed: `exponential` rounds by adding and taking away.
HARMLESS = {"contract", "nsz", "arcp"}

ROUNDER = 1.5 * 2.0**52
LOG2_E, LOG_2 = 1.4426950408889634, 0.6931471805599453
LOG_2_HIGH, LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
MIDDLE = 5.0
INV_SQRT_2PI = 0.3989422804014327


# Of (x + 5) N(-x) / n(x) as a polynomial in (x - 5) / (x + 5), highest first, even and odd powers apart: from the 17
# Chebyshev nodes, as Shepherd and Laframboise (1981) approximate the scaled complementary error function. A test makes
# them again; to make them here would cost every task a third of a second of imports. Two polynomials in the square:
# eight steps each are unrolled, sixteen in one would not be.
EVEN_MILLS = (
    5.752359320506756e-07,
    -6.153497960581169e-06,
    4.112775642952928e-05,
    -0.00014848373929021228,
    -0.0020000642414028966,
    0.05212551842461813,
    0.41364471460124075,
    1.2415470615972397,
    1.9280810471531553,
)
ODD_MILLS = (
    -5.560415672421623e-07,
    9.546611537024285e-06,
    -0.0001243628247905807,
    0.0013656689051914452,
    -0.00750322695349233,
    -0.17325474285991316,
    -0.7859110749244996,
    -1.6678665952018839,
)
EXPONENTIAL = tuple(float(1 / factor) for factor in np.cumprod(np.maximum(np.arange(13.0), 1))[::-1])
LOGARITHM = tuple(2 / odd for odd in range(23, 0, -2))

in_lanes = numba.njit(forceinline=True, fastmath=HARMLESS, error_model="numpy")
vectorised = numba.njit(fastmath=HARMLESS, error_model="numpy")


@in_lanes
def exponential(x: Any) -> Any:
    """``exp(x)`` with a relative error of 4e-16; `x` is taken to lie between -708 and 708."""
    x = min(max(x, -708.0), 708.0)
    shifted = x * LOG2_E + ROUNDER
    whole = shifted - ROUNDER
    rest = (x - whole * LOG_2_HIGH) - whole * LOG_2_LOW
    series = EXPONENTIAL[0]
    for i in range(1, 13):
        series = series * rest + EXPONENTIAL[i]
    return series * np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)


@in_lanes
def logarithm(x: Any) -> Any:
    """``log(x)`` of a positive normal number, with an error of about 3e-16 of the greater of it and 1."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - SQRT_HALF_BITS) >> 52
    mantissa = np.int64(bits - (exponent << 52)).view(np.float64)
    ratio = (mantissa - 1) / (mantissa + 1)
    square = ratio * ratio
    series = LOGARITHM[0]
    for i in range(1, 12):
        series = series * square + LOGARITHM[i]
    return exponent * LOG_2 + ratio * series


@in_lanes
def normal_density(x: Any) -> Any:
    """The standard normal density."""
    return INV_SQRT_2PI * exponential(-0.5 * x * x)


@in_lanes
def mills_ratio(x: Any) -> Any:
    """``N(-x) / n(x)`` of ``x >= 0`` with a relative error of 1e-12, n being the normal density."""
    inverse = 1 / (x + MIDDLE)
    t = (x - MIDDLE) * inverse
    square = t * t
    even, odd = EVEN_MILLS[0], ODD_MILLS[0]
    for i in range(1, 9):
        even = even * square + EVEN_MILLS[i]
    for i in range(1, 8):
        odd = odd * square + ODD_MILLS[i]
    return (even + t * odd) * inverse


@vectorised
def _seed(s: Any, roots: Any) -> None:
    """Perpetual and immediate boundary joined by the asymptotics of short times."""
    for w in range(LANES):
        rate, dividends, vol = s[RATE + w], s[YIELD + w], s[VOL + w]
        s[DEVIATION + w] = vol * np.sqrt(s[YEARS + w])
        s[LOG_SPOT + w] = logarithm(s[SPOT + w])
        ceiling = logarithm(max(min(1.0, rate / dividends) if dividends > 0 else 1.0, TINY))
        half = 0.5 - (rate - dividends) / (vol * vol)
        root = half - np.sqrt(half * half + 2 * rate / (vol * vol))
        s[CEILING + w] = ceiling
        s[FLOOR + w] = min(logarithm(max(root / (root - 1), TINY)) - ceiling, -NEARLY_ONE)
        s[LOGS + w] = 0.0
        s[SQUARES + w] = 0.0
    for node in range(1, NODES + 1):
        for w in range(LANES):
            rate, dividends, years = s[RATE + w], s[YIELD + w], s[YEARS + w] * roots[node] * roots[node]
            carry = (rate - dividends) / s[VOL + w]
            early = 8 * np.pi * years * (carry * carry + 2 * max(dividends, 0.0) * rate * years)
            # Fitted to converged boundaries; q > r has 0.638 in the limit of no time (Evans, Kuske, Keller 2002).
            slope = np.sqrt(2.4 - 0.76 * logarithm(max(min(early, 0.5), TINY))) if dividends <= rate else 0.66
            s[AT + w] = s[FLOOR + w] * (1 - exponential(slope * s[DEVIATION + w] * roots[node] / s[FLOOR + w]))
        for w in range(LANES):
            s[LOGS + node * LANES + w] = s[AT + w]
        for w in range(LANES):
            s[SQUARES + node * LANES + w] = s[AT + w] * s[AT + w]


@vectorised
def _begin_contact(s: Any, root: Any) -> None:
    """What stands outside the integrals of system A, at the node after ``years root^2``, and its slope."""
    for w in range(LANES):
        rate, dividends = s[RATE + w], s[YIELD + w]
        deviation, years = s[DEVIATION + w] * root, s[YEARS + w] * root * root
        upper = (s[CEILING + w] + s[AT + w] + (rate - dividends) * years) / deviation + 0.5 * deviation
        lower = upper - deviation
        discount = exponential(-dividends * years)
        at_lower = exponential(-rate * years - 0.5 * lower * lower) * INV_SQRT_2PI
        at_upper = discount * normal_density(upper)
        tail = at_upper * mills_ratio(abs(upper))
        s[NODE_DEVIATION + w], s[NODE_YEARS + w] = deviation, years
        s[ABOVE + w] = at_lower / deviation
        s[BELOW + w] = at_upper / deviation + (tail if upper < 0 else discount - tail)
        s[ABOVE_SLOPE + w] = -at_lower * lower / (deviation * deviation)
        s[BELOW_SLOPE + w] = at_upper / deviation * (1 - upper / deviation)


@vectorised
def _add_contact(s: Any, weights: Any, sine: Any, step: Any) -> None:
    """One point of the integrals of system A, and what it adds to the slopes."""
    for w in range(LANES):
        square = 0.0
        for node in range(NODES + 1):
            square += weights[node] * s[SQUARES + node * LANES + w]
        rate, dividends, years = s[RATE + w], s[YIELD + w], s[NODE_YEARS + w] * sine * sine
        deviation = s[NODE_DEVIATION + w] * sine
        inverse = 1 / deviation
        gap = s[AT + w] + np.sqrt(max(square, 0.0))
        upper = (gap + (rate - dividends) * years) * inverse + 0.5 * deviation
        lower = upper - deviation
        span = 2 * s[NODE_YEARS + w] * sine * step
        discount = exponential(-dividends * years)
        at_lower = span * inverse * rate * INV_SQRT_2PI * exponential(-rate * years - 0.5 * lower * lower)
        at_upper = discount * normal_density(upper)
        tail = at_upper * mills_ratio(abs(upper))
        s[ABOVE + w] += at_lower
        s[BELOW + w] += dividends * span * (at_upper * inverse + (tail if upper < 0 else discount - tail))
        s[ABOVE_SLOPE + w] -= at_lower * lower * inverse
        s[BELOW_SLOPE + w] += dividends * span * at_upper * inverse * (1 - upper * inverse)


@vectorised
def _begin_match(s: Any, root: Any) -> None:
    """What stands outside the integrals of system B."""
    for w in range(LANES):
        rate, dividends = s[RATE + w], s[YIELD + w]
        deviation, years = s[DEVIATION + w] * root, s[YEARS + w] * root * root
        upper = (s[CEILING + w] + s[AT + w] + (rate - dividends) * years) / deviation + 0.5 * deviation
        lower = upper - deviation
        discount, yielded = exponential(-rate * years), exponential(-dividends * years)
        low_tail = discount * normal_density(lower) * mills_ratio(abs(lower))
        high_tail = yielded * normal_density(upper) * mills_ratio(abs(upper))
        s[NODE_DEVIATION + w], s[NODE_YEARS + w] = deviation, years
        s[ABOVE + w] = low_tail if lower < 0 else discount - low_tail
        s[BELOW + w] = high_tail if upper < 0 else yielded - high_tail


@vectorised
def _add_match(s: Any, weights: Any, sine: Any, step: Any) -> None:
    """One point of the integrals of system B."""
    for w in range(LANES):
        square = 0.0
        for node in range(NODES + 1):
            square += weights[node] * s[SQUARES + node * LANES + w]
        rate, dividends, years = s[RATE + w], s[YIELD + w], s[NODE_YEARS + w] * sine * sine
        deviation = s[NODE_DEVIATION + w] * sine
        gap = s[AT + w] + np.sqrt(max(square, 0.0))
        upper = (gap + (rate - dividends) * years) / deviation + 0.5 * deviation
        lower = upper - deviation
        span = 2 * s[NODE_YEARS + w] * sine * step
        discount, yielded = exponential(-rate * years), exponential(-dividends * years)
        low_tail = discount * normal_density(lower) * mills_ratio(abs(lower))
        high_tail = yielded * normal_density(upper) * mills_ratio(abs(upper))
        s[ABOVE + w] += rate * span * (low_tail if lower < 0 else discount - low_tail)
        s[BELOW + w] += dividends * span * (high_tail if upper < 0 else yielded - high_tail)


@vectorised
def _end_node(s: Any, node: Any, newton: Any) -> None:
    """The boundary that the ratio of the two sides gives at a node, or Newton's step towards it."""
    for w in range(LANES):
        above, below, at = s[ABOVE + w], s[BELOW + w], s[AT + w]
        found = logarithm(max(above, TINY) / max(below, TINY)) - s[CEILING + w]
        slope = s[ABOVE_SLOPE + w] / max(above, TINY) - s[BELOW_SLOPE + w] / max(below, TINY)
        found = at + (found - at) / (1 - min(slope, 0.5)) if newton else found
        found = max(min(found, -NEARLY_ONE), s[FLOOR + w])
        s[AT + w] = found if (above > TINY) & (below > TINY) else at
    for w in range(LANES):
        s[LOGS + node * LANES + w] = s[AT + w]


@vectorised
def _find_boundary(s: Any, roots: Any, sines: Any, steps: Any, weights: Any, matching: Any) -> None:
    _seed(s, roots)
    for turn in range(MATCH_ROUNDS if matching else CONTACT_ROUNDS):
        for node in range(1, NODES + 1):
            for w in range(LANES):
                s[AT + w] = s[LOGS + node * LANES + w]
            if matching:
                _begin_match(s, roots[node])
                for j in range(INNER_POINTS):
                    _add_match(s, weights[node - 1, j], sines[j], steps[j])
            else:
                _begin_contact(s, roots[node])
                for j in range(INNER_POINTS):
                    _add_contact(s, weights[node - 1, j], sines[j], steps[j])
            _end_node(s, node, turn == 0 and not matching)
        for node in range(1, NODES + 1):
            for w in range(LANES):
                s[SQUARES + node * LANES + w] = s[LOGS + node * LANES + w] * s[LOGS + node * LANES + w]


@vectorised
def _add_premium(s: Any, weights: Any, sine: Any, step: Any) -> None:
    """One point of the integral of interest gained less dividends lost, and of its two derivatives by the spot."""
    for w in range(LANES):
        square = 0.0
        for node in range(NODES + 1):
            square += weights[node] * s[SQUARES + node * LANES + w]
        rate, dividends, spot = s[RATE + w], s[YIELD + w], s[SPOT + w]
        years, deviation = s[YEARS + w] * sine * sine, s[DEVIATION + w] * sine
        inverse = 1 / deviation
        gap = s[LOG_SPOT + w] - s[CEILING + w] + np.sqrt(max(square, 0.0))
        upper = (gap + (rate - dividends) * years) * inverse + 0.5 * deviation
        lower = upper - deviation
        discount, yielded = exponential(-rate * years), exponential(-dividends * years)
        at_lower, at_upper = discount * normal_density(lower), yielded * normal_density(upper)
        low_tail, high_tail = at_lower * mills_ratio(abs(lower)), at_upper * mills_ratio(abs(upper))
        interest = rate * (low_tail if lower > 0 else discount - low_tail)
        lost = dividends * (high_tail if upper > 0 else yielded - high_tail)
        span = 2 * s[YEARS + w] * sine * step
        s[PREMIUM + w] += span * (interest - lost * spot)
        s[DELTA + w] += span * (inverse * (dividends * at_upper - rate * at_lower / spot) - lost)
        s[GAMMA + w] += span * (
            rate * at_lower / (spot * spot) * inverse * (1 + lower * inverse)
            + dividends * at_upper / spot * inverse * (1 - upper * inverse)
        )


@numba.njit(cache=True, error_model="numpy")
def fill_premia(
    options: Any,
    matching: Any,
    roots: Any,
    sines: Any,
    steps: Any,
    weights: Any,
    sines_now: Any,
    steps_now: Any,
    weights_now: Any,
    found: Any,
) -> None:
    """Fill `found` (4, n): premium, its delta and gamma, and log(boundary); `options` (5, n), n in whole lanes."""
    s = np.zeros(SCRATCH)
    for start in range(0, options.shape[1], LANES):
        for row in range(5):
            for w in range(LANES):
                s[row * LANES + w] = options[row, start + w]
        _find_boundary(s, roots, sines, steps, weights, matching)
        for w in range(LANES):
            s[PREMIUM + w] = 0.0
            s[DELTA + w] = 0.0
            s[GAMMA + w] = 0.0
        for j in range(sines_now.size):
            _add_premium(s, weights_now[j], sines_now[j], steps_now[j])
        for w in range(LANES):
            found[0, start + w] = s[PREMIUM + w]
            found[1, start + w] = s[DELTA + w]
            found[2, start + w] = s[GAMMA + w]
            found[3, start + w] = s[CEILING + w] + s[LOGS + NODES * LANES + w]
