"""The seven tasks under Snakemake: what runs, what runs again, and what a failure leaves."""

import json
import os

import dvc_export
import pytest

pytestmark = pytest.mark.workflow

TASKS = set(dvc_export.TASKS)


def edit(checkout, file, old, new):
    path = checkout.folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_whole_workflow_ends_with_the_report(ran):
    report = (ran.folder / "reports/stakeholder_report.md").read_text()
    assert "SIMULATED" in report.split("\n## ")[0]
    assert (ran.folder / "reports/stakeholder_report.html").is_file()
    assert (ran.folder / "data/processed/validated_data.csv").resolve().name == "validated_data_20261120.csv"
    status = json.loads((ran.folder / "reports/deployment_status.json").read_text())
    assert status["status"] == "staged"
    assert status["live"] is False
    assert all(check["passed"] for check in status["checks"])


def test_every_task_left_the_log_the_plan_names(ran):
    logs = {path.name for path in (ran.folder / "logs").glob("*.log")}
    for name in ("data_fetch", "data_validate", "feature_eng", "model_train", "model_eval", "deployment", "reporting"):
        assert f"{name}_20261120.log" in logs


def test_a_second_run_has_nothing_to_do(ran):
    assert "Nothing to be done" in ran.snakemake()


def test_the_targets_name_the_tasks(tiny):
    wanted = {
        "fetch": {"data_fetch"},
        "validate": {"data_fetch", "data_validate"},
        "features": {"data_fetch", "data_validate", "feature_engineer"},
        "all": TASKS | {"newest_validated"},
    }
    for target, tasks in wanted.items():
        assert tiny.jobs_to_run(target) - {target} == tasks


def test_the_daily_run_never_trains_or_deploys(copy_of_ran):
    edit(copy_of_ran, "params.yaml", "seed: 7", "seed: 8")
    later = ("daily", "--config", "date=20261119")
    assert not copy_of_ran.jobs_to_run(*later) & {"model_train", "model_evaluate", "model_deploy", "generate_report"}
    before = copy_of_ran.made()
    copy_of_ran.snakemake("daily")
    after = copy_of_ran.made()
    assert {name: after[name] for name in before} == before
    assert "reports/daily/20261120/stakeholder_report.html" in after
    assert "Nothing to be done" in copy_of_ran.snakemake("daily")


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("bootstrap: 200", "bootstrap: 300", {"model_evaluate", "generate_report"}),
        ("title: Option pricing report", "title: Another title", {"generate_report"}),
        ("golden_rows: 25", "golden_rows: 24", {"model_deploy", "generate_report"}),
        ("seed: 7", "seed: 8", {"model_train", "model_evaluate", "model_deploy", "generate_report"}),
        ("min_pairs: 12", "min_pairs: 11", TASKS - {"data_fetch", "data_validate"}),
        ("tries: 5", "tries: 4", set()),
    ],
)
def test_a_parameter_reruns_what_it_touches_and_nothing_else(copy_of_ran, old, new, runs):
    edit(copy_of_ran, "params.yaml", old, new)
    assert copy_of_ran.jobs_to_run() - {"all"} == runs


def test_a_change_of_code_reruns_the_tasks_that_import_it_but_never_downloads_again(copy_of_ran):
    edit(copy_of_ran, "src/options_pricing/evaluation/hedging.py", '"""', '"""A changed line. ')
    assert copy_of_ran.jobs_to_run() - {"all"} == {"model_evaluate", "generate_report"}
    edit(copy_of_ran, "src/options_pricing/sources/base.py", '"""', '"""A changed line. ')
    assert "data_fetch" not in copy_of_ran.jobs_to_run()


def test_a_failed_day_leaves_the_former_outputs_whole_and_the_next_run_heals(copy_of_ran):
    before = copy_of_ran.made()
    raw = copy_of_ran.folder / "data/raw/options_data_20261119.csv"
    whole = raw.read_bytes()
    raw.write_bytes(whole[: len(whole) // 2])
    for _ in range(2):  # a failure is not forgotten
        done = copy_of_ran.run("snakemake", "--cores", "2")
        assert done.returncode == 1
        said = [line for line in done.stderr.splitlines() if line.startswith("data_validate:")]
        assert any("is not the file that was fetched" in line for line in said)
        assert "Traceback" not in done.stderr
    broken = copy_of_ran.made()
    assert {name for name in before if broken.get(name) != before[name]} == {"data/raw/options_data_20261119.csv"}
    raw.write_bytes(whole)
    copy_of_ran.snakemake()
    assert copy_of_ran.made() == before


def test_a_touched_file_with_the_same_content_reruns_nothing(copy_of_ran):
    for file in ("data/raw/options_data_20261119.csv", "scripts/data_validate.py", "model/options_pricing_model.pkl"):
        os.utime(copy_of_ran.folder / file)
    assert copy_of_ran.jobs_to_run() == set()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("model: hybrid", "modle: hybrid", "train.modle: no such key"),
        ("date: '20261120'", "date: '20261121'", "Saturday"),
        ("kind: simulated", "kind: [", "not valid YAML"),
    ],
)
def test_wrong_params_end_every_command_at_once(tiny, tmp_path, old, new, said):
    checkout = tiny.clone(tmp_path / "repo")
    edit(checkout, "params.yaml", old, new)
    done = checkout.run("snakemake", "--cores", "1")
    assert done.returncode == 78
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert checkout.made() == tiny.made()


def test_a_daily_run_on_a_day_without_a_session_ends_well_in_one_line(tiny):
    done = tiny.run("snakemake", "--cores", "1", "daily", "--config", "date=20261122")
    assert done.returncode == 0
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if "Sunday" in line] == [said[-1]]
    assert said[-1].startswith("nothing to do: 20261122 is no trading day")
    assert tiny.run("snakemake", "--cores", "1", "--config", "date=20261122").returncode == 78


def test_a_day_that_is_no_session_is_no_target(tiny):
    for day in ("20261121", "20261301", "2026-11-20", "..%2Fx"):
        done = tiny.run("snakemake", "--dry-run", "--cores", "1", f"data/raw/options_data_{day}.csv")
        assert done.returncode == 1
        assert "No rule to produce" in done.stdout + done.stderr


def test_another_day_by_the_command_line(tiny):
    dry = ("snakemake", "--dry-run", "--quiet", "host", "--cores", "1")
    said = tiny.ok(*dry, "fetch", "--config", "date=20261110")
    assert "options_data_20261110.csv" in said
    assert "options_data_20261120.csv" not in said
