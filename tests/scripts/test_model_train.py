import hashlib
import json
import pickle

import model_train
import pytest
import yaml

from options_pricing.models.bundle import PricingModel
from options_pricing.quotes.schema import FEATURES
from options_pricing.quotes.tables import write_csv
from options_pricing.release.ledger import Ledger
from options_pricing.run.files import sha256_of
from tests.made_up_features import Market, make_features

DAY = "20261120"


@pytest.fixture(scope="module")
def features():
    return make_features(Market(days=4, expirations=(20, 41, 104), strikes=11))


@pytest.fixture
def train(tmp_path):
    """Runs the script on a table of features with train params; gives the exit code."""

    def run(table, **params):
        paths = []
        for day, rows in table.groupby("trade_date"):
            paths.append(tmp_path / f"features_{day:%Y%m%d}.csv")
            write_csv(rows, paths[-1], FEATURES)
        if not paths:
            paths.append(tmp_path / f"features_{DAY}.csv")
            write_csv(table, paths[-1], FEATURES)
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"train": params}))
        given = ["--features", *map(str, paths), "--model", str(tmp_path / "m/model.pkl")]
        given += ["--card", str(tmp_path / "m/card.json"), "--params", str(tmp_path / "params.yaml")]
        given += ["--ledger", str(tmp_path / "releases/ledger.jsonl")]
        return model_train.main([*given, "--date", DAY, "--log", str(tmp_path / "train.log")])

    return run


def test_it_writes_a_model_and_the_card_of_that_model(train, features, tmp_path):
    assert train(features, boosted={"max_iter": 10, "min_samples_leaf": 20}) == 0
    pricing = pickle.loads((tmp_path / "m/model.pkl").read_bytes())
    card = json.loads((tmp_path / "m/card.json").read_text())
    assert isinstance(pricing, PricingModel) and pricing.as_of == card["as_of"] == DAY
    assert pricing.model.name == card["model"] == "hybrid"
    assert card["model_sha256"] == sha256_of(tmp_path / "m/model.pkl")
    assert [f["sha256"] for f in card["features"]] == [sha256_of(p) for p in sorted(tmp_path.glob("features_*.csv"))]
    log = (tmp_path / "train.log").read_text()
    assert "event=hyperparameters" in log and "max_iter=10" in log and "event=trained" in log


def test_the_same_again_gives_the_same_bytes(train, features, tmp_path):
    digests = []
    for _ in range(2):
        assert train(features, model="random_walk") == 0
        digests.append([hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((tmp_path / "m").iterdir())])
    assert digests[0] == digests[1]
    ledger = Ledger(tmp_path / "releases/ledger.jsonl")
    assert [entry.event for entry in ledger.entries()] == ["trained", "trained"]
    model = ledger.entries()[1].details
    assert model == {"model": "random_walk", "as_of": DAY, "model_sha256": sha256_of(tmp_path / "m/model.pkl")}
    assert ledger.faults() == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (lambda f: f["strike"] == f["strike"].iloc[0], "it has 1 strike"),
        (lambda f: f["option_type"] == "C", "options are calls"),
        (lambda f: f["strike"] < 0, "do not end on 20261120"),
    ],
)
def test_what_cannot_be_fitted_is_refused_and_the_old_model_stays(train, features, tmp_path, capsys, rows, words):
    train(features, model="flat_vol")
    before = {p: p.read_bytes() for p in (tmp_path / "m").iterdir()}
    for path in tmp_path.glob("features_*.csv"):
        path.unlink()
    assert train(features[rows(features)]) == 65
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said
    assert {p: p.read_bytes() for p in (tmp_path / "m").iterdir()} == before


def test_an_underlying_that_is_left_out_is_logged(train, tmp_path):
    two = make_features(Market(days=2, underlyings=("IDX", "ETF"), expirations=(20, 41), strikes=7))
    assert train(two[(two["underlying"] == "IDX") | (two["option_type"] == "P")], model="flat_vol") == 0
    assert "event=underlying_left_out" in (tmp_path / "train.log").read_text()
