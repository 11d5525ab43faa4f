import json
import os
import shutil
import subprocess
import sys

import model_evaluate
import model_train
import pandas as pd
import pytest
import yaml

from options_pricing.models.registry import MODELS
from options_pricing.quotes.schema import ERROR_BY_BUCKET, FEATURES, PREDICTIONS, R2_BY_DAY
from options_pricing.quotes.tables import read_csv, read_parquet, write_csv
from options_pricing.release.ledger import Ledger
from options_pricing.run.files import sha256_of
from tests.made_up_features import Market, make_features

DAY = "20261120"
OUTPUTS = ["metrics.json", "chosen.json", "predictions.parquet", "plots/error_by_bucket.csv", "plots/r2_by_day.csv"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Features of four days, and a model and card that model_train made of them."""
    folder = tmp_path_factory.mktemp("trained")
    for day, rows in make_features(Market(days=4, expirations=(20, 41, 104), strikes=11)).groupby("trade_date"):
        write_csv(rows.assign(source="simulated"), folder / f"features_{day:%Y%m%d}.csv", FEATURES)
    settings = {"boosted": {"max_iter": 10, "min_samples_leaf": 20}}
    params = {"train": settings, "evaluate": {"bootstrap": 100}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    given = ["--features", *map(str, sorted(folder.glob("features_*"))), "--model", str(folder / "m.pkl")]
    assert model_train.main([*given, "--card", str(folder / "card.json"), *common(folder)]) == 0
    return folder


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of it to work in."""
    return shutil.copytree(trained, tmp_path / "work")


def common(folder):
    return ["--params", str(folder / "params.yaml"), "--date", DAY, "--log", str(folder / "log")]


@pytest.fixture
def arguments(folder):
    """Gives the command line for the files that are in the copy by then."""

    def line():
        given = ["--features", *map(str, sorted(folder.glob("features_*"))), "--model", str(folder / "m.pkl")]
        given += ["--card", str(folder / "card.json"), "--metrics", str(folder / "metrics.json")]
        given += ["--chosen", str(folder / "chosen.json")]
        given += ["--predictions", str(folder / "predictions.parquet"), "--plots", str(folder / "plots")]
        return [*given, *common(folder)]

    return line


@pytest.fixture
def evaluate(folder, arguments):
    """Runs the script in the copy; gives the exit code."""

    def run(**params):
        if params:
            (folder / "params.yaml").write_text(yaml.safe_dump(params))
        return model_evaluate.main(arguments())

    return run


def written(folder):
    return {name: (folder / name).read_bytes() for name in OUTPUTS}


def test_it_writes_figures_predictions_and_plot_data(evaluate, folder):
    assert evaluate() == 0
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["chosen_model"], metrics["simulated"]) == ("hybrid", True)
    assert set(metrics["protocols"]) == {"next_day", "same_day", "few_quotes"}
    chosen = json.loads((folder / "chosen.json").read_text())
    figures = metrics["protocols"]["same_day"]["models"]["hybrid"]
    assert chosen.keys() == metrics["protocols"].keys()
    assert chosen["same_day"] == {name: figures[name]["value"] for name in model_evaluate.CHOSEN_FIGURES}
    predictions = read_parquet(folder / "predictions.parquet", PREDICTIONS)
    assert set(predictions["model"]) == set(MODELS)
    assert len(read_csv(folder / "plots/r2_by_day.csv", R2_BY_DAY)) == 3
    assert len(read_csv(folder / "plots/error_by_bucket.csv", ERROR_BY_BUCKET)) > len(MODELS)
    log = (folder / "log").read_text()
    assert "event=metrics" in log and "model=random_walk" in log and "event=judged" in log


def test_another_process_with_other_threads_gives_the_same_bytes(evaluate, arguments, folder, root):
    evaluate()
    before = written(folder)
    for name in OUTPUTS:
        (folder / name).unlink()
    environment = os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    command = [sys.executable, str(root / "scripts/model_evaluate.py"), *arguments()]
    subprocess.run(command, env=environment | {"TZ": "Asia/Tokyo"}, check=True, capture_output=True)
    assert written(folder) == before


def test_models_are_made_as_the_trained_one_was_whatever_the_params_say_now(evaluate, folder):
    evaluate()
    before = pd.read_parquet(folder / "predictions.parquet")
    settings = {"train": {"max_days_to_expiry": 30, "model": "flat_vol"}, "evaluate": {"bootstrap": 100}}
    assert evaluate(**settings) == 0
    assert json.loads((folder / "metrics.json").read_text())["chosen_model"] == "hybrid"
    assert pd.read_parquet(folder / "predictions.parquet").equals(before)


@pytest.mark.parametrize("damage", ["bit", "short", "empty"])
def test_a_model_that_is_not_the_one_of_its_card_is_never_loaded(evaluate, folder, capsys, damage):
    content = bytearray((folder / "m.pkl").read_bytes())
    content[len(content) // 2] ^= 1
    changed = {"bit": bytes(content), "short": bytes(content[:-40]), "empty": b""}[damage]
    (folder / "m.pkl").write_bytes(changed)
    assert evaluate() == 81
    said = capsys.readouterr().err
    assert "refused" in said and "Traceback" not in said and not (folder / "metrics.json").exists()


def test_a_program_in_place_of_a_model_is_not_run(evaluate, folder):
    (folder / "m.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(folder / "canary").encode() + b"'\ntR.")
    assert evaluate() == 81 and not (folder / "canary").exists()


def test_a_model_of_other_libraries_is_refused(evaluate, folder):
    card = json.loads((folder / "card.json").read_text())
    card["versions"]["scikit-learn"] = "1.5.2"
    (folder / "card.json").write_text(json.dumps(card))
    assert evaluate() == 81


def test_of_one_day_next_day_is_skipped_with_a_reason(evaluate, folder):
    for path in sorted(folder.glob("features_*"))[:-1]:
        path.unlink()
    assert evaluate() == 0
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["protocols"]) == {"same_day"} and "two days" in metrics["skipped"]["next_day"]
    assert "event=protocol_skipped" in (folder / "log").read_text()
    assert read_csv(folder / "plots/r2_by_day.csv", R2_BY_DAY)["r2_implied_vol_vs_random_walk"].isna().all()


def test_when_no_protocol_is_possible_old_outputs_stay(evaluate, folder, capsys):
    evaluate()
    before = written(folder)
    for path in sorted(folder.glob("features_*"))[:-1]:
        path.unlink()
    assert evaluate(evaluate={"protocols": ["next_day"]}) == 65
    assert "cannot be evaluated" in capsys.readouterr().err and written(folder) == before


def test_the_evaluation_is_of_that_very_model_and_the_ledger_names_its_files(arguments, folder):
    assert model_evaluate.main([*arguments(), "--ledger", str(folder / "ledger.jsonl")]) == 0
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["model_sha256"] == sha256_of(folder / "m.pkl")
    (entry,) = Ledger(folder / "ledger.jsonl").entries()
    value = metrics["protocols"]["next_day"]["models"]["hybrid"]["r2_implied_vol_vs_random_walk"]["value"]
    assert entry.event == "evaluated"
    assert entry.details.pop("r2_implied_vol_vs_random_walk")["next_day"] == value
    assert entry.details == {
        "model_sha256": sha256_of(folder / "m.pkl"),
        "metrics_sha256": sha256_of(folder / "metrics.json"),
        "predictions_sha256": sha256_of(folder / "predictions.parquet"),
    }


def test_an_evaluation_that_fails_is_no_act(arguments, folder):
    (folder / "m.pkl").write_bytes(b"no model")
    assert model_evaluate.main([*arguments(), "--ledger", str(folder / "ledger.jsonl")]) != 0
    assert not (folder / "ledger.jsonl").exists()
