r"""eSSVI: three numbers an expiration, free of butterfly and calendar arbitrage by construction.

Total variance at ``y = log(K / F)`` (Gatheral and Jacquier 2014; Hendriks and Martini 2019):

.. math:: w(y) = \tfrac12 \left(\theta + \rho \psi y + \sqrt{(\psi y + \theta\rho)^2 + \theta^2 (1 - \rho^2)}\right)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.surface.least_squares import minimise_each
from options_pricing.surface.quoted import Quoted

Array = NDArray[np.float64]

# What the three numbers cannot follow, as a share of the vol: without it the tightest quotes alone would count.
MODEL_ERROR = 0.02
HUBER = 1.5
STEEPEST = 0.995
USUAL_RHO, USUAL_ETA = -0.5, 1.0
TOGETHER, ALONE = 0.2, 0.02
ROUNDS, SLICE_ROUNDS = 40, 25
KNOTS, LEAST_GROWTH = 8, 1e-4
TINY, STEP = 1e-12, 1e-6


class Essvi(NamedTuple):
    """Parameters of each expiration, ascending in time; arrays of one shape.

    `theta` is the total variance at the money forward, `rho` the skew in (-1, 1), `psi` the slope of the wings.
    """

    year_fraction: Array
    theta: Array
    rho: Array
    psi: Array


def total_variance(theta: ArrayLike, rho: ArrayLike, psi: ArrayLike, log_moneyness: ArrayLike) -> Array:
    """Total variance of eSSVI slices (see the module); all arguments broadcast."""
    theta, rho, psi, y = (np.asarray(value, dtype=float) for value in (theta, rho, psi, log_moneyness))
    return (theta + rho * psi * y + np.sqrt((psi * y + theta * rho) ** 2 + theta**2 * (1 - rho**2))) / 2


def at_times(surface: Essvi, year_fraction: ArrayLike) -> Essvi:
    """The slices at other times, free of arbitrage too.

    Between expirations theta, psi and ``rho psi`` are linear in time (Corbetta, Cohort, Laachir and Martini 2019).
    Before the first and after the last theta grows with time and psi with its root, so that vols at one
    standardised moneyness ``y / sqrt(T)`` stay as they are.
    """
    t = np.asarray(year_fraction, dtype=float)
    known = surface.year_fraction
    inside = np.clip(t, known[0], known[-1])
    theta, psi, tilt = (
        np.interp(inside, known, values) for values in (surface.theta, surface.psi, surface.rho * surface.psi)
    )
    beyond = t / inside
    return Essvi(t, theta * beyond, tilt / psi, psi * np.sqrt(beyond))


def essvi_vols(surface: Essvi, year_fraction: ArrayLike, log_moneyness: ArrayLike) -> Array:
    """Implied vols, decimal per year; both arguments broadcast."""
    t, y = np.broadcast_arrays(np.asarray(year_fraction, dtype=float), np.asarray(log_moneyness, dtype=float))
    times, place = np.unique(t, return_inverse=True)
    at, place = at_times(surface, times), place.reshape(t.shape)
    return np.sqrt(total_variance(at.theta[place], at.rho[place], at.psi[place], y) / t)


def fit_essvi(quoted: Quoted) -> Essvi:
    """Fit all expirations together, by robust least squares of vols weighted by the quoted spread.

    Each expiration is first fitted alone, then all in the parameters of Mingone (2022), in which every point of the
    space is free of arbitrage: ``theta_i = theta_{i-1} p_i + a_i`` and ``psi_i = A_i + c_i (C_i - A_i)`` with
    ``p_i = max((1 + rho_{i-1}) / (1 + rho_i), (1 - rho_{i-1}) / (1 - rho_i))``, ``A_i = psi_{i-1} p_i`` and ``C_i``
    the least of ``psi_{i-1} theta_i / theta_{i-1}`` and of what butterflies here and later allow. A weak pull towards
    the neighbours decides what an expiration of few quotes leaves open. ``atanh rho`` runs straight in log time
    between eight knots: the maximum has a kink where two neighbours are equal, at which a free one would be stuck.

    Parameters
    ----------
    quoted : Quoted
        At least one quote.

    Returns
    -------
    Essvi
        One slice an expiration.
    """
    problem = _Problem(quoted)
    alone = minimise_each(problem.alone, problem.start(), rounds=SLICE_ROUNDS)
    knots = _knots(quoted.year_fraction)
    point = _joined(*_slices_alone(alone), knots)
    point = minimise_each(lambda at: problem.together(at[0], knots), point[None], rounds=ROUNDS, settled=1e-4)[0]
    theta, rho, psi = slices_of(_expanded(point[None], knots))
    return Essvi(quoted.year_fraction, theta[0], rho[0], psi[0])


def slices_of(points: Array) -> tuple[Array, Array, Array]:
    """Theta, rho and psi of unbounded parameters, shape (sets, expirations, 3) -> three of (sets, expirations).

    The three are ``atanh rho``, ``log a`` and the logit of ``c``; see `fit_essvi`.
    """
    rho = STEEPEST * np.tanh(points[..., 0])
    increment, share = np.exp(points[..., 1]), 1 / (1 + np.exp(-points[..., 2]))
    count = rho.shape[1]
    pace = np.ones_like(rho)
    pace[:, 1:] = np.maximum((1 + rho[:, :-1]) / (1 + rho[:, 1:]), (1 - rho[:, :-1]) / (1 - rho[:, 1:]))
    theta, psi = increment.copy(), np.empty_like(rho)
    for i in range(1, count):
        theta[:, i] += theta[:, i - 1] * pace[:, i]
    most = butterfly_limit(theta, rho)
    for i in range(count - 2, -1, -1):
        most[:, i] = np.minimum(most[:, i], most[:, i + 1] / pace[:, i + 1])
    psi[:, 0] = share[:, 0] * most[:, 0]
    for i in range(1, count):
        low = psi[:, i - 1] * pace[:, i]
        high = np.minimum(most[:, i], psi[:, i - 1] * theta[:, i] / theta[:, i - 1])
        psi[:, i] = low + share[:, i] * np.maximum(high - low, 0.0)
    return theta, rho, psi


def butterfly_limit(theta: Array, rho: Array) -> Array:
    """The greatest psi without butterfly arbitrage: ``psi (1 + |rho|) <= 4``, ``psi^2 (1 + |rho|) <= 4 theta``."""
    wing = 1 + np.abs(rho)
    return np.minimum(4 / wing, 2 * np.sqrt(theta / wing))


class _Problem:
    """The weighted misfit of the quotes, and its derivatives."""

    def __init__(self, quoted: Quoted) -> None:
        self.quoted = quoted
        self.y, self.years = np.log(quoted.k), quoted.years
        self.at = quoted.expiration
        self.error = np.hypot(quoted.vol_error, MODEL_ERROR * quoted.vol)
        # An expiration of hundreds of quotes is not known that many times better.
        self.importance = 1 / np.sqrt(np.maximum(np.diff(quoted.start), 1))[self.at]

    def start(self) -> Array:
        """Parameters of `_slices_alone`: the vol at the money and usual wings."""
        point = np.empty((len(self.quoted.year_fraction), 3))
        point[:, 0] = np.arctanh(USUAL_RHO / STEEPEST)
        theta = _at_the_money(self.quoted) ** 2 * self.quoted.year_fraction
        point[:, 1] = np.log(theta)
        point[:, 2] = _logit(USUAL_ETA * np.sqrt(theta) / butterfly_limit(theta, np.full_like(theta, USUAL_RHO)))
        return point

    def alone(self, point: Array) -> tuple[Array, Array, Array]:
        """Of each expiration the misfit, its gradient and Hessian by the parameters of `_slices_alone`."""
        slices = [np.stack(_slices_alone(point + step), axis=-1) for step in (np.zeros(3), *(STEP * np.eye(3)))]
        chain = np.stack([(moved - slices[0]) / STEP for moved in slices[1:]], axis=1)
        cost, gradient, hessian = self.of_slices(*slices[0].T)
        off = point - self.start()
        off[:, 1] = 0.0
        pull = ALONE**2 * np.diag([1.0, 0.0, 1.0])
        gradient = np.einsum("npi,ni->np", chain, gradient) + ALONE**2 * off
        hessian = np.einsum("npi,nij,nqj->npq", chain, hessian, chain) + pull
        return cost + ALONE**2 * (off**2).sum(axis=1) / 2, gradient, hessian

    def together(self, point: Array, knots: Array) -> tuple[Array, Array, Array]:
        """Misfit and pull of all, with gradient and Hessian by the parameters of `_expanded`: one problem."""
        size = point.size
        steps = np.vstack([np.zeros(size), STEP * np.eye(size)])
        theta, rho, psi = slices_of(_expanded(point + steps, knots))
        stacked = np.stack([theta, rho, psi], axis=-1)
        chain = (stacked[1:] - stacked[0]) / STEP
        cost, gradient, hessian = self.of_slices(theta[0], rho[0], psi[0])
        bent = np.einsum("pni,nij->pnj", chain, hessian).reshape(size, -1) @ chain.reshape(size, -1).T
        pull = self._pull(theta, rho, psi)
        slope = (pull[1:] - pull[0]) / STEP
        total = np.einsum("pni,ni->p", chain, gradient) + slope @ pull[0]
        return np.array([cost.sum() + pull[0] @ pull[0] / 2]), total[None], (bent + slope @ slope.T)[None]

    def of_slices(self, theta: Array, rho: Array, psi: Array) -> tuple[Array, Array, Array]:
        """Misfits, gradients (expirations, 3) and Gauss-Newton Hessians (expirations, 3, 3) by (theta, rho, psi)."""
        t, r, s, y = theta[self.at], rho[self.at], psi[self.at], self.y
        root = np.maximum(np.sqrt((s * y) ** 2 + 2 * s * y * t * r + t * t), TINY)
        vol = np.sqrt(np.maximum(t + r * s * y + root, TINY) / (2 * self.years))
        off = (vol - self.quoted.vol) / self.error
        size = np.abs(off)
        weight = self.importance * np.minimum(1.0, HUBER / np.maximum(size, HUBER))
        cost = self._sums(self.importance * np.where(size < HUBER, size**2 / 2, HUBER * (size - HUBER / 2)))
        by = np.stack([1 + (s * y * r + t) / root, s * y * (1 + t / root), r * y + (s * y + t * r) * y / root])
        by = by / (4 * self.years * vol * self.error)
        return cost, self._sums(weight * off * by), self._sums((weight * by)[:, None] * by[None])

    def _pull(self, theta: Array, rho: Array, psi: Array) -> Array:
        """Weak beliefs as residuals: neighbours are alike in rho and ``psi / sqrt(theta)``, vols grow slowly."""
        eta = psi / np.sqrt(theta)
        level = np.log(theta / self.quoted.year_fraction)
        parts = [ALONE * (rho - USUAL_RHO), ALONE * (eta - USUAL_ETA)]
        parts += [TOGETHER * np.diff(values, axis=1) for values in (rho, eta, level)]
        return np.concatenate(parts, axis=1)

    def _sums(self, values: Array) -> Array:
        """Sums over the quotes of each expiration, which becomes the first axis."""
        return np.moveaxis(np.add.reduceat(values, self.quoted.start[:-1], axis=-1), -1, 0)


def _slices_alone(point: Array) -> tuple[Array, Array, Array]:
    """Theta, rho and psi of parameters (expirations, 3) that know butterflies only.

    They are ``atanh rho``, ``log theta`` and the logit of psi over its limit.
    """
    rho, theta = STEEPEST * np.tanh(point[:, 0]), np.exp(point[:, 1])
    return theta, rho, butterfly_limit(theta, rho) / (1 + np.exp(-point[:, 2]))


def _knots(year_fraction: Array) -> Array:
    """The hat functions of log time between knots, shape (expirations, knots)."""
    at = np.log(year_fraction)
    knots = np.unique(np.quantile(at, np.linspace(0, 1, min(KNOTS, len(at)))))
    return np.stack([np.interp(at, knots, unit) for unit in np.eye(len(knots))], axis=1)


def _expanded(points: Array, knots: Array) -> Array:
    """Parameters of `slices_of` from those at the knots, then ``log a`` and the logits of c: (sets, all three)."""
    count, first = knots.shape
    rest = points[:, first:].reshape(len(points), 2, count)
    return np.stack([points[:, :first] @ knots.T, rest[:, 0], rest[:, 1]], axis=-1)


def _joined(theta: Array, rho: Array, psi: Array, knots: Array) -> Array:
    """Parameters of `_expanded` near slices that were fitted alone."""
    at_knots = np.linalg.lstsq(knots, np.arctanh(rho / STEEPEST), rcond=None)[0]
    rho = STEEPEST * np.tanh(knots @ at_knots)
    increment, share = np.empty_like(theta), np.empty_like(theta)
    before = (0.0, 0.0, float(rho[0]))
    for i, limit in enumerate(butterfly_limit(theta, rho)):
        t, s, r = before
        pace = max((1 + r) / (1 + rho[i]), (1 - r) / (1 - rho[i]))
        increment[i] = max(theta[i] - t * pace, LEAST_GROWTH * theta[i])
        t_now = t * pace + increment[i]
        low, high = s * pace, min(limit, s * t_now / t) if i else limit
        share[i] = (psi[i] - low) / max(high - low, TINY)
        before = (t_now, low + float(np.clip(share[i], 0.05, 0.95)) * max(high - low, 0.0), float(rho[i]))
    return np.concatenate([at_knots, np.log(increment), _logit(share)])


def _logit(share: Array) -> Array:
    share = np.clip(share, 0.05, 0.95)
    return np.log(share / (1 - share))


def _at_the_money(quoted: Quoted) -> Array:
    """The vol of the strikes nearest the forward, in each expiration."""
    vols = np.empty(len(quoted.year_fraction))
    for i in range(len(vols)):
        rows = quoted.of(i)
        near = np.argsort(np.abs(quoted.k[rows] - 1), kind="stable")[:4]
        vols[i] = np.median(quoted.vol[rows][near])
    return vols
