"""Call prices as convex functions of the strike, one an expiration, none below an earlier one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

ROUNDING = 1e-15
LEAST_SHARE = 0.05
# Options asked together of all curves: tens of thousands of pairs, which fit into a processor's cache.
STACKED_BLOCK = 2048


class Curve(NamedTuple):
    r"""One convex curve through nodes: undiscounted out-of-the-money prices per unit of forward.

    ======== ==============================================================================================
    `k`       strike over forward at the nodes, ascending; 1 is one of them
    `value`   the price there: the put's where ``k < 1``, the call's elsewhere
    `bend`    shape (nodes - 1, 2): by how much the slope is under the chord to the next node where a piece
              begins, and over it where it ends
    `powers`  of the put's ``k^b`` below the first node, of the call's ``k^-a`` above the last: (b, a)
    ======== ==============================================================================================

    Between nodes, a share s of the way over a gap h, with A and B the two bends, the price is the chord's less
    :math:`h s (1 - s) AB [A (1 - s) + B s] / [AB + (A - B)^2 s (1 - s)]`: the rational cubic of Delbourgo and Gregory
    (1985), convex and once differentiable.
    """

    k: Array
    value: Array
    bend: Array
    powers: Array

    def at(self, k: Array) -> Array:
        """Prices at any positive ``k``; of puts where ``k < 1``."""
        return Stacked([self]).on(np.zeros(len(k), dtype=int), self.k.searchsorted(k, side="right"), k)


def curve_through(k: Array, value: Array) -> Curve:
    """The curve through prices that are convex, but for rounding errors.

    A node above the chord of others is left out, or lowered to it if it is that of ``k = 1``. The slope at a node is
    that of the quartic through it and two neighbours on either side, nearly, and between those of the chords beside
    it; beyond the ends the curve goes on as the power of the strike through the last two nodes.

    Parameters
    ----------
    k, value : ndarray of shape (nodes,)
        As in `Curve`; at least one node on either side of 1, all prices positive.
    """
    k, value = _without_dents(k, value)
    turn = np.maximum(slope_changes(k, value), 0.0)
    gap, slope = np.diff(k), np.diff(value) / np.diff(k)
    bend = np.zeros((len(gap), 2))
    bend[1:, 0] = _shares(k, turn) * turn
    bend[:-1, 1] = turn - bend[1:, 0]
    power = np.log(value[[1, -2]] / value[[0, -1]]) / np.log(k[[1, -2]] / k[[0, -1]])
    powers = np.array([max(power[0], 1.0), max(-power[1], 0.0)])
    bend[0, 0] = slope[0] - powers[0] * value[0] / k[0]
    bend[-1, 1] = -powers[1] * value[-1] / k[-1] - slope[-1]
    return Curve(k, value, np.maximum(bend, 0.0), powers)


def _without_dents(k: Array, value: Array) -> tuple[Array, Array]:
    """The nodes of the lower convex hull: none above the chord of its neighbours by more than rounding.

    Calls do not rise at the end, nor does the put's price over its strike fall at the beginning.
    """
    for _ in range(2 * len(k)):
        middle = int(np.searchsorted(k, 1.0))
        first = int(middle > 1 and value[1] / k[1] < value[0] / k[0])
        last = len(k) - int(middle < len(k) - 2 and value[-1] > value[-2])
        k, value = k[first:last], value[first:last].copy()
        turn, rounding = slope_changes(k, value), ROUNDING * (value[:-2] + value[2:]) / np.diff(k)[1:]
        dented = turn < -rounding
        if not dented.any() and first == 0 and last == len(k):
            break
        # Of two neighbours only the worse at once: without it the other may be right.
        beside = np.concatenate([[np.inf], np.where(dented, turn, np.inf), [np.inf]])
        drop = 1 + np.flatnonzero(dented & (turn < beside[:-2]) & (turn <= beside[2:]))
        for j in drop[k[drop] == 1.0]:
            share = (1 - k[j - 1]) / (k[j + 1] - k[j - 1])
            value[j] = (1 - share) * (value[j - 1] + 1 - k[j - 1]) + share * value[j + 1]
        drop = drop[k[drop] != 1.0]
        k, value = np.delete(k, drop), np.delete(value, drop)
    return k, value


def _shares(k: Array, turn: Array) -> Array:
    """Which share of the turn at each inner node comes after it: that of the parabola, and a term of third order."""
    before, after = np.diff(k)[:-1], np.diff(k)[1:]
    share = after / (before + after)
    if len(turn) < 3:
        return share
    curvature, centre = 2 * turn / (before + after), (k[:-2] + k[1:-1] + k[2:]) / 3
    third = np.zeros(len(turn))
    third[1:-1] = (curvature[2:] - curvature[:-2]) / (centre[2:] - centre[:-2])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = share + before * after / 6 * third / turn
    return np.where(turn > 0, np.clip(moved, LEAST_SHARE, 1 - LEAST_SHARE), share)


def slope_changes(k: Array, value: Array) -> Array:
    """How much the slope of a call's price grows at each inner node, of out-of-the-money prices at nodes with a 1."""
    change = np.diff(np.diff(value) / np.diff(k))
    # Left of 1 it is the put's price, whose slope is the call's and 1.
    change[np.searchsorted(k, 1.0) - 1] += 1.0
    return change


class Stacked:
    """Curves of several expirations, all asked in one go: thirty small questions take NumPy longer than a large one."""

    def __init__(self, curves: Sequence[Curve]) -> None:
        self.curves = curves
        self._k, self._value = (np.concatenate([curve[at] for curve in curves]) for at in (0, 1))
        # One number more for each curve, so that pieces and nodes are counted alike; it is asked for nothing.
        self._gap, self._rise = (np.diff(values, append=0.0) for values in (self._k, self._value))
        a, b = np.concatenate([np.vstack([curve.bend, np.zeros((1, 2))]) for curve in curves]).T
        bent = (a > 0) & (b > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            self._bend = np.where(bent, (a, b, a / b + b / a - 2), 0.0)
        self._powers = np.array([curve.powers for curve in curves])
        nodes = np.array([len(curve.k) for curve in curves])
        self._last = np.cumsum(nodes) - 1
        self._first = self._last - nodes + 1

    def greatest(self, expiration: Numbers, k: Array) -> Array:
        """Out-of-the-money prices in expirations given by number: the greatest of its own curve and all earlier ones.

        The greatest of convex functions is convex, and none falls below an earlier one: there is neither butterfly
        nor calendar arbitrage, at any strike.
        """
        if len(k) == 1:
            return self._greatest_of_one(int(expiration[0]), k)
        best = np.empty(len(k))
        for start in range(0, len(k), STACKED_BLOCK):
            rows = slice(start, start + STACKED_BLOCK)
            best[rows] = self._greatest(expiration[rows], k[rows])
        return best

    def _greatest_of_one(self, expiration: int, k: Array) -> Array:
        """The same of one option, without a loop over the curves."""
        curve = np.arange(expiration + 1)
        found = np.add.reduceat(self._k <= k, self._first, dtype=int)[: expiration + 1]
        return np.maximum(self.on(curve, found, np.repeat(k, expiration + 1)).max(keepdims=True), 0.0)

    def _greatest(self, expiration: Numbers, k: Array) -> Array:
        # Among ascending strikes a binary search soon knows its way.
        order = np.lexsort((k, expiration))
        asked = k[order]
        starts = expiration[order].searchsorted(np.arange(len(self.curves)))
        later = [asked[start:] for start in starts.tolist()]
        found = [own.k.searchsorted(at, side="right") for own, at in zip(self.curves, later, strict=True)]
        curve = np.repeat(np.arange(len(later)), [len(at) for at in later])
        price = self.on(curve, np.concatenate(found), np.concatenate(later))
        best, end = np.zeros(len(asked)), 0
        for start, at in zip(starts.tolist(), later, strict=True):
            begin, end = end, end + len(at)
            np.maximum(best[start:], price[begin:end], out=best[start:])
        return _put_back(best, order)

    def on(self, curve: Numbers, found: Numbers, k: Array) -> Array:
        """Prices at `k` on curves given by number; `found` of each curve's nodes are not above it."""
        first, last = self._first[curve], self._last[curve]
        piece = np.minimum(np.maximum(found - 1 + first, first), last - 1)
        gap = self._gap[piece]
        s = np.minimum(np.maximum((k - self._k[piece]) / gap, 0.0), 1.0)
        left = 1 - s
        t = s * left
        a, b, both = (bend[piece] for bend in self._bend)
        price = self._value[piece] + s * self._rise[piece]
        price -= gap * t * (a * left + b * s) / (1 + both * t)
        for end, beyond, power in ((first, k < self._k[first], 0), (last, k > self._k[last], 1)):
            if beyond.any():
                at, sign = end[beyond], 1 - 2 * power
                share = k[beyond] / self._k[at]
                price[beyond] = self._value[at] * share ** (sign * self._powers[curve[beyond], power])
        return price


def greatest(curves: list[Curve], expiration: Numbers, k: Array) -> Array:
    """`Stacked.greatest` of curves that are asked once."""
    return Stacked(curves).greatest(expiration, k)


def least_later(curves: list[Curve], expiration: Numbers, k: Array) -> Array:
    """The least price of all later expirations' curves; infinite in the last."""
    order = np.argsort(expiration, kind="stable")
    number, asked = expiration[order], k[order]
    least = np.full(len(asked), np.inf)
    for i, own in enumerate(curves):
        earlier = slice(None, int(np.searchsorted(number, i)))
        least[earlier] = np.minimum(least[earlier], own.at(asked[earlier]))
    return _put_back(least, order)


def _put_back(values: Array, order: Numbers) -> Array:
    out = np.empty(len(values))
    out[order] = values
    return out
