"""American greeks against QuantLib, the equation they solve, and what they become at the boundary."""

import numpy as np
import pytest

from options_pricing.pricing.american import american_price, early_exercise_premium
from options_pricing.pricing.american_greeks import american_price_and_greeks, american_price_and_greeks_with_reason
from options_pricing.pricing.black import Reason, price_and_greeks
from options_pricing.pricing.exercise_boundary import premia_of_puts, premium_grid
from tests.pricing.quoted_options import QUANTLIB_GREEKS, columns

NAMES = ("delta", "gamma", "vega", "theta", "rho")
WITH_DIVIDENDS = (*NAMES, "vanna")
# QuantLib 1.44, FdBlackScholesVanillaEngine, 1000 x 1000 points, escrowed: spot, strike, days, rate, vol, type; days
# and amounts of dividends; delta and gamma of the grid, vega, rho and vanna by differences of 0.005 of vol and 0.001 of
# rate, theta by that of the prices a day earlier and a day later.
ESCROWED = [
    (
        (100.0, 100.0, 182, 0.04, 0.25, "C"),
        [(60, 1.5), (151, 1.5)],
        [0.536819, 0.024291, 26.897555, -0.024735, 19.703906, 0.109312],
    ),
    (
        (100.0, 100.0, 182, 0.04, 0.25, "P"),
        [(60, 1.5), (151, 1.5)],
        [-0.495036, 0.023545, 27.274544, -0.012735, -24.919779, 0.26334],
    ),
    (
        (100.0, 85.0, 182, 0.04, 0.25, "C"),
        [(60, 1.5), (151, 1.5)],
        [0.878349, 0.014589, 13.122978, -0.01959, 19.444667, -1.018589],
    ),
    (
        (100.0, 120.0, 365, 0.05, 0.3, "P"),
        [(30, 1.0), (121, 1.0), (212, 1.0), (303, 1.0)],
        [-0.691173, 0.013513, 33.27929, -0.00258, -59.834698, 1.02025],
    ),
    (
        (100.0, 110.0, 90, 0.05, 0.2, "P"),
        [(45, 3.0)],
        [-0.891816, 0.021791, 8.668309, 0.002722, -14.389471, 1.370402],
    ),
    (
        (50.0, 52.0, 270, 0.03, 0.35, "C"),
        [(100, 0.5), (190, 0.5)],
        [0.512422, 0.02719, 16.797027, -0.012646, 14.078734, 0.305689],
    ),
]
# years, rate, yield, vol
PUTS = [(0.5, 0.05, 0.02, 0.25), (1.0, 0.045, 0.013, 0.16), (0.1, 0.04, 0.0, 0.2), (0.7, 0.02, 0.05, 0.3)]


def boundary(years, rate, dividend_yield, vol):
    option = np.array([[1.0], [years], [rate], [dividend_yield], [vol]])
    return 100 * float(np.exp(premia_of_puts(option, np.array([False]), premium_grid())[3, 0]))


@pytest.mark.parametrize(("option", "expected"), QUANTLIB_GREEKS)
def test_greeks_agree_with_quantlib(option, expected):
    found = american_price_and_greeks(*(values[0] for values in columns([option])))
    error = np.abs(np.array([float(getattr(found, name)) for name in NAMES]) / expected - 1)
    assert np.all(error < [2e-5, 5e-4, 2e-4, 5e-5, 2e-4])


@pytest.mark.parametrize("call", [False, True])
@pytest.mark.parametrize(("years", "rate", "dividend_yield", "vol"), PUTS)
def test_greeks_are_slopes_of_the_price(years, rate, dividend_yield, vol, call):
    strikes = np.array([90.0, 97.0, 105.0])
    found = american_price_and_greeks(100.0, strikes, years, rate, dividend_yield, vol, call)

    def price(spot=100.0, years=years, rate=rate, vol=vol):
        return american_price(spot, strikes, years, rate, dividend_yield, vol, call)

    free = price() > np.maximum(100 - strikes if call else strikes - 100, 0) + 0.05
    slopes = {
        "delta": (price(spot=100.2) - price(spot=99.8)) / 0.4,
        "vega": (price(vol=vol + 1e-3) - price(vol=vol - 1e-3)) / 2e-3,
        "rho": (price(rate=rate + 1e-3) - price(rate=rate - 1e-3)) / 2e-3,
        "theta": -(price(years=years + 1e-3) - price(years=years - 1e-3)) / 2e-3 / 365,
    }
    for name, slope in slopes.items():
        np.testing.assert_allclose(getattr(found, name)[free], slope[free], rtol=2e-3, atol=2e-3, err_msg=name)
    np.testing.assert_allclose(found.price, price(), rtol=1e-14)


@pytest.mark.parametrize("terms", PUTS)
def test_at_the_boundary_the_put_moves_like_the_exercised_one(terms):
    """Value and delta join smoothly, vega, theta and rho vanish, gamma jumps to 2 (r K - q B) / (vol B)^2."""
    years, rate, dividend_yield, vol = terms
    at = boundary(*terms)
    above = american_price_and_greeks(at * np.exp(1e-3 * vol * np.sqrt(years)), 100.0, *terms, "P")
    money = american_price_and_greeks(100.0, 100.0, *terms, "P")
    assert above.delta == pytest.approx(-1, abs=2e-3)
    for name in ("vega", "theta", "rho"):
        assert abs(getattr(above, name)) < 0.02 * abs(getattr(money, name)), name
    assert above.gamma == pytest.approx(2 * (rate * 100 - dividend_yield * at) / (vol * at) ** 2, rel=0.03)
    exercised = american_price_and_greeks(at * 0.999, 100.0, *terms, "P")
    assert exercised.price == pytest.approx(100 - at * 0.999, abs=1e-12)
    assert [float(getattr(exercised, name)) for name in NAMES] == [-1, 0, 0, 0, 0]


def test_greeks_vary_smoothly_towards_the_boundary():
    """Differences over a wide rate bump, which steps over the boundary, would not."""
    terms = (0.5, 0.05, 0.02, 0.25)
    spot = boundary(*terms) * np.exp(np.linspace(0.002, 0.6, 150) * 0.25 * np.sqrt(0.5))
    found = american_price_and_greeks(spot, 100.0, *terms, "P")
    for name in ("delta", "vega", "theta", "rho"):
        values = getattr(found, name)
        steps = np.diff(values)
        assert np.abs(np.diff(steps)).max() < 0.01 * np.abs(values).max(), name
    assert np.all(np.diff(found.rho) < 0) and np.all(np.diff(found.vega) > 0)


def test_a_call_without_dividends_has_blacks_greeks():
    spot, strike, years, rate, vol = np.array([80.0, 100.0, 120.0]), 100.0, 0.8, 0.05, 0.3
    found = american_price_and_greeks(spot, strike, years, rate, 0.0, vol, "C")
    expected = price_and_greeks(spot * np.exp(rate * years), strike, years, np.exp(-rate * years), vol, "C", spot=spot)
    for name in ("price", *NAMES):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12)


def test_two_boundaries_have_greeks():
    terms = (1.0, -0.01, -0.03, 0.2)
    found = american_price_and_greeks(100.0, 100.0, *terms, "P")
    up, down = (american_price(spot, 100.0, *terms, "P") for spot in (101.0, 99.0))
    assert found.delta == pytest.approx(float(up - down) / 2, abs=3e-3)
    assert early_exercise_premium(100.0, 100.0, *terms, "P") > 0.1
    assert found.vega > 0 > found.theta and found.rho < 0 < found.gamma


@pytest.mark.parametrize(("option", "dividends", "expected"), ESCROWED)
def test_greeks_with_cash_dividends_agree_with_finite_differences(option, dividends, expected):
    spot, strike, days, rate, vol, kind = option
    paid = [(until / 365, amount) for until, amount in dividends]
    found = american_price_and_greeks(spot, strike, days / 365, rate, 0.0, vol, kind, cash_dividends=paid)
    error = np.abs([float(getattr(found, name)) - value for name, value in zip(WITH_DIVIDENDS, expected, strict=True)])
    assert np.all(error < [1e-3, 3e-4, 0.05, 3e-4, 0.1, 0.02])
    assert found.price == american_price(spot, strike, days / 365, rate, 0.0, vol, kind, cash_dividends=paid)


def test_a_dividend_of_next_to_nothing_changes_next_to_nothing():
    terms = 0.5, 0.04, 0.0, 0.25
    plain = american_price_and_greeks(100.0, 100.0, *terms, "C")
    found = american_price_and_greeks(100.0, 100.0, *terms, "C", cash_dividends=[(0.25, 1e-9)])
    for name in ("price", *WITH_DIVIDENDS, "volga"):
        assert float(getattr(found, name)) == pytest.approx(float(getattr(plain, name)), rel=1e-6), name


def test_an_option_due_before_a_dividend_moves_with_the_spot():
    """A deep call on the morning before a great dividend cannot wait; a deep put is better kept until it is paid."""
    found = american_price_and_greeks(
        100.0, [60.0, 140.0], 0.5, 0.04, 0.0, 0.15, ["C", "P"], cash_dividends=[(1e-4, 8.0)]
    )
    assert found.price[0] == pytest.approx(40.0, abs=1e-3) and found.delta[0] == pytest.approx(1.0, abs=1e-3)
    assert found.price[1] == pytest.approx(48.0, abs=1e-2) and found.delta[1] == pytest.approx(-1.0, abs=1e-2)
    due = american_price_and_greeks(100.0, 160.0, 0.5, 0.04, 0.0, 0.15, "P", cash_dividends=[(0.45, 0.01)])
    assert [float(getattr(due, name)) for name in ("price", *NAMES)] == [60, -1, 0, 0, 0, 0]


def test_reasons_say_why_there_is_nothing():
    spot, years = [100.0, np.nan, 0.0, 100.0, 100.0, 100.0, 5.0], [1.0, 1.0, 1.0, -0.1, 0.0, 1.0, 1.0]
    vol = [0.2, 0.2, 0.2, 0.2, 0.2, -0.2, 0.2]
    found = american_price_and_greeks_with_reason(
        spot, 105.0, years, 0.05, 0.02, vol, "P", cash_dividends=[(0.5, 10.0)]
    )
    bad, expired = Reason.BAD_ARGUMENT, Reason.EXPIRED
    assert found.reason.tolist() == [Reason.OK, bad, bad, expired, Reason.OK, bad, bad]
    np.testing.assert_array_equal(np.isnan(found.priced.price), found.reason != Reason.OK)
    assert found.reason.dtype == np.int8


def test_nan_in_nan_out_and_shapes():
    found = american_price_and_greeks([[np.nan], [100.0]], np.full((2, 3), 105.0), 1, 0.05, 0.02, 0.2, "P")
    for values in found:
        assert np.isnan(values[0]).all() and np.isfinite(values[1]).all()
        assert values.shape == (2, 3)
    odd = american_price_and_greeks(100.0, 105.0, [-1.0, 1.0, 1.0], [0.05, np.nan, 0.05], 0.02, [0.2, 0.2, -0.2], "P")
    assert np.isnan(np.array(odd)).all()


def test_without_vol_the_option_moves_with_the_spot_or_not_at_all():
    found = american_price_and_greeks(100.0, [90.0, 110.0], 1.0, 0.05, 0.02, 0.0, "P")
    assert found.price.tolist() == [0, 10] and found.delta.tolist() == [0, -1]
    assert found.gamma.tolist() == found.vega.tolist() == [0, 0]
