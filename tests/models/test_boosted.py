import numpy as np
import pandas as pd
import pytest

from options_pricing.models.base import asked, eligible_quotes
from options_pricing.models.boosted import Boosted
from options_pricing.models.correction import shrink_factor
from options_pricing.models.moves import Moves, Yesterday
from options_pricing.models.random_walk import RandomWalk
from options_pricing.run.params import Boosted as Settings
from options_pricing.run.params import Train
from tests.made_up_features import Market, make_features


def last_day(features):
    """What is known before the last day, and the eligible quotes of that day."""
    newest = features["trade_date"].max()
    return features[features["trade_date"] < newest], eligible_quotes(
        features[features["trade_date"] == newest], 7, 400
    )


def gain(features, train):
    """R2 of vol against the random walk on the last day."""
    known, today = last_day(features)
    error, walk_error = (
        (kind(train).fit(known).predict(asked(today)) - today["implied_vol"]).pow(2).sum()
        for kind in (Boosted, RandomWalk)
    )
    return 1 - error / walk_error


def test_a_market_that_answers_every_return_alike_is_learnt(many_days, quick):
    assert gain(many_days, quick) > 0.6


def test_labels_of_other_days_teach_nothing(many_days, quick):
    """Each day keeps its surface but its spot moves as on another day: no correction must be believed."""
    index = many_days.copy()
    days = sorted(index["trade_date"].unique())
    levels = {day: rows["implied_vol"].median() for day, rows in index.groupby("trade_date")}
    random = np.random.default_rng(1)
    for day, other in zip(days, random.permutation(days), strict=True):
        rows = index["trade_date"] == day
        index.loc[rows, "implied_vol"] *= levels[other] / levels[day]
    assert gain(index, quick) < 0.1


def test_a_market_that_answers_now_one_way_now_the_other_is_not_believed(quick):
    returns = (0.02, -0.02, 0.015, -0.015, 0.02)
    against, along = (make_features(Market(days=6, beta=beta, returns=returns)) for beta in (-4.0, 4.0))
    days = sorted(against["trade_date"].unique())
    mixed = pd.concat([against[against["trade_date"] < days[3]], along[along["trade_date"] >= days[3]]])
    found = Boosted(quick).fit(mixed).diagnostics()
    assert found["moves"] == 5 and found["shrink_factor"]["IDX"] < 0.1


def test_without_enough_moves_it_is_the_random_walk(many_days, quick):
    days = sorted(many_days["trade_date"].unique())
    few = many_days[many_days["trade_date"].isin(days[:3])]
    today = asked(eligible_quotes(many_days[many_days["trade_date"] == days[3]], 7, 400))
    model = Boosted(quick).fit(few)
    assert (model.predict(today) == RandomWalk(quick).fit(few).predict(today)).all()
    assert model.diagnostics() == {"moves": 2, "shrink_factor": {}, "leave_one_day_out_r2": {}}


def test_on_its_own_day_and_without_a_return_it_is_the_random_walk(many_days, quick):
    model, walk = Boosted(quick).fit(many_days), RandomWalk(quick).fit(many_days)
    today = asked(eligible_quotes(many_days[many_days["trade_date"] == many_days["trade_date"].max()], 7, 400))
    unlisted = today.assign(expiration=today["expiration"] + np.timedelta64(1, "D"))
    for options in (today, unlisted):
        assert (model.predict(options) == walk.predict(options)).all()


def test_it_is_deterministic_and_forgets_what_it_fitted_before(many_days, quick):
    known, today = last_day(many_days)
    fresh = Boosted(quick).fit(known).predict(asked(today))
    used = Boosted(quick).fit(many_days)
    used.predict(asked(today))
    assert (used.fit(known).predict(asked(today)) == fresh).all()


def test_settings_reach_the_booster(many_days, quick):
    known, today = last_day(many_days)
    weak = Train(boosted=Settings(max_iter=1, min_samples_leaf=40))
    assert (Boosted(quick).fit(known).predict(asked(today)) != Boosted(weak).fit(known).predict(asked(today))).any()


def test_a_shock_is_the_return_of_the_options_own_forward_over_the_level(features):
    index = eligible_quotes(features[features["underlying"] == "IDX"], 7, 400)
    first, second = (rows for _, rows in list(index.groupby("trade_date"))[:2])
    yesterday = Yesterday(first)
    spots = [rows["underlying_price"].iloc[0] for rows in (first, second)]
    passed = (second["trade_date"].iloc[0] - first["trade_date"].iloc[0]).days / 365
    expected = (np.log(spots[1] / spots[0]) - 0.03 * passed) / yesterday.level
    np.testing.assert_allclose(yesterday.shocks(second), expected, rtol=1e-9)
    np.testing.assert_allclose(yesterday.shocks(second.assign(root="NEW")), expected, rtol=1e-6)
    assert (yesterday.shocks(first) == 0).all()


def test_moves_are_thinned_evenly_over_days(features):
    quotes = eligible_quotes(features, 7, 400)
    moves = Moves.of(quotes, Boosted(Train())._interpolated, most_quotes=160)
    names, counts = np.unique(np.char.add(moves.underlying, moves.day), return_counts=True)
    assert len(names) == 8 and set(counts) == {20}
    assert not len(Moves.of(quotes.iloc[:0], Boosted(Train())._interpolated, most_quotes=160).shock)


@pytest.mark.parametrize(
    ("explained", "squared", "expected"),
    [
        ([2.0, 2.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0], 1.0),
        ([0.5, 0.5, 0.5, 0.5], [1.0, 1.0, 1.0, 1.0], 0.5),
        ([-1.0, -1.0, -1.0], [1.0, 1.0, 1.0], 0.0),
        # Mean 0.5, standard error 0.5/sqrt(3), t(2) 2.919986: 0.5 - 0.842927 is below 0.
        ([0.0, 0.5, 1.0], [1.0, 1.0, 1.0], 0.0),
        # Mean 0.8, standard error 0.1/sqrt(3): 0.8 - 0.168585.
        ([0.7, 0.8, 0.9], [1.0, 1.0, 1.0], 0.631415),
        ([1.0], [1.0], 0.0),
        ([1.0, 0.0], [1.0, 0.0], 0.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
    ],
)
def test_the_factor_is_the_lower_end_of_what_unseen_days_support(explained, squared, expected):
    assert shrink_factor(np.array(explained), np.array(squared)) == pytest.approx(expected, abs=1e-6)
