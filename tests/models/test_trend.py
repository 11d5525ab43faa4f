import numpy as np
import pytest

from options_pricing.models.surface_moves import RESPONSE, combined, shapes
from options_pricing.models.trend import DayOfQuotes, Passage, Trend, filtered, noise_and_signal

YEARS = np.repeat([0.05, 0.1, 0.25, 0.6], 15)
MONEYNESS = np.tile(np.linspace(-0.35, 0.3, 15), 4)
NOTHING = np.zeros(6)


def smooth(level=-1.6, skew=-0.9):
    """A surface that the trend can show but for the scale of its moneyness."""
    later = np.log(4 * YEARS)
    return level + 0.05 * later + skew * np.minimum(MONEYNESS, 0) - 0.4 * np.maximum(MONEYNESS, 0)


def day(log_vol):
    return DayOfQuotes(YEARS, MONEYNESS, log_vol)


def test_one_exact_day_is_its_own_trend():
    trend = filtered([day(smooth())], [])
    np.testing.assert_allclose(trend.log_vols(YEARS, MONEYNESS), smooth(), atol=0.003)


def test_noisy_days_of_one_surface_are_averaged():
    random = np.random.default_rng(1)
    days = [day(smooth() + random.normal(0, 0.1, len(YEARS))) for _ in range(40)]
    quiet = [Passage(1e-6, NOTHING)] * 39
    one, many = (
        np.abs(trend.log_vols(YEARS, MONEYNESS) - smooth()).mean()
        for trend in (filtered(days[-1:], []), filtered(days, quiet))
    )
    assert many < 0.5 * one


def test_an_expected_move_is_taken_along():
    """Of the same three quotes a day, the trend that was told of the move knows the rest of the surface."""
    few = [7, 22, 37]
    z = MONEYNESS / np.exp(smooth()[7])
    moved = smooth() + combined(shapes(YEARS, z), -0.15 * RESPONSE)
    after = DayOfQuotes(YEARS[few], MONEYNESS[few], moved[few])
    told, untold = (
        np.abs(filtered([day(smooth()), after], [Passage(1.0, move)]).log_vols(YEARS, MONEYNESS) - moved).max()
        for move in (-0.15 * RESPONSE, NOTHING)
    )
    assert told < 0.6 * untold


def test_a_few_absurd_quotes_do_not_bend_it():
    spoilt = smooth()
    spoilt[::13] += 2.0
    trend = filtered([day(spoilt)], [])
    assert np.median(np.abs(trend.log_vols(YEARS, MONEYNESS) - smooth())) < 0.03


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
def test_the_noise_of_single_quotes_is_told_from_what_neighbours_share(noise):
    random = np.random.default_rng(2)
    moneyness, series = np.tile(np.linspace(-1, 1, 400), 5), np.repeat(np.arange(5.0), 400)
    shared = 0.05 * np.sin(4 * moneyness)
    found, believed = noise_and_signal(
        shared + random.normal(0, noise, len(shared)) if noise else shared, moneyness, series
    )
    assert found == pytest.approx(noise, rel=0.1, abs=1e-4)
    assert believed == pytest.approx(1 - noise**2 / (noise**2 + 0.05**2 / 2), abs=0.15)


def test_neighbours_of_another_expiration_are_none():
    assert noise_and_signal(np.ones(3), np.array([0.0, 0.1, 0.2]), np.array([1.0, 2.0, 3.0])) == (0.0, 1.0)


def test_exact_quotes_are_kept_and_noise_is_drawn_in():
    quoted = np.log(0.3) + np.array([0.01, -0.02, 0.5])
    years, moneyness = np.full(3, 0.25), np.zeros(3)
    flat = np.r_[np.log(0.3), np.zeros(7)]
    exact, noisy = Trend(flat, 0.3, 0.02, 1.0), Trend(flat, 0.3, 0.02, 0.0)
    np.testing.assert_allclose(exact.drawing(years, moneyness, quoted), quoted)
    drawn = np.log(0.3) + np.array([0, 0, 0.44])
    np.testing.assert_allclose(noisy.drawing(years, moneyness, quoted), drawn, atol=1e-12)
