"""Readouts against closed forms: flat vols, Black, the SVI formula."""

import numpy as np
import pytest
from scipy.stats import lognorm

from options_pricing.pricing.black import black_price
from options_pricing.surface.essvi import Essvi, at_times, total_variance
from options_pricing.surface.readouts import (
    TERMS,
    atm_vols,
    butterflies,
    delta_vols,
    density,
    local_vols,
    probability_below,
    quantiles,
    risk_reversals,
    skews,
    term_structure,
    variance_swap_vols,
    vix_variance,
)
from options_pricing.surface.surface import Surface
from tests.surface.made_surface import TRUE, YEARS, made_quotes

FLAT = 0.2
# With psi next to nothing eSSVI is flat.
LEVEL = Essvi(YEARS, FLAT**2 * YEARS, np.zeros(6), np.full(6, 1e-9))


@pytest.fixture(scope="module")
def flat():
    return {m: Surface.fit(made_quotes(surface=LEVEL, half_spread=0.002), m) for m in ("constrained", "essvi")}


@pytest.fixture(scope="module")
def skewed():
    return {m: Surface.fit(made_quotes(half_spread=0.002), m) for m in ("constrained", "essvi")}


@pytest.mark.parametrize(("method", "close"), [("constrained", 0.01), ("essvi", 0.03)])
def test_flat_vols_give_the_lognormal(flat, method, close):
    surface, t = flat[method], 0.25
    s = FLAT * np.sqrt(t)
    true = lognorm(s, scale=np.exp(-(s**2) / 2))
    k = np.linspace(0.75, 1.3, 56)
    assert np.abs(density(surface, t, k) - true.pdf(k)).max() < close * true.pdf(1.0)
    assert np.abs(probability_below(surface, t, k) - true.cdf(k)).max() < close / 5
    asked = np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    np.testing.assert_allclose(quantiles(surface, t, asked), true.ppf(asked), rtol=close / 5)


@pytest.mark.parametrize("method", ["constrained", "essvi"])
def test_densities_are_positive_and_of_mass_and_mean_one(skewed, method):
    k = np.exp(np.linspace(-3, 1.5, 4001))
    for t in (0.05, 0.18, 1.0):
        f = density(skewed[method], t, k)
        assert f.min() >= -1e-9
        assert np.trapezoid(f, k) == pytest.approx(1, abs=2e-3)
        assert np.trapezoid(f * k, k) == pytest.approx(1, abs=2e-3)


def test_flat_vols_have_no_skew_and_all_readouts_say_so(flat):
    for surface in flat.values():
        table = term_structure(surface)
        assert tuple(table.columns) == TERMS and len(table) == len(YEARS)
        np.testing.assert_allclose(table["atm_vol"], FLAT, atol=1e-3)
        np.testing.assert_allclose(table["variance_swap_vol"], FLAT, atol=2e-3)
        np.testing.assert_allclose(table["risk_reversal_25"], 0, atol=2e-3)
        np.testing.assert_allclose(table["butterfly_25"], 0, atol=2e-3)
        assert (np.abs(table["skew"]) * np.sqrt(YEARS) < 0.01).all()


def test_flat_local_vols_are_the_implied_ones(flat):
    k = np.array([0.9, 1.0, 1.1])
    np.testing.assert_allclose(local_vols(flat["essvi"], 0.4, k), FLAT, rtol=0.02)
    np.testing.assert_allclose(local_vols(flat["constrained"], 0.4, k), FLAT, rtol=0.06)


def test_skew_and_level_of_essvi_by_its_formula(skewed):
    # w(0) = theta, w'(0) = rho psi, so that the slope of the vol is rho psi / (2 vol T).
    slope = TRUE.rho * TRUE.psi / (2 * 0.2 * YEARS)
    for surface in skewed.values():
        np.testing.assert_allclose(atm_vols(surface, YEARS), 0.2, rtol=0.01)
        np.testing.assert_allclose(skews(surface, YEARS), slope, rtol=0.08)


def test_delta_vols_are_at_their_delta(skewed):
    surface = skewed["essvi"]
    for delta, option_type in ((0.25, "C"), (-0.25, "P"), (-0.1, "P")):
        vol = delta_vols(surface, YEARS, delta)
        at = at_times(surface.essvi, YEARS)
        y = np.linspace(-6, 6, 600_001)
        for i, t in enumerate(YEARS):
            w = total_variance(at.theta[i], at.rho[i], at.psi[i], y * np.sqrt(at.theta[i]))
            d1 = -y * np.sqrt(at.theta[i]) / np.sqrt(w) + np.sqrt(w) / 2
            from scipy.special import ndtr

            n = ndtr(d1) - (option_type == "P")
            assert vol[i] == pytest.approx(np.sqrt(w[np.abs(n - delta).argmin()] / t), rel=1e-4)
    assert (risk_reversals(surface, YEARS) < 0).all() and (butterflies(surface, YEARS) > 0).all()
    np.testing.assert_allclose(risk_reversals(skewed["constrained"], YEARS), risk_reversals(surface, YEARS), atol=0.004)


def test_variance_swap_of_essvi_by_integration(skewed):
    # E[-2 log(S/F)] by Matytsin: the integral over z = d2 of total variance, w(y(z)) n(z) dz.
    surface = skewed["essvi"]
    at = at_times(surface.essvi, YEARS)
    y = np.linspace(-200, 60, 2_000_001)
    for i, t in enumerate(YEARS):
        w = total_variance(at.theta[i], at.rho[i], at.psi[i], y * np.sqrt(at.theta[i]))
        z = -y * np.sqrt(at.theta[i]) / np.sqrt(w) - np.sqrt(w) / 2
        fair = -np.trapezoid(w * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), z)
        assert variance_swap_vols(surface, t)[()] == pytest.approx(np.sqrt(fair / t), rel=1e-4)


def test_vix_method_by_hand():
    # (2 / T) sum(dK / K^2 Q / D) - (F / K0 - 1)^2 / T with K0 = 100.
    strikes, prices = [90.0, 100.0, 110.0], [1.0, 4.0, 1.5]
    strip = 10 * (1.0 / 8100 + 4.0 / 10_000 + 1.5 / 12_100) / 0.98
    assert vix_variance(strikes, prices, 102.0, 0.98, 0.5) == pytest.approx((2 * strip - 0.02**2) / 0.5)
    with pytest.raises(ValueError, match="ascend"):
        vix_variance(strikes[::-1], prices, 102.0, 0.98, 0.5)
    with pytest.raises(ValueError, match="ascend"):
        vix_variance(strikes, prices, 80.0, 0.98, 0.5)


def test_vix_method_of_black_is_its_variance():
    k = np.exp(np.linspace(-2, 2, 4001))
    price = black_price(1.0, k, 0.5, 0.97, 0.3, k >= 1)
    assert vix_variance(k, price, 1.0, 0.97, 0.5) == pytest.approx(0.09, rel=1e-4)


def test_local_variances_of_essvi_by_gatherals_formula(skewed):
    # Gatheral (2006), eq. 1.10, with the derivatives of w by differences of the formula.
    surface, t, y = skewed["essvi"], 0.37, np.array([-0.15, -0.05, 0.0, 0.08])

    def w(time, at):
        s = at_times(surface.essvi, time)
        return total_variance(s.theta, s.rho, s.psi, at)

    h = 1e-4
    first, second = (w(t, y + h) - w(t, y - h)) / (2 * h), (w(t, y + h) - 2 * w(t, y) + w(t, y - h)) / h**2
    by_time, level = (w(t + h, y) - w(t - h, y)) / (2 * h), w(t, y)
    below = 1 - y / level * first + (-0.25 - 1 / level + y**2 / level**2) * first**2 / 4 + second / 2
    np.testing.assert_allclose(local_vols(surface, t, np.exp(y)), np.sqrt(by_time / below), rtol=5e-3)


def test_what_is_not_defined_is_nan(skewed):
    surface = skewed["constrained"]
    assert np.isnan(density(surface, [np.nan, 0.5, -1.0], [1.0, -1.0, 1.0])).all()
    assert np.isnan(quantiles(surface, 0.5, [0.0, 1.0, -1.0, np.nan])).all()
    assert np.isnan(local_vols(surface, 0.5, np.nan))
    assert np.isnan(variance_swap_vols(surface, [0.0, -1.0])).all()
    with pytest.raises(ValueError, match="delta"):
        delta_vols(surface, 0.5, 1.5)
