import json

import numpy as np
import pandas as pd
import pytest

from options_pricing.evaluation.hedging import SMALLEST_DELTA, _errors, _held, _nights, _vol_slope, hedge_report
from options_pricing.evaluation.protocols import Setting
from options_pricing.models.random_walk import RandomWalk
from options_pricing.run.params import Evaluate, Train
from tests.made_up_features import Market, make_features, smile


def setting(model="random_walk"):
    return Setting(Train(model=model), held_out=0.2, seed=42)


def a_market(**columns):
    """Vols that stay with moneyness, whatever the forward does: what the random walk believes."""
    return make_features(Market(**{"days": 8, "beta": 0.0, "noise": 0.0, "strikes": 41} | columns))


@pytest.fixture(scope="module")
def features():
    return a_market()


def test_what_is_linear_in_the_forward_is_hedged_without_error():
    """A call that is sure to be exercised is D (F - K), and one forward hedges it whatever moves."""
    forward, discount = np.array([100.0, 104.0, 97.0]), np.array([0.97, 0.971, 0.9705])
    worth = {
        "mid": discount[0] * (forward[0] - 60),
        "forward": forward[0],
        "discount_factor": discount[0],
        "next_mid": discount[1:] * (forward[1:] - 60),
        "next_forward": forward[1:],
        "next_discount_factor": discount[1:],
    }
    held = pd.DataFrame(worth)
    assert _errors(held, np.ones(2)) == pytest.approx([0, 0], abs=1e-12)
    assert _errors(held, np.full(2, 0.5)) == pytest.approx(-0.5 * discount[1:] * (forward[1:] - forward[0]))


def test_the_random_walk_expects_vols_to_go_with_moneyness(features):
    days = sorted(features["trade_date"].unique())[:2]
    today, tomorrow = (features[(features["trade_date"] == day) & features["out_of_the_money"]] for day in days)
    held = _held(today, tomorrow)
    held = held[(held["strike"] / held["forward"]).between(0.85, 1.15) & (held["next_year_fraction"].between(0.1, 1.0))]
    found = _vol_slope(RandomWalk(Train()).fit(today), held)
    years, step = held["next_year_fraction"].to_numpy(), 0.005
    moneyness = np.log(held["strike"] / held["forward"]).to_numpy() / np.sqrt(years)
    moved = [smile(0.2, moneyness - sign * step / np.sqrt(years), years) for sign in (1, -1)]
    assert found == pytest.approx((moved[0] - moved[1]) / (2 * step), abs=0.01)
    assert (found > 0).all()


def test_a_model_that_knows_how_vols_move_hedges_better_than_black(features):
    found = hedge_report(features, setting(), Evaluate(bootstrap=200))
    assert found["days"] == 7 and list(found["deltas"]) == ["black", "random_walk"]
    gain = found["deltas"]["random_walk"]["variance_reduction"]
    assert gain["value"] > 0.2 and gain["low"] <= gain["value"] <= gain["high"]
    assert found["deltas"]["black"]["variance_reduction"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_where_vols_stay_with_strikes_blacks_own_delta_is_better():
    """In a market whose level of vol falls with the forward a smile that moves with it is the wrong belief."""
    found = hedge_report(a_market(beta=-3.0), setting(), Evaluate(bootstrap=200))
    assert found["deltas"]["random_walk"]["variance_reduction"]["value"] < -0.2


def test_american_options_are_hedged_as_their_european_twins(features):
    american = a_market(american=("IDX",))
    ours, theirs = (hedge_report(table, setting(), Evaluate()) for table in (features, american))
    assert ours["deltas"]["black"]["sd_vol_points"] == pytest.approx(
        theirs["deltas"]["black"]["sd_vol_points"], rel=0.05
    )


def test_the_chosen_model_stands_beside_the_random_walk(features):
    few = features[features["trade_date"].isin(sorted(features["trade_date"].unique())[:3])]
    found = hedge_report(few, setting("boosted"), Evaluate(bootstrap=200))
    assert list(found["deltas"]) == ["black", "boosted", "random_walk"]
    json.dumps(found, allow_nan=False)


def test_the_same_contracts_are_held_on_both_days(features):
    days = sorted(features["trade_date"].unique())[:2]
    today, tomorrow = (features[features["trade_date"] == day] for day in days)
    one_sided = tomorrow.copy()
    one_sided.loc[one_sided.index[::2], "bid"] = 0.0
    held = _held(today, one_sided)
    assert len(held) == len(today) // 2 and not held.duplicated("contract_symbol").any()
    there = tomorrow.set_index("contract_symbol").loc[held["contract_symbol"]]
    assert (held["next_mid"].to_numpy() == there["mid"].to_numpy()).all()


def test_far_options_are_not_hedged_and_later_days_do_not_matter(features):
    nights = _nights(features, setting())
    first = sorted(features["trade_date"].unique())[:4]
    fewer = _nights(features[features["trade_date"].isin(first)], setting())
    for ours, theirs in zip(nights, fewer, strict=False):
        assert all((ours.errors[name] == theirs.errors[name]).all() for name in ours.errors)
    eligible = setting().eligible(features[features["trade_date"] == first[0]])
    delta = features.loc[eligible.index, "delta"].abs()
    assert len(nights[0].half_spread) == (delta >= SMALLEST_DELTA).sum() < len(eligible)


def test_of_one_day_there_is_nothing_to_report(features):
    one = features[features["trade_date"] == features["trade_date"].max()]
    assert hedge_report(one, setting(), Evaluate()) is None


def test_options_that_nobody_quotes_again_are_left_out(features):
    last = features["trade_date"].max()
    table = features.copy()
    table.loc[table["trade_date"] == last, ["bid", "ask", "mid"]] = np.nan
    assert hedge_report(table, setting(), Evaluate())["days"] == 6
