from types import SimpleNamespace

import numpy as np
import pytest

from options_pricing.evaluation.drift import FEWEST_REFERENCE_DAYS
from options_pricing.evaluation.monitoring import Watched, drift_report, nothing_judged
from options_pricing.evaluation.reference import reference_in, reference_of
from options_pricing.run.params import Drift
from tests.evaluation.made_days import made_days

NAME = {"release_id": "a" * 12, "as_of": "20260116"}
SETTINGS = Drift()


def release(days=20):
    told = made_days(0.02 * np.random.default_rng(1).standard_normal(days))
    return Watched(NAME, SimpleNamespace(reference=reference_of(told)), {})


def record(day, status="green", release_id=NAME["release_id"], error=1.0):
    found = {"status": status, "quantity": "residual", "measure": "wasserstein", "value": 3.0, "warning": 1.0}
    statistics = [] if status == "unknown" else [{**found, "alarm": 2.0, "where": ["IDX", "30-90 days"]}]
    drift = {"status": status, "why": "few", "power": 0.9, "statistics": statistics}
    name = {"release_id": release_id}
    figures = {"iv_rmse_vol_points": error}
    return {"date": day, "judged": True, "why_not": None, "release": name, "figures": figures, "drift": drift}


DAYS = [f"202602{day:02d}" for day in range(2, 12)]


def report(records, day=DAYS[-1], **changed):
    return drift_report(day, release(), records, None, Drift(**changed))


def test_without_a_release_the_status_is_unknown_and_says_why():
    found = drift_report(DAYS[0], None, [nothing_judged(DAYS[0], "none")], "there is no release", SETTINGS)
    assert (found["status"], found["why"], found["release"]) == ("unknown", "there is no release", None)
    assert found["retraining"]["due"] is None


def test_one_judged_day_is_one_day():
    assert report([record(DAYS[0])])["why"] == "nothing out of the ordinary on the last judged day"
    assert report([record(day) for day in DAYS])["why"].endswith("on the last 3 judged days")


def test_an_alarm_stands_for_three_judged_days():
    statuses = ["green", "red", "green", "green", "green"]
    records = [record(day, status) for day, status in zip(DAYS, statuses, strict=False)]
    found = [report(records[: n + 1], day=DAYS[n])["status"] for n in range(5)]
    assert found == ["green", "red", "red", "red", "green"]


def test_the_reason_names_statistic_value_limit_and_cell():
    found = report([record(DAYS[0], "red")])
    assert found["why"] == (
        "on 2026-02-02 the wasserstein distance of residual was 3.00, over 2.00; most in IDX and 30-90 days"
    )
    assert found["alarms"][0]["date"] == DAYS[0]


def test_days_of_another_release_and_later_days_do_not_count():
    others = [record(DAYS[0], "red", release_id="b" * 12), record(DAYS[2], "red")]
    found = report([*others, record(DAYS[1])], day=DAYS[1])
    assert (found["status"], found["live_days"]) == ("green", 1)


def test_a_worse_status_is_not_hidden_by_an_unknown_one():
    assert report([record(DAYS[0], "amber"), record(DAYS[1], "unknown")])["status"] == "amber"
    assert report([record(DAYS[0], "unknown")])["status"] == "unknown"


def test_retraining_compares_with_the_release_s_own_days():
    errors = reference_in(release().model.reference).errors
    assert report([record(day, error=float(errors.mean())) for day in DAYS])["retraining"]["due"] is False
    assert report([record(day, error=float(9 * errors.max())) for day in DAYS])["retraining"]["due"] is True


@pytest.mark.parametrize("days", [1, FEWEST_REFERENCE_DAYS - 1])
def test_a_reference_of_few_days_is_kept_and_counted(days):
    found = drift_report(DAYS[0], release(days), [], None, SETTINGS)
    assert found["reference_days"] == days
