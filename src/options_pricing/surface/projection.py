"""The nearest arbitrage-free prices: quadratic programmes with five diagonals, solved by an interior-point method."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

# What being outside bid and ask costs, against moving a price by one unit of its own scale.
OUTSIDE = 30.0
SETTLED, ROUNDS = 1e-6, 40
HEAVIEST, RIDGE = 1e14, 1e-13
START = 5.0
TO_THE_EDGE = 0.995


class Programme(NamedTuple):
    r"""Least :math:`\tfrac12\sum x^2 + M \sum` (outside bid and ask) of several expirations, each for itself.

    Row j demands ``before x[j-1] + here x[j] + after x[j+1] + spare >= 0``, and every node ``x >= least``; at the
    nodes `quoted` ``low <= x <= high`` is wished, at `OUTSIDE` a unit. Rows do not reach across expirations.

    Parameters
    ----------
    expiration : ndarray of shape (nodes,)
        The number of the expiration, ascending from 0.
    before, here, after, spare, least : ndarray of shape (nodes,)
    quoted : ndarray of shape (quotes,)
        Which nodes, each at most once.
    low, high : ndarray of shape (quotes,)
    """

    expiration: Numbers
    before: Array
    here: Array
    after: Array
    spare: Array
    least: Array
    quoted: Numbers
    low: Array
    high: Array


def solve(programme: Programme) -> Array:
    """The minimum of a programme whose demands can be met.

    Mehrotra's predictor-corrector (Nocedal and Wright 2006, algorithm 16.4), with a step length for each expiration,
    so that what one gets does not depend on the others. The normal matrix has five diagonals: a round costs time
    proportional to the nodes. What is wished is relaxed by slacks with a price (an exact penalty), so that
    contradictory quotes leave the programme solvable.

    Returns
    -------
    ndarray of shape (nodes,)
        The x; demands hold, or to about 1e-6.
    """
    state = _Path(programme)
    for _ in range(ROUNDS):
        state.measure()
        if not state.open.any():
            break
        with np.errstate(all="ignore"):
            state.advance()
    return state.x


class _Path:
    """Where the method stands: x, and of each constraint its slack, dual, and if it is a wish its excess and price."""

    def __init__(self, programme: Programme) -> None:
        self.programme = p = programme
        self.nodes = len(p.here)
        self.constant = np.concatenate([p.spare, -p.least, -p.low, p.high])
        own = p.expiration[p.quoted]
        self.owner = np.concatenate([p.expiration, p.expiration, own, own])
        self.wish = slice(2 * self.nodes, None)
        self.wish_owner = self.owner[self.wish]
        self.count = int(p.expiration[-1]) + 1
        every, wished = np.ones(len(self.owner)), np.ones(len(self.wish_owner))
        self.pairs = self._sums(every, self.owner) + self._sums(wished, self.wish_owner)
        self.x = np.zeros(self.nodes)
        self._start()

    def _start(self) -> None:
        """Every product of a slack and its dual about `START`, else the first steps are tiny."""
        self.slack = np.maximum(self.constant, 1.0)
        self.dual = START / self.slack
        off = self.constant[self.wish]
        self.slack[self.wish] = np.maximum(off, 0.0) + 1.0
        self.excess = np.maximum(-off, 0.0) + 1.0
        self.price = np.where(off < 0, np.minimum(START / self.excess, OUTSIDE / 2), OUTSIDE)
        held = np.minimum(START / self.slack[self.wish], OUTSIDE / 2)
        self.price = np.where(off < 0, self.price, OUTSIDE - held)
        self.dual[self.wish] = OUTSIDE - self.price

    def measure(self) -> None:
        """How far each expiration is from its minimum; `open` are those not there yet."""
        self.lack = self._made(self.x) + self.constant - self.slack
        self.lack[self.wish] += self.excess
        self.lag = self._back(self.dual) - self.x
        self.mean = self._gap(0.0) / self.pairs
        worst = np.zeros(self.count)
        np.maximum.at(worst, self.owner, np.abs(self.lack))
        np.maximum.at(worst, self.programme.expiration, np.abs(self.lag))
        self.open = (self.mean > SETTLED) | (worst > SETTLED)

    def advance(self) -> None:
        """One step: predicted straight to the minimum, then corrected towards the middle of the path."""
        self.change: tuple[Array, ...] = tuple(np.zeros_like(v) for v in (self.x, self.slack, self.dual, self.excess))
        self._aim(np.zeros(self.count))
        ratio = self._gap(self._longest()) / (self.pairs * self.mean)
        self._aim(self.mean * ratio**3)
        dx, d_slack, d_dual, d_excess = self.change
        finite = np.isfinite(self._sums(d_slack + d_dual, self.owner))
        step = np.where(self.open & finite, np.minimum(1.0, TO_THE_EDGE * self._longest()), 0.0)
        # Where an expiration stands still, its directions may be anything.
        goes = step > 0
        self.x += _scaled(step, goes, self.programme.expiration, dx)
        self.slack += _scaled(step, goes, self.owner, d_slack)
        self.dual += _scaled(step, goes, self.owner, d_dual)
        self.excess += _scaled(step, goes, self.wish_owner, d_excess)
        self.price -= _scaled(step, goes, self.wish_owner, d_dual[self.wish])

    def _aim(self, centre: Array) -> None:
        """Newton's direction to where every product of slack and dual is `centre`, given the last direction."""
        _, d_slack, d_dual, d_excess = self.change
        of_slack = self.slack * self.dual + d_slack * d_dual - centre[self.owner]
        of_excess = self.excess * self.price - d_excess * d_dual[self.wish] - centre[self.wish_owner]
        give, gap = self.slack / self.dual, -self.lack - of_slack / self.dual
        give[self.wish] += self.excess / self.price
        gap[self.wish] += of_excess / self.price
        dx = self._solve(np.minimum(1 / give, HEAVIEST), self._back(gap / give) + self.lag)
        d_dual = (gap - self._made(dx)) / give
        d_slack = -(of_slack + self.slack * d_dual) / self.dual
        self.change = dx, d_slack, d_dual, (self.excess * d_dual[self.wish] - of_excess) / self.price

    def _longest(self) -> Array:
        """The longest step of each expiration that keeps all that must be positive so; at most 1."""
        _, d_slack, d_dual, d_excess = self.change
        step = np.ones(self.count)
        ends = (self.slack, d_slack), (self.dual, d_dual)
        wishes = (self.excess, d_excess), (self.price, -d_dual[self.wish])
        for owner, pairs in ((self.owner, ends), (self.wish_owner, wishes)):
            for value, change in pairs:
                falls = change < 0
                np.minimum.at(step, owner[falls], -value[falls] / change[falls])
        return step

    def _gap(self, step: Array | float) -> Array:
        """The sum of all products after a step, of each expiration."""
        if np.ndim(step) == 0:
            both, wished = self.slack * self.dual, self.excess * self.price
        else:
            _, d_slack, d_dual, d_excess = self.change
            each = np.asarray(step)[self.owner]
            both = (self.slack + each * d_slack) * (self.dual + each * d_dual)
            each = each[self.wish]
            wished = (self.excess + each * d_excess) * (self.price - each * d_dual[self.wish])
        return self._sums(both, self.owner) + self._sums(wished, self.wish_owner)

    def _sums(self, values: Array, owner: Numbers) -> Array:
        return np.bincount(owner, values, minlength=self.count).astype(float)

    def _made(self, x: Array) -> Array:
        """The constraints at x, without their constants."""
        p = self.programme
        rows = p.here * x
        rows[1:] += p.before[1:] * x[:-1]
        rows[:-1] += p.after[:-1] * x[1:]
        return np.concatenate([rows, x, x[p.quoted], -x[p.quoted]])

    def _back(self, y: Array) -> Array:
        """The transpose of `_made`."""
        p, n = self.programme, self.nodes
        rows, least = y[:n], y[n : 2 * n]
        low, high = np.split(y[self.wish], 2)
        out = p.here * rows + least
        out[:-1] += p.before[1:] * rows[1:]
        out[1:] += p.after[:-1] * rows[:-1]
        out[p.quoted] += low - high
        return out

    def _solve(self, weight: Array, right: Array) -> Array:
        """Solve ``(1 + G' W G) dx = right``, G being `_made`."""
        from scipy.linalg import solveh_banded

        p, n = self.programme, self.nodes
        rows, least = weight[:n], weight[n : 2 * n]
        low, high = np.split(weight[self.wish], 2)
        band = np.zeros((3, n))
        band[0] = 1.0 + p.here**2 * rows + least
        band[0][p.quoted] += low + high
        band[0][:-1] += p.before[1:] ** 2 * rows[1:]
        band[0][1:] += p.after[:-1] ** 2 * rows[:-1]
        band[1][:-1] = (p.before * p.here * rows)[1:] + (p.here * p.after * rows)[:-1]
        band[2][:-2] = (p.before * p.after * rows)[1:-1]
        # Against rounding: the weights span many powers of ten.
        band[0] *= 1 + RIDGE
        return np.asarray(solveh_banded(band, right, lower=True, overwrite_ab=True, check_finite=False))


def _scaled(step: Array, goes: NDArray[np.bool_], owner: Numbers, change: Array) -> Array:
    return step[owner] * np.where(goes[owner], change, 0.0)
