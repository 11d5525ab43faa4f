import numpy as np
import pytest

from options_pricing.models.base import eligible_quotes
from options_pricing.models.moves import Yesterday
from options_pricing.models.surface_moves import (
    BUMP_STAYS,
    RESPONSE,
    Bumps,
    Learnt,
    PastMove,
    believed,
    combined,
    moneyness_in_deviations,
    past_move,
    prior_covariance,
    shapes,
)
from tests.made_up_features import Market, make_features

YEARS = np.array([0.02, 0.25, 1.0])


def two_days(**market):
    quotes = eligible_quotes(make_features(Market(days=2, **market)), 7, 400)
    first, second = (day for _, day in quotes.groupby("trade_date"))
    return Yesterday(first), second


def test_at_the_money_of_a_quarter_hump_and_level_are_one_and_the_rest_nothing():
    np.testing.assert_allclose(shapes(np.array([0.25]), np.array([0.0])), [[1, 0, 0, 0, 1, 0]], atol=1e-15)


def test_far_strikes_keep_the_level_only():
    far = shapes(np.full(2, 0.1), np.array([-40.0, 40.0]))
    assert np.abs(far[:, :4]).max() < 0.03
    assert (far[:, 4] == 1).all()


def test_the_shapes_add_up_alike_however_many_are_asked():
    random = np.random.default_rng(1)
    shape = shapes(random.uniform(0.02, 1, 999), random.normal(size=999))
    whole = combined(shape, RESPONSE)
    assert all(combined(shape[i : i + 1], RESPONSE)[0] == whole[i] for i in range(0, 999, 37))


def test_the_prior_is_a_covariance():
    assert np.linalg.eigvalsh(prior_covariance()).min() > 0


def test_a_smooth_term_structure_has_no_bumps():
    yesterday, today = two_days(noise=0.0, beta=0.0, strikes=161)
    years = today["year_fraction"].to_numpy()
    moneyness = moneyness_in_deviations(yesterday, today) * yesterday.level
    before, now = (yesterday.surface.vols_at(t, moneyness) for t in (years + 1 / 365, years))
    bumps = Bumps(yesterday, 1 / 365, yesterday.surface.vols_at).of(before, now, years)
    assert np.abs(bumps[np.abs(moneyness) < 2 * yesterday.level]).max() < 0.01


def test_an_expirations_own_level_stays_with_it():
    """One expiration has vols a tenth higher: a week later it is still that one."""
    quotes = eligible_quotes(make_features(Market(days=1, noise=0.0)), 7, 400)
    expirations = sorted(quotes["expiration"].unique())
    bumped = quotes["expiration"] == expirations[3]
    yesterday = Yesterday(quotes.assign(implied_vol=quotes["implied_vol"] * np.where(bumped, 1.1, 1.0)))
    years = np.sort(quotes["year_fraction"].unique())[2:5] - 7 / 365
    before, now = (yesterday.surface.vols_at(t, np.zeros(3)) for t in (years + 7 / 365, years))
    change = Bumps(yesterday, 7 / 365, yesterday.surface.vols_at).of(before, now, years)
    assert np.log(before[1] / now[1]) > 0.015
    assert BUMP_STAYS * np.log(before[1] / now[1]) == pytest.approx(change[1], abs=0.006)


def test_a_day_that_moves_as_the_prior_says_speaks_for_it():
    yesterday, today = two_days(returns=(-0.02,), beta=0.0, noise=0.0)
    years, z = today["year_fraction"].to_numpy(), moneyness_in_deviations(yesterday, today)
    base = yesterday.surface.vols_at(years, z * yesterday.level)
    moved = today.assign(implied_vol=base * np.exp(combined(shapes(years, z), RESPONSE) * yesterday.shocks(today)))
    found = past_move(yesterday, moved, np.log(base))
    assert found.explained / found.squared == pytest.approx(1, rel=1e-9)
    np.testing.assert_allclose(found.coefficients[:2] / RESPONSE[:2], yesterday.shocks(today).mean(), rtol=0.15)


def test_belief_is_the_priors_lower_end_without_days():
    assert 0 <= believed(np.empty(0), np.empty(0)) < 0.1


def test_days_that_agree_are_believed_and_days_that_contradict_are_not():
    squared = np.full(30, 0.05**2)
    assert believed(squared, squared) > 0.7
    assert believed(-squared, squared) == 0
    turns = np.where(np.arange(30) % 2 == 0, 1.0, -1.0)
    assert believed(turns * squared, squared) < 0.1


def test_one_enormous_day_proves_little():
    assert believed(np.array([1.0]), np.array([1.0])) < 0.5


def test_covariance_is_drawn_from_the_prior_to_the_days():
    wild = PastMove(1.0, 0.0, 0.0, 1e-6, np.array([0.3, 0.0, 0.0, 0.0, 0.0, 0.0]))
    none, few, many = (Learnt.of([wild] * count).covariance[0, 0] for count in (0, 5, 500))
    assert none == pytest.approx(prior_covariance()[0, 0]) and none < few < many < 0.09
