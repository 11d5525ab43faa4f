"""Static arbitrage in option prices: which constraint fails, where, by how much, and whether it can be traded.

The constraints are those of Cohen, Reisinger and Wang (2020) on ``c = C / (D F)`` at ``k = K / F``, in which prices of
all expirations compare: undiscounted calls per unit of forward never fall with time at one k.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.pricing.black import is_call

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

TOLERANCE = 1e-12
SAME_STRIKE = 1e-12
CONSTRAINTS = (
    "parity",
    "outright",
    "vertical",
    "butterfly",
    "calendar",
    "calendar_vertical",
    "calendar_butterfly",
)
COLUMNS = (
    "constraint",
    "year_fraction",
    "strike",
    "left_year_fraction",
    "left_strike",
    "right_year_fraction",
    "right_strike",
    "excess",
    "excess_at_quotes",
    "actionable",
)
NONE = -1


class Points(NamedTuple):
    """Normalised call prices, by expiration and then strike; arrays of shape (points,).

    `number` counts expirations by time; `unit` is ``D F``, which takes a price to the currency.
    """

    number: Numbers
    year_fraction: Array
    forward: Array
    unit: Array
    k: Array
    bid: Array
    ask: Array


class Breach(NamedTuple):
    """Breaches of one constraint: the option that is too dear, what bounds it from the left and right, by how much.

    `left` and `right` are numbers of points, `NONE` where there is no such option.
    """

    constraint: str
    point: Numbers
    left: Numbers
    right: Numbers
    excess: Array
    excess_at_quotes: Array


def find_violations(prices: pd.DataFrame, *, price: str | None = None, tolerance: float = TOLERANCE) -> pd.DataFrame:
    """Every violated constraint among the prices of one underlying on one day.

    ===================== ====================================================================================
    `parity`              a call and a put of one strike do not fit the forward
    `outright`            ``(1 - k)+ <= c <= 1``
    `vertical`            ``0 <= (c(k1) - c(k2)) / (k2 - k1) <= 1`` for neighbouring strikes ``k1 < k2``
    `butterfly`           c is not above the chord of its neighbours
    `calendar`            c is not above a later one of the same k
    `calendar_vertical`   c is not above a later one of smaller k; nor above a later one of greater k by more than
                          the difference of the k
    `calendar_butterfly`  c is not above the chord of two others of which none is earlier and one is later; the left
                          one may be the forward, of strike 0
    ===================== ====================================================================================

    Of the last three, the worst is told for each option: they say that it is above the lower convex hull of what
    expires no earlier.

    Parameters
    ----------
    prices : DataFrame
        With year_fraction, strike, option_type, forward, discount_factor, and bid and ask or the column `price`.
        Rows with a missing number, no time left or a bid above the ask are passed over; a bid of 0 counts.
        `early_exercise_premium`, where there is one, is taken off bid and ask.
    price : str, optional
        The column of a model's prices, taken for bid and ask.
    tolerance : float
        Excess over ``D F`` that is still put down to rounding.

    Returns
    -------
    DataFrame
        `COLUMNS`, one row a violation. `strike` and `year_fraction` are of the option that is too dear (in `outright`
        possibly too cheap), left and right of the others; `excess` is by how much, in currency, at mid prices, and
        `excess_at_quotes` when it is sold at its bid and the others bought at their asks. `actionable` says that the
        latter is above `tolerance`: the others are inside the spread.
    """
    points, parity = _points(prices, price)
    if not len(points.k):
        return _table(points, [], tolerance)
    breaches = [parity, *_outrights(points), *_verticals(points), _butterflies(points), *_calendars(points, tolerance)]
    return _table(points, breaches, tolerance)


def count_violations(violations: pd.DataFrame) -> dict[str, dict[str, int]]:
    """How many there are of each constraint, and how many of these are actionable."""
    found = violations.groupby("constraint")["actionable"].agg(["size", "sum"])
    return {
        name: {"violations": int(found["size"].get(name, 0)), "actionable": int(found["sum"].get(name, 0))}
        for name in CONSTRAINTS
    }


def _points(prices: pd.DataFrame, price: str | None) -> tuple[Points, Breach]:
    """The points, of a call and a put at one strike the better bid and ask, and the breaches of parity among them."""
    names = ["year_fraction", "strike", "forward", "discount_factor"]
    years, strike, forward, discount = (prices[name].to_numpy(dtype=float) for name in names)
    bid, ask = (prices[price or side].to_numpy(dtype=float) for side in ("bid", "ask"))
    call = is_call(prices["option_type"].to_numpy().astype(str)) if len(prices) else np.zeros(0, dtype=bool)
    if price is None and "early_exercise_premium" in prices:
        premium = np.nan_to_num(prices["early_exercise_premium"].to_numpy(dtype=float))
        bid, ask = bid - premium, ask - premium
    with np.errstate(invalid="ignore", divide="ignore"):
        unit, k = forward * discount, strike / forward
        parity = np.where(call, 0.0, 1 - k)
        low, high = bid / unit + parity, ask / unit + parity
        good = np.isfinite(low + high + years) & (years > 0) & (strike > 0) & (unit > 0) & (forward > 0) & (bid <= ask)
    table = pd.DataFrame({"years": years, "forward": forward, "unit": unit, "k": k, "low": low, "high": high})[good]
    table["number"] = np.unique(table["years"], return_inverse=True)[1]
    table = table.sort_values(["number", "k", "low", "high"], kind="stable")
    new = (table["number"].diff() != 0) | (table["k"].diff() > SAME_STRIKE * table["k"])
    group = table.groupby(new.cumsum().to_numpy())
    first = group.first()
    best_bid, best_ask = group["low"].max().to_numpy(), group["high"].min().to_numpy()
    middle = ((table["low"] + table["high"]) / 2).groupby(new.cumsum().to_numpy())
    excess = (middle.max() - middle.min()).to_numpy()
    apart = best_bid - best_ask
    fails = np.flatnonzero(apart > 0)
    nobody = np.full(len(fails), NONE)
    breach = Breach("parity", fails, nobody, nobody, excess[fails], apart[fails])
    low, high = np.minimum(best_bid, best_ask), np.maximum(best_bid, best_ask)
    number, years, forward, unit, k = (first[name].to_numpy() for name in ("number", "years", "forward", "unit", "k"))
    return Points(number, years, forward, unit, k, low, high), breach


def _outrights(points: Points) -> list[Breach]:
    everyone = np.arange(len(points.k))
    nobody = np.full(len(everyone), NONE)
    middle, least = (points.bid + points.ask) / 2, np.maximum(1 - points.k, 0.0)
    return [
        Breach("outright", everyone, nobody, nobody, middle - 1, points.bid - 1),
        Breach("outright", everyone, nobody, nobody, least - middle, least - points.ask),
    ]


def _verticals(points: Points) -> list[Breach]:
    left = np.flatnonzero(np.diff(points.number) == 0)
    right, nobody = left + 1, np.full(len(left), NONE)
    gap, middle = points.k[right] - points.k[left], (points.bid + points.ask) / 2
    rise = middle[right] - middle[left]
    return [
        Breach("vertical", right, left, nobody, rise, points.bid[right] - points.ask[left]),
        Breach("vertical", left, nobody, right, -rise - gap, points.bid[left] - points.ask[right] - gap),
    ]


def _butterflies(points: Points) -> Breach:
    """Neighbouring strikes; of the first strike the left neighbour is the forward itself, ``c(0) = 1``."""
    here = np.flatnonzero(np.append(np.diff(points.number) == 0, False))
    right = here + 1
    first = np.diff(points.number, prepend=-1)[here] != 0
    left = np.where(first, NONE, here - 1)
    left_k = np.where(first, 0.0, points.k[here - 1])
    share = (points.k[here] - left_k) / (points.k[right] - left_k)
    middle = (points.bid + points.ask) / 2

    def over(own: Array, others: Array) -> Array:
        return own[here] - (1 - share) * np.where(first, 1.0, others[here - 1]) - share * others[right]

    return Breach("butterfly", here, left, right, over(middle, middle), over(points.bid, points.ask))


def _calendars(points: Points, tolerance: float) -> list[Breach]:
    """The worst breach of each option by what expires no earlier, at mid prices and at quotes."""
    middle = (points.bid + points.ask) / 2
    at_mid = _above_hulls(points, middle, middle)
    at_quotes = _above_hulls(points, points.bid, points.ask)
    # At mid prices another portfolio may be the worst: what can be traded is told by its own.
    traded = at_quotes[2] > tolerance
    left, right = np.where(traded, at_quotes[0], at_mid[0]), np.where(traded, at_quotes[1], at_mid[1])
    excess, excess_at_quotes = at_mid[2], at_quotes[2]
    one = (left == NONE) | (right == NONE)
    left = np.where(left == len(points.k), NONE, left)
    later = _later(points, left) | _later(points, right)
    same = np.abs(_k(points, np.where(left == NONE, right, left)) - points.k) <= SAME_STRIKE * points.k
    kinds = {"calendar": one & same, "calendar_vertical": one & ~same, "calendar_butterfly": ~one}
    found = []
    for name, kind in kinds.items():
        rows = np.flatnonzero(kind & later)
        found.append(Breach(name, rows, left[rows], right[rows], excess[rows], excess_at_quotes[rows]))
    return found


def _k(points: Points, which: Numbers) -> Array:
    return np.where(which == NONE, 0.0, points.k[which])


def _later(points: Points, which: Numbers) -> NDArray[np.bool_]:
    return (which != NONE) & (points.number[which] > points.number)


def _above_hulls(points: Points, own: Array, others: Array) -> tuple[Numbers, Numbers, Array]:
    """Left and right supports of the hull of what expires no earlier under each point, and its height over it.

    The forward itself, of strike 0 and price 1, expires with everything; as a support it has the number after the last.
    """
    k, others = np.append(points.k, 0.0), np.append(others, 1.0)
    left, right = np.full(len(own), NONE), np.full(len(own), NONE)
    height = np.full(len(own), -np.inf)
    hull = np.array([len(own)])
    for number in range(int(points.number[-1]), -1, -1):
        rows = np.arange(*np.searchsorted(points.number, [number, number + 1]))
        hull = _lower_hull(k, others, np.concatenate([hull, rows]))
        left[rows], right[rows], bound = _bound(k, others, points.k[rows], hull)
        height[rows] = own[rows] - bound
    return left, right, height


def _bound(k: Array, price: Array, asked: Array, hull: Numbers) -> tuple[Numbers, Numbers, Array]:
    """The least price at `asked` of what pays at least a call: supports left and right, and the price."""
    x, c = k[hull], price[hull]
    # Left of where the hull falls faster than 1, and right of its lowest point, one option bounds alone.
    slope = np.diff(c) / np.diff(x)
    begin = int(np.searchsorted(slope, -1.0))
    end = max(int(np.searchsorted(slope, 0.0)), begin)
    place = np.searchsorted(x, asked * (1 + SAME_STRIKE), side="right") - 1
    i = np.clip(place, 0, max(len(hull) - 2, 0))
    j = np.minimum(i + 1, len(hull) - 1)
    at = np.maximum(place, 0)
    exact = (place >= begin) & (place <= end) & (np.abs(x[at] - asked) <= SAME_STRIKE * asked)
    before, after = (place < begin) & ~exact, (place >= end) & ~exact
    with np.errstate(divide="ignore", invalid="ignore"):
        chord = c[i] + (c[j] - c[i]) * (asked - x[i]) / (x[j] - x[i])
    cases = [exact, before, after]
    left = np.select(cases, [hull[at], np.full(len(at), NONE), np.full(len(at), hull[end])], hull[i])
    right = np.select(cases, [np.full(len(at), NONE), np.full(len(at), hull[begin]), np.full(len(at), NONE)], hull[j])
    return left, right, np.select(cases, [c[at], c[begin] + x[begin] - asked, np.full(len(at), c[end])], chord)


def _lower_hull(k: Array, price: Array, points: Numbers) -> Numbers:
    """Those of the points that their lower convex hull goes through, by k (Andrew 1979)."""
    order = points[np.lexsort([price[points], k[points]])]
    x, y = k[order].tolist(), price[order].tolist()
    hull: list[int] = []
    for j in range(len(x)):
        if hull and x[j] - x[hull[-1]] <= SAME_STRIKE * x[j]:
            continue
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (y[b] - y[a]) * (x[j] - x[b]) < (y[j] - y[b]) * (x[b] - x[a]):
                break
            hull.pop()
        hull.append(j)
    return order[hull]


def _table(points: Points, breaches: list[Breach], tolerance: float) -> pd.DataFrame:
    parts = []
    for breach in breaches:
        fails = (breach.excess > tolerance) | (breach.excess_at_quotes > tolerance)
        point, left, right = breach.point[fails], breach.left[fails], breach.right[fails]
        strike, unit = points.k * points.forward, points.unit[point]
        told = {
            "constraint": breach.constraint,
            "year_fraction": points.year_fraction[point],
            "strike": strike[point],
            "left_year_fraction": np.where(left == NONE, np.nan, points.year_fraction[left]),
            "left_strike": np.where(left == NONE, np.nan, strike[left]),
            "right_year_fraction": np.where(right == NONE, np.nan, points.year_fraction[right]),
            "right_strike": np.where(right == NONE, np.nan, strike[right]),
            "excess": unit * breach.excess[fails],
            "excess_at_quotes": unit * breach.excess_at_quotes[fails],
            "actionable": breach.excess_at_quotes[fails] > tolerance,
        }
        if fails.any():
            parts.append(pd.DataFrame(told, columns=list(COLUMNS)))
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=_kind(name)) for name in COLUMNS})
    return pd.concat(parts, ignore_index=True)


def _kind(column: str) -> str:
    return {"constraint": "str", "actionable": "bool"}.get(column, "float64")
