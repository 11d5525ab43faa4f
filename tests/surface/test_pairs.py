import numpy as np
import pandas as pd
import pytest

from options_pricing.surface.pairs import (
    Pairs,
    call_put_pairs,
    nearest_pairs,
    smallest_gaps,
    weighted_medians,
)


def quotes(rows):
    return pd.DataFrame(rows, columns=["strike", "option_type", "bid", "ask"])


def line(strikes, forward, discount):
    strikes = np.asarray(strikes, dtype=float)
    gap = discount * (forward - strikes)
    call = np.maximum(gap, 0) + 3
    return Pairs(np.zeros(strikes.size, dtype=int), strikes, call, call - gap, np.ones(strikes.size))


def test_only_strikes_quoted_on_both_sides_of_both_options_are_pairs():
    table = quotes(
        [
            (100, "C", 5.0, 5.2),
            (100, "P", 4.0, 4.4),
            (110, "C", 2.0, 2.2),
            (120, "C", 0.0, 0.2),
            (120, "P", 19.0, 20.0),
        ]
    )
    pairs = call_put_pairs(table, np.zeros(5, dtype=int))
    assert pairs.strike.tolist() == [100.0]
    assert pairs.call[0] == pytest.approx(5.1) and pairs.put[0] == pytest.approx(4.2)
    assert pairs.spread[0] == pytest.approx(np.hypot(0.2, 0.4))


def test_pairs_are_sorted_by_expiration_and_strike_and_repeats_are_averaged():
    table = quotes([(110, "C", 1, 1), (110, "P", 9, 9), (100, "C", 5, 5), (100, "P", 4, 4), (100, "C", 6, 6)])
    pairs = call_put_pairs(table, np.array([1, 1, 1, 1, 1]))
    assert pairs.strike.tolist() == [100.0, 110.0]
    assert pairs.call.tolist() == [5.5, 1.0]


def test_no_pairs_at_all():
    assert call_put_pairs(quotes([(100, "C", 5.0, 5.2)]), np.zeros(1, dtype=int)).strike.size == 0


def test_the_smallest_gaps_are_a_share_of_each_expiration():
    near, far = line(np.arange(80, 121, 2), 101.3, 0.97), line(np.arange(80, 121, 2), 113.0, 0.97)
    pairs = Pairs(np.repeat([0, 2], 21), *(np.r_[a, b] for a, b in zip(near[1:], far[1:], strict=True)))
    found = smallest_gaps(pairs, 3, 2, 0.2)
    assert found.expiration.tolist() == [0] * 5 + [2] * 5
    assert found.strike.tolist() == [98, 100, 102, 104, 106, 108, 110, 112, 114, 116]
    assert smallest_gaps(pairs, 3, 9, 0.2).strike.size == 18
    assert smallest_gaps(pairs, 3, 99, 0.2).strike.size == 42


def test_nearest_pairs_are_not_fooled_by_worthless_quotes_far_out():
    pairs = line(np.arange(50, 151, 5), 101.3, 0.97)
    pairs.call[0], pairs.put[0] = 0.05, 0.05
    near = nearest_pairs(pairs, np.array([0.97]), 3, 0.2, 4)
    assert near.strike.tolist() == [95.0, 100.0, 105.0, 110.0]


def test_nearest_pairs_keep_to_their_bounds():
    pairs = line(np.arange(50, 151, 5), 101.3, 0.97)
    assert nearest_pairs(pairs, np.array([0.97]), 7, 0.1, 40).strike.size == 7
    assert nearest_pairs(pairs, np.array([0.97]), 3, 1.0, 10).strike.size == 10
    assert nearest_pairs(pairs, np.array([0.97]), 99, 1.0, 99).strike.size == 21


def test_weighted_medians():
    values = np.array([1.0, 2.0, 9.0, 5.0, np.nan, 7.0])
    weights = np.array([1.0, 5.0, 1.0, 1.0, 9.0, 0.0])
    groups = np.array([0, 0, 0, 2, 2, 1])
    np.testing.assert_array_equal(weighted_medians(values, weights, groups, 4), [2.0, np.nan, 5.0, np.nan])


def test_nothing_has_no_medians():
    nothing = np.empty(0)
    assert weighted_medians(nothing, nothing, np.empty(0, dtype=int), 0).shape == (0,)
    assert np.isnan(weighted_medians(nothing, nothing, np.empty(0, dtype=int), 2)).all()
