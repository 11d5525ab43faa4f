"""Levenberg-Marquardt for one problem, and for many small ones at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

START_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-9, 1e6
EASE, HARDEN = 5.0, 8.0
LONGEST_STEP, TINY = 1.0, 1e-12


def minimise_each(
    misfit: Callable[[Array], tuple[Array, Array, Array]], start: Array, *, rounds: int, settled: float = 1e-7
) -> Array:
    """Minimise many sums of squares, each in parameters of its own.

    Parameters
    ----------
    misfit : callable
        Of parameters (problems, parameters) gives half the sums of squares (problems,), their gradients
        (problems, parameters) and Gauss-Newton Hessians (problems, parameters, parameters).
    start : ndarray of shape (problems, parameters)
        No parameter moves by more than 1 a round.
    rounds : int
        The most evaluations after the first.
    settled : float
        It ends when no problem gains a greater share of its misfit.

    Returns
    -------
    ndarray of shape (problems, parameters)
        Never worse than `start`.
    """
    point, damping = start.copy(), np.full(len(start), START_DAMPING)
    state = misfit(point)
    for _ in range(rounds):
        cost, gradient, hessian = state
        diagonal = np.einsum("nii->ni", hessian)
        damped = hessian + np.eye(point.shape[1]) * (damping[:, None] * diagonal + TINY)[:, None, :]
        step = -np.linalg.solve(damped, gradient[..., None])[..., 0]
        proposed = point + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        new = misfit(proposed)
        better = new[0] < cost
        gain = np.where(better, (cost - new[0]) / np.maximum(cost, TINY), 0.0)
        point[better] = proposed[better]
        for old, fresh in zip(state, new, strict=True):
            old[better] = fresh[better]
        damping = np.where(better, np.maximum(damping / EASE, LEAST_DAMPING), damping * HARDEN)
        moving = (better & (gain > settled)) | (~better & (damping < MOST_DAMPING))
        if not moving.any():
            break
        damping = np.minimum(damping, MOST_DAMPING)
    return point
