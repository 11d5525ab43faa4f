import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing.surface.robust import (
    levels,
    slopes,
    weighted_means,
    weights_about_levels,
    weights_about_lines,
)

LEAST = 1e-9


def lines_of(x, y, noise, groups, count, least=LEAST):
    weights = weights_about_lines(x, y, noise, least, groups, count)
    return weights, slopes(x, y, weights, noise, least, groups, count)


def points(count, size, slope, seed=1):
    """`count` groups of `size` points about lines through the origin, with errors of very different sizes."""
    random = np.random.default_rng(seed)
    x, groups = np.tile(np.linspace(-1, 1, size), count), np.repeat(np.arange(count), size)
    noise = np.tile(0.1 * np.exp(0.7 * random.normal(size=size)), count)
    return x, slope * x + noise * random.normal(size=x.size), noise, groups


def test_exact_lines_come_back_group_by_group():
    x, groups = np.tile(np.arange(10.0), 3), np.repeat([0, 1, 3], 10)
    _, found = lines_of(x, 2 + (groups - 1.5) * x, np.ones(30), groups, 4)
    np.testing.assert_allclose(found.value, [-1.5, -0.5, np.nan, 1.5], rtol=1e-12)
    assert (found.error[[0, 1, 3]] < 1e-8).all() and np.isnan(found.error[2])


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.integers(0, 2**31))
def test_a_line_is_deaf_to_a_fifth_of_its_points(wrong, seed):
    random = np.random.default_rng(seed)
    x, y, noise, groups = points(1, 60, -0.9, seed)
    y[random.choice(60, 12, replace=False)] += wrong
    _, found = lines_of(x, y, noise, groups, 1)
    assert found.value[0] == pytest.approx(-0.9, abs=1.0)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6))
def test_a_level_is_deaf_to_two_fifths_of_its_points(wrong):
    values = np.r_[np.full(16, 5.0 + wrong), 5 + 0.01 * np.sin(np.arange(24.0))]
    noise, groups = np.ones(40), np.zeros(40, dtype=int)
    weights = weights_about_levels(values, noise, LEAST, groups, 1)
    # Those that are a few deviations off still count a little.
    assert levels(values, weights, noise, LEAST, groups, 1).value[0] == pytest.approx(5, abs=0.03)


def test_quotes_that_are_wide_count_for_little():
    """The slope errs as little as theory allows, and less than that of least squares without weights."""
    x, y, noise, groups = points(800, 60, 0.3)
    _, found = lines_of(x, y, noise, groups, 800)
    plain = slopes(x, y, np.ones(x.size), noise, LEAST, groups, 800)
    precision = noise[:60] ** -2
    best = 1 / np.sqrt((precision * (x[:60] - np.average(x[:60], weights=precision)) ** 2).sum())
    assert found.value.std() == pytest.approx(best, rel=0.12)
    assert plain.value.std() > 1.4 * best


@pytest.mark.parametrize("alike", [0.0, 0.8])
def test_errors_hold_and_do_not_fail_where_neighbours_err_alike(alike):
    count, size = 400, 64
    random = np.random.default_rng(3)
    x, groups = np.tile(np.linspace(-1, 1, size), count), np.repeat(np.arange(count), size)
    errors = random.normal(size=(count, size))
    for i in range(1, size):
        errors[:, i] = alike * errors[:, i - 1] + np.sqrt(1 - alike**2) * errors[:, i]
    y, noise = 0.5 * x + 0.2 * errors.ravel(), np.full(x.size, 0.5)
    weights, slope = lines_of(x, y, noise, groups, count)
    level = levels(y - 0.5 * x, weights, noise, LEAST, groups, count)
    for found, truth in ((slope, 0.5), (level, 0.0)):
        within = (np.abs(found.value - truth) <= 2 * found.error).mean()
        assert within > (0.94 if alike == 0 else 0.7)
        assert found.value.std() / np.sqrt((found.error**2).mean()) < (1.05 if alike == 0 else 1.7)


def test_no_error_is_smaller_than_the_least_noise_makes_it():
    x, groups = np.tile(np.arange(16.0), 2), np.repeat([0, 1], 16)
    weights, slope = lines_of(x, 3 - x, np.ones(32), groups, 2, least=0.1)
    level = levels(3 + 0 * x, weights, np.ones(32), 0.1, groups, 2)
    np.testing.assert_allclose(slope.error, 0.1 / np.sqrt(((np.arange(16) - 7.5) ** 2).sum()), rtol=1e-9)
    np.testing.assert_allclose(level.error, 0.1 / 4, rtol=1e-9)


def test_of_few_points_the_error_is_that_of_their_noise():
    x, y, groups = np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.0, -1.0]), np.zeros(3, dtype=int)
    noise = np.array([0.3, 0.3, 0.3])
    _, slope = lines_of(x, y, noise, groups, 1)
    assert slope.value[0] == pytest.approx(-1) and slope.error[0] == pytest.approx(0.3 / np.sqrt(2))
    alone = levels(y[:1], np.ones(1), noise[:1], LEAST, groups[:1], 1)
    assert (alone.value[0], alone.error[0]) == pytest.approx((1.0, 0.3))


def test_one_point_has_no_slope_and_none_has_nothing():
    one = np.array([1.0])
    _, slope = lines_of(one, one, one, np.zeros(1, dtype=int), 2)
    assert np.isnan(slope.value).all()
    nothing = np.zeros(0)
    _, slope = lines_of(nothing, nothing, nothing, np.zeros(0, dtype=int), 2)
    assert np.isnan(slope.value).all() and np.isnan(slope.error).all()


def test_values_that_are_not_known_have_no_weight():
    values, weights, groups = np.array([1.0, np.nan, 3.0]), np.array([1.0, 5.0, 3.0]), np.zeros(3, dtype=int)
    assert weighted_means(values, weights, groups, 2).tolist() == pytest.approx([2.5, np.nan], nan_ok=True)
    assert weights_about_levels(values, np.ones(3), 1.0, groups, 1)[1] == 0
