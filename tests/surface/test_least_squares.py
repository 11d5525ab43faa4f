"""Many small least-squares problems at once."""

import numpy as np

from options_pricing.surface.least_squares import minimise_each


def rosenbrock(points):
    """Residuals ``10 (y - x^2), a - x`` with a = 1, 2, 3; minimum at (a, a^2)."""
    x, y = points.T
    a = np.arange(1.0, 4.0)
    off = np.stack([10 * (y - x**2), a - x], axis=1)
    by = np.zeros((3, 2, 2))
    by[:, 0, 0], by[:, 0, 1], by[:, 1, 0] = -20 * x, 10, -1
    return (off**2).sum(axis=1) / 2, np.einsum("nrp,nr->np", by, off), np.einsum("nrp,nrq->npq", by, by)


def test_each_reaches_its_own_minimum():
    found = minimise_each(rosenbrock, np.full((3, 2), -1.0), rounds=200)
    np.testing.assert_allclose(found, [[1, 1], [2, 4], [3, 9]], atol=1e-3)


def test_it_never_gets_worse_and_leaves_the_start_alone():
    start = np.array([[1.0, 1.0], [2.0, 4.0], [0.0, 5.0]])
    kept = start.copy()
    found = minimise_each(rosenbrock, start, rounds=3)
    np.testing.assert_array_equal(start, kept)
    np.testing.assert_allclose(found[:2], start[:2], atol=1e-6)
    assert (rosenbrock(found)[0] <= rosenbrock(start)[0]).all()
