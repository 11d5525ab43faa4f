"""Black prices and greeks against QuantLib 1.44 (AnalyticEuropeanEngine), mpmath and their own differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.pricing.black import (
    PriceAndGreeks,
    Reason,
    black_price,
    is_call,
    price_and_greeks,
    price_and_greeks_with_reason,
)

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

# The same, of options that are quoted: from minutes before the expiry on, near and off the money.
QUOTED = [
    (5000, 5000, 0.0001, 0.08, 1.0, "C", 1.5957690790518885617),
    (5000, 5001, 0.0003, 0.05, 0.9999, "C", 1.2733737769590909015),
    (5000, 4900, 0.02, 0.22, 0.999, "P", 23.928030141977220377),
    (100, 100, 0.02, 0.2, 0.999, "P", 1.1272132140293768032),
    (100, 103, 0.08, 0.15, 0.997, "C", 0.61671462586508235869),
    (100, 100.5, 0.1, 0.2, 0.99, "C", 2.2640072188655636468),
    (100, 112, 0.25, 0.3, 0.99, "C", 2.0384612957955543173),
    (100, 60, 0.5, 0.45, 0.98, "P", 0.54917643632612723996),
    (100, 200, 3, 0.35, 0.9, "C", 4.7104265464967750417),
    (100, 99, 3, 1.9, 0.9, "P", 80.156120181447190948),
    (100, 55, 1, 1.2, 1.02, "P", 16.446446832124833752),
    (7300, 9500, 0.3, 0.14, 0.985, "C", 0.047473629914534343311),
    (100, 150, 0.5, 0.12, 0.95, "C", 1.6904712520801689148e-6),
    (1e-5, 1.2e-5, 0.5, 0.6, 0.98, "C", 9.9267654215439889034e-7),
    (1e7, 8e6, 0.5, 0.6, 0.98, "P", 698067.90886527226271),
]

# spot, strike, years, rate, dividend yield, vol, type -> vanna, volga (mpmath, derivatives of the price in 50 digits)
CROSS_GREEKS = [
    ((100, 110, 0.5, 0.05, 0.02, 0.25, "P"), (0.8018726242107783, 20.747709950896)),
    ((7308.3, 7600, 0.08, 0.044, 0.011, 0.14, "C"), (1.784788661273946, 3327.424860918819)),
    ((50, 20, 2.0, 0.03, 0.0, 0.6, "P"), (-0.1397433190726105, 15.56147517650519)),
    ((100, 100, 1.0, -0.01, 0.02, 0.2, "C"), (0.4881927449785481, 2.44096372489274)),
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
    np.testing.assert_allclose([float(v) for v in found[:6]], expected, rtol=1e-10)


@pytest.mark.parametrize(("option", "expected"), CROSS_GREEKS)
def test_vanna_and_volga_are_the_prices_second_derivatives(option, expected):
    spot, strike, years, rate, dividend_yield, vol, option_type = option
    forward = spot * np.exp((rate - dividend_yield) * years)
    found = price_and_greeks(forward, strike, years, np.exp(-rate * years), vol, option_type, spot=spot)
    assert (float(found.vanna), float(found.volga)) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(("forward", "strike", "years", "vol", "discount", "option_type", "price"), QUOTED)
def test_quoted_prices_are_right_to_the_last_digits(forward, strike, years, vol, discount, option_type, price):
    assert black_price(forward, strike, years, discount, vol, option_type) == pytest.approx(price, rel=1e-14)
    assert price_and_greeks(forward, strike, years, discount, vol, option_type).price == pytest.approx(price, rel=1e-14)


def test_negative_rates():
    # mpmath: spot 100, strike 95, 0.75 years, rate -1 %, dividend yield -0.5 %, vol 30 %
    forward, discount = 100 * np.exp(-0.005 * 0.75), np.exp(0.01 * 0.75)
    assert black_price(forward, 95, 0.75, discount, 0.3, "C") == pytest.approx(12.6322039250580834, rel=1e-14)


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
    np.testing.assert_array_equal(prices, [9.0, 0.0, 9.0])
    greeks, reason = price_and_greeks_with_reason(100, [90.0, 110.0], 0.0, 1.0, 0.2, "C")
    np.testing.assert_array_equal(greeks.delta, [1.0, 0.0])
    for name in ("gamma", "vega", "vanna", "volga"):
        np.testing.assert_array_equal(getattr(greeks, name), 0.0)
    assert np.isnan(greeks.theta).all() and (reason == Reason.OK).all()


def test_without_vol_at_the_money_the_greeks_are_their_limits():
    found = price_and_greeks(100, 100, 1.0, 1.0, 0.0, "C")
    assert (float(found.price), float(found.volga)) == (0.0, 0.0) and float(found.delta) == pytest.approx(0.5)
    # F n(0) sqrt(T), and half of that over F
    assert float(found.vega) == pytest.approx(39.89422804014327) and float(found.vanna) == pytest.approx(
        0.199471140200716
    )


FAULTS = [
    ({"forward": np.nan}, Reason.BAD_ARGUMENT),
    ({"forward": 0.0}, Reason.BAD_ARGUMENT),
    ({"forward": -1.0}, Reason.BAD_ARGUMENT),
    ({"forward": np.inf}, Reason.BAD_ARGUMENT),
    ({"strike": 0.0}, Reason.BAD_ARGUMENT),
    ({"strike": np.nan}, Reason.BAD_ARGUMENT),
    ({"year_fraction": -0.1}, Reason.EXPIRED),
    ({"year_fraction": np.nan}, Reason.BAD_ARGUMENT),
    ({"year_fraction": np.inf}, Reason.BAD_ARGUMENT),
    ({"year_fraction": -0.1, "vol": np.nan}, Reason.BAD_ARGUMENT),
    ({"discount_factor": 0.0}, Reason.BAD_ARGUMENT),
    ({"discount_factor": np.nan}, Reason.BAD_ARGUMENT),
    ({"vol": -0.2}, Reason.BAD_ARGUMENT),
    ({"vol": np.nan}, Reason.BAD_ARGUMENT),
    ({"vol": np.inf}, Reason.BAD_ARGUMENT),
    ({"spot": np.nan}, Reason.BAD_ARGUMENT),
    ({"spot": 0.0}, Reason.BAD_ARGUMENT),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_a_fault_gives_nan_and_its_reason_and_touches_no_other_option(fault, reason):
    sound = {"forward": 100, "strike": 100, "year_fraction": 1, "discount_factor": 0.9, "vol": 0.2, "spot": 90}
    given = {name: [value, fault.get(name, value)] for name, value in sound.items()}
    found, reasons = price_and_greeks_with_reason(*list(given.values())[:5], "P", spot=given["spot"])
    assert all(np.isnan(values[1]) and np.isfinite(values[0]) for values in found)
    assert [Reason(code) for code in reasons] == [Reason.OK, reason]
    if "spot" not in fault:
        assert np.isnan(black_price(*list(given.values())[:5], "P")).tolist() == [False, True]


def test_an_option_has_the_same_bits_alone_and_among_others():
    random = np.random.default_rng(3)
    strike, vol, call = random.uniform(50, 200, 2500), random.uniform(0, 2, 2500), random.random(2500) < 0.5
    together = np.array(price_and_greeks(100, strike, 0.3, 0.98, vol, call, spot=99))
    for at in (0, 1, 1023, 1024, 2499):
        alone = np.array(price_and_greeks(100, strike[at], 0.3, 0.98, vol[at], call[at], spot=99))
        np.testing.assert_array_equal(alone, together[:, at])
    np.testing.assert_array_equal(black_price(100, strike, 0.3, 0.98, vol, call), together[0])


@given(FORWARDS, MONEYNESS, YEARS, VOLS, DISCOUNTS)
def test_gamma_vega_and_theirs_are_the_same_for_both_sides(forward, log_moneyness, years, vol, discount):
    strike = forward * np.exp(log_moneyness)
    found = price_and_greeks(forward, strike, years, discount, vol, ["C", "P"])
    for values in (found.gamma, found.vega, found.vanna, found.volga):
        assert values[0] == values[1]
    assert found.delta[0] - found.delta[1] == pytest.approx(discount, rel=1e-14)


def test_arguments_broadcast():
    found = price_and_greeks(100, np.array([[90.0], [110.0]]), [0.5, 1.0, 2.0], 0.9, 0.2, "C", spot=99)
    assert isinstance(found, PriceAndGreeks) and {values.shape for values in found} == {(2, 3)}
    assert found.delta[1, 2] == price_and_greeks(100, 110.0, 2.0, 0.9, 0.2, "C", spot=99).delta
    assert price_and_greeks([], 100, 1, 1, 0.2, "C").price.shape == (0,)
    assert black_price(100, 100, 1, 1, 0.2, "C").shape == ()


def test_option_types_are_letters_or_booleans():
    np.testing.assert_array_equal(is_call(["C", "P"]), [True, False])
    np.testing.assert_array_equal(is_call(np.array(["C", "P"], dtype=object)), [True, False])
    np.testing.assert_array_equal(is_call([True, False]), [True, False])
    with pytest.raises(ValueError, match="'C' or 'P'"):
        is_call(["C", "call"])
