"""Black prices and greeks against QuantLib 1.44 (AnalyticEuropeanEngine), mpmath and their own differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.pricing.black import black_price, is_call, price_and_greeks

# spot, strike, days, rate, dividend yield, vol, type -> price, delta, gamma, vega, theta a day, rho
QUANTLIB = [
    (
        (100, 100, 365, 0.05, 0.02, 0.2, "C"),
        (
            9.227005508154061,
            0.5868511461347647,
            0.018950578755008714,
            37.90115751001742,
            -0.013943339490406407,
            49.45810910532238,
        ),
    ),
    (
        (100, 110, 182, 0.05, 0.02, 0.25, "P"),
        (
            12.133364266462092,
            -0.6367682798838575,
            0.020917972268701353,
            26.075828444545515,
            -0.011013406249300048,
            -37.80124654899262,
        ),
    ),
    (
        (7308.3, 6500, 60, 0.044, 0.011, 0.24, "P"),
        (
            33.02823664596575,
            -0.09510614729931804,
            0.00023775384513460474,
            500.990983773589,
            -0.9351590555730039,
            -119.68643719784741,
        ),
    ),
    (
        (7308.3, 7600, 30, 0.044, 0.011, 0.14, "C"),
        (
            29.558992607945275,
            0.18724635832959766,
            0.0009165094951480288,
            563.2823297881652,
            -1.4344852685679788,
            110.04604668265058,
        ),
    ),
    (
        (50, 20, 730, 0.03, 0.0, 0.6, "P"),
        (
            1.5218047993526593,
            -0.05764741423579327,
            0.002720988231920627,
            8.162964695761884,
            -0.0029926559973424997,
            -8.808351022284645,
        ),
    ),
]

# forward, strike, year fraction, vol, discount factor, type, price (mpmath, 60 digits)
DEEP = [
    (100, 150, 0.1, 0.08, 1.0, "C", 7.8871326956793798209e-59),
    (100, 400, 0.25, 0.12, 0.99, "C", 1.0581224895893904941e-118),
    (100, 20, 0.5, 0.09, 0.97, "P", 2.2449914420671954689e-142),
    (7000, 3000, 0.02, 0.18, 1.0, "P", 1.1130877158381265661e-242),
    (100, 300, 0.02, 0.24, 1.0, "C", 6.9785562648342139198e-231),
    (100, 101, 0.003, 0.02, 1.0, "C", 6.2331412075450976624e-22),
    (100, 100, 1.0, 3.5, 1.0, "C", 91.988168627236581916),
    (100, 100, 1.0, 1e-4, 1.0, "C", 0.0039894228023520672784),
]

FORWARDS = st.floats(1, 1e4)
MONEYNESS = st.floats(-1.5, 1.5)
YEARS = st.floats(1e-3, 5)
VOLS = st.floats(0.02, 2.5)
DISCOUNTS = st.floats(0.5, 1.05)


def on_forward(spot, days, rate, dividend_yield):
    years = days / 365
    return spot * np.exp((rate - dividend_yield) * years), years, np.exp(-rate * years)


@pytest.mark.parametrize(("option", "expected"), QUANTLIB)
def test_price_and_greeks_agree_with_quantlib(option, expected):
    spot, strike, days, rate, dividend_yield, vol, option_type = option
    forward, years, discount = on_forward(spot, days, rate, dividend_yield)
    found = price_and_greeks(forward, strike, years, discount, vol, option_type, spot=spot)
    np.testing.assert_allclose([float(v) for v in found], expected, rtol=1e-10)


@pytest.mark.parametrize(("forward", "strike", "years", "vol", "discount", "option_type", "price"), DEEP)
def test_prices_keep_their_relative_precision_in_the_wings(forward, strike, years, vol, discount, option_type, price):
    # The exponent itself is rounded: at 1e-242 it is 557, and an ulp of it is 1e-13 of the price.
    assert black_price(forward, strike, years, discount, vol, option_type) == pytest.approx(price, rel=5e-13)


def differences(price, at, by):
    return (price(at + by) - price(at - by)) / (2 * by)


@pytest.mark.parametrize("option_type", ["C", "P"])
@pytest.mark.parametrize("strike", [80.0, 101.0, 130.0])
def test_greeks_on_the_spot_are_the_derivatives_of_the_price(option_type, strike):
    spot, years, rate, dividend_yield, vol = 100.0, 0.7, 0.045, 0.013, 0.23

    def price(spot=spot, years=years, rate=rate, vol=vol):
        forward = spot * np.exp((rate - dividend_yield) * years)
        return float(black_price(forward, strike, years, np.exp(-rate * years), vol, option_type))

    forward = spot * np.exp((rate - dividend_yield) * years)
    found = price_and_greeks(forward, strike, years, np.exp(-rate * years), vol, option_type, spot=spot)
    assert found.price == pytest.approx(price())
    assert found.delta == pytest.approx(differences(lambda x: price(spot=x), spot, 1e-3), rel=1e-6)
    assert found.gamma == pytest.approx((price(spot + 0.05) - 2 * price() + price(spot - 0.05)) / 0.05**2, rel=1e-5)
    assert found.vega == pytest.approx(differences(lambda x: price(vol=x), vol, 1e-5), rel=1e-6)
    assert found.theta == pytest.approx(-differences(lambda x: price(years=x), years, 1e-5) / 365, rel=1e-6)
    assert found.rho == pytest.approx(differences(lambda x: price(rate=x), rate, 1e-5), rel=1e-6)


@pytest.mark.parametrize("option_type", ["C", "P"])
def test_without_a_spot_the_underlying_is_the_forward(option_type):
    forward, strike, years, rate, vol = 100.0, 104.0, 0.5, 0.04, 0.3

    def price(forward=forward, years=years, rate=rate):
        return float(black_price(forward, strike, years, np.exp(-rate * years), vol, option_type))

    found = price_and_greeks(forward, strike, years, np.exp(-rate * years), vol, option_type)
    assert found.delta == pytest.approx(differences(lambda x: price(forward=x), forward, 1e-3), rel=1e-6)
    assert found.theta == pytest.approx(-differences(lambda x: price(years=x), years, 1e-5) / 365, rel=1e-6)
    assert found.rho == pytest.approx(differences(lambda x: price(rate=x), rate, 1e-5), rel=1e-6)
    assert found.rho == pytest.approx(-years * price())


@given(FORWARDS, MONEYNESS, YEARS, VOLS, DISCOUNTS)
def test_put_call_parity(forward, log_moneyness, years, vol, discount):
    strike = forward * np.exp(log_moneyness)
    call, put = black_price(forward, strike, years, discount, vol, ["C", "P"])
    assert call - put == pytest.approx(discount * (forward - strike), abs=1e-12 * (forward + strike))


@given(FORWARDS, MONEYNESS, YEARS, VOLS, DISCOUNTS)
def test_prices_lie_within_their_bounds_and_rise_with_vol(forward, log_moneyness, years, vol, discount):
    strike = forward * np.exp(log_moneyness)
    vols = vol * np.array([[1.0], [1.05]])
    call, put = black_price(forward, strike, years, discount, vols, ["C", "P"]).T
    parity = discount * (forward - strike)
    slack = 1e-12 * (forward + strike)
    assert np.all(call >= max(parity, 0) - slack) and np.all(call <= discount * forward + slack)
    assert np.all(put >= max(-parity, 0) - slack) and np.all(put <= discount * strike + slack)
    assert call[1] >= call[0] - slack and put[1] >= put[0] - slack


@given(YEARS, VOLS)
def test_calls_fall_and_are_convex_in_the_strike(years, vol):
    strikes = np.linspace(40, 200, 81)
    calls = black_price(100.0, strikes, years, 0.97, vol, "C")
    slopes = np.diff(calls) / np.diff(strikes)
    assert np.all(slopes <= 1e-12) and np.all(slopes >= -0.97 - 1e-12)
    assert np.all(np.diff(slopes) >= -1e-12)


def test_at_expiry_or_without_vol_the_price_is_the_payoff():
    prices = black_price(100, [90, 100, 110], [0, 0, 1], 0.9, [0.2, 0.2, 0.0], ["C", "C", "P"])
    np.testing.assert_allclose(prices, [9.0, 0.0, 9.0], atol=1e-12)
    greeks = price_and_greeks(100, [90.0, 110.0], 0.0, 1.0, 0.2, "C")
    np.testing.assert_array_equal(greeks.delta, [1.0, 0.0])
    assert np.isnan(greeks.theta).all()


def test_nonsense_gives_nan_not_an_error():
    assert np.isnan(black_price([np.nan, -1, 0, 100], [1, 1, 1, 1], [1, 1, 1, -1], 1.0, 0.2, "C")).all()
    assert np.isnan(black_price(100, 100, 1, 1, -0.2, "C"))
    assert all(np.isnan(v).all() for v in price_and_greeks(np.nan, 100, 1, 1, 0.2, "P", spot=1))


def test_arguments_broadcast():
    found = price_and_greeks(100, np.array([[90.0], [110.0]]), [0.5, 1.0, 2.0], 0.9, 0.2, "C", spot=99)
    assert {values.shape for values in found} == {(2, 3)}


def test_option_types_are_letters_or_booleans():
    np.testing.assert_array_equal(is_call(["C", "P"]), [True, False])
    np.testing.assert_array_equal(is_call(np.array(["C", "P"], dtype=object)), [True, False])
    np.testing.assert_array_equal(is_call([True, False]), [True, False])
    with pytest.raises(ValueError, match="'C' or 'P'"):
        is_call(["C", "call"])
