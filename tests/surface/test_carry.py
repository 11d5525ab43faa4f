import numpy as np
import pytest

from options_pricing.surface.carry import (
    dividend_yields,
    exercise_bounds,
    plausible,
    spot_and_mean_yield,
    steadied,
)

YEARS = np.array([0.01, 0.03, 0.08, 0.25, 0.5, 1.0, 2.0])


def test_spot_and_yield_of_a_straight_term_structure():
    spot, dividend_yield = spot_and_mean_yield(YEARS, 100 * np.exp(-0.015 * YEARS))
    assert spot == pytest.approx(100, rel=1e-12)
    assert dividend_yield == pytest.approx(0.015)


def test_one_wrong_forward_does_not_count():
    prepaid = 100 * np.exp(-0.015 * YEARS)
    for wrong in range(YEARS.size):
        bent = prepaid * np.where(np.arange(YEARS.size) == wrong, 1.03, 1.0)
        spot, dividend_yield = spot_and_mean_yield(YEARS, bent)
        assert spot == pytest.approx(100, rel=1e-3)
        assert dividend_yield == pytest.approx(0.015, abs=0.01)


def test_before_the_first_dividend_nothing_is_taken_off():
    """A quarterly payer: three expirations before its first ex-day, and a mean yield that is not theirs."""
    paid = np.searchsorted([0.2, 0.45, 0.7, 0.95, 1.2, 1.45, 1.7, 1.95], YEARS)
    spot, dividend_yield = spot_and_mean_yield(YEARS, 100 - 1.0 * paid)
    assert dividend_yield > 0.03
    assert spot == pytest.approx(100, rel=1e-12)


def test_few_expirations_give_no_yield_and_none_no_spot():
    assert spot_and_mean_yield(np.array([0.1]), np.array([99.0])) == pytest.approx((99.0, 0.0))
    assert np.isnan(spot_and_mean_yield(np.array([0.1]), np.array([np.nan]))).all()


def test_spot_lies_where_no_option_can_be_exercised_at_a_profit():
    strike = np.repeat(np.arange(80.0, 121.0, 5.0), 2)
    call = np.arange(strike.size) % 2 == 0
    ask = np.maximum(np.where(call, 100 - strike, strike - 100), 0) + 0.3
    low, high = exercise_bounds(strike, ask, call)
    assert 99 < low <= 100 <= high < 101
    ask[strike.argmax() + 1] = 1.0  # one stale put
    assert exercise_bounds(strike, ask, call) == pytest.approx((low, high))


def test_bounds_that_contradict_each_other_or_few_quotes_bind_nothing():
    assert exercise_bounds(np.array([100.0]), np.array([1.0]), np.array([True])) == (0.0, np.inf)
    strike, ask = np.full(20, 100.0), np.full(20, -5.0)
    assert exercise_bounds(strike, ask, np.arange(20) % 2 == 0) == (0.0, np.inf)


def test_yields_lead_from_spot_to_forward():
    yields = dividend_yields(YEARS, 100 * np.exp(-0.02 * YEARS), 100.0)
    np.testing.assert_allclose(yields, 0.02)
    assert np.isnan(dividend_yields(np.array([0.0]), np.array([100.0]), 100.0))


def test_noise_is_drawn_to_the_mean_and_a_dividend_stays():
    found = steadied(np.array([0.05, 0.40, 0.02]), 0.02, np.array([0.1, 0.01, 0.1]))
    assert found[0] == pytest.approx(0.02, abs=1e-3)
    assert found[1] == pytest.approx(0.40, abs=2e-3)
    assert found[2] == 0.02
    np.testing.assert_array_equal(steadied(np.array([0.05, -3.0]), 0.02, np.zeros(2)), [0.05, -3.0])


def test_plausible_yields():
    years = np.array([1.0, 1.0, 1.0, 0.02, 0.02])
    np.testing.assert_array_equal(
        plausible(years, np.array([0.03, 0.5, -0.2, 1.5, 4.0])), [True, False, False, True, False]
    )
