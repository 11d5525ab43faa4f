import pytest

from options_pricing.run.alerts import alert_of_failure, alerts_of_drift, alerts_of_report
from options_pricing.run.errors import HaltedDayError, UpstreamError
from options_pricing.run.params import Alerts


def report(rules=(), nulls=None):
    return {"date": "20261120", "rules": list(rules), "null_rates": nulls or {}}


def rule(id, outcome, scope="day", message="said"):
    return {"id": id, "outcome": outcome, "scope": scope, "title": "a title", "message": message}


def test_a_failure_brings_its_cause_and_its_remedy():
    error = UpstreamError("no chain of 20261120", why="the source was down", fix="try again later")
    alert = alert_of_failure("data_fetch", "20261120", error)
    assert alert.title == "options-pricing: task failed: data_fetch 20261120"
    assert alert.body == "no chain of 20261120\nwhy: the source was down\nfix: try again later"
    assert alert.key == "failed/data_fetch 20261120/69"


def test_a_halt_names_the_causes_in_its_head():
    error = HaltedDayError("stops", why="F07: all old; F03: few rows; U01: no price", fix="fetch it again")
    alert = alert_of_failure("data_validate", "20261120", error)
    assert alert.events == ("halted", "missing_expirations", "stale_feed")
    assert alert.title == "options-pricing: day halted (chain incomplete, feed is stale): data_validate 20261120"


def test_a_bug_is_told_without_its_traceback():
    alert = alert_of_failure("model_train", "20261120", ZeroDivisionError("division by zero"))
    assert alert.body.splitlines() == [
        "model_train of 20261120 stopped at a bug",
        "why: ZeroDivisionError: division by zero",
        "fix: read the traceback in the log of model_train, and report it",
    ]


@pytest.mark.parametrize(
    ("found", "events"),
    [
        (report(), []),
        (report([rule("F03", "passed"), rule("F07", "passed")]), []),
        (report([rule("F03", "warn")]), ["missing_expirations"]),
        (report([rule("F07", "warn"), rule("F03", "warn")]), ["missing_expirations", "stale_feed"]),
        (report([rule("F07", "halt")]), []),  # the halt tells it
        (report([rule("F05", "quarantine", scope="rows")]), []),
        (report([rule("P04", "warn")]), []),
        (report(nulls={"bid": 0.05, "ask": 0.0, "vendor_price": 1.0}), []),
        (report(nulls={"bid": 0.051}), ["null_rates"]),
    ],
)
def test_what_a_report_gives_cause_to(found, events):
    assert [alert.events[0] for alert in alerts_of_report(found, Alerts())] == events


def test_the_alert_of_a_report_says_what_the_rule_said_and_what_to_do():
    (alert,) = alerts_of_report(report([rule("F03", "warn", message="SPX has no rows for 2 expirations")]), Alerts())
    assert alert.title == "options-pricing: chain incomplete: 20261120"
    assert "why: F03: SPX has no rows for 2 expirations" in alert.body
    assert "reports/validation/validation_20261120.json" in alert.body
    (alert,) = alerts_of_report(report(nulls={"bid": 0.2, "ask": 0.1}), Alerts(null_rate=0.15))
    assert "20.0% of bid is null, more than 15.0%" in alert.body and "ask" not in alert.body


def test_drift_is_told_when_it_is_red_and_names_day_release_and_reason():
    alarms = [{"date": "20261118", "status": "red"}, {"date": "20261119", "status": "amber"}]
    drift = {"status": "red", "why": "the reason", "release": {"release_id": "a" * 12}, "alarms": alarms}
    (alert,) = alerts_of_drift(drift)
    assert alert.title == "options-pricing: market has drifted from the release: 20261118"
    assert alert.key == "drift/20261118/"
    assert "aaaaaaaaaaaa" in alert.what and alert.why == "the reason"
    assert [alerts_of_drift(drift | {"status": status}) for status in ("green", "amber", "unknown")] == [[], [], []]
