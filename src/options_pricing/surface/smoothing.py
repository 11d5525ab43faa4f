"""What quotes say beyond a prior surface: the log of their vols over its, smooth in strike and across expirations."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from options_pricing.surface.essvi import Essvi, essvi_vols
from options_pricing.surface.quoted import Quoted

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

# Chosen on 2026-07-29 and 2026-08-05: ten times more or less of any (three times of the error) changes the share of
# held-out quotes inside bid and ask by at most 0.3 points.
KNOT_GAP = 0.06
# The error of a mid, in half spreads, and where an error begins to count less than its square.
MID_ERROR, HUBER = 0.3, 3.0
ROUGHNESS = 0.03
LEVEL_CHANGE, SLOPE_CHANGE, CURVE_CHANGE = 1.0, 10.0, 30.0
SHRINKAGE, FLATNESS = 0.01, 1.0
LEAST_LOG_TIME = 0.002
ROUNDS = 3
# A quote is doubted that lies this many usual deviations, and this much, from those around it.
AROUND, FAR, LEAST_FAR = 5, 4.0, 0.02
LEAST_ERROR = 1e-5


class Difference(NamedTuple):
    """Cubic B-splines in ``u = asinh(log(K / F) / sqrt(theta))``, one an expiration.

    `first` is where the knots begin, `root_theta` the scale of each expiration, `weights` of shape
    (splines, expirations) what they are multiplied by. Beyond the quotes of all expirations it stays as at the end.
    """

    first: float
    root_theta: Array
    weights: Array

    def at(self, expiration: Numbers, log_moneyness: Array) -> Array:
        """Log of the vol over the prior's, of expirations given by number."""
        u = np.arcsinh(log_moneyness / self.root_theta[expiration])
        place, share = _splines(u, self.first, len(self.weights))
        return sum(share[:, j] * self.weights[place + j, expiration] for j in range(4)) + np.zeros(len(u))


def smooth_difference(quoted: Quoted, prior: Essvi) -> Difference:
    r"""Fit the difference of the quotes to a prior surface, by penalised least squares with Huber's weights.

    Minimised over the weights of the splines, ``r(u, i)`` of expiration i, is

    .. math:: \sum_q (r_q / e_q)^2 + \lambda \int r'''^2 + \sum_i \frac{1}{\Delta_i} \int \left(\mu_0 \delta_i^2
              + \mu_1 \delta_i'^2 + \mu_2 \delta_i''^2\right) + \int \nu_0 r^2 + \nu_1 r'^2

    with :math:`\delta_i` the change from one expiration to the next and :math:`\Delta_i` that of log time: how far
    quotes speak for their neighbours in strike and in time. The last integral is for where there are none. One banded
    Cholesky factorisation a round.

    Parameters
    ----------
    quoted : Quoted
        At least one quote.
    prior : Essvi
        Its expirations are those of `quoted`.

    Returns
    -------
    Difference
        One spline an expiration.
    """
    y = np.log(quoted.k)
    root_theta = np.sqrt(prior.theta)
    u = np.arcsinh(y / root_theta[quoted.expiration])
    first, expirations = float(u.min()), len(root_theta)
    splines = int(np.ceil((u.max() - first) / KNOT_GAP)) + 6
    gap = np.log(quoted.vol / essvi_vols(prior, quoted.years, y))
    error = MID_ERROR * np.maximum(quoted.vol_error / quoted.vol, LEAST_ERROR)
    design = _design(u, first, splines, quoted.expiration, expirations)
    penalty = _penalty(splines, quoted.year_fraction)
    doubt = _doubt(quoted, gap, error)
    trust = doubt
    for _ in range(ROUNDS):
        precision = trust / error**2
        normal = penalty + design.T @ sp.diags(precision) @ design
        weights = _solve(normal, design.T @ (precision * gap), band=3 * expirations)
        off = np.abs(gap - design @ weights) / error * MID_ERROR
        trust = doubt * np.minimum(1.0, HUBER / np.maximum(off, HUBER))
    return Difference(first, root_theta, weights.reshape(splines, expirations))


def _doubt(quoted: Quoted, gap: Array, error: Array) -> Array:
    """Weights under 1 of quotes far from the median of the five around them, which a flexible curve would follow."""
    doubt = np.ones(len(gap))
    for i in range(len(quoted.year_fraction)):
        rows = quoted.of(i)
        if rows.stop - rows.start < AROUND:
            continue
        around = np.lib.stride_tricks.sliding_window_view(gap[rows], AROUND)
        middle = np.median(around, axis=1, keepdims=True)
        usual = FAR * np.median(np.abs(around - middle), axis=1) + LEAST_FAR
        inner = slice(rows.start + AROUND // 2, rows.stop - AROUND // 2)
        usual += FAR * error[inner]
        doubt[inner] = np.minimum(1.0, usual / np.maximum(np.abs(gap[inner] - middle[:, 0]), usual)) ** 2
    return doubt


def _splines(u: Array, first: float, splines: int) -> tuple[Numbers, Array]:
    """The first of the four cubic B-splines that are not zero at each `u`, and their values; constant beyond."""
    steps = np.clip((u - first) / KNOT_GAP, 0.0, splines - 4.0)
    place = np.minimum(steps.astype(np.int64), splines - 4)
    s = steps - place
    share = np.stack([(1 - s) ** 3, 3 * s**3 - 6 * s**2 + 4, -3 * s**3 + 3 * s**2 + 3 * s + 1, s**3], axis=1) / 6
    return place, share


def _design(u: Array, first: float, splines: int, expiration: Numbers, expirations: int) -> sp.csr_matrix:
    place, share = _splines(u, first, splines)
    columns = (place[:, None] + np.arange(4)) * expirations + expiration[:, None]
    ends = np.arange(0, share.size + 1, 4)
    return sp.csr_matrix((share.ravel(), columns.ravel(), ends), shape=(len(u), splines * expirations))


def _penalty(splines: int, year_fraction: Array) -> sp.csr_matrix:
    """The quadratic form of all but the first term, expirations inside splines."""
    level, slope, curve, third = (_roughness(splines, order) for order in range(4))
    each = sp.identity(len(year_fraction))
    near = 1 / (np.diff(np.log(year_fraction)) + LEAST_LOG_TIME)
    step = sp.diags([-np.ones(len(near)), np.ones(len(near))], [0, 1], shape=(len(near), len(year_fraction)))
    along = step.T @ sp.diags(near) @ step
    change = LEVEL_CHANGE * level + SLOPE_CHANGE * slope + CURVE_CHANGE * curve
    return (sp.kron(ROUGHNESS * third + SHRINKAGE * level + FLATNESS * slope, each) + sp.kron(change, along)).tocsr()


def _roughness(splines: int, order: int) -> sp.csr_matrix:
    """About the integral of the squared derivative, from differences of the weights (Eilers and Marx 1996)."""
    difference = sp.identity(splines, format="csr")
    for _ in range(order):
        difference = difference[1:] - difference[:-1]
    return (difference.T @ difference) / KNOT_GAP ** (2 * order - 1)


def _solve(normal: sp.csr_matrix, right: Array, *, band: int) -> Array:
    from scipy.linalg import solveh_banded

    entries = normal.tocoo()
    lower = entries.row >= entries.col
    row, column = entries.row[lower], entries.col[lower]
    banded = np.zeros((band + 1, normal.shape[0]))
    banded[row - column, column] = entries.data[lower]
    return np.asarray(solveh_banded(banded, right, lower=True, overwrite_ab=True, check_finite=False))
