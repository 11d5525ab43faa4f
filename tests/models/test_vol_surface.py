import pickle

import numpy as np
import pytest
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from options_pricing.models.vol_surface import Interpolations, VolSurface


@pytest.fixture(scope="module")
def quotes():
    random = np.random.default_rng(5)
    years = np.repeat([0.03, 0.1, 0.25, 0.5, 1.0], 30)
    moneyness = np.concatenate([np.sort(random.uniform(-1, 0.6, 30)) for _ in range(5)])
    return years, moneyness, 0.2 - 0.1 * moneyness + 0.1 * moneyness**2 + 0.02 * random.random(150)


@pytest.fixture(scope="module")
def asked(quotes):
    random = np.random.default_rng(6)
    on_an_expiration = random.choice(quotes[0], 60)
    return np.r_[random.uniform(0.01, 1.4, 200), on_an_expiration], random.uniform(-1.3, 0.9, 260)


def scored(quotes, asked):
    """As the published scoring script interpolates."""
    known, points = (np.c_[4 * np.sqrt(years), x] for years, x in (quotes[:2], asked))
    linear, nearest = (kind(known, quotes[2])(points) for kind in (LinearNDInterpolator, NearestNDInterpolator))
    return np.where(np.isnan(linear), nearest, linear)


def test_it_is_the_interpolation_of_the_benchmark(quotes, asked):
    np.testing.assert_allclose(VolSurface(*quotes).vols_at(*asked), scored(quotes, asked), rtol=0, atol=1e-9)


def test_every_quote_gets_its_own_vol(quotes):
    years, moneyness, vol = quotes
    assert (VolSurface(*quotes).vols_at(years, moneyness) == vol).all()


def test_an_answer_does_not_depend_on_what_else_is_asked(quotes, asked):
    surface = VolSurface(*quotes)
    together = surface.vols_at(*asked)
    one_by_one = [surface.vols_at(asked[0][[i]], asked[1][[i]])[0] for i in range(len(together))]
    backwards = surface.vols_at(asked[0][::-1], asked[1][::-1])[::-1]
    assert (together == one_by_one).all() and (together == backwards).all()


def test_nothing_known_of_an_option_gives_nan(quotes):
    vols = VolSurface(*quotes).vols_at(np.array([np.nan, 0.1, -0.1, 0.1]), np.array([0.0, np.nan, 0.0, 0.0]))
    assert np.isnan(vols).tolist() == [True, True, True, False]


def test_of_one_expiration_it_is_a_line_in_moneyness():
    surface = VolSurface(np.full(3, 0.1), np.array([-0.2, 0.0, 0.2]), np.array([0.3, 0.2, 0.4]))
    asked = np.array([-1.0, -0.1, 0.1, 1.0])
    np.testing.assert_allclose(surface.vols_at(np.array([0.1, 0.1, 0.5, 0.02]), asked), [0.3, 0.25, 0.3, 0.4])


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_quotes_for_a_triangle_give_the_nearest(count):
    surface = VolSurface(*(values[:count] for values in (np.array([0.1, 0.5]), np.zeros(2), np.array([0.2, 0.3]))))
    assert surface.vols_at(np.array([0.09]), np.array([0.3])) == [0.2]


def test_quotes_on_one_line_give_the_nearest():
    years = np.array([0.25, 1.0, 2.25])
    surface = VolSurface(years, 4 * np.sqrt(years), np.array([0.1, 0.2, 0.3]))
    assert surface.vols_at(np.array([1.1]), np.array([4.0])) == [0.2]


def test_covers_the_quotes_and_what_lies_between(quotes):
    surface = VolSurface(*quotes)
    assert surface.covers(*quotes[:2]).all()
    middle = float(np.mean([0.1, 0.25]))
    assert surface.covers(np.array([middle]), np.array([0.0])).all()


@pytest.mark.parametrize(("years", "moneyness"), [(0.02, 0.0), (1.1, 0.0), (0.1, 0.7), (0.1, -1.1), (np.nan, 0.0)])
def test_does_not_cover_what_lies_outside(quotes, years, moneyness):
    assert not VolSurface(*quotes).covers(np.array([years]), np.array([moneyness])).any()


def test_a_pickle_does_not_depend_on_what_was_asked(quotes, asked):
    fresh, used = VolSurface(*quotes), VolSurface(*quotes)
    used.vols_at(*asked)
    assert pickle.dumps(fresh) == pickle.dumps(used)
    assert (pickle.loads(pickle.dumps(used)).vols_at(*asked) == fresh.vols_at(*asked)).all()


def test_remembered_vols_are_of_the_same_quotes_only(quotes, asked):
    years, moneyness, vol = quotes
    remembered, other = Interpolations(), VolSurface(years, moneyness, vol + 0.01)
    first = remembered.vols_at(VolSurface(*quotes), *asked)
    first += 1  # What was handed out belongs to the caller.
    again = remembered.vols_at(VolSurface(*quotes), *asked)
    assert (again == VolSurface(*quotes).vols_at(*asked)).all()
    np.testing.assert_allclose(remembered.vols_at(other, *asked), again + 0.01)
