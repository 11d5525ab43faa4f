import numpy as np
import pytest

from options_pricing.surface.zero_curve import ZeroCurve


def test_log_discount_is_linear_between_expirations():
    years = np.array([0.25, 0.5, 1.0])
    curve = ZeroCurve(years, np.exp([-0.01, -0.022, -0.047]), 0.9)
    np.testing.assert_allclose(-np.log(curve.discount_factor([0.0, 0.125, 0.375, 0.75])), [0.0, 0.005, 0.016, 0.0345])


def test_past_the_last_expiration_its_zero_rate_goes_on():
    curve = ZeroCurve([0.5, 1.0], np.exp([-0.02, -0.05]), 0.9)
    assert -np.log(curve.discount_factor(3.0)) == pytest.approx(0.15)


def test_noisy_days_are_left_to_the_first_month():
    curve = ZeroCurve([0.003, 0.02, 0.25], [1.0004, 0.99, np.exp(-0.01)], 0.9)
    assert -np.log(curve.discount_factor(0.02)) == pytest.approx(0.04 * 0.02)


def test_days_alone_give_one_rate():
    years = np.array([0.01, 0.03, 0.05])
    curve = ZeroCurve(years, np.exp(-0.04 * years), 0.9)
    assert -np.log(curve.discount_factor(1.0)) == pytest.approx(0.04)


def test_two_roots_of_one_expiration_are_averaged():
    curve = ZeroCurve([0.4990, 0.5, 1.0], np.exp([-0.019, -0.021, -0.04]), 0.9)
    assert -np.log(curve.discount_factor(0.4995)) == pytest.approx(0.02)


def test_without_any_expiration_the_given_rate_holds():
    assert ZeroCurve([], [], 0.04).discount_factor(0.5) == pytest.approx(np.exp(-0.02))
    assert ZeroCurve([np.nan, 0.5], [0.9, np.nan], 0.04).discount_factor(0.5) == pytest.approx(np.exp(-0.02))


def test_one_absurd_rate_is_left_out():
    curve = ZeroCurve([0.2, 0.5, 1.0, 2.0], np.exp([0.01, -0.02, -0.04, -0.08]), 0.9)
    assert -np.log(curve.discount_factor(0.2)) == pytest.approx(0.008)
