r"""eSSVI: three numbers an expiration, free of butterfly and calendar arbitrage by construction.

Total variance at ``y = log(K / F)`` (Gatheral and Jacquier 2014; Hendriks and Martini 2019):

.. math:: w(y) = \tfrac12 \left(\theta + \rho \psi y + \sqrt{(\psi y + \theta\rho)^2 + \theta^2 (1 - \rho^2)}\right)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.surface.quoted import Quoted

Array = NDArray[np.float64]

# What the three numbers cannot follow, as a share of the vol: without it the tightest quotes alone would count.
MODEL_ERROR = 0.02
HUBER = 1.5
STEEPEST = 0.995
USUAL_RHO, USUAL_ETA = -0.5, 1.0
TOGETHER, ALONE = 0.2, 0.02
ROUNDS, SLICE_ROUNDS = 40, 25
TINY = 1e-12
STEP = 1e-6


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
    the neighbours decides what an expiration of few quotes leaves open.

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
    point = _start(problem)
    damping, (cost, gradient, hessian) = 1e-3, problem.of_parameters(point)
    for _ in range(ROUNDS):
        scale = np.diag(hessian) + TINY
        step = -np.linalg.solve(hessian + damping * np.diag(scale), gradient)
        proposed = point + np.clip(step, -1, 1).reshape(point.shape)
        new = problem.of_parameters(proposed)
        if not new[0] < cost:
            damping *= 8
            if damping > 1e6:
                break
            continue
        settled = cost - new[0] < 1e-4 * cost
        point, (cost, gradient, hessian), damping = proposed, new, max(damping / 5, 1e-9)
        if settled:
            break
    theta, rho, psi = slices_of(point[None])
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
    """The weighted misfit of the quotes, and its derivatives by the parameters of the slices."""

    def __init__(self, quoted: Quoted) -> None:
        self.quoted = quoted
        self.y, self.years = np.log(quoted.k), quoted.years
        self.at = quoted.expiration
        self.count = len(quoted.year_fraction)
        self.error = np.hypot(quoted.vol_error, MODEL_ERROR * quoted.vol)
        # An expiration of hundreds of quotes is not known that many times better.
        self.importance = 1 / np.sqrt(np.maximum(np.diff(quoted.start), 1))[self.at]

    def of_slices(self, theta: Array, rho: Array, psi: Array) -> tuple[float, Array, Array]:
        """Misfit, its gradient (expirations, 3) and Gauss-Newton Hessian (expirations, 3, 3) by (theta, rho, psi)."""
        t, r, s, y = theta[self.at], rho[self.at], psi[self.at], self.y
        root = np.sqrt((s * y) ** 2 + 2 * s * y * t * r + t * t)
        root = np.maximum(root, TINY)
        vol = np.sqrt(np.maximum(t + r * s * y + root, TINY) / (2 * self.years))
        off = (vol - self.quoted.vol) / self.error
        size = np.abs(off)
        weight = self.importance * np.minimum(1.0, HUBER / np.maximum(size, HUBER))
        cost = float((self.importance * np.where(size < HUBER, size**2 / 2, HUBER * (size - HUBER / 2))).sum())
        by = np.stack([1 + (s * y * r + t) / root, s * y * (1 + t / root), r * y + (s * y + t * r) * y / root])
        by = by / (4 * self.years * vol * self.error)
        gradient = self._sums(weight * off * by)
        hessian = self._sums((weight * by)[:, None] * by[None])
        return cost, gradient, hessian

    def of_parameters(self, point: Array) -> tuple[float, Array, Array]:
        """Misfit and pull, gradient and Hessian by the parameters of `slices_of`, flattened."""
        size = point.size
        steps = np.vstack([np.zeros(size), STEP * np.eye(size)]).reshape(size + 1, *point.shape)
        theta, rho, psi = slices_of(point + steps)
        stacked = np.stack([theta, rho, psi], axis=-1)
        chain = (stacked[1:] - stacked[0]) / STEP
        cost, gradient, hessian = self.of_slices(theta[0], rho[0], psi[0])
        total = np.einsum("pni,ni->p", chain, gradient)
        bent = np.einsum("pni,nij->pnj", chain, hessian).reshape(size, -1) @ chain.reshape(size, -1).T
        pull = self._pull(theta, rho, psi)
        slope = (pull[1:] - pull[0]) / STEP
        return cost + float(pull[0] @ pull[0]) / 2, total + slope @ pull[0], bent + slope @ slope.T

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


def _start(problem: _Problem) -> Array:
    """Parameters of slices with one rho, the vols at the money in order, and wings as each has them alone."""
    quoted = problem.quoted
    theta = np.maximum.accumulate(_at_the_money(quoted) ** 2 * quoted.year_fraction)
    theta = theta * (1 + 1e-3 * np.arange(len(theta)))
    rho, eta = np.full_like(theta, USUAL_RHO), USUAL_ETA
    psi = np.minimum(eta * np.sqrt(theta), 0.9 * butterfly_limit(theta, rho))
    increments = np.diff(theta, prepend=0.0)
    point = np.empty((len(theta), 3))
    point[:, 0] = np.arctanh(rho / STEEPEST)
    point[:, 1] = np.log(np.maximum(increments, 1e-4 * theta))
    point[:, 2] = 0.0
    low, high = psi[:-1], psi[:-1] * theta[1:] / theta[:-1]
    point[1:, 2] = _logit((psi[1:] - low) / np.maximum(high - low, TINY))
    point[0, 2] = _logit(psi[0] / butterfly_limit(theta, rho)[0])
    return point


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
