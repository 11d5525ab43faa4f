"""Curves through nodes: exact there, convex everywhere, powers beyond, and the greatest of several."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing.pricing.black import black_price
from options_pricing.surface.convex import curve_through, greatest, least_later, slope_changes


def black_nodes(deviation, nodes=60, reach=5.0):
    k = np.exp(np.linspace(-reach, reach, nodes) * deviation)
    k = np.sort(np.append(k[np.abs(k - 1) > 1e-9], 1.0))
    return k, black_price(1.0, k, 1.0, 1.0, deviation, k >= 1)


def calls(curve, k):
    return curve.at(k) + np.maximum(1 - k, 0)


def test_it_goes_through_its_nodes_and_close_to_black_between():
    k, price = black_nodes(0.2)
    curve = curve_through(k, price)
    np.testing.assert_allclose(curve.at(k), price, rtol=1e-12)
    between = np.linspace(0.5, 2, 1001)
    np.testing.assert_allclose(curve.at(between), black_price(1, between, 1, 1, 0.2, between >= 1), atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_it_is_convex_and_falls(seed):
    random = np.random.default_rng(seed)
    k, price = black_nodes(random.uniform(0.02, 0.6), nodes=int(random.integers(6, 30)))
    jumps = slope_changes(k, price)
    assert jumps.min() > 0
    curve = curve_through(k, price)
    asked = np.sort(np.append(np.exp(random.uniform(np.log(k[0]) - 1, np.log(k[-1]) + 1, 3000)), 1.0))
    c = calls(curve, asked)
    share = (asked[1:-1] - asked[:-2]) / (asked[2:] - asked[:-2])
    assert (c[1:-1] - (1 - share) * c[:-2] - share * c[2:]).max() < 1e-15
    assert np.diff(c).max() < 1e-15 and (np.diff(c) + np.diff(asked)).min() > -1e-15


def test_beyond_its_nodes_it_is_a_power_and_never_negative():
    k, price = black_nodes(0.2, reach=2.0)
    curve = curve_through(k, price)
    far = np.array([1e-6, 1e-3, 0.1, 5.0, 1e3, 1e6])
    assert (curve.at(far) > 0).all()
    low, high = curve.at(np.array([0.1, 0.2])), curve.at(np.array([5.0, 10.0]))
    assert np.log(low[1] / low[0]) / np.log(2) == pytest.approx(curve.powers[0])
    assert np.log(high[0] / high[1]) / np.log(2) == pytest.approx(curve.powers[1])


def test_a_node_above_the_chord_of_others_is_left_out():
    k, price = black_nodes(0.2)
    dented = price.copy()
    dented[20] += 1e-3
    curve = curve_through(k, dented)
    assert k[20] not in curve.k and 1.0 in curve.k
    assert slope_changes(curve.k, curve.value).min() >= 0


def test_straight_lines_stay_straight():
    k = np.array([0.8, 0.9, 1.0, 1.1, 1.2])
    price = np.array([0.01, 0.02, 0.03, 0.02, 0.01])  # the call's slope is -0.9, then -0.1
    curve = curve_through(k, price)
    assert curve.at(np.array([0.95]))[0] == pytest.approx(0.025, abs=1e-12)


def test_the_greatest_is_of_own_and_earlier_ones():
    curves = [curve_through(*black_nodes(s)) for s in (0.1, 0.2, 0.15)]
    k, number = np.array([0.9, 1.0, 1.1, 1.0]), np.array([2, 2, 0, 1])
    wanted = [curves[1].at(k[[0]])[0], curves[1].at(k[[1]])[0], curves[0].at(k[[2]])[0], curves[1].at(k[[3]])[0]]
    np.testing.assert_array_equal(greatest(curves, number, k), wanted)
    after = least_later(curves, number, k)
    np.testing.assert_array_equal(after[:2], np.inf)
    np.testing.assert_array_equal(after[2:], [curves[2].at(k[[2]])[0], curves[2].at(k[[3]])[0]])
