import numpy as np
import pytest

from options_pricing.models.few_quotes import NOISE, Marks, Places
from options_pricing.models.surface_moves import combined, prior_covariance, shapes


def places(years, z):
    years, z = np.broadcast_arrays(np.asarray(years, dtype=float), np.asarray(z, dtype=float))
    return Places(np.log(years), z, shapes(years, z))


NINE = places(np.repeat([0.04, 0.15, 0.55], 3), np.tile([-0.7, 0.0, 0.7], 3))
CHAIN = places(np.repeat([0.03, 0.1, 0.3, 0.9], 9), np.tile(np.linspace(-2, 2, 9), 4))


def test_a_move_of_the_first_shapes_is_found_from_nine_quotes():
    move = np.array([0.08, -0.05, 0.01, 0.0, 0.0, 0.0])
    marks = Marks(NINE, combined(NINE.shapes, move), np.full(9, 0.001), prior_covariance())
    told, true = marks.move_at(CHAIN), combined(CHAIN.shapes, move)
    assert 1 - ((told - true) ** 2).sum() / (true**2).sum() > 0.97


def test_quotes_that_do_not_surprise_move_nothing():
    marks = Marks(NINE, np.zeros(9), np.full(9, 0.001), prior_covariance())
    assert (marks.move_at(CHAIN) == 0).all()
    assert marks.scale < 0.5


def test_noise_of_single_quotes_moves_little():
    noise = NOISE * np.array([1, -1, 1, -1, 1, -1, 1, -1, 1.0])
    marks = Marks(NINE, noise, np.full(9, 0.001), prior_covariance())
    assert np.abs(marks.move_at(CHAIN)).max() < 0.5 * NOISE


def test_a_wide_quote_counts_less():
    surprise = np.zeros(9)
    surprise[4] = 0.05
    at_it = places([0.15], [0.0])
    tight, wide = (
        Marks(NINE, surprise, np.where(np.arange(9) == 4, spread, 0.001), prior_covariance()).move_at(at_it)[0]
        for spread in (0.001, 0.05)
    )
    assert 0 < wide < 0.5 * tight


def test_far_away_the_local_part_is_gone():
    surprise = np.zeros(9)
    surprise[1] = 0.02
    marks = Marks(NINE, surprise, np.full(9, 0.001), prior_covariance())
    assert abs(marks.move_at(places([0.9], [-6.0]))[0]) < 0.1 * marks.move_at(places([0.04], [0.0]))[0]


def test_an_answer_does_not_depend_on_what_else_is_asked():
    marks = Marks(NINE, np.linspace(-0.05, 0.1, 9), np.full(9, 0.002), prior_covariance())
    whole = marks.move_at(CHAIN)
    for i in range(len(whole)):
        one = Places(CHAIN.log_time[[i]], CHAIN.z[[i]], CHAIN.shapes[[i]])
        assert marks.move_at(one)[0] == whole[i]


@pytest.mark.parametrize("size", [0.02, 0.3])
def test_a_wild_day_is_given_a_wider_scale(size):
    move = size * np.array([1.0, -0.5, 0.0, 0.0, 0.0, 0.0])
    scale = Marks(NINE, combined(NINE.shapes, move), np.full(9, 0.001), prior_covariance()).scale
    assert scale >= 2 if size > 0.1 else scale < 1
