import pickle

import numpy as np
import pandas as pd
import pytest

from options_pricing.models.base import asked, eligible_quotes
from options_pricing.models.hybrid import MOST_MARKS, Hybrid, half_spreads_in_log_vol
from options_pricing.models.random_walk import RandomWalk
from options_pricing.models.vol_surface import VolSurface
from options_pricing.run.params import Train
from options_pricing.surface.surface import Surface
from tests.made_up_features import Market, make_features

# What the prior expects of a market: a return of one level of vol takes nine tenths off it.
AS_EXPECTED = -4.0


def split(features):
    """What is known before the last day, and the eligible quotes of that day."""
    last = features["trade_date"].max()
    return features[features["trade_date"] < last], eligible_quotes(features[features["trade_date"] == last], 7, 400)


def gain(known, today, kind=Hybrid, before=None):
    """R2 of vol against yesterday's surface."""
    walk = RandomWalk(Train()).fit(known if before is None else before).predict(asked(today))
    told = kind(Train()).fit(known).predict(asked(today))
    vol = today["implied_vol"].to_numpy()
    return 1 - ((told - vol) ** 2).sum() / ((walk - vol) ** 2).sum()


def market(days=25, beta=AS_EXPECTED, last=-0.02, seed=5):
    returns = (*np.random.default_rng(seed).normal(0, 0.012, days - 2), last)
    return make_features(Market(days=days, beta=beta, returns=returns))


def test_a_market_that_answers_returns_as_expected_is_moved_along():
    assert gain(*split(market())) > 0.4


def test_a_market_that_answers_the_other_way_is_left_where_it_was():
    known, today = split(market(beta=4.0))
    model = Hybrid(Train()).fit(known)
    assert model.diagnostics()["belief_in_response"]["IDX"] == 0
    assert gain(known, today) > -0.05


def test_shuffled_labels_teach_nothing():
    """Each day keeps the shape of its surface but gets the level of another day."""
    features = market(beta=-4.0)
    days = sorted(features["trade_date"].unique())
    levels = {day: rows["implied_vol"].median() for day, rows in features.groupby("trade_date")}
    for day, other in zip(days, np.random.default_rng(3).permutation(days), strict=True):
        rows = features["trade_date"] == day
        features.loc[rows, "implied_vol"] *= levels[other] / levels[day]
    assert Hybrid(Train()).fit(features).diagnostics()["belief_in_response"]["IDX"] < 0.35


def test_on_the_day_itself_it_is_the_days_surface_within_bid_and_ask(features):
    quotes = eligible_quotes(features, 7, 400)
    today = quotes[quotes["trade_date"] == quotes["trade_date"].max()]
    told = Hybrid(Train()).fit(features).predict(asked(today))
    off = np.abs(np.log(told / today["implied_vol"].to_numpy()))
    # The made-up quotes themselves contradict each other in the wings.
    assert (off <= half_spreads_in_log_vol(today) + 1e-4).mean() > 0.85


def test_without_arbitrage_at_strikes_that_nobody_quotes(features):
    index = features[features["underlying"] == "IDX"]
    today = index[index["trade_date"] == index["trade_date"].max()]
    model = Hybrid(Train()).fit(index)
    for expiration in sorted(today["expiration"].unique())[1:6]:
        row = today[(today["expiration"] == expiration) & (today["option_type"] == "C")].head(1)
        strikes = np.arange(80.0, 125.0, 0.5)
        chain = asked(row.loc[row.index.repeat(len(strikes))]).assign(strike=strikes)
        price = model.price(chain)
        assert (np.diff(price) < 1e-9).all() and (np.diff(price, 2) > -1e-4).all()


def test_quotes_without_a_spread_that_contradict_each_other_are_joined_as_they_are(features):
    """Last trades: no surface without arbitrage is near them."""
    random = np.random.default_rng(5)
    last = features["trade_date"] == features["trade_date"].max()
    noise = np.exp(np.where(last, 0.08 * random.standard_normal(len(features)), 0.0))
    trades = features.assign(implied_vol=features["implied_vol"] * noise)
    trades = trades.assign(bid=trades["mid"], ask=trades["mid"])
    model = Hybrid(Train()).fit(trades)
    assert isinstance(model.surface("IDX"), VolSurface)
    assert isinstance(Hybrid(Train()).fit(features).surface("IDX"), Surface)


def test_a_few_quotes_of_today_move_the_whole_surface():
    features = market(days=6, beta=0.0, last=0.0)
    known, today = split(features)
    z = np.log(today["strike"] / today["forward"]) / np.sqrt(today["year_fraction"]) / 0.2
    today = today.assign(implied_vol=today["implied_vol"] * np.exp(0.12 / (1 + z**2)))
    short = today[np.abs(z) < 0.9].groupby("expiration").head(3).iloc[:9]
    marked = pd.concat([known, short])
    rest = today.drop(short.index)
    assert gain(marked, rest, before=known) > 0.7
    assert gain(marked, rest, RandomWalk, before=known) < 0


def test_a_last_day_with_many_quotes_is_a_surface_itself(features):
    quotes = eligible_quotes(features, 7, 400)
    index = quotes[quotes["underlying"] == "IDX"]
    last = index["trade_date"] == index["trade_date"].max()
    assert last.sum() > MOST_MARKS
    many, few = (index[last].sample(count, random_state=1) for count in (MOST_MARKS + 1, MOST_MARKS))
    days = [Hybrid(Train()).fit(pd.concat([index[~last], some])).yesterdays_["IDX"].day for some in (many, few)]
    assert days[0] > days[1]


@pytest.mark.parametrize("marked", [False, True])
def test_an_answer_depends_on_nothing_else_that_is_asked(marked):
    known, today = split(market(days=5))
    if marked:
        known = pd.concat([known, today.iloc[::30].head(9)])
    model = Hybrid(Train()).fit(known)
    whole = model.predict(asked(today))
    for place in range(0, len(today), 41):
        assert model.predict(asked(today.iloc[[place]]))[0] == whole[place]


def test_its_pickle_says_the_same_and_holds_no_days():
    known, today = split(market(days=12))
    model = Hybrid(Train()).fit(known)
    before = model.predict(asked(today))
    content = pickle.dumps(Hybrid(Train()).fit(known))
    np.testing.assert_array_equal(pickle.loads(content).predict(asked(today)), before)
    assert content == pickle.dumps(Hybrid(Train()).fit(known))
    assert len(content) < 12 * len(pickle.dumps(known[known["trade_date"] == known["trade_date"].max()]))
    assert pickle.loads(content)._chains is None


def test_without_a_surface_or_a_forward_there_is_no_vol(features):
    model = Hybrid(Train()).fit(features[features["underlying"] == "IDX"])
    assert np.isnan(model.predict(asked(features[features["underlying"] == "ETF"]))).all()
    index = features[features["underlying"] == "IDX"].head(2)
    assert np.isnan(model.predict(asked(index.assign(forward=np.nan)))).all()


def test_a_half_spread_is_told_in_logs_of_vol(features):
    quotes = eligible_quotes(features[features["underlying"] == "IDX"], 30, 200)
    wider = quotes.assign(ask=quotes["bid"] + 2 * (quotes["ask"] - quotes["bid"]))
    np.testing.assert_allclose(half_spreads_in_log_vol(wider), 2 * half_spreads_in_log_vol(quotes))
