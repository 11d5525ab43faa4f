"""Raw SVI: the formula, and that a fit gets its own kind back."""

import numpy as np
import pytest

from options_pricing.surface.essvi import fit_essvi
from options_pricing.surface.quoted import read_quotes
from options_pricing.surface.svi import Svi, fit_svi, svi_variance, svi_variances_at
from tests.surface.made_surface import TRUE, made_quotes


def test_the_formula_by_hand():
    # 0.01 + 0.1 (-0.5 * 0.3 + sqrt(0.09 + 0.16)) = 0.01 + 0.1 * 0.35
    assert float(svi_variance(0.01, 0.1, -0.5, 0.0, 0.4, 0.3)) == pytest.approx(0.045)


def test_slices_come_back_in_a_wide_range():
    quotes = made_quotes()
    quoted = read_quotes(quotes)
    fitted = fit_svi(quoted, fit_essvi(quoted))
    found = np.sqrt(svi_variances_at(fitted, quoted.years, np.log(quoted.k)) / quoted.years)
    assert np.abs(found / quoted.vol - 1).max() < 0.01
    assert (fitted.b * (1 + np.abs(fitted.rho)) <= 2).all()


def test_between_expirations_variance_is_linear_in_time():
    one = np.ones(2)
    svi = Svi(np.array([0.5, 1.0]), np.array([0.02, 0.06]), 0 * one, 0 * one, 0 * one, one)
    asked = svi_variances_at(svi, np.array([0.25, 0.5, 0.75, 2.0]), np.zeros(4))
    np.testing.assert_allclose(asked, [0.01, 0.02, 0.04, 0.12])


def test_one_quote_keeps_the_start():
    one = made_quotes().query("year_fraction == 0.25 and implied_vol > 0").iloc[[20]]
    quoted = read_quotes(one)
    start = fit_essvi(quoted)
    fitted = fit_svi(quoted, start)
    found = np.sqrt(svi_variances_at(fitted, quoted.years, np.log(quoted.k)) / quoted.years)
    assert found[0] == pytest.approx(quoted.vol[0], rel=0.02)
    assert np.isfinite(np.array(fitted)).all() and len(TRUE.theta) == 6
