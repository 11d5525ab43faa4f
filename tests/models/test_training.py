import os
import pickle
import subprocess
import sys

import pytest

from options_pricing.models.training import model_card, train_model
from options_pricing.quotes.schema import FEATURES
from options_pricing.quotes.tables import write_csv
from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Train

UNTRIED = {"protocol": "next_day", "not_possible": "it needs two days"}


def refusal(features, train):
    with pytest.raises(BadDataError) as caught:
        train_model(features, train)
    return caught.value.why


def test_no_rows_are_refused(features, quick):
    assert refusal(features.iloc[:0], quick) == "they have no rows"


def test_one_strike_is_refused(features, quick):
    assert "it has 1 strike, at least 3" in refusal(features[features["strike"] == features["strike"].iloc[0]], quick)


@pytest.mark.parametrize(("kind", "word"), [("C", "calls"), ("P", "puts")])
def test_options_of_one_side_are_refused(features, quick, kind, word):
    assert f"options are {word}" in refusal(features[features["option_type"] == kind], quick)


def test_quotes_that_cannot_be_fitted_are_refused(features, quick):
    assert "quotes on 0 strikes are two-sided" in refusal(features.assign(bid=0.0), quick)


def test_an_underlying_that_cannot_be_fitted_is_left_out_and_named(features, quick):
    one_sided = features[(features["underlying"] == "IDX") | (features["option_type"] == "C")]
    trained = train_model(one_sided, quick)
    assert trained.left_out == {"ETF": "on 20261120 all 168 options are calls"}
    card = model_card(trained, one_sided, [], "0" * 64, UNTRIED)
    assert card["underlyings"] == ["IDX"]
    assert any(limit.startswith("ETF is left out") for limit in card["limits"])


def test_an_underlying_without_quotes_of_the_last_day_is_left_out(features, quick):
    gone = features[(features["underlying"] == "IDX") | (features["trade_date"] < features["trade_date"].max())]
    trained = train_model(gone, quick)
    assert trained.left_out == {"ETF": "it has no quotes of 20261120"}
    assert set(trained.pricing.listed()["underlying"]) == {"IDX"}


def test_the_card_says_what_the_model_is(features, quick):
    trained = train_model(features, quick.model_copy(update={"model": "boosted"}))
    files = [{"path": "a.csv", "sha256": "1" * 64}]
    card = model_card(trained, features, files, "0" * 64, UNTRIED)
    assert (card["model"], card["as_of"], card["rows"]) == ("boosted", "20261120", len(features))
    assert card["underlyings"] == ["ETF", "IDX"] and len(card["days"]) == 5 and card["features"] == files
    assert card["hyperparameters"]["max_iter"] == 30
    assert card["simulated"] is False and card["sources"] == ["made_up"]
    assert set(card["versions"]) == {"python", "numpy", "scikit-learn", "pandas", "scipy"}
    metrics = card["training_metrics"]
    assert metrics["fitted_quotes"] == len(trained.pricing.quotes()) and metrics["moves"] == 4
    assert metrics["in_sample_iv_rmse_vol_points"] == pytest.approx(0, abs=1e-9)
    assert set(metrics["shrink_factor"]) == {"ETF", "IDX"}


def test_a_simulated_source_is_said(features, quick):
    simulated = features.assign(source="simulated")
    card = model_card(train_model(simulated, quick), simulated, [], "0" * 64, UNTRIED)
    assert card["simulated"] is True and "SIMULATED" in card["limits"][0]


def test_only_the_chosen_models_settings_are_named(features):
    train = Train(model="flat_vol")
    card = model_card(train_model(features, train), features, [], "0" * 64, UNTRIED)
    assert "max_iter" not in card["hyperparameters"] and card["training_metrics"]["in_sample_mae_price"] > 0


def unseen(low):
    figure = {"value": 0.3, "low": low, "high": 0.4}
    return {"protocol": "next_day", "days": ["20261119"], "figures": {"r2_implied_vol_vs_random_walk": figure}}


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (UNTRIED, "It has never been tried on a day that it had not seen: it needs two days."),
        (unseen(-0.1), "Over 1 unseen days it is not proven to beat yesterday's surface"),
        (unseen(None), "R2 of implied vol against it 0.300, interval unknown to 0.400."),
    ],
)
def test_what_unseen_days_do_not_bear_out_is_a_limit(features, quick, told, sentence):
    trained = train_model(features, quick)
    card = model_card(trained, features, [], "0" * 64, told)
    assert card["out_of_sample"] == told and sentence in card["limits"][-1]
    proven = model_card(trained, features, [], "0" * 64, unseen(0.1))
    assert not any("unseen days" in limit or "never been tried" in limit for limit in proven["limits"])


PICKLE = """
import hashlib, pickle, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from options_pricing.models.feature_files import read_features
from options_pricing.models.training import train_model
from options_pricing.run.params import Boosted, Train
train = Train(boosted=Boosted(max_iter=30, min_samples_leaf=40))
trained = train_model(read_features([Path(sys.argv[2])]), train)
print(hashlib.sha256(pickle.dumps(trained.pricing, protocol=5)).hexdigest())
"""


def test_the_pickle_is_the_same_in_every_process_and_with_every_number_of_threads(features, root, tmp_path):
    path = tmp_path / "features.csv"
    write_csv(features, path, FEATURES)
    digests = set()
    for threads, seed in (("1", "0"), ("2", "1")):
        environment = os.environ | {
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONHASHSEED": seed,
        }
        command = [sys.executable, "-c", PICKLE, str(root / "src"), str(path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1


def test_training_twice_gives_the_same_bytes(features, quick):
    first, second = (pickle.dumps(train_model(features, quick).pricing, protocol=5) for _ in range(2))
    assert first == second
