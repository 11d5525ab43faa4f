"""What must not help a model does not: labels without meaning, other days' labels, and days that come later."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from options_pricing.evaluation.evaluate import evaluation_metrics, judge
from options_pricing.evaluation.metrics import figures_of
from options_pricing.evaluation.protocols import PROTOCOLS
from options_pricing.models.base import day_names, eligible_quotes
from options_pricing.models.registry import MODELS
from options_pricing.run.params import Evaluate
from tests.made_up_features import Market, make_features

LABELS = ["bid", "ask", "mid", "implied_vol"]
GREEKS = ["delta", "gamma", "vega", "theta", "rho"]
OTHERS = [
    *GREEKS,
    "early_exercise_premium",
    "total_variance",
    "vol_time",
    "volume",
    "open_interest",
    "vendor_implied_vol",
    "vendor_price",
]
VALUES = ["predicted_price", "predicted_implied_vol", "random_walk_implied_vol"]
MANY_DAYS = [name for name in PROTOCOLS if name != "random_rows"]


@pytest.fixture(scope="module")
def features():
    """Four days, small enough to be judged again and again."""
    return make_features(
        Market(days=4, underlyings=("IDX", "ETF"), american=("ETF",), expirations=(20, 41, 104, 300), strikes=13)
    )


def days_of(features):
    return sorted(day_names(features).unique())


def told(predictions, model):
    rows = predictions[predictions["model"] == model].sort_values(["date", "contract_symbol"])
    return rows[["date", "contract_symbol", *VALUES]].reset_index(drop=True)


def without_meaning(features):
    """Every day's labels dealt out anew among its own quotes."""
    shuffled, random = features.copy(), np.random.default_rng(0)
    for _, rows in eligible_quotes(features, 7, 400).groupby(["trade_date", "underlying"]):
        shuffled.loc[rows.index, LABELS] = rows[LABELS].to_numpy()[random.permutation(len(rows))]
    return shuffled


@pytest.mark.parametrize("protocol", MANY_DAYS)
def test_labels_without_meaning_are_predicted_by_nobody(features, setting, protocol):
    found = PROTOCOLS[protocol](without_meaning(features), setting)
    for _, rows in found[found["held_out"]].groupby(["model", "underlying"]):
        vols = rows["implied_vol"]
        left = (rows["predicted_implied_vol"] - vols).pow(2).sum() / (vols - vols.mean()).pow(2).sum()
        assert 1 - left <= 0.02


def test_the_labels_of_the_next_day_are_worth_nothing_more_than_any(features, setting):
    """Each day is given the labels of the day after: a model that looked ahead would gain from them."""
    days = sorted(features["trade_date"].unique())
    key = ["underlying", "contract_symbol"]
    parts = []
    for day, following in pairwise(days):
        today = features[features["trade_date"] == day]
        later = features[features["trade_date"] == following].set_index(key)[LABELS]
        parts.append(today.drop(columns=LABELS).join(later, on=key)[list(features)])
    shifted = pd.concat(parts, ignore_index=True)
    plain = features[features["trade_date"] < days[-1]]
    found = [PROTOCOLS["next_day"](table, setting) for table in (plain, shifted)]
    for model in MODELS:
        truth, ahead = (figures_of(rows[rows["model"] == model]) for rows in found)
        assert ahead["r2_implied_vol_vs_random_walk"] <= max(0.02, truth["r2_implied_vol_vs_random_walk"])


@pytest.mark.parametrize("protocol", MANY_DAYS)
def test_the_answer_for_a_day_is_the_same_whether_or_not_later_days_are_known(features, setting, protocol):
    days = days_of(features)
    short = features[day_names(features) <= days[2]]
    altered = features.copy()
    altered.loc[day_names(altered) > days[2], [*LABELS, "forward"]] *= 1.4
    whole, cut, other = (PROTOCOLS[protocol](table, setting) for table in (features, short, altered))
    for model in MODELS:
        expected = told(cut, model)
        assert set(expected["date"]) == set(days[1:3])
        for found in (whole, other):
            assert told(found[found["date"] <= days[2]], model).equals(expected)


@pytest.mark.parametrize("protocol", MANY_DAYS)
def test_nothing_of_the_quotes_that_are_asked_about_moves_a_prediction(features, setting, protocol):
    """Neither their prices and vols, nor what is made of these, nor what the vendor says stands in the table."""
    last = days_of(features)[-1]
    before = PROTOCOLS[protocol](features, setting)
    of_last = before[(before["date"] == last) & before["held_out"]]
    hidden = (day_names(features) == last) & features["contract_symbol"].isin(of_last["contract_symbol"])
    shaken = features.copy()
    shaken.loc[hidden, LABELS] *= 1.1
    shaken.loc[hidden, OTHERS] = -1.0
    after = PROTOCOLS[protocol](shaken, setting)
    assert len(of_last) == hidden.sum() * len(MODELS)
    for model in MODELS:
        assert told(before, model).equals(told(after, model))


def test_intervals_and_tests_of_the_first_days_do_not_know_the_last(features, setting):
    """Evaluated up to a day, the figures are those of the predictions up to that day."""
    days = days_of(features)
    judged = judge(features, ["next_day"], setting)
    cut = judge(features[day_names(features) <= days[-2]], ["next_day"], setting)
    early = judged.predictions[judged.predictions["date"] <= days[-2]].reset_index(drop=True)
    arguments = {"chosen_model": "random_walk", "simulated": True}
    ours = evaluation_metrics(type(judged)(early, {}), features, Evaluate(bootstrap=100), **arguments)
    theirs = evaluation_metrics(cut, features, Evaluate(bootstrap=100), **arguments)
    assert ours["protocols"] == theirs["protocols"]
