"""The tree: cash dividends as QuantLib's finite differences price them, and how fast it converges."""

import numpy as np
import pytest

from options_pricing import american_implied_vol, american_price
from options_pricing.pricing.american import early_exercise_premium
from options_pricing.pricing.exercise_tree import tree_exercise

QUARTERLY = [(60, 1.5), (151, 1.5)]
# QuantLib 1.44, FdBlackScholesVanillaEngine, 2000 x 2000 points, escrowed: spot, strike, days, rate, vol, type, and
# the dividends by days until they go ex.
ESCROWED = [
    ((100.0, 100.0, 182, 0.04, 0.25, "C"), QUARTERLY, 6.673751506830207),
    ((100.0, 100.0, 182, 0.04, 0.25, "P"), QUARTERLY, 7.478351371315853),
    ((100.0, 85.0, 182, 0.04, 0.25, "C"), QUARTERLY, 16.38739412407589),
    ((100.0, 120.0, 365, 0.05, 0.3, "P"), [(30, 1.0), (121, 1.0), (212, 1.0), (303, 1.0)], 24.32439820918325),
    ((100.0, 110.0, 90, 0.05, 0.2, "P"), [(45, 3.0)], 12.723554785153357),
]


def in_years(dividends):
    return [(days / 365, amount) for days, amount in dividends]


@pytest.mark.parametrize(("option", "dividends", "expected"), ESCROWED)
def test_cash_dividends_agree_with_finite_differences(option, dividends, expected):
    spot, strike, days, rate, vol, kind = option
    found = american_price(spot, strike, days / 365, rate, 0.0, vol, kind, cash_dividends=in_years(dividends))
    assert found == pytest.approx(expected, abs=4e-3)


def test_finer_trees_come_closer():
    rng = np.random.default_rng(3)
    size = 40
    strike, years = 100 * np.exp(rng.uniform(-0.3, 0.3, size)), rng.uniform(0.05, 1.5, size)
    dividends = np.array([(0.05, 0.6), (0.3, 0.6), (0.55, 0.6), (0.8, 0.6), (1.05, 0.6), (1.3, 0.6)])
    owed = sum(np.where(t <= years, a * np.exp(-0.04 * t), 0) for t, a in dividends)
    kind = np.where(rng.random(size) < 0.5, 1.0, -1.0)
    options = np.array(
        [100 - owed, strike, years, np.full(size, 0.04), np.zeros(size), rng.uniform(0.12, 0.6, size), kind]
    )
    reference = tree_exercise(options, dividends, steps=2001).premium
    errors = [
        np.sqrt(np.mean((tree_exercise(options, dividends, steps=n).premium - reference) ** 2)) for n in (51, 201)
    ]
    assert errors[1] < 2e-3 and errors[1] < errors[0] / 2


def test_without_dividends_it_is_the_boundary_methods_price():
    strikes, years = np.array([85.0, 100.0, 115.0]), 0.75
    spot, one = np.full(3, 100.0), np.ones(3)
    options = np.array([spot, strikes, years * one, 0.05 * one, 0.02 * one, 0.3 * one, -one])
    expected = early_exercise_premium(spot, strikes, years, 0.05, 0.02, 0.3, "P")
    np.testing.assert_allclose(tree_exercise(options, steps=801).premium, expected, atol=5e-4)


def test_a_call_is_exercised_on_the_eve_of_a_great_dividend():
    """Deep in the money with little vol: exercise on the eve, S - K discounted from there."""
    found = american_price(100.0, 60.0, 0.5, 0.04, 0.0, 0.05, "C", cash_dividends=[(0.25, 8.0)])
    assert found == pytest.approx(100 - 60 * np.exp(-0.04 * 0.25), abs=1e-3)


def test_dividends_after_the_expiry_or_gone_ex_change_nothing():
    plain = american_price(100.0, 100.0, 0.5, 0.04, 0.0, 0.2, "P")
    late = american_price(100.0, 100.0, 0.5, 0.04, 0.0, 0.2, "P", cash_dividends=[(0.6, 5.0), (0.0, 5.0)])
    assert late == pytest.approx(float(plain), abs=2e-3)


def test_vols_with_cash_dividends_come_back():
    strikes = np.array([[90.0], [100.0], [110.0]])
    dividends = [(0.1, 0.8), (0.35, 0.8)]
    terms = (100.0, strikes, 0.5, 0.04, 0.0)
    kinds = np.array(["C", "P"])
    price = american_price(*terms, 0.22, kinds, cash_dividends=dividends)
    found = american_implied_vol(price, *terms, kinds, cash_dividends=dividends)
    np.testing.assert_allclose(found, 0.22, atol=1e-6)


def test_bad_dividends_and_trees_are_refused():
    with pytest.raises(ValueError, match="years until it goes ex"):
        american_price(100.0, 100.0, 0.5, 0.04, 0.0, 0.2, "P", cash_dividends=[(-0.1, 5.0)])
    with pytest.raises(ValueError, match="at least 5 steps"):
        tree_exercise(np.ones((7, 1)), steps=3)
    # Dividends worth more than the spot leave nothing to be lognormal.
    assert np.isnan(american_price(100.0, 100.0, 0.5, 0.04, 0.0, 0.2, "P", cash_dividends=[(0.1, 200.0)]))
