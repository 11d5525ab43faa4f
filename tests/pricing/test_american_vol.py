"""American implied vols: round trips, QuantLib's prices, and a reason for each that is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing import american_implied_vol, american_price
from options_pricing.pricing.american_vol import american_implied_vol_with_reason
from options_pricing.pricing.implied_vol import Reason
from tests.pricing.quoted_options import QUANTLIB, columns


def test_vols_agree_with_quantlib():
    arguments = columns(option for option, _ in QUANTLIB)
    price, vol = np.array([price for _, price in QUANTLIB]), arguments.pop(5)
    found, reasons = american_implied_vol_with_reason(price, *arguments)
    exercised = price == np.maximum(arguments[1] - arguments[0], 0)
    assert (reasons[exercised] == Reason.AT_LOWER_BOUND).all() and exercised.sum() == 1
    np.testing.assert_allclose(found[~exercised], vol[~exercised], atol=3e-6)


@settings(deadline=None)
@given(
    st.floats(0.7, 1.4),
    st.floats(0.01, 2),
    st.sampled_from([0.0, 0.01, 0.045]),
    st.sampled_from([-0.01, 0.0, 0.02, 0.06]),
    st.floats(0.08, 1.0),
    st.booleans(),
)
def test_price_to_vol_and_back(moneyness, years, rate, dividend_yield, vol, call):
    arguments = (100.0, 100 * moneyness, years, rate, dividend_yield)
    price = american_price(*arguments, vol, call)
    found, reason = american_implied_vol_with_reason(price, *arguments, call)
    if reason == Reason.OK:
        assert american_price(*arguments, found, call) == pytest.approx(float(price), abs=1e-8)
    else:
        assert reason == Reason.AT_LOWER_BOUND
        assert price <= american_price(*arguments, 0.0, call) + 1e-9


def test_every_missing_vol_has_its_reason():
    price = [np.nan, 5.0, 5.0, 5.0, 9.0, 10.0, 110.0, 200.0, 12.0]
    spot = [100, np.nan, 100, 100, 100, 100, 100, 100, 100]
    years = [1.0, 1.0, 0.0, -0.1, 1.0, 1.0, 1.0, 1.0, 1.0]
    vols, reasons = american_implied_vol_with_reason(price, spot, 110.0, years, 0.05, 0.0, "P")
    assert [Reason(code).name for code in reasons] == [
        "BAD_ARGUMENT",
        "BAD_ARGUMENT",
        "EXPIRED",
        "EXPIRED",
        "BELOW_LOWER_BOUND",
        "AT_LOWER_BOUND",
        "ABOVE_UPPER_BOUND",
        "ABOVE_UPPER_BOUND",
        "OK",
    ]
    np.testing.assert_array_equal(np.isnan(vols), reasons != Reason.OK)


def test_a_price_under_that_of_no_vol_has_none():
    # Waiting two years without vol is worth more than exercise now.
    price = american_price(100.0, 95.0, 2.0, 0.12, 0.08, 0.0, "C")
    vols, reasons = american_implied_vol_with_reason([price - 0.01, price, price + 0.5], 100, 95, 2, 0.12, 0.08, "C")
    assert reasons.tolist() == [Reason.BELOW_LOWER_BOUND, Reason.AT_LOWER_BOUND, Reason.OK]
    assert vols[2] > 0


def test_the_answer_does_not_depend_on_the_company():
    """Options that settle sooner than others must leave no trace."""
    rng = np.random.default_rng(1)
    strike, years = 100 * np.exp(rng.normal(0, 0.1, 300)), rng.uniform(0.02, 1, 300)
    price = american_price(100.0, strike, years, 0.04, 0.01, 0.25, "P")
    vol = american_implied_vol(price, 100.0, strike, years, 0.04, 0.01, "P")
    some = slice(90, 101)
    alone = american_implied_vol(price[some], 100.0, strike[some], years[some], 0.04, 0.01, "P")
    np.testing.assert_array_equal(vol[some], alone)


def test_shapes():
    assert american_implied_vol([], 100, 100, 1, 0.05, 0.02, []).shape == (0,)
    assert american_implied_vol(9.0, 100, 100, 1, 0.05, 0.02, "C").shape == ()
    assert american_implied_vol(np.full((2, 3), 9.0), 100, 100, 1, 0.05, 0.02, "C").shape == (2, 3)
