import numpy as np
import pytest

from options_pricing.evaluation.sketches import ATOMS, QUANTITIES, Sketches
from tests.evaluation.made_days import made_days


def test_a_cell_keeps_the_middles_of_the_fifths():
    told = made_days([0.05, -0.02])
    sketches = Sketches.of(told)
    assert len(sketches.days) == 2
    assert sketches.atoms.shape == (len(sketches.date), len(QUANTITIES), ATOMS)
    assert sketches.quotes.sum() == len(told)
    chosen = (told["date"] == sketches.days[0]) & (told["underlying"] == "IDX") & (told["year_fraction"] == 60 / 365)
    low = told[chosen & (told["x"] < -0.1)]
    row = (
        (sketches.date == sketches.days[0])
        & (sketches.underlying == "IDX")
        & (sketches.maturity == "30-90 days")
        & (sketches.place == "low strikes")
    )
    assert sketches.quotes[row] == len(low)
    for place, quantity in enumerate(("residual", "move")):
        expected = np.quantile(low["moved"], [0.1, 0.3, 0.5, 0.7, 0.9])
        np.testing.assert_allclose(sketches.atoms[row][0, place], expected, err_msg=quantity)


def test_what_was_known_before_is_taken_off_the_residual_alone():
    told = made_days([0.05])
    plain, known = Sketches.of(told), Sketches.of(told.assign(known_residual=0.03))
    np.testing.assert_allclose(known.atoms[:, 0], plain.atoms[:, 0] - 0.03)
    np.testing.assert_array_equal(known.atoms[:, 1:], plain.atoms[:, 1:])


def test_quotes_without_a_vol_count_in_no_cell():
    told = made_days([0.05])
    told.loc[:3, "implied_vol"] = np.nan
    assert Sketches.of(told).quotes.sum() == len(told) - 4


def test_the_last_days():
    sketches = Sketches.of(made_days([0.01, 0.02, 0.03]))
    assert sketches.last(2).days == sketches.days[1:]
    assert sketches.last(9).days == sketches.days


@pytest.mark.parametrize("x", [-0.35, 0.35])
def test_a_cell_does_not_roll_with_time(x):
    """A deviation is a deviation at any expiration: far and near strikes of all of them lie in the same places."""
    told = made_days([0.0])
    rows = Sketches.of(told[told["x"] == x])
    assert set(rows.place) == {"low strikes" if x < 0 else "high strikes"}
    assert len(set(rows.maturity)) == 4
