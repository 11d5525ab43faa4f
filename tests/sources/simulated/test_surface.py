"""The true surfaces: free of arbitrage over all that the factors can be, with a skew and a term structure."""

from itertools import product

import numpy as np
import pytest

from options_pricing.pricing.black import black_price
from options_pricing.sources.simulated.instruments import INSTRUMENTS
from options_pricing.sources.simulated.process import market_path
from options_pricing.sources.simulated.surface import (
    BOUNDS,
    SKEW_POWER,
    SKEW_SHIFT,
    Factors,
    Slice,
    at_the_money_vol,
    bounded,
    integrated_variance,
    slices,
    total_variance,
)

NAMES = sorted(INSTRUMENTS)
MATURITIES = np.geomspace(0.5 / 365, 4, 120)
MEAN = Factors(*np.zeros(6))
ROUNDING = 1e-9


def at_the_money_skew(smile, factors, maturity):
    """Slope of implied vol in log-moneyness at the forward, from the parameters of eSSVI."""
    theta, rho, psi = slices(smile, factors, maturity)
    return rho * psi / (2 * np.sqrt(theta * maturity))


def box() -> Factors:
    """Every corner, edge and middle of what the factors can be, down the first axis."""
    corners = np.array(list(product(*[(-b, 0.0, b) for b in BOUNDS])))
    return Factors(*corners.T[:, :, None])


@pytest.mark.parametrize("name", NAMES)
def test_no_butterfly_anywhere_in_the_box(name):
    theta, rho, psi = slices(INSTRUMENTS[name].smile, box(), MATURITIES)
    assert (psi * (1 + np.abs(rho))).max() < 4
    assert (psi**2 / theta * (1 + np.abs(rho))).max() <= 4


@pytest.mark.parametrize("name", NAMES)
def test_no_calendar_arbitrage_anywhere_in_the_box(name):
    # Hendriks and Martini (2019), proposition 3.5: these are sufficient for slices not to cross.
    theta, rho, psi = slices(INSTRUMENTS[name].smile, box(), MATURITIES)
    for rising in (theta, psi * (1 + rho), psi * (1 - rho), -psi / theta):
        assert (np.diff(rising, axis=1) >= -ROUNDING).all()
    assert (rho < 0).all() and (rho > -1).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("day", ["2008-10-15", "2026-11-20", "2031-03-03"])
def test_prices_of_simulated_days_admit_no_arbitrage(name, day):
    """Independent of the theory: prices are convex in strike, their slopes in range, and rise with maturity."""
    path = market_path(name, 20261120)
    factors = path.factors_at(path.at(np.datetime64(day)))
    maturities = np.array([1, 2, 7, 30, 91, 182, 365, 730, 1100]) / 365
    moneyness = np.linspace(0.3, 2.5, 1101)
    parameters = slices(INSTRUMENTS[name].smile, factors, maturities)
    variance = total_variance(Slice(*(p[:, None] for p in parameters)), np.log(moneyness))
    calls = black_price(1.0, moneyness, 1.0, 1.0, np.sqrt(variance), "C")
    slopes = np.diff(calls, axis=1) / np.diff(moneyness)
    assert slopes.min() >= -1 - ROUNDING and slopes.max() <= ROUNDING
    assert np.diff(slopes, axis=1).min() > -ROUNDING
    assert np.diff(calls, axis=0).min() > -1e-12


@pytest.mark.parametrize("name", NAMES)
def test_skew_at_the_money_is_the_slope_of_the_smile(name):
    factors, smile, step = Factors(*(0.3 * b for b in BOUNDS)), INSTRUMENTS[name].smile, 1e-5
    low, high = (np.sqrt(total_variance(slices(smile, factors, MATURITIES), k) / MATURITIES) for k in (-step, step))
    assert (high - low) / (2 * step) == pytest.approx(at_the_money_skew(smile, factors, MATURITIES), rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_skew_is_a_power_law_and_finite_at_zero(name):
    smile = INSTRUMENTS[name].smile
    skew = at_the_money_skew(smile, MEAN, MATURITIES)
    shift = np.log(MATURITIES + SKEW_SHIFT)
    exponent = np.polyfit(shift[MATURITIES < 2], np.log(-skew[MATURITIES < 2]), 1)[0]
    assert exponent == pytest.approx(-SKEW_POWER, abs=0.01)
    at_zero = at_the_money_skew(smile, MEAN, np.array(1e-9))
    assert at_zero == pytest.approx(-smile.skew * SKEW_SHIFT**-SKEW_POWER, rel=0.02)


def test_index_smile_is_one_a_trader_knows():
    """One month out: a vol near 14 %, 0.5 to 0.9 vol points a percent of moneyness, a put wing over the call wing."""
    smile, month = INSTRUMENTS["XIDX"].smile, np.array(30 / 365)
    slice_ = slices(smile, MEAN, month)
    vol = np.sqrt(total_variance(slice_, np.log([0.9, 0.95, 1.0, 1.05])) / month)
    assert 0.12 < vol[2] < 0.16
    assert 0.05 < vol[0] - vol[2] < 0.12
    assert vol[0] > vol[1] > vol[2] > vol[3]
    assert -0.9 < at_the_money_skew(smile, MEAN, month) < -0.5


@pytest.mark.parametrize("name", NAMES)
def test_contango_when_calm_and_inversion_under_stress(name):
    smile, ends = INSTRUMENTS[name].smile, np.array([7, 365]) / 365
    calm, stress = (at_the_money_vol(smile, MEAN._replace(fast=np.array(fast)), ends) for fast in (-0.8, 1.5))
    assert calm[1] > 1.1 * calm[0]
    assert stress[1] < 0.95 * stress[0]


def test_integrated_variance_is_the_integral():
    from scipy.integrate import quad

    from options_pricing.sources.simulated.surface import forward_variance

    smile, factors = INSTRUMENTS["XIDX"].smile, Factors(*(0.7 * b for b in BOUNDS))
    for maturity in (3 / 365, 0.5, 3.0):
        integral = quad(lambda t: float(forward_variance(smile, factors, np.array(t))), 0, maturity, epsabs=1e-13)[0]
        assert integrated_variance(smile, factors, np.array(maturity)) == pytest.approx(integral, rel=1e-7)


def test_bounded_keeps_small_values_and_the_bound():
    assert bounded(np.array(0.01), 1.8) == pytest.approx(0.01, rel=1e-4)
    assert bounded(np.array([-50.0, 50.0]), 1.8).tolist() == pytest.approx([-1.8, 1.8])
