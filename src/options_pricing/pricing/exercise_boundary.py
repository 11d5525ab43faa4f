r"""Where American puts are exercised, and what the right to do so early is worth (Andersen, Lake, Offengenden 2016)."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from options_pricing.pricing.exercise_lanes import INNER_POINTS, LANES, NODES, fill_premia

Array = NDArray[np.float64]

PREMIUM_POINTS = 18


class Grid(NamedTuple):
    """Points of time as shares of an interval, by their square roots; the last axis of `weights` runs over the nodes.

    `roots` (nodes + 1) are the collocation points; `sines` and `steps` the points of a quadrature in elapsed time
    ``w = T sin(a)^2`` with ``dw = 2 T sin(a) step``; `weights` interpolate from the nodes to the time that is left
    then: of each node's interval (nodes, points, nodes + 1), or of the whole one (points, nodes + 1).
    """

    roots: Array
    sines: Array
    steps: Array
    weights: Array


@cache
def boundary_grid() -> Grid:
    """For the integrals in the equations of the boundary."""
    roots = (1 - np.cos(np.pi * np.arange(NODES + 1) / NODES)) / 2
    angles, steps = _angles(INNER_POINTS, 1)
    weights = np.array([_interpolation(roots, root * np.cos(angles)) for root in roots[1:]])
    return Grid(roots, np.sin(angles), steps, weights)


@cache
def premium_grid(points: int = PREMIUM_POINTS, crowding: int = 1) -> Grid:
    """For the integral of the premium; `crowding` of 2 puts more points to the present."""
    roots = boundary_grid().roots
    angles, steps = _angles(points, crowding)
    return Grid(roots, np.sin(angles), steps, _interpolation(roots, np.cos(angles)))


def _angles(points: int, crowding: int) -> tuple[Array, Array]:
    """Gauss-Legendre in the angle, where ``sqrt(w)`` and ``sqrt(T - w)``, and with them the boundary, are smooth."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    shares = (1 + nodes) / 2
    angles = np.pi / 2 * shares**crowding
    return angles, np.pi / 4 * weights * crowding * shares ** (crowding - 1) * np.cos(angles)


def _interpolation(nodes: Array, points: Array) -> Array:
    """Barycentric weights from Chebyshev points of the second kind to others (Berrut and Trefethen 2004)."""
    signs = (-1.0) ** np.arange(len(nodes))
    signs[[0, -1]] /= 2
    shares = signs / (points[:, None] - nodes)
    return np.ascontiguousarray(shares / shares.sum(axis=1, keepdims=True))


def premia_of_puts(options: Array, matching: NDArray[np.bool_], now: Grid) -> Array:
    r"""Early-exercise premia of puts with ``r > 0``, or ``r = 0 > q``, in units of the strike.

    .. math:: \int_0^T r e^{-r w} N(-d_-(S / B(T - w), w)) - q S e^{-q w} N(-d_+(S / B(T - w), w)) \, dw

    (Kim 1990). ``log(B / min(1, r / q))^2`` is a polynomial in the root of the time left, collocated at Chebyshev
    points. Fixed-point iteration solves system A of Andersen, Lake and Offengenden (from the slope at the boundary),
    its first step by Newton; where `matching`, system B (from the value there), which converges where drift
    outweighs diffusion, when A may not.

    Parameters
    ----------
    options : ndarray
        Of shape (5, n): spot, years, rate, yield and vol; positive spot, years and vol.
    matching : ndarray
        Which are solved by system B.
    now : Grid
        Points of the premium's integral.

    Returns
    -------
    ndarray
        Of shape (4, n): premium, its first and second derivative by the spot, and the log of the boundary B(T), at and
        under which the option is exercised and the rest does not hold.
    """
    found = np.empty((4, options.shape[1]))
    for system in (False, True):
        rows = np.flatnonzero(matching == system)
        if not rows.size:
            continue
        padded = np.concatenate([rows, np.repeat(rows[-1:], -rows.size % LANES)])
        filled = np.empty((4, padded.size))
        fill_premia(np.ascontiguousarray(options[:, padded]), system, *boundary_grid(), *now[1:], filled)
        found[:, rows] = filled[:, : rows.size]
    return found
