"""Run every day, miss some, and catch up: the files are those of the runs that were missed."""

import json
import shutil

import pytest

from tests.workflow.checkout import Checkout

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def one_day(tiny, tmp_path_factory):
    """A checkout after the daily run of one day, over a window of two."""
    checkout = tiny.clone(tmp_path_factory.mktemp("daily") / "repo")
    params = checkout.folder / "params.yaml"
    params.write_text(params.read_text().replace("days: 5", "days: 2"))
    checkout.snakemake("daily", "--config", "date=20261117")
    return checkout


def of_days(made):
    """What was made but for the reports: a report on a day that has passed would show today's model, and so would the
    records of the release in use."""
    late = ("reports/daily/", "reports/live/", "reports/drift.json")
    return {name: sha256 for name, sha256 in made.items() if not name.startswith(late)}


def test_backfilled_days_are_those_of_daily_runs_to_the_byte(one_day, tmp_path):
    shutil.copytree(one_day.folder, tmp_path / "repo", symlinks=True)
    late = Checkout(tmp_path / "repo")
    before = one_day.made()
    for day in ("20261118", "20261119"):
        one_day.snakemake("daily", "--config", f"date={day}")
    on_time = one_day.made()
    before.pop("reports/drift.json")  # it is about the newest day
    assert {name: on_time[name] for name in before} == before  # a past day is never judged anew
    assert late.ok("options-pricing", "backfill", "--from", "20261117", "--to", "20261119").splitlines() == [
        "20261118 made",
        "20261119 made",
    ]
    assert of_days(late.made()) == of_days(on_time)
    assert "data/processed/features_20261118.csv" in on_time
    assert "nothing to do" in late.ok("options-pricing", "backfill", "--from", "20261118", "--to", "20261119")


def test_without_a_release_the_daily_run_says_that_drift_is_unknown(one_day):
    drift = json.loads((one_day.folder / "reports/drift.json").read_text())
    assert (drift["status"], drift["why"]) == ("unknown", "there is no release, neither live nor staged")
    record = json.loads((one_day.folder / "reports/live/live_20261117.json").read_text())
    assert record == {"date": "20261117", "judged": False, "why_not": drift["why"], "release": None}
    report = (one_day.folder / "reports/daily/20261117/stakeholder_report.md").read_text()
    assert "Whether the market has drifted is not known" in report


def test_days_that_the_source_does_not_have_are_named(one_day):
    done = one_day.run("options-pricing", "backfill", "--from", "20330103", "--to", "20330103")
    assert done.returncode == 69
    assert done.stdout.startswith("20330103 not made: the simulated market has no 203")
    assert "1 of 1 sessions could not be made: 20330103" in done.stderr
    assert len(done.stderr.splitlines()) <= 5
    assert not [name for name in one_day.made() if "2033" in name]


def test_an_older_day_on_disk_is_no_part_of_dvc_yaml(one_day):
    one_day.snakemake("daily", "--config", "date=20261118")
    one_day.snakemake("dvc_yaml", "--config", "date=20261118")
    stages = (one_day.folder / "dvc.yaml").read_text()
    assert "data_validate_20261117:" in stages and "20261116" not in stages


@pytest.mark.parametrize(
    ("line", "told"), [("os.kill(os.getpid(), 9)", "ended without a word"), ("raise SystemExit(main())", "has no 2033")]
)
def test_fault_39_a_killed_task_is_told_by_the_workflow_and_a_failed_one_by_itself(tiny, tmp_path, hook, line, told):
    checkout = tiny.clone(tmp_path / "repo")
    script = checkout.folder / "scripts/data_fetch.py"
    script.write_text(script.read_text().replace("leave(main())", f"import os; {line}"))
    day = "20330103"
    done = checkout.run("snakemake", f"data/raw/options_data_{day}.csv", "--config", f"date={day}")
    assert done.returncode == 1
    (message,) = hook.messages
    assert message["title"] == f"options-pricing: task failed: data_fetch {day}"
    assert told in message["message"]
