"""The same DAG under DVC: the same order, the same bytes, experiments with their own figures, and `sync`."""

import json
import re
import time

import pytest
import yaml

pytestmark = pytest.mark.workflow

ORDER = {
    ("data_fetch", "data_validate"),
    # The risk-free curve.
    ("data_fetch", "feature_engineer"),
    ("data_validate", "feature_engineer"),
    ("feature_engineer", "model_train"),
    ("feature_engineer", "model_evaluate"),
    ("model_train", "model_evaluate"),
    ("model_train", "model_deploy"),
    ("model_evaluate", "generate_report"),
    ("model_deploy", "generate_report"),
    # The report also shows where the data came from and how they were found.
    ("data_fetch", "generate_report"),
    ("data_validate", "generate_report"),
    ("feature_engineer", "generate_report"),
    ("model_train", "generate_report"),
}


@pytest.fixture(scope="module")
def repro(tiny, tmp_path_factory):
    """A fresh clone after `dvc repro`."""
    checkout = tiny.clone(tmp_path_factory.mktemp("repro") / "repo")
    checkout.ok("dvc", "repro")
    return checkout


def test_dvc_dag_has_the_seven_tasks_in_their_order(tiny):
    dot = tiny.ok("dvc", "dag", "--dot")
    edges = {tuple(re.sub(r"_\d{8}$", "", end) for end in pair) for pair in re.findall(r'"(\w+)" -> "(\w+)"', dot)}
    assert edges == ORDER


def test_dvc_makes_the_same_bytes_as_snakemake(repro, ran):
    made, by_snakemake = repro.made(), ran.made()
    assert len(made) > 40
    assert made == by_snakemake


def test_nothing_is_left_to_do_after_repro(repro):
    assert left_to_do(repro) == {}


def test_a_failing_stage_leaves_the_former_outputs_whole(repro):
    before, lock = repro.made(), (repro.folder / "dvc.lock").read_text()
    edit(repro, "model: hybrid", "model: bosted")
    done = repro.run("dvc", "repro")
    assert done.returncode != 0
    assert "train.model" in done.stdout + done.stderr
    assert repro.made() == before
    edit(repro, "model: bosted", "model: hybrid")
    assert left_to_do(repro) == {}
    assert (repro.folder / "dvc.lock").read_text() == lock


def test_a_day_that_is_there_is_not_fetched_again_by_dvc_either(repro):
    before = repro.made()
    repro.ok("dvc", "repro", "--force", "--single-item", "data_fetch_20261120")
    assert "event=already_fetched" in (repro.folder / "logs/data_fetch_20261120.log").read_text()
    assert repro.made() == before


def test_dvc_checkout_puts_a_lost_file_back(repro):
    before = repro.made()
    for file in ("model/options_pricing_model.pkl", "reports/evaluation_metrics.json", "reports/plots/r2_by_day.csv"):
        (repro.folder / file).unlink()
    repro.ok("dvc", "checkout")
    assert repro.made() == before


def test_sync_tells_the_other_tool(repro):
    assert "told Snakemake" in repro.ok("options-pricing", "sync")
    assert "Nothing to be done" in repro.snakemake("--dry-run")
    assert "agree already" in repro.ok("options-pricing", "sync")


def test_sync_commits_what_snakemake_made(copy_of_ran):
    assert "committed to DVC" in copy_of_ran.ok("options-pricing", "sync")
    assert left_to_do(copy_of_ran) == {}
    # A parameter that changes afterwards is noticed by both.
    edit(copy_of_ran, "bootstrap: 200", "bootstrap: 250")
    assert copy_of_ran.jobs_to_run() - {"all"} == {"model_evaluate", "generate_report"}
    assert "model_evaluate" in left_to_do(copy_of_ran)


def test_sync_after_a_change_of_the_window_vouches_for_nothing_until_it_is_made(copy_of_ran):
    copy_of_ran.ok("options-pricing", "sync")
    edit(copy_of_ran, "days: 5", "days: 6")
    # What tempted: of the days that dvc.yaml knows nothing is left to do.
    assert left_to_do(copy_of_ran) == {}
    before, lock = copy_of_ran.made(), (copy_of_ran.folder / "dvc.lock").read_text()
    done = copy_of_ran.run("options-pricing", "sync")
    assert done.returncode == 65
    assert "dvc.yaml was rewritten" in done.stdout
    assert "both have work left" in done.stderr
    assert copy_of_ran.made() == before
    assert (copy_of_ran.folder / "dvc.lock").read_text() == lock
    assert "model_train" in copy_of_ran.jobs_to_run()
    copy_of_ran.snakemake()
    assert "committed to DVC" in copy_of_ran.ok("options-pricing", "sync")
    assert left_to_do(copy_of_ran) == {}
    assert "data_fetch_20261113:" in (copy_of_ran.folder / "dvc.lock").read_text()


def test_sync_says_what_is_wrong_with_the_parameter_file(tiny, tmp_path):
    checkout = tiny.clone(tmp_path / "repo")
    edit(checkout, "model: hybrid", "model: bosted")
    done = checkout.run("options-pricing", "sync")
    assert done.returncode == 78
    assert "train.model" in done.stderr


def test_dvc_yaml_is_written_anew_whenever_it_is_asked_for(tiny, tmp_path):
    checkout = tiny.clone(tmp_path / "repo")
    assert "dvc.yaml was up to date" in checkout.snakemake("dvc_yaml")
    edit(checkout, "days: 5", "days: 6")
    assert "over 20261113 to 20261120" in checkout.snakemake("dvc_yaml")
    assert "data_fetch_20261113:" in (checkout.folder / "dvc.yaml").read_text()


def test_a_stage_depends_on_the_whole_parameter_file_where_that_leaves_out_a_key_of_it(tiny, tmp_path):
    checkout = tiny.clone(tmp_path / "repo")
    checkout.snakemake("dvc_yaml", "--config", "params=examples/seed_spy.yaml")
    stages = yaml.safe_load((checkout.folder / "dvc.yaml").read_text())["stages"]
    assert stages["data_fetch_20250822"]["params"] == [{"examples/seed_spy.yaml": ["rates", "source"]}]
    assert "examples/seed_spy.yaml" in stages["model_deploy"]["deps"]
    assert "params" not in stages["model_deploy"]


def test_sync_changes_nothing_when_both_have_work_left(tiny, tmp_path):
    checkout = tiny.clone(tmp_path / "repo")
    done = checkout.run("options-pricing", "sync")
    assert done.returncode == 65
    assert "both have work left" in done.stderr
    assert not (checkout.folder / "dvc.lock").exists()


def test_queued_experiments_each_have_their_own_figures(repro):
    repro.commit("the lock")
    repro.ok("dvc", "exp", "run", "--queue", "-S", "train.model=flat_vol,random_walk")
    repro.ok("dvc", "queue", "start", "-j", "2")
    wait_for_queue(repro)
    shown = experiments(repro)
    assert shown.keys() == {"flat_vol", "random_walk"}
    baseline = json.loads((repro.folder / "reports/evaluation_metrics.json").read_text())
    assert baseline["chosen_model"] == "hybrid"
    figures = baseline["protocols"]["next_day"]["models"]
    for model, chosen in shown.items():
        assert chosen["next_day"]["iv_rmse_vol_points"] == figures[model]["iv_rmse_vol_points"]["value"]


def test_an_experiment_changes_the_figures_that_it_should_and_the_way_back_leads_to_the_baseline(repro):
    before = repro.made()
    repro.ok("dvc", "exp", "run", "-S", "evaluate.held_out=0.4")
    changed = json.loads(repro.ok("dvc", "metrics", "diff", "--json").splitlines()[-1])
    assert changed.keys() == {"reports/evaluation_metrics.json", "reports/chosen_model_metrics.json"}
    assert all("same_day" in figure for file in changed.values() for figure in file)
    repro.ok("dvc", "plots", "diff")
    page = (repro.folder / "dvc_plots/index.html").read_text()
    assert "dvc_plots" not in repro.ok("git", "status", "--short")
    assert "r2_implied_vol_vs_random_walk" in page
    assert "workspace" in page
    assert repro.made() != before
    repro.ok("git", "checkout", "params.yaml", "dvc.lock")
    repro.ok("dvc", "checkout")
    assert repro.made() == before
    assert left_to_do(repro) == {}


def edit(checkout, old, new):
    params = checkout.folder / "params.yaml"
    assert old in params.read_text()
    params.write_text(params.read_text().replace(old, new))


def left_to_do(checkout):
    """What DVC finds changed, by stage."""
    return json.loads(checkout.ok("dvc", "status", "--json").splitlines()[-1])


def wait_for_queue(checkout):
    for _ in range(120):
        said = checkout.ok("dvc", "queue", "status")
        if "Running" not in said and "Queued" not in said:
            assert "Failed" not in said, said
            return
        time.sleep(2)
    raise AssertionError("the queue did not end")


def experiments(checkout):
    """The figures of the chosen model of each experiment, by the model it was asked for."""
    found = {}
    for baseline in json.loads(checkout.ok("dvc", "exp", "show", "--json").splitlines()[-1]):
        for experiment in baseline.get("experiments") or []:
            for revision in experiment["revs"]:
                data = revision["data"]
                metrics = data["metrics"]["reports/evaluation_metrics.json"]["data"]
                model = data["params"]["params.yaml"]["data"]["train"]["model"]
                assert metrics["chosen_model"] == model
                found[model] = data["metrics"]["reports/chosen_model_metrics.json"]["data"]
    return found
