"""The difference to a prior: none where there is none, what was put in, and robust."""

import numpy as np
import pytest

from options_pricing.surface.quoted import read_quotes
from options_pricing.surface.smoothing import smooth_difference
from tests.surface.made_surface import TRUE, made_quotes

QUOTED = read_quotes(made_quotes())


def difference_at(quoted, truth=TRUE):
    return smooth_difference(quoted, truth).at(quoted.expiration, np.log(quoted.k))


def test_there_is_no_difference_to_the_truth():
    assert np.abs(difference_at(QUOTED)).max() < 1e-6


@pytest.mark.parametrize("keep", [1, 5])
def test_a_bump_comes_back_from_all_and_from_a_fifth_of_the_quotes(keep):
    z = np.log(QUOTED.k) / np.sqrt(TRUE.theta[QUOTED.expiration])
    bump = 0.05 * np.exp(-(z**2) / 2) * (1 + 0.2 * QUOTED.expiration)
    bumped = QUOTED._replace(vol=QUOTED.vol * np.exp(bump))
    rows = np.arange(len(z)) % keep == 0
    start = np.concatenate([[0], np.cumsum(np.bincount(QUOTED.expiration[rows]))])
    fewer = bumped._replace(start=start, **{name: getattr(bumped, name)[rows] for name in bumped._fields[3:]})
    found = smooth_difference(fewer, TRUE).at(QUOTED.expiration, np.log(QUOTED.k))
    assert np.abs(found - bump).max() < (0.002 if keep == 1 else 0.015)


def test_a_wrong_quote_is_not_followed():
    vol = QUOTED.vol.copy()
    vol[QUOTED.of(3).start + 15] *= 1.3
    found = difference_at(QUOTED._replace(vol=vol))
    assert np.abs(found).max() < 0.02


def test_beyond_the_quotes_it_stays():
    difference = smooth_difference(QUOTED._replace(vol=QUOTED.vol * 1.1), TRUE)
    far = difference.at(np.array([2, 2]), np.array([-5.0, -50.0]))
    assert far[0] == far[1]
    assert far[0] == pytest.approx(np.log(1.1), abs=0.02)


def test_neighbours_tell_an_expiration_of_one_quote():
    keep = np.ones(len(QUOTED.k), dtype=bool)
    rows = QUOTED.of(2)
    keep[rows.start : rows.stop - 1] = False
    start = np.concatenate([[0], np.cumsum(np.bincount(QUOTED.expiration[keep]))])
    raised = QUOTED._replace(vol=QUOTED.vol * 1.1)
    fewer = raised._replace(start=start, **{name: getattr(raised, name)[keep] for name in raised._fields[3:]})
    found = smooth_difference(fewer, TRUE).at(np.full(5, 2), np.linspace(-0.1, 0.1, 5))
    np.testing.assert_allclose(found, np.log(1.1), atol=0.01)
