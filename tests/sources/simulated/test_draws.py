"""Draws belong to a name and a code."""

import numpy as np
import pytest
from scipy import stats

from options_pricing.sources.simulated.draws import normals, tail_scales, uniforms

CODES = np.arange(40_000)
KNOWN = [0.2633747120545877, 0.31158994231931764]


def test_a_draw_does_not_depend_on_its_company():
    together = uniforms("a", CODES)
    assert uniforms("a", CODES[::-7]).tolist() == together[::-7].tolist()
    assert uniforms("a", np.array([123]))[0] == together[123]


def test_known_draws_stay_what_they_are():
    # SplitMix64 over a blake2b key: a change here is another market for every seed.
    assert uniforms("20261120/XIDX/return", np.array([20_777, 20_778])).tolist() == pytest.approx(KNOWN, rel=1e-15)


def test_names_are_independent_streams():
    names = [normals(name, CODES) for name in ("a", "b", "a/0")]
    assert np.abs(np.corrcoef(names) - np.eye(3)).max() < 4 / np.sqrt(len(CODES))


def test_neighbouring_codes_are_independent():
    draws = normals("a", CODES)
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 4 / np.sqrt(len(CODES))


@pytest.mark.parametrize("codes", [CODES, CODES << 40, CODES << 2 | 1])
def test_draws_have_their_distribution(codes):
    assert stats.kstest(uniforms("a", codes), "uniform").pvalue > 1e-3
    assert stats.kstest(normals("a", codes), "norm").pvalue > 1e-3


def test_tail_scales_make_student_t_of_unit_variance():
    draws = tail_scales("a/tail", CODES, 8) * normals("a", CODES)
    assert stats.kstest(draws * np.sqrt(8 / 6), stats.t(8).cdf).pvalue > 1e-3
    assert np.var(draws) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("degrees", [2, 5])
def test_only_even_degrees_with_a_variance(degrees):
    with pytest.raises(ValueError, match="even and 4 or more"):
        tail_scales("a", CODES, degrees)
