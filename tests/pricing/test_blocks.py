"""NumPy and the compiled code give the same bits, and little work does not wait for the compiler."""

import subprocess
import sys

import numpy as np
import pytest

from options_pricing.pricing import blocks
from options_pricing.pricing.black import price_and_greeks
from options_pricing.pricing.implied_vol import Reason, implied_vol_with_reason
from tests.pricing.test_black import DEEP

COUNT = 5000


@pytest.fixture
def both(monkeypatch):
    """What a function gives by NumPy and compiled."""

    def run(function, *arguments, **named):
        made = []
        for much in (10**12, -1):
            monkeypatch.setattr(blocks, "MUCH", much)
            made.append(function(*arguments, **named))
        return made

    return run


def hard_options():
    """Forward, strike, years, discount factor, vol, call: all sizes, and every tenth marred."""
    random = np.random.default_rng(11)
    forward = np.exp(random.uniform(-10, 15, COUNT))
    vol, years = np.exp(random.uniform(-6, 1.5, COUNT)), np.exp(random.uniform(-9, 1.5, COUNT))
    strike = forward * np.exp(random.normal(0, 4, COUNT) * np.minimum(vol * np.sqrt(years), 1))
    columns = [forward, strike, years, np.exp(-random.normal(0.03, 0.02, COUNT) * years), vol]
    for values in columns:
        marred = random.random(COUNT) < 0.02
        values[marred] = random.choice([np.nan, np.inf, 0.0, -1.0, 1e-320, 1e308], marred.sum())
    return *columns, random.random(COUNT) < 0.5


def test_greeks_have_the_same_bits_either_way(both):
    *terms, call = hard_options()
    with np.errstate(all="ignore"):
        by_numpy, compiled = both(price_and_greeks, *terms, call, spot=terms[0] * terms[3])
    assert 0.75 < np.isfinite(by_numpy.price).mean() < 0.95
    for name, values in by_numpy._asdict().items():
        np.testing.assert_array_equal(values, getattr(compiled, name), err_msg=name)


@pytest.mark.parametrize("count", [1, 15, 16, 17])
def test_a_few_options_have_the_same_bits_as_among_many(both, count):
    *terms, call = (values[100 : 100 + count] for values in hard_options())
    with np.errstate(all="ignore"):
        by_numpy, compiled = both(price_and_greeks, *terms, call)
        vols = both(implied_vol_with_reason, by_numpy.price, *terms[:4], call)
    np.testing.assert_array_equal(np.stack(by_numpy), np.stack(compiled))
    np.testing.assert_array_equal(vols[0].implied_vol, vols[1].implied_vol)


def test_vols_have_the_same_bits_either_way(both):
    forward, strike, years, discount, vol, call = hard_options()
    price = price_and_greeks(forward, strike, years, discount, vol, call).price
    price[::50], price[1::50], price[2::50] = -1.0, 0.0, 1e200
    by_numpy, compiled = both(implied_vol_with_reason, price, forward, strike, years, discount, call)
    assert set(by_numpy.reason) == set(Reason)
    np.testing.assert_array_equal(by_numpy.implied_vol, compiled.implied_vol)
    np.testing.assert_array_equal(by_numpy.reason, compiled.reason)


@pytest.mark.parametrize(("forward", "strike", "years", "vol", "discount", "option_type", "price"), DEEP)
def test_compiled_vols_are_right_in_the_wings(monkeypatch, forward, strike, years, vol, discount, option_type, price):
    monkeypatch.setattr(blocks, "MUCH", -1)
    found = implied_vol_with_reason(price, forward, strike, years, discount, option_type).implied_vol
    assert found == pytest.approx(vol, rel=1e-14)


def test_a_chain_does_not_wait_for_the_compiler():
    program = (
        "import sys, numpy; from options_pricing import implied_vol, price_and_greeks;"
        "implied_vol(5.0, 100, numpy.linspace(90, 120, 30_000), 1, 1, 'C'); price_and_greeks(100, 90, 1, 1, 0.2, 'P');"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
