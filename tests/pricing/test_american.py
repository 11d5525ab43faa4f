"""American prices against QuantLib, the literature, each other and their bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing import american_price
from options_pricing.pricing.american import (
    american_price_with_reason,
    early_exercise_premium,
    spot_and_rate,
    without_vol,
)
from options_pricing.pricing.american_options import flat_options
from options_pricing.pricing.black import Reason, black_price
from tests.pricing.quoted_options import HARD, QUANTLIB, columns

# Ju (1998), table 1, after Geske and Johnson (1984): puts on 40, rate 4.88 %, by a tree of 10,000 steps.
JU = [
    (0.2, 35, (0.0062, 0.2004, 0.4328)),
    (0.2, 40, (0.8522, 1.5798, 1.9904)),
    (0.2, 45, (5.0000, 5.0883, 5.2670)),
    (0.3, 35, (0.0774, 0.6975, 1.2198)),
    (0.3, 40, (1.3099, 2.4825, 3.1696)),
    (0.3, 45, (5.0597, 5.7056, 6.2436)),
    (0.4, 35, (0.2466, 1.3460, 2.1549)),
    (0.4, 40, (1.7681, 3.3874, 4.3526)),
    (0.4, 45, (5.2868, 6.5099, 7.3830)),
]

# Broadie and Detemple (1996): calls struck at 100 for half a year, the spot 80 to 120: rate, yield, vol -> prices
BROADIE_DETEMPLE = [
    ((0.03, 0.07, 0.2), (0.2194, 1.3864, 4.7825, 11.0978, 20.0004)),
    ((0.03, 0.07, 0.4), (2.6889, 5.7223, 10.2385, 16.1812, 23.3598)),
    ((0.0, 0.07, 0.3), (1.0373, 3.1233, 7.0354, 12.9552, 20.7173)),
]

RATES = st.sampled_from([-0.02, 0.0, 1e-9, 0.005, 0.04, 0.12])
YIELDS = st.sampled_from([-0.04, -0.01, 0.0, 1e-9, 0.01, 0.04, 0.1])
VOLS = st.floats(0.03, 1.5)
YEARS = st.floats(0.002, 3)
MONEYNESS = st.floats(0.5, 2)


def test_prices_agree_with_quantlib():
    expected = np.array([price for _, price in QUANTLIB])
    arguments = columns(option for option, _ in QUANTLIB)
    error = (american_price(*arguments) - expected) / arguments[0]
    assert np.sqrt(np.mean(error**2)) < 1e-7
    assert np.abs(error).max() < 5e-7


def test_long_steep_and_negative_agree_with_quantlib():
    expected = np.array([price for _, price in HARD])
    np.testing.assert_allclose(american_price(*columns(option for option, _ in HARD)), expected, atol=5e-4)


@pytest.mark.parametrize(("vol", "strike", "expected"), JU)
def test_puts_of_the_literature(vol, strike, expected):
    found = american_price(40.0, strike, [0.0833, 0.3333, 0.5833], 0.0488, 0.0, vol, "P")
    np.testing.assert_allclose(found, expected, atol=1.5e-4)


@pytest.mark.parametrize(("terms", "expected"), BROADIE_DETEMPLE)
def test_calls_of_the_literature(terms, expected):
    rate, dividend_yield, vol = terms
    found = american_price([80, 90, 100, 110, 120], 100.0, 0.5, rate, dividend_yield, vol, "C")
    np.testing.assert_allclose(found, expected, atol=3e-4)


def test_premium_where_rate_and_yield_are_one():
    """Andersen, Lake and Offengenden (2016), tables 2 and 3: a premium of 0.106952702747."""
    assert early_exercise_premium(100, 100, 1, 0.05, 0.05, 0.25, "P") == pytest.approx(0.106952702747, abs=2e-6)


def test_a_call_without_dividends_is_european():
    spot, strike, years, rate, vol = np.array([80.0, 100.0, 120.0]), 100.0, 0.8, 0.05, 0.3
    european = black_price(spot * np.exp(rate * years), strike, years, np.exp(-rate * years), vol, "C")
    np.testing.assert_array_equal(early_exercise_premium(spot, strike, years, rate, 0.0, vol, "C"), 0.0)
    np.testing.assert_array_equal(american_price(spot, strike, years, rate, 0.0, vol, "C"), european)


@pytest.mark.parametrize(("rate", "dividend_yield"), [(0.0, 0.0), (0.0, 0.03), (-0.01, 0.0), (-0.02, -0.01)])
def test_a_put_without_interest_is_european(rate, dividend_yield):
    assert early_exercise_premium(100.0, 120.0, 1.0, rate, dividend_yield, 0.3, "P") == 0.0


@settings(deadline=None)
@given(MONEYNESS, YEARS, RATES, YIELDS, VOLS)
def test_call_and_put_are_each_others_mirror(moneyness, years, rate, dividend_yield, vol):
    """A call on S struck at K at (r, q) is a put on K struck at S at (q, r) (McDonald and Schroder 1998)."""
    call = american_price(100.0, 100 * moneyness, years, rate, dividend_yield, vol, "C")
    put = american_price(100 * moneyness, 100.0, years, dividend_yield, rate, vol, "P")
    assert call == pytest.approx(float(put), rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(MONEYNESS, YEARS, RATES, YIELDS, VOLS, st.booleans())
def test_between_its_bounds(moneyness, years, rate, dividend_yield, vol, call):
    strike = 100 * moneyness
    price = american_price(100.0, strike, years, rate, dividend_yield, vol, call)
    forward, discount = 100 * np.exp((rate - dividend_yield) * years), np.exp(-rate * years)
    assert price >= max(100 - strike if call else strike - 100, 0)
    assert price >= black_price(forward, strike, years, discount, vol, call) - 1e-12
    most = 100 * np.exp(max(-dividend_yield * years, 0)) if call else strike * np.exp(max(-rate * years, 0))
    assert price <= most * (1 + 1e-9)


@settings(deadline=None)
@given(MONEYNESS, YEARS, st.sampled_from([0.0, 0.005, 0.04, 0.12]), YIELDS, st.booleans())
def test_price_rises_with_vol_and_time(moneyness, years, rate, dividend_yield, call):
    strike = 100 * moneyness
    by_vol = american_price(100.0, strike, years, rate, dividend_yield, np.linspace(0.05, 1, 60), call)
    assert np.all(np.diff(by_vol) > -2e-4)
    by_time = american_price(100.0, strike, years * np.linspace(0.1, 1, 60), rate, dividend_yield, 0.3, call)
    assert np.all(np.diff(by_time) > -2e-4)


def test_price_is_convex_in_the_strike_and_the_boundary_leaves_no_step():
    strikes = np.linspace(60, 180, 481)
    for rate, dividend_yield in ((0.05, 0.0), (0.03, 0.06), (0.0, -0.02)):
        prices = american_price(100.0, strikes, 0.7, rate, dividend_yield, 0.25, "P")
        assert np.all(np.diff(prices, 2) > -2e-5)


def test_steep_drift_and_gentle_drift_agree_where_they_meet():
    """Two equations for one boundary: their prices must not differ where one takes over from the other."""
    years = np.array([0.3, 1.0, 2.0, 3.0])
    vol = 0.08 * np.sqrt(years) / 0.6
    below, above = (american_price(100, 105, years, 0.1, 0.02, vol * (1 + by), "P") for by in (-1e-7, 1e-7))
    np.testing.assert_allclose(above, below, atol=2e-4)


def test_at_expiry_and_without_vol():
    assert american_price(100.0, 110.0, 0.0, 0.05, 0.02, 0.2, "P") == 10.0
    assert american_price(100.0, 110.0, 1.0, 0.05, 0.02, 0.0, "P") == 10.0
    assert american_price(100.0, 90.0, 1e-8, 0.05, 0.02, 0.2, "C") == pytest.approx(10.0)
    # The best moment to exercise without vol lies inside: max over t of S exp(-q t) - K exp(-r t).
    t = np.linspace(0, 2, 20001)
    best = (100 * np.exp(-0.08 * t) - 95 * np.exp(-0.12 * t)).max()
    for vol in (0.0, 1e-9, 1e-5, 1e-3):
        assert american_price(100.0, 95.0, 2.0, 0.12, 0.08, vol, "C") == pytest.approx(best, rel=1e-6)


def test_price_does_not_jump_as_the_vol_vanishes():
    strikes = np.linspace(80, 120, 9)
    arguments = (100.0, strikes, 1.0, 0.05, 0.03)
    still, moving = (american_price(*arguments, vol, "P") for vol in (0.99e-6, 1.01e-6))
    np.testing.assert_allclose(still, moving, atol=1e-4)


def test_two_boundaries():
    """With ``q < r < 0`` a put is exercised between two boundaries; QuantLib's finite differences, 4000 x 4000."""
    strikes = np.array([80.0, 95.0, 100.0, 110.0, 130.0])
    price = american_price(100.0, strikes, 1.0, -0.01, -0.03, 0.2, "P")
    reference = [0.9983024562035, 4.9452834428074, 7.2570566157196, 13.3940580339561, 30.2449646983856]
    np.testing.assert_allclose(price, reference, atol=3e-4)


def test_nonsense_gives_nan_not_an_error():
    prices = american_price(
        [np.nan, -1, 100, 100, 100, 100, 100],
        100.0,
        [1, 1, -1, 1, 1, 1, 1],
        [0.05, 0.05, 0.05, 0.05, 0.05, np.nan, 0.05],
        0.02,
        [0.2, 0.2, 0.2, -0.2, np.inf, 0.2, 0.2],
        "P",
    )
    np.testing.assert_array_equal(np.isnan(prices), [True] * 6 + [False])
    with pytest.raises(ValueError, match="'C' or 'P'"):
        american_price(100, 100, 1, 0.05, 0.02, 0.2, "put")


def test_a_price_that_is_missing_has_its_reason():
    years = np.array([1.0, -1.0, 0.0, np.inf, 1.0])
    found = american_price_with_reason(100.0, [90.0, 90.0, 90.0, 90.0, np.nan], years, 0.05, 0.02, 0.2, "C")
    bad = Reason.BAD_ARGUMENT
    assert found.reason.tolist() == [Reason.OK, Reason.EXPIRED, Reason.OK, bad, bad]
    np.testing.assert_array_equal(np.isnan(found.price), found.reason != Reason.OK)
    owed = american_price_with_reason(100.0, 90.0, 1.0, 0.05, 0.0, 0.2, "C", cash_dividends=[(0.5, 200.0)])
    assert owed.reason == bad and np.isnan(owed.price)


def test_the_answer_does_not_depend_on_the_company():
    """Lanes and paddings must leave no trace."""
    rng = np.random.default_rng(1)
    strike, years = 100 * np.exp(rng.normal(0, 0.1, 500)), rng.uniform(0.02, 3, 500)
    price = american_price(100.0, strike, years, 0.1, 0.01, 0.15, "P")
    for some in (slice(3, 4), slice(100, 123), slice(499, None)):
        alone = american_price(100.0, strike[some], years[some], 0.1, 0.01, 0.15, "P")
        np.testing.assert_array_equal(price[some], alone)


def test_shapes():
    assert american_price(100, 100, 1, 0.05, 0.02, 0.2, "P").shape == ()
    assert american_price(100, np.full((2, 3), 105.0), 1, 0.05, 0.02, 0.2, "P").shape == (2, 3)
    assert american_price([], 100, 1, 0.05, 0.02, 0.2, []).shape == (0,)


def test_spot_and_rate_lead_back_to_the_forward():
    spot, rate = spot_and_rate(103.0, 0.5, 0.98, 0.012)
    assert spot * np.exp((rate - 0.012) * 0.5) == pytest.approx(103.0)
    assert np.exp(-rate * 0.5) == pytest.approx(0.98)
    assert np.isnan(spot_and_rate(103.0, 0.0, 1.0, 0.012)).all()


def test_without_vol_is_the_limit_of_the_price():
    arguments = (100.0, np.linspace(70, 140, 15), 2.0, 0.06, 0.09, 0.0, "C")
    options, _ = flat_options(*arguments)
    np.testing.assert_allclose(american_price(*arguments), without_vol(options), rtol=1e-12)
