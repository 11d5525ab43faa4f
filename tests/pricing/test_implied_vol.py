"""Implied vols: round trips, deep wings (mpmath), QuantLib's figure, and reasons outside the bounds."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from options_pricing import implied_vol
from options_pricing.pricing.black import black_price
from options_pricing.pricing.implied_vol import Reason, implied_vol_with_reason
from tests.pricing.test_black import DEEP, QUOTED

THOUSANDS = 2500


def chains(count=40_000, seed=5):
    """Forward, strike, years, discount factor, vol and whether a call: from a week to three years, both sides."""
    rng = np.random.default_rng(seed)
    forward = rng.uniform(20, 8000, count)
    years = np.exp(rng.uniform(np.log(0.01), np.log(3), count))
    vol = rng.uniform(0.05, 1.5, count)
    strike = forward * np.exp(rng.normal(0, 1.2, count) * vol * np.sqrt(years))
    return forward, strike, years, np.exp(-0.04 * years), vol, rng.random(count) < 0.5


def test_quotable_options_come_back_to_a_part_in_ten_million_million():
    forward, strike, years, discount, vol, call = chains()
    price = black_price(forward, strike, years, discount, vol, call)
    in_the_money = call == (strike < forward)
    # What parity takes off an option in the money it rounds; what is left must still hold the vol.
    value = np.where(in_the_money, price - discount * np.abs(forward - strike), price)
    quotable = np.where(in_the_money, value > 1e-3 * price, value > 1e-6 * forward)
    assert quotable.mean() > 0.9
    found = implied_vol(price, forward, strike, years, discount, call)
    np.testing.assert_allclose(found[quotable & ~in_the_money], vol[quotable & ~in_the_money], rtol=1e-13)
    np.testing.assert_allclose(found[quotable & in_the_money], vol[quotable & in_the_money], rtol=1e-10)


@pytest.mark.parametrize(("forward", "strike", "years", "vol", "discount", "option_type", "price"), DEEP)
def test_deep_wings(forward, strike, years, vol, discount, option_type, price):
    found, reason = implied_vol_with_reason(price, forward, strike, years, discount, option_type)
    assert found == pytest.approx(vol, rel=1e-14) and reason == Reason.OK


@pytest.mark.parametrize(("forward", "strike", "years", "vol", "discount", "option_type", "price"), QUOTED)
def test_quoted_options(forward, strike, years, vol, discount, option_type, price):
    assert implied_vol(price, forward, strike, years, discount, option_type) == pytest.approx(vol, rel=1e-14)


def test_prices_down_to_the_smallest_have_a_vol():
    """A price of 1e-250 is out there at 35 deviations; at what a double can't tell from nothing there is none."""
    prices = 10.0 ** -np.arange(1, 291)
    vols = implied_vol(prices, 100.0, 130.0, 0.25, 0.99, "C")
    np.testing.assert_allclose(np.log(black_price(100.0, 130.0, 0.25, 0.99, vols, "C")), np.log(prices), rtol=1e-13)
    assert np.all(np.diff(vols) < 0)
    vol, reason = implied_vol_with_reason(5e-324, 100.0, 130.0, 0.25, 0.99, "C")
    assert np.isnan(vol) and reason == Reason.AT_LOWER_BOUND


def test_agrees_with_quantlib():
    # QuantLib 1.44: blackFormulaImpliedStdDev(Call, strike 110, forward 100, price 2.5, discount 0.95)
    assert implied_vol(2.5, 100, 110, 1.0, 0.95, "C") == pytest.approx(0.15383272809247556, rel=1e-6)


@given(st.floats(-12, 12), st.floats(0.003, 3.5), st.sampled_from(["C", "P"]))
@example(0.0, 0.003, "C")
@example(12.0, 0.5, "P")
def test_out_of_the_money_price_to_vol_and_back(moneyness, deviation, option_type):
    """`moneyness` in standard deviations: up to prices of 1e-32 of the forward."""
    strike = 100 * np.exp((abs(moneyness) if option_type == "C" else -abs(moneyness)) * deviation)
    price = black_price(100.0, strike, 1.0, 1.0, deviation, option_type)
    assert implied_vol(price, 100.0, strike, 1.0, 1.0, option_type) == pytest.approx(deviation, rel=1e-13)


@given(st.floats(0.01, 0.99), st.floats(0.3, 3), st.booleans())
def test_any_price_between_the_bounds_is_given_back(share, moneyness, call):
    forward, strike, discount = 50.0, 50.0 * moneyness, 0.93
    parity = discount * (forward - strike) * (1 if call else -1)
    low, high = max(parity, 0.0), discount * (forward if call else strike)
    price = low + share * (high - low)
    vol = implied_vol(price, forward, strike, 2.0, discount, call)
    assert black_price(forward, strike, 2.0, discount, vol, call) == pytest.approx(price, rel=1e-10)


def test_vol_rises_with_the_price():
    prices = np.linspace(0.01, 94.9, 500)
    vols = implied_vol(prices, 100.0, 120.0, 0.5, 0.95, "C")
    assert np.all(np.diff(vols) > 0)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((5.0, 100, 100, 1, 0.95, "C"), Reason.OK),
        ((9.4, 110, 100, 1, 0.95, "C"), Reason.BELOW_LOWER_BOUND),
        ((-0.1, 100, 120, 1, 0.95, "C"), Reason.BELOW_LOWER_BOUND),
        ((0.0, 100, 120, 1, 0.95, "C"), Reason.AT_LOWER_BOUND),
        ((10.0, 110, 100, 1, 1.0, "C"), Reason.AT_LOWER_BOUND),
        ((95.0, 100, 120, 1, 0.95, "C"), Reason.ABOVE_UPPER_BOUND),
        ((115.0, 100, 120, 1, 0.95, "P"), Reason.ABOVE_UPPER_BOUND),
        ((113.0, 100, 120, 1, 0.95, "P"), Reason.OK),
        ((5.0, 100, 100, 0, 0.95, "C"), Reason.EXPIRED),
        ((5.0, 100, 100, -0.1, 0.95, "C"), Reason.EXPIRED),
        ((np.nan, 100, 100, 1, 0.95, "C"), Reason.BAD_ARGUMENT),
        ((5.0, -100, 100, 1, 0.95, "C"), Reason.BAD_ARGUMENT),
        ((5.0, 100, 0, 1, 0.95, "C"), Reason.BAD_ARGUMENT),
        ((5.0, 100, 100, np.inf, 0.95, "C"), Reason.BAD_ARGUMENT),
        ((5.0, 100, 100, 1, 0.0, "C"), Reason.BAD_ARGUMENT),
        ((np.inf, 100, 100, 1, 0.95, "C"), Reason.BAD_ARGUMENT),
        ((5.0, 100, np.nan, 1, 0.95, "C"), Reason.BAD_ARGUMENT),
        ((5.0, 100, 100, np.nan, 0.95, "C"), Reason.BAD_ARGUMENT),
        ((-5.0, 100, 120, 1, 0.95, "P"), Reason.BELOW_LOWER_BOUND),
        ((5.0, 100, 100, 1, 1.05, "C"), Reason.OK),
    ],
)
def test_reasons(arguments, reason):
    vol, code = implied_vol_with_reason(*arguments)
    assert Reason(int(code)) is reason
    assert np.isnan(vol) == (reason is not Reason.OK)


def test_one_bad_option_does_not_touch_the_others():
    forward, strike, years, discount, vol, call = chains(THOUSANDS, seed=8)
    strike = np.where(call, np.maximum(strike, forward), np.minimum(strike, forward))
    price = black_price(forward, strike, years, discount, vol, call)
    clean = implied_vol(price, forward, strike, years, discount, call)
    price[[0, 1024]] = [np.nan, -1.0]
    marred, reasons = implied_vol_with_reason(price, forward, strike, years, discount, call)
    np.testing.assert_array_equal(np.delete(marred, [0, 1024]), np.delete(clean, [0, 1024]))
    assert reasons[0] == Reason.BAD_ARGUMENT and reasons[1024] == Reason.BELOW_LOWER_BOUND


def test_an_option_has_the_same_bits_alone_and_among_others():
    forward, strike, years, discount, vol, call = chains(THOUSANDS, seed=9)
    price = black_price(forward, strike, years, discount, vol, call)
    together = implied_vol(price, forward, strike, years, discount, call)
    for at in (0, 1, 1023, 1024, THOUSANDS - 1):
        alone = implied_vol(price[at], forward[at], strike[at], years[at], discount[at], call[at])
        np.testing.assert_array_equal(alone, together[at])


def test_takes_what_pandas_gives():
    """Read-only arrays, integers, broadcast ones and objects of letters."""
    price = np.array([5.0, 6.0])
    price.setflags(write=False)
    letters = np.array(["C", "P"], dtype=object)
    found = implied_vol(price, np.broadcast_to(100, 2), np.array([100, 100]), 1, 1, letters)
    np.testing.assert_array_equal(found, [implied_vol(5.0, 100, 100, 1, 1, "C"), implied_vol(6.0, 100, 100, 1, 1, "P")])


def test_shapes():
    assert implied_vol(5.0, 100, 100, 1, 1, "C").shape == ()
    assert implied_vol([], 100, 100, 1, 1, []).shape == (0,)
    assert implied_vol(5.0, 100, np.full((2, 3), 101.0), 1, 1, "C").shape == (2, 3)
