import pytest

from options_pricing.evaluation.evaluate import evaluation_metrics
from options_pricing.evaluation.unseen import unseen_days
from options_pricing.run.params import Evaluate


def test_the_card_says_of_unseen_days_what_the_evaluation_says(features, setting, judged):
    train = setting.train.model_copy(update={"model": "sticky_strike"})
    told = unseen_days(features, train).metrics
    metrics = evaluation_metrics(judged, features, Evaluate(), chosen_model="sticky_strike", simulated=False)
    later = metrics["protocols"]["next_day"]
    assert (told["days"], told["quotes"]) == (later["days"], later["quotes"])
    assert told["figures"] == later["models"]["sticky_strike"]
    assert told["price_intervals"]["coverage"] == later["intervals"]["coverage"]
    assert told["price_intervals"]["days"] == len(told["days"])
    assert told["price_intervals"]["covered_days"] == later["intervals"]["days"] == len(told["days"]) - 3


def test_the_random_walk_is_judged_by_itself(features, setting):
    told = unseen_days(features, setting.train.model_copy(update={"model": "random_walk"})).metrics
    assert told["figures"]["r2_implied_vol_vs_random_walk"]["value"] == pytest.approx(0)


def test_of_a_single_day_it_says_that_nothing_is_unseen(features, setting):
    one = features[features["trade_date"] == features["trade_date"].max()]
    assert unseen_days(one, setting.train).metrics == {
        "protocol": "next_day",
        "not_possible": "it needs two days with eligible quotes and has 1",
    }
