"""Static arbitrage between neighbouring quotes of a chain, and which quote is to blame for it.

The constraints are those of Cohen, Reisinger and Wang (2020) that hold between neighbours: they imply all others but
for rounding. `surface.arbitrage` looks at everything and says what can be traded; here rows are told, of chains of any
size at once.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from options_pricing.validation.market import Market, Points
from options_pricing.validation.parity import Codes, Floats, Mask
from options_pricing.validation.smile import residuals

NONE = -1
ROUNDS = 8
POINTS_AT_ONCE = 100_000
# Strikes over forward of two expirations that differ by less are one: forwards are known no better.
SAME_MONEYNESS = 1e-4
KINDS = ("outright", "vertical", "butterfly", "calendar", "calendar_vertical", "calendar_butterfly")


class Breaches(NamedTuple):
    """Portfolios that must not cost less than nothing: the quote sold, those bought, and what is earned.

    `at_mid` and `at_quotes` are what selling `sold` and buying the others brings, per unit of its forward: at mids,
    and at its bid and their asks. `allowed` is what ticks and the forward's noise explain of either. Left and right
    are numbers of points, `NONE` where there is none. What is bought is ``1 - weight`` of the left, `weight` of the
    right, and `constant` in money.
    """

    sold: Codes
    left: Codes
    right: Codes
    at_mid: Floats
    at_quotes: Floats
    allowed: Floats
    weight: Floats
    constant: Floats

    def legs(self) -> Codes:
        """Shape (breaches, 3)."""
        return np.column_stack([self.sold, self.left, self.right])


class Verdict(NamedTuple):
    """Of one constraint: the points to blame for what can be traded, and those too dear by their mids alone."""

    actionable: Mask
    within_spread: Mask


def verdicts(market: Market, ticks: float) -> dict[str, Verdict]:
    """Judge the points of a market by every constraint.

    What can be traded is blamed on the leg whose vol is furthest from its neighbours' by what the spreads allow, since
    one wrong quote breaks several constraints and in most of them it is not the one sold. Blamed points are taken out,
    and the rest is judged again, until nothing can be traded.
    """
    parts = [_verdicts(market.part(start, end), ticks) for start, end in _blocks(market.points)]
    return {kind: Verdict(*map(np.concatenate, zip(*(part[kind] for part in parts), strict=True))) for kind in KINDS}


def _blocks(points: Points) -> list[tuple[int, int]]:
    """Whole underlyings, some at once: no constraint joins two, and the portfolios of all of them are many."""
    starts = np.flatnonzero(np.diff(points.last_expiry, prepend=-1) != 0)
    new = starts[np.diff(starts // POINTS_AT_ONCE, prepend=-1) != 0].tolist() or [0]
    return list(pairwise([*new, len(points.k)]))


def _verdicts(market: Market, ticks: float) -> dict[str, Verdict]:
    points = market.points
    kept = np.ones(len(points.k), dtype=bool)
    blamed = {kind: np.zeros(len(points.k), dtype=bool) for kind in KINDS}
    mild = {kind: np.zeros(len(points.k), dtype=bool) for kind in KINDS}
    for turn in range(ROUNDS):
        index = np.flatnonzero(kept)
        found = breaches(points.take(index), ticks)
        if turn == 0:
            for kind, breach in found.items():
                mild[kind][index[breach.sold[breach.at_mid > breach.allowed]]] = True
        guilty = _guilty(market, kept, index, found)
        if not any(rows.size for rows in guilty.values()):
            break
        for kind, rows in guilty.items():
            blamed[kind][rows] = True
            kept[rows] = False
    return {kind: Verdict(blamed[kind], mild[kind] & kept) for kind in KINDS}


def _guilty(market: Market, kept: Mask, index: Codes, found: dict[str, Breaches]) -> dict[str, Codes]:
    """The points to blame, numbered in the whole market."""
    traded = {kind: breach.legs()[breach.at_quotes > breach.allowed] for kind, breach in found.items()}
    if not any(len(legs) for legs in traded.values()):
        return {}
    value, allowed, _ = residuals(market, kept)
    with np.errstate(invalid="ignore"):
        suspicion = np.nan_to_num(np.abs(value) / allowed, nan=0.0, posinf=0.0)
    suspicion = np.where(np.isfinite(market.vol), suspicion, np.inf)[index]
    suspicion = np.append(suspicion, -1.0)  # the last entry is that of `NONE`
    return {kind: index[np.unique(_most(legs, suspicion))] for kind, legs in traded.items()}


def _most(legs: Codes, suspicion: Floats) -> Codes:
    return legs[np.arange(len(legs)), np.argmax(suspicion[legs], axis=1)] if len(legs) else legs[:, 0]


def breaches(points: Points, ticks: float) -> dict[str, Breaches]:
    """All portfolios of neighbours, by constraint; those that earn nothing are among them.

    Parameters
    ----------
    points : Points
    ticks : float
        How many ticks the dearest of the legs may be off.
    """
    points = points._replace(tick=ticks * points.tick)
    return {
        "outright": _outright(points),
        "vertical": _vertical(points),
        "butterfly": _butterfly(points),
        **_calendar(points),
    }


def _breaches(
    points: Points, sold: Codes, left: Codes, right: Codes, weight: Floats, constant: Floats, noise: Floats
) -> Breaches:
    """Sell one, buy `weight` of the right and the rest of the left; a leg that there is not costs `constant` alone."""
    middle = (points.low + points.high) / 2

    def bought(price: Floats) -> Floats:
        of_left = np.where(left == NONE, 0.0, price[left])
        of_right = np.where(right == NONE, 0.0, price[right])
        return (1 - weight) * of_left + weight * of_right + constant

    ticks = points.tick / points.unit
    allowed = np.maximum(ticks[sold], np.maximum(ticks[left], ticks[right])) + noise
    return Breaches(
        sold,
        left,
        right,
        middle[sold] - bought(middle),
        points.low[sold] - bought(points.high),
        allowed,
        weight,
        constant,
    )


def _outright(points: Points) -> Breaches:
    """``max(1 - k, 0) <= c <= 1``; of the first half the quote is bought, which is written as sold at minus its ask."""
    count = len(points.k)
    every, nobody = np.arange(count), np.full(2 * count, NONE)
    sold = np.concatenate([every, every])
    middle, least = (points.low + points.high) / 2, np.maximum(1 - points.k, 0.0)
    ticks = (points.tick / points.unit)[sold]
    return Breaches(
        sold,
        nobody,
        nobody,
        np.concatenate([least - middle, middle - 1]),
        np.concatenate([least - points.high, points.low - 1]),
        ticks + points.noise[sold],
        np.zeros(2 * count),
        np.concatenate([-least, np.ones(count)]),
    )


def _vertical(points: Points) -> Breaches:
    """Neighbouring strikes ``k1 < k2``: ``0 <= c(k1) - c(k2) <= k2 - k1`` (Carr and Madan 2005, eq. 8)."""
    left = np.flatnonzero(np.diff(points.expiry) == 0)
    right = left + 1
    count, nobody = len(left), np.full(len(left), NONE)
    gap = points.k[right] - points.k[left]
    crossing = np.where(points.call[left] == points.call[right], 0.0, points.noise[left])
    return _breaches(
        points,
        np.concatenate([right, left]),
        np.concatenate([left, nobody]),
        np.concatenate([nobody, right]),
        np.concatenate([np.zeros(count), np.ones(count)]),
        np.concatenate([np.zeros(count), gap]),
        np.concatenate([crossing, crossing]),
    )


def _butterfly(points: Points) -> Breaches:
    """Three neighbouring strikes: no call above the chord of those beside it (Carr and Madan 2005, eq. 9).

    Below an expiration's first strike stands the forward itself, ``c(0) = 1``.
    """
    here = np.flatnonzero(np.diff(points.expiry) == 0)
    right = here + 1
    first = np.ones(len(points.k), dtype=bool)
    first[1:] = np.diff(points.expiry) != 0
    first = first[here]
    left = np.where(first, NONE, here - 1)
    left_k = np.where(first, 0.0, points.k[here - 1])
    weight = (points.k[here] - left_k) / (points.k[right] - left_k)
    one_side = (points.call[left] == points.call[here]) & (points.call[here] == points.call[right])
    noise = np.where(one_side | first, 0.0, points.noise[here])
    return _breaches(points, here, left, right, weight, np.where(first, 1 - weight, 0.0), noise)


def _calendar(points: Points) -> dict[str, Breaches]:
    """What is sold in one expiration and bought in the underlying's next one.

    A call is worth no more than a later one of the same k, than one of smaller k, than one of greater k and the
    difference, and than any mix of a later one below and one above that has its k in the middle.
    """
    sold, above = _next_expiration(points)
    below = above - 1
    later = points.expiry[sold] + 1
    has_below = (below >= 0) & (points.expiry[below] == later)
    inside = above < len(points.k)
    has_above = inside & (points.expiry[np.where(inside, above, 0)] == later)
    below, above = np.where(has_below, below, NONE), np.where(has_above, above, NONE)
    k, under, over = points.k[sold], _k(points, below), _k(points, above)
    noise = points.noise[sold] + points.noise[np.where(has_above, above, below)]
    with np.errstate(invalid="ignore"):
        same_below = has_below & (k - under <= SAME_MONEYNESS)
        same_above = has_above & ~same_below & (over - k <= SAME_MONEYNESS)
    same = np.where(same_below, below, np.where(same_above, above, NONE))
    nobody = np.full(len(sold), NONE)
    one, zero = np.ones(len(sold)), np.zeros(len(sold))

    def some(rows: Mask, left: Codes, right: Codes, weight: Floats, constant: Floats) -> Breaches:
        return _breaches(points, sold[rows], left[rows], right[rows], weight[rows], constant[rows], noise[rows])

    with np.errstate(invalid="ignore", divide="ignore"):
        share = (k - under) / (over - under)
        further = np.maximum(_k(points, same) - k, 0.0)
    lower = some(has_below & ~same_below, below, nobody, zero, zero)
    upper = some(has_above & ~same_above, nobody, above, one, over - k)
    return {
        "calendar": some(same != NONE, nobody, same, one, further),
        "calendar_vertical": Breaches(*(np.concatenate(pair) for pair in zip(lower, upper, strict=True))),
        "calendar_butterfly": some(has_below & has_above & (same == NONE), below, above, share, zero),
    }


def _k(points: Points, which: Codes) -> Floats:
    return np.where(which == NONE, np.nan, points.k[which])


def _next_expiration(points: Points) -> tuple[Codes, Codes]:
    """Points that have a later expiration, and where in that one their k would stand."""
    sold = np.flatnonzero(points.expiry < points.last_expiry)
    if not len(sold):
        return sold, sold
    # One sorted axis for all expirations: k is in (0, inf), its share k / (1 + k) in (0, 1).
    place = points.expiry + points.k / (1 + points.k)
    asked = points.expiry[sold] + 1 + points.k[sold] / (1 + points.k[sold])
    return sold, np.searchsorted(place, asked, side="right")
