"""Functions without branches against those of NumPy and SciPy."""

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import erfcx, ndtr

from options_pricing.pricing.exercise_lanes import (
    EVEN_MILLS,
    MIDDLE,
    ODD_MILLS,
    exponential,
    logarithm,
    mills_ratio,
    normal_density,
)


def values(function, points):
    return np.array([function(float(x)) for x in points])


def test_exponential():
    points = np.concatenate([np.linspace(-708, 708, 4001), np.linspace(-1, 1, 2001)])
    np.testing.assert_allclose(values(exponential, points), np.exp(points), rtol=5e-16)
    assert exponential(-1e9) < 1e-307 and np.isnan(exponential(np.nan))


def test_logarithm():
    points = np.concatenate([np.geomspace(1e-290, 1e290, 4001), np.linspace(0.5, 2, 2001)])
    np.testing.assert_allclose(values(logarithm, points), np.log(points), rtol=4e-16, atol=4e-16)


def test_normal_tails():
    points = np.concatenate([np.linspace(0, 37, 3001), np.geomspace(1e-6, 1, 200)])
    tails = values(mills_ratio, points) * values(normal_density, points)
    np.testing.assert_allclose(tails, ndtr(-points), rtol=2e-12)


def test_the_coefficients_of_mills_ratio_are_those_of_its_chebyshev_nodes():
    nodes = np.cos((np.arange(17) + 0.5) * np.pi / 17)
    x = MIDDLE * (1 + nodes) / (1 - nodes)
    values = erfcx(x / np.sqrt(2)) * np.sqrt(np.pi / 2) * (x + MIDDLE)
    highest_first = chebyshev.cheb2poly(chebyshev.chebfit(nodes, values, 16))[::-1]
    np.testing.assert_allclose(EVEN_MILLS, highest_first[::2], rtol=1e-7, atol=1e-14)
    np.testing.assert_allclose(ODD_MILLS, highest_first[1::2], rtol=1e-7, atol=1e-14)
