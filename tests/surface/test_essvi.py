"""eSSVI: the formula, its constraints, and what a fit gets back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing.pricing.black import black_price
from options_pricing.surface.arbitrage import find_violations
from options_pricing.surface.essvi import (
    Essvi,
    at_times,
    butterfly_limit,
    essvi_vols,
    fit_essvi,
    slices_of,
    total_variance,
)
from options_pricing.surface.quoted import read_quotes
from tests.surface.made_surface import TRUE, made_quotes


def test_the_formula_by_hand():
    # rho = 0: (theta + sqrt(psi^2 y^2 + theta^2)) / 2; with theta = 0.03, psi y = 0.04 it is (0.03 + 0.05) / 2.
    assert float(total_variance(0.03, 0.0, 0.4, 0.1)) == pytest.approx(0.04)
    assert float(total_variance(0.04, -0.7, 0.5, 0.0)) == pytest.approx(0.04)


def test_it_is_svi_in_other_letters():
    from options_pricing.surface.svi import svi_variance

    theta, rho, psi, y = 0.04, -0.6, 0.3, np.linspace(-1, 1, 41)
    rest = np.sqrt(1 - rho**2)
    svi = svi_variance(theta * rest**2 / 2, psi / 2, rho, -rho * theta / psi, theta * rest / psi, y)
    np.testing.assert_allclose(total_variance(theta, rho, psi, y), svi, rtol=1e-13)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_every_point_of_the_parameters_is_free_of_arbitrage(seed):
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 6))
    point = random.normal(size=(1, count, 3)) * [1.0, 1.5, 2.0] + [0, -4, 0]
    theta, rho, psi = (values[0] for values in slices_of(point))
    years = np.cumsum(random.uniform(0.01, 1, count))
    assert (psi <= butterfly_limit(theta, rho) * (1 + 1e-12)).all()
    years_and_between = np.sort(np.append(years, random.uniform(years[0], years[-1], 4)))
    time, y = np.meshgrid(years_and_between, np.linspace(-3, 3, 301) * np.sqrt(theta[-1]), indexing="ij")
    vol = essvi_vols(Essvi(years, theta, rho, psi), time, y)
    table = pd.DataFrame({"year_fraction": time.ravel(), "strike": np.exp(y).ravel(), "forward": 1.0})
    table = table.assign(
        discount_factor=1.0, option_type="C", price=black_price(1, np.exp(y), time, 1, vol, True).ravel()
    )
    assert find_violations(table, price="price").empty


def test_between_expirations_and_beyond():
    same = at_times(TRUE, TRUE.year_fraction)
    np.testing.assert_allclose(same.psi, TRUE.psi)
    outside = essvi_vols(TRUE, np.array([0.01, 4.0]), np.array([-0.02, 0.6]))
    ends = essvi_vols(TRUE, np.array([0.02, 1.0]), np.array([-0.02 * np.sqrt(2), 0.3]))
    np.testing.assert_allclose(outside, ends, rtol=1e-12)


def test_a_surface_of_its_own_kind_comes_back():
    fitted = fit_essvi(read_quotes(made_quotes()))
    y = np.linspace(-2.5, 2, 21)
    for years, theta in zip(TRUE.year_fraction, TRUE.theta, strict=True):
        at = np.full(21, years)
        wanted, found = (essvi_vols(s, at, y * np.sqrt(theta)) for s in (TRUE, fitted))
        assert np.abs(found / wanted - 1).max() < 0.02


def test_outliers_do_not_bend_it():
    quotes = made_quotes()
    clean = fit_essvi(read_quotes(quotes))
    random = np.random.default_rng(5).random(len(quotes)) < 0.03
    wrong = quotes.assign(implied_vol=quotes["implied_vol"].where(~random, 3 * quotes["implied_vol"]))
    shaken = fit_essvi(read_quotes(wrong))
    assert np.abs(shaken.theta / clean.theta - 1).max() < 0.03


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_quotes_are_enough(count):
    one = made_quotes().query("year_fraction == 0.25")
    fitted = fit_essvi(read_quotes(one[one["implied_vol"].notna()].iloc[:count]))
    assert np.isfinite(np.concatenate([fitted.theta, fitted.rho, fitted.psi])).all()
    assert (fitted.psi <= butterfly_limit(fitted.theta, fitted.rho)).all()
