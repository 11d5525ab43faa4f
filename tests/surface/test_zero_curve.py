import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing.surface.zero_curve import ZeroCurve

FLAT = ZeroCurve.flat(0.05)
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


def curve_of(years, rates, errors=1e-7, fallback=FLAT):
    """The curve of zero rates that were seen with these standard errors."""
    years, rates = np.array(years), np.array(rates)
    discount = np.exp(-rates * years)
    return ZeroCurve.from_options(years, discount, errors * discount * years, fallback)


def rate(curve, years):
    return curve.interest(years) / np.asarray(years)


def test_log_discount_is_linear_between_expirations():
    curve = curve_of([0.25, 0.5, 1.0], [0.04, 0.044, 0.047])
    np.testing.assert_allclose(curve.interest([0.0, 0.125, 0.375, 0.75]), [0.0, 0.005, 0.016, 0.0345], atol=1e-8)
    np.testing.assert_allclose(curve.discount_factor([0.5, 1.0]), np.exp([-0.022, -0.047]), rtol=1e-8)


def test_past_the_last_expiration_its_zero_rate_goes_on():
    curve = curve_of([0.5, 1.0], [0.04, 0.05])
    assert rate(curve, 3.0) == pytest.approx(0.05, abs=1e-8)


def test_days_of_noise_are_left_to_the_months_and_precise_days_are_kept():
    noisy = curve_of([0.003, 0.02, 0.25], [-0.13, 0.3, 0.04], np.array([0.4, 0.3, 1e-4]))
    np.testing.assert_allclose(rate(noisy, [0.003, 0.02]), 0.04, atol=0.01)
    exact = curve_of([0.003, 0.02, 0.25], [0.02, 0.03, 0.04])
    np.testing.assert_allclose(rate(exact, [0.003, 0.02]), [0.02, 0.03], atol=1e-6)


def test_two_expirations_meet_where_their_errors_say():
    """By hand: a prior of 0.04 +- 0.02 at the first; the second strays from it by 0.004 in e times its time."""
    seen, error = np.array([0.05, 0.03]), np.array([0.01, 0.002])
    prior = np.array([[4e-4, 4e-4], [4e-4, 4e-4 + 1.6e-5]])
    gain = prior @ np.linalg.inv(prior + np.diag(error**2))
    curve = curve_of([0.1, 0.1 * np.e], seen, error, ZeroCurve.flat(0.04))
    np.testing.assert_allclose(rate(curve, [0.1, 0.1 * np.e]), 0.04 + gain @ (seen - 0.04), atol=1e-12)
    found = curve.interest_error([0.1, 0.1 * np.e]) / [0.1, 0.1 * np.e]
    np.testing.assert_allclose(found, np.sqrt(np.diag(prior - gain @ prior)), rtol=1e-9)


def test_expirations_of_one_instant_are_taken_together():
    curve = curve_of([0.5, 0.5, 1.0], [0.038, 0.042, 0.04], np.array([1e-4, 1e-4, 1e-4]))
    assert rate(curve, 0.5) == pytest.approx(0.04, abs=1e-5)
    assert curve.interest_error(0.5) / 0.5 == pytest.approx(1e-4 / np.sqrt(2), rel=1e-3)


def test_without_any_expiration_the_given_rate_holds():
    for years, discount in (([], []), ([np.nan, 0.5], [0.9, np.nan])):
        curve = ZeroCurve.from_options(years, discount, np.full(len(years), 1e-6), ZeroCurve.flat(0.04))
        assert curve.discount_factor(0.5) == pytest.approx(np.exp(-0.02))
        assert np.isnan(curve.interest_error(0.5))


def test_one_absurd_rate_is_left_out():
    curve = curve_of([0.2, 0.5, 1.0, 2.0], [-0.05, 0.04, 0.04, 0.04], 1e-4)
    assert rate(curve, 0.2) == pytest.approx(0.04, abs=1e-5)


@pytest.mark.parametrize("times", [1.0, 4.0])
def test_the_truth_lies_within_two_errors_even_where_they_were_told_too_small(times):
    """Curves drawn as the docstring says; of the errors it is told only a part."""
    random = np.random.default_rng(5)
    years = np.geomspace(0.01, 2, 25)
    told = 0.001 / years**0.7
    within = []
    for _ in range(60):
        walk = np.r_[0, np.cumsum(random.normal(0, 0.004 * np.sqrt(np.diff(np.log(years)))))]
        truth = 0.04 + random.normal(0, 0.02) + walk
        curve = curve_of(years, truth + times * told * random.normal(size=25), told, ZeroCurve.flat(0.04))
        within.append(np.abs(rate(curve, years) - truth) <= 2 * curve.interest_error(years) / years)
    assert np.mean(within) == pytest.approx(0.95, abs=0.05)


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


@settings(deadline=None)
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
