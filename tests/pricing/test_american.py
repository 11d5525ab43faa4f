"""American prices, vols and greeks against QuantLib 1.44's QdFpAmericanEngine (high precision), and bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing import american_implied_vol, american_price
from options_pricing.pricing.american import american_price_and_greeks, early_exercise_premium, spot_and_rate
from options_pricing.pricing.black import black_price, price_and_greeks

# spot, strike, days, rate, dividend yield, vol, type -> price
QUANTLIB = [
    ((100, 100, 30, 0.05, 0.0, 0.2, "P"), 2.113428633855771),
    ((100, 100, 182, 0.05, 0.02, 0.25, "P"), 6.345130856005499),
    ((100, 100, 365, 0.045, 0.013, 0.18, "P"), 5.858824535974664),
    ((100, 90, 365, 0.045, 0.013, 0.22, "P"), 3.397943834697091),
    ((100, 110, 365, 0.045, 0.013, 0.16, "P"), 11.236217342358666),
    ((100, 120, 91, 0.045, 0.013, 0.2, "P"), 20.0),
    ((100, 105, 7, 0.045, 0.013, 0.3, "P"), 5.2107738416831),
    ((100, 100, 730, 0.045, 0.013, 0.2, "P"), 8.633478948012266),
    ((100, 100, 365, 0.01, 0.06, 0.25, "C"), 7.9285663463815),
    ((100, 90, 182, 0.02, 0.08, 0.3, "C"), 12.485186475403742),
    ((100, 110, 730, 0.03, 0.05, 0.35, "C"), 13.630745660114465),
    ((100, 80, 91, 0.045, 0.03, 0.25, "C"), 20.298986236658912),
    ((730, 700, 140, 0.042, 0.01, 0.19, "P"), 17.87299709709947),
    ((730, 780, 51, 0.042, 0.01, 0.15, "P"), 50.8343036625543),
    ((100, 100, 182, 0.05, 0.0, 0.25, "C"), 8.247117998461107),
    ((62, 60, 60, 0.04, 0.08, 0.27, "C"), 3.559720369687535),
]

# -> delta, gamma, vega, theta a day, rho: central differences of the same engine
QUANTLIB_GREEKS = [
    (
        (100, 100, 182, 0.05, 0.02, 0.25, "P"),
        (-0.441132944501107, 0.023322710867994978, 27.498046534588205, -0.015476779309282485, -19.264776414189555),
    ),
    (
        (100, 110, 365, 0.045, 0.013, 0.16, "P"),
        (-0.7134858217834236, 0.03208261278091307, 30.875401352794984, -0.003611633331463082, -34.438626895152424),
    ),
    (
        (100, 90, 182, 0.02, 0.08, 0.3, "C"),
        (0.7083427968887732, 0.0196469509634003, 22.421543064191862, -0.011895749621330332, 16.22461811139253),
    ),
]


def columns(options):
    spot, strike, days, rate, dividend_yield, vol, option_type = zip(*options, strict=True)
    years = np.array(days) / 365
    numbers = [np.array(v, dtype=float) for v in (spot, strike, years, rate, dividend_yield, vol)]
    return [*numbers, np.array(option_type)]


def test_prices_agree_with_quantlib():
    expected = np.array([price for _, price in QUANTLIB])
    arguments = columns(option for option, _ in QUANTLIB)
    error = (american_price(*arguments) - expected) / arguments[0]
    # In parts of the spot: on a 100-dollar stock a fifth of a cent typically, and at worst, in the money, a cent.
    assert np.sqrt(np.mean(error**2)) < 3e-5
    assert np.abs(error).max() < 1e-4
    finer = (american_price(*arguments, steps=401) - expected) / arguments[0]
    assert np.abs(finer).max() < 5e-6


def test_vols_agree_with_quantlib():
    arguments = columns(option for option, _ in QUANTLIB)
    price, vol = np.array([price for _, price in QUANTLIB]), arguments.pop(5)
    found = american_implied_vol(price, *arguments)
    exercised = price == np.maximum(arguments[1] - arguments[0], 0)
    assert np.isnan(found[exercised]).all() and exercised.sum() == 1
    np.testing.assert_allclose(found[~exercised], vol[~exercised], atol=3e-4)


@pytest.mark.parametrize(("option", "expected"), QUANTLIB_GREEKS)
def test_greeks_agree_with_quantlib(option, expected):
    found = american_price_and_greeks(*(values[0] for values in columns([option])))
    error = np.abs(np.array([float(v) for v in found[1:6]]) / expected - 1)
    # In rho, a difference between early exercise at two rates, the noise of the tree shows most.
    assert np.all(error < [0.005, 0.03, 0.015, 0.015, 0.06])


def test_a_call_without_dividends_is_european():
    arguments = [np.array([80.0, 100.0, 120.0]), 100.0, 0.8, 0.05, 0.0, 0.3]
    spot, strike, years, rate, _, vol = arguments
    european = spot * np.exp(rate * years), strike, years, np.exp(-rate * years), vol, "C"
    np.testing.assert_array_equal(early_exercise_premium(*arguments, "C"), 0.0)
    np.testing.assert_array_equal(american_price(*arguments, "C"), black_price(*european))
    found = american_price_and_greeks(*arguments, "C")
    expected = price_and_greeks(*european, spot=spot)
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-12)


def test_call_and_put_are_each_others_mirror():
    """A call on S struck at K at (r, q) is a put on K struck at S at (q, r) (McDonald and Schroder 1998)."""
    call = american_price(100.0, [90.0, 100.0, 115.0], 0.5, 0.02, 0.05, 0.3, "C", steps=201)
    put = american_price(np.array([90.0, 100.0, 115.0]), 100.0, 0.5, 0.05, 0.02, 0.3, "P", steps=201)
    np.testing.assert_allclose(call, put, rtol=2e-5)


RATES = st.floats(-0.02, 0.12)


@settings(deadline=None)
@given(st.floats(0.5, 2), st.floats(0.005, 3), RATES, RATES, st.floats(0.0, 1.5), st.booleans())
def test_worth_at_least_the_european_or_exercise_and_at_most_the_ceiling(
    moneyness, years, rate, dividend_yield, vol, call
):
    strike = 100 * moneyness
    price = american_price(100.0, strike, years, rate, dividend_yield, vol, call)
    forward, discount = 100 * np.exp((rate - dividend_yield) * years), np.exp(-rate * years)
    assert price >= black_price(forward, strike, years, discount, vol, call)
    assert price >= (100 - strike if call else strike - 100)
    ceiling = 100 * np.exp(max(-dividend_yield * years, 0)) if call else strike * np.exp(max(-rate * years, 0))
    assert price <= ceiling * (1 + 1e-9)


@settings(deadline=None)
@given(st.floats(0.7, 1.4), st.floats(0.01, 2), st.floats(0.08, 1.0), st.booleans())
def test_price_to_vol_and_back(moneyness, years, vol, call):
    arguments = (100.0, 100 * moneyness, years, 0.045, 0.02)
    price = american_price(*arguments, vol, call)
    found = american_implied_vol(price, *arguments, call)
    if np.isnan(found):
        without_vol = american_price(*arguments, 0.0, call)
        assert price <= without_vol + 1e-9
    else:
        assert american_price(*arguments, found, call) == pytest.approx(float(price), abs=1e-7)


def test_price_rises_with_vol_and_time():
    vols = american_price(100.0, 105.0, 0.5, 0.05, 0.02, np.linspace(0.05, 1, 60), "P")
    # Where exercise at once is best, the extrapolation wavers by a few millionths.
    assert np.all(np.diff(vols) > -1e-5)
    years = american_price(100.0, 105.0, np.linspace(0.01, 2, 60), 0.05, 0.02, 0.25, "P")
    assert np.all(np.diff(years) > -1e-5)


def test_at_expiry_and_without_vol():
    assert american_price(100.0, 110.0, 0.0, 0.05, 0.02, 0.2, "P") == 10.0
    assert american_price(100.0, 110.0, 1.0, 0.05, 0.02, 0.0, "P") == 10.0
    assert american_price(100.0, 90.0, 1e-8, 0.05, 0.02, 0.2, "C") == pytest.approx(10.0)
    # The best moment to exercise without vol lies inside: max over t of S exp(-q t) - K exp(-r t).
    t = np.linspace(0, 2, 20001)
    best = (100 * np.exp(-0.08 * t) - 95 * np.exp(-0.12 * t)).max()
    assert american_price(100.0, 95.0, 2.0, 0.12, 0.08, 0.0, "C", steps=201) == pytest.approx(best, rel=1e-3)


def test_nonsense_gives_nan_not_an_error():
    prices = american_price(
        [np.nan, -1, 100, 100, 100], 100.0, [1, 1, -1, 1, 1], 0.05, 0.02, [0.2, 0.2, 0.2, -0.2, np.inf], "P"
    )
    assert np.isnan(prices).all()
    vols = american_implied_vol(
        [np.nan, 5.0, 200.0, 9.0, -1.0], [100, np.nan, 100, 100, 100], 110.0, 1.0, 0.05, 0.0, "P"
    )
    assert np.isnan(vols).all()
    with pytest.raises(ValueError, match="at least 5 steps"):
        american_price(100.0, 100.0, 1.0, 0.05, 0.02, 0.2, "P", steps=3)


def test_the_answer_does_not_depend_on_the_company():
    """Blocks of the tree, and options that settle sooner than others, must leave no trace."""
    rng = np.random.default_rng(1)
    strike, years = 100 * np.exp(rng.normal(0, 0.1, 2000)), rng.uniform(0.02, 1, 2000)
    price = american_price(100.0, strike, years, 0.04, 0.01, 0.25, "P")
    vol = american_implied_vol(price, 100.0, strike, years, 0.04, 0.01, "P")
    some = slice(990, 1010)
    np.testing.assert_array_equal(price[some], american_price(100.0, strike[some], years[some], 0.04, 0.01, 0.25, "P"))
    alone = american_implied_vol(price[some], 100.0, strike[some], years[some], 0.04, 0.01, "P")
    np.testing.assert_array_equal(vol[some], alone)


def test_shapes():
    assert american_price(100, 100, 1, 0.05, 0.02, 0.2, "P").shape == ()
    assert american_implied_vol([], 100, 100, 1, 0.05, 0.02, []).shape == (0,)
    greeks = american_price_and_greeks(100, np.full((2, 3), 105.0), 1, 0.05, 0.02, 0.2, "P")
    assert {values.shape for values in greeks} == {(2, 3)}


def test_spot_and_rate_lead_back_to_the_forward():
    spot, rate = spot_and_rate(103.0, 0.5, 0.98, 0.012)
    assert spot * np.exp((rate - 0.012) * 0.5) == pytest.approx(103.0)
    assert np.exp(-rate * 0.5) == pytest.approx(0.98)
    assert np.isnan(spot_and_rate(103.0, 0.0, 1.0, 0.012)).all()
