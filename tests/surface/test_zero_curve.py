import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.surface.zero_curve import ZeroCurve

FLAT = ZeroCurve.flat(0.9)
# Percent, US Treasury, 2025-07-11.
PAR = {
    1 / 12: 4.37,
    2 / 12: 4.47,
    3 / 12: 4.41,
    4 / 12: 4.42,
    0.5: 4.31,
    1: 4.09,
    2: 3.90,
    3: 3.86,
    5: 3.99,
    7: 4.19,
    10: 4.43,
    20: 4.96,
    30: 4.96,
}


def test_log_discount_is_linear_between_expirations():
    years = np.array([0.25, 0.5, 1.0])
    curve = ZeroCurve.from_options(years, np.exp([-0.01, -0.022, -0.047]), FLAT)
    np.testing.assert_allclose(-np.log(curve.discount_factor([0.0, 0.125, 0.375, 0.75])), [0.0, 0.005, 0.016, 0.0345])


def test_past_the_last_expiration_its_zero_rate_goes_on():
    curve = ZeroCurve.from_options([0.5, 1.0], np.exp([-0.02, -0.05]), FLAT)
    assert -np.log(curve.discount_factor(3.0)) == pytest.approx(0.15)


def test_noisy_days_are_left_to_the_first_month():
    curve = ZeroCurve.from_options([0.003, 0.02, 0.25], [1.0004, 0.99, np.exp(-0.01)], FLAT)
    assert -np.log(curve.discount_factor(0.02)) == pytest.approx(0.04 * 0.02)


def test_days_alone_give_one_rate():
    years = np.array([0.01, 0.03, 0.05])
    curve = ZeroCurve.from_options(years, np.exp(-0.04 * years), FLAT)
    assert -np.log(curve.discount_factor(1.0)) == pytest.approx(0.04)


def test_two_roots_of_one_expiration_are_averaged():
    curve = ZeroCurve.from_options([0.4990, 0.5, 1.0], np.exp([-0.019, -0.021, -0.04]), FLAT)
    assert -np.log(curve.discount_factor(0.4995)) == pytest.approx(0.02)


def test_without_any_expiration_the_given_rate_holds():
    assert ZeroCurve.from_options([], [], ZeroCurve.flat(0.04)).discount_factor(0.5) == pytest.approx(np.exp(-0.02))
    assert ZeroCurve.from_options([np.nan, 0.5], [0.9, np.nan], ZeroCurve.flat(0.04)).discount_factor(
        0.5
    ) == pytest.approx(np.exp(-0.02))


def test_one_absurd_rate_is_left_out():
    curve = ZeroCurve.from_options([0.2, 0.5, 1.0, 2.0], np.exp([0.01, -0.02, -0.04, -0.08]), FLAT)
    assert -np.log(curve.discount_factor(0.2)) == pytest.approx(0.008)


def treasuries(par):
    return ZeroCurve.from_par_yields(list(par), np.array(list(par.values())) / 100)


def test_treasury_par_yields_give_the_curve_of_quantlib():
    """QuantLib 1.44: PiecewiseLogLinearDiscount of deposits under a year and par bonds after it, all 30/360."""
    years = np.array([1, 3, 4, 6, 9, 12, 18, 24, 48, 120, 180, 360]) / 12
    expected = [
        *(0.9963715469498571, 0.9890952251428007, 0.9854805860322262, 0.978904605746165, 0.9695790825081884),
        *(0.9603423987578917, 0.9428857184248369, 0.9257463579233803, 0.8554107563066736, 0.6412972184877115),
        *(0.48059184790020987, 0.2206536462878139),
    ]
    np.testing.assert_allclose(treasuries(PAR).discount_factor(years), expected, rtol=0, atol=1e-10)


def test_two_yields_are_a_curve_and_coupons_between_them_lie_on_it():
    """QuantLib 1.44, as above."""
    expected = [0.9967791924476511, 0.9903686647354478, 0.9797242644181027, 0.9587774495634367, 0.9182177932830773]
    curve = treasuries({0.25: 3.89, 2: 4.31})
    np.testing.assert_allclose(curve.discount_factor([1 / 12, 0.25, 0.5, 1, 2]), expected, rtol=0, atol=1e-10)


def test_a_bill_over_half_a_year_bears_interest_twice():
    assert treasuries({0.75: 4.0}).discount_factor(0.75) == pytest.approx(1 / (1.02 * 1.01), rel=1e-14)


@given(st.lists(st.floats(-2, 15), min_size=4, max_size=4))
def test_par_bonds_are_worth_par(percent):
    curve = treasuries(dict(zip((0.25, 1, 2.5, 4), percent, strict=True)))
    for maturity, coupon in ((1, percent[1]), (2.5, percent[2]), (4, percent[3])):
        discount = curve.discount_factor(np.arange(0.5, maturity + 0.1, 0.5))
        assert coupon / 200 * discount.sum() + discount[-1] == pytest.approx(1, abs=1e-12)


def test_yields_come_in_any_order_and_blanks_are_left_out():
    curve = ZeroCurve.from_par_yields([2, 1, 0.125, 0.25], [0.0431, 0.04, np.nan, 0.0389])
    expected = ZeroCurve.from_par_yields([0.25, 1, 2], [0.0389, 0.04, 0.0431])
    np.testing.assert_array_equal(curve.discount_factor([0.1, 0.7, 1.7]), expected.discount_factor([0.1, 0.7, 1.7]))


@pytest.mark.parametrize(
    ("years", "yields", "why"),
    [
        ([1, 2], [np.nan, np.nan], "no par yield"),
        ([0, 2], [0.04, 0.04], "must be positive"),
        ([2, 2], [0.04, 0.04], "none given twice"),
        ([1.25], [0.04], "whole half-years"),
        ([0.25], [-1.5], "above -1"),
        ([1, 2], [-0.9, 0.9], "no curve"),
    ],
)
def test_yields_that_make_no_curve_are_refused(years, yields, why):
    with pytest.raises(ValueError, match=why):
        ZeroCurve.from_par_yields(years, yields)


@pytest.mark.parametrize(("years", "owed"), [([], []), ([1, 1], [0.1, 0.2]), ([0, 1], [0, 0.1]), ([1], [np.nan])])
def test_nodes_ascend_from_above_zero(years, owed):
    with pytest.raises(ValueError, match="ascending"):
        ZeroCurve(years, owed)
