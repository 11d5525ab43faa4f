import pytest

from options_pricing.reporting.context import build_context
from options_pricing.reporting.inputs import read_inputs
from options_pricing.reporting.render import render_html, render_markdown
from options_pricing.reporting.watching import live_picture, watching
from tests.reporting.made_files import LAST, MadeFiles

NAME = {"release_id": "a" * 12, "model": "hybrid", "model_sha256": "c" * 64, "as_of": "20261117", "live": True}
ALARM = {
    "date": LAST,
    "quantity": "residual",
    "measure": "wasserstein",
    "value": 3.21,
    "warning": 2.0,
    "alarm": 2.5,
    "status": "red",
    "where": ["XIDX", "30-90 days"],
}
DUE = {"due": True, "why": "the error is 2.00 times that of the reference", "line": 1.1, "ratio": 2.0}
SPREAD = {"quantity": "spread", "measure": "psi", "value": 0.13, "warning": 0.27, "alarm": None}


def drift(status="red", release=NAME, **changed):
    found = {"status": status, "why": "the reason", "release": release, "reference_days": 9, "live_days": 2}
    rest = {
        "date": LAST,
        "quiet_days": 60,
        "power": 5 / 9,
        "alarms": [ALARM] if status == "red" else [],
        "retraining": DUE,
    }
    return {**found, **rest, **changed}


def record(day, r2, release=NAME):
    figures = {
        "r2_implied_vol_vs_random_walk": r2,
        "r2_implied_vol_vs_own_last_day": 0.3,
        "iv_bias_vol_points": -0.051,
        "inside_bid_ask": 0.229,
    }
    return {
        "date": day,
        "judged": True,
        "release": release,
        "age": 2,
        "quotes": 1234,
        "figures": figures,
        "intervals": {"nominal": 0.9, "coverage": 0.873},
        "drift": {"statistics": [ALARM, SPREAD]},
    }


LAST_SHOWN = "2026-11-20"
RECORDS = [record("20261119", 0.2), record(LAST, -1.5)]


def test_the_days_are_those_of_the_release_in_use_newest_first():
    shown = watching(drift(), [record("20261118", 0.9, NAME | {"release_id": "b" * 12}), *RECORDS])
    assert [(line.day, line.r2, line.quotes) for line in shown.days] == [
        ("2026-11-20", "−1.500", "1,234"),
        ("2026-11-19", "0.200", "1,234"),
    ]
    assert (shown.days[0].coverage, shown.days[0].inside, shown.drawn) == ("87.3 %", "22.9 %", True)
    assert shown.retraining.startswith("Train anew: the error is 2.00 times")
    assert shown.claimed == "inside its 90 % intervals"


def test_every_distance_is_told_with_its_limits_on_a_quiet_day_too():
    shown = watching(drift("green"), RECORDS)
    assert (shown.measured, shown.headline[:17]) == (LAST_SHOWN, "No drift was seen")
    assert [(line.what, line.value, line.warning, line.alarm) for line in shown.distances] == [
        ("the model's error, Wasserstein's distance", "3.21", "2.00", "2.50"),
        ("the bid-ask spread, population stability index (its root)", "0.13", "0.27", "never"),
    ]
    assert "one false alarm in 240 quiet days, where one in 60 is allowed" in shown.rests_on
    assert "on 5 of the 9 days of reference" in shown.rests_on
    assert "2 live days. Limits" in watching(drift("unknown", power=None), RECORDS).rests_on


@pytest.mark.parametrize(
    ("due", "ratio", "words"),
    [
        (None, None, "Whether it has to be trained anew cannot be said yet: 1 of 3 live days so far."),
        (False, 1.39, "Not shown yet that it has to be trained anew: 1 of 3 live days so far (the line is 1.10)."),
        (False, 1.02, "Its error has not grown beyond the line: 1 of 3 live days so far (the line is 1.10)."),
    ],
)
def test_an_error_above_the_line_that_may_be_chance_is_not_called_no_need(due, ratio, words):
    found = {"due": due, "why": "1 of 3 live days so far", "line": 1.1, "ratio": ratio}
    assert watching(drift("green", retraining=found), RECORDS[:1]).retraining == words


def test_an_old_release_behind_yesterdays_surface_is_to_be_renewed():
    assert watching(drift(), RECORDS).retraining.endswith(
        "It is 2 trading days old and worse than yesterday's surface: renew it."
    )
    assert "renew" not in watching(drift(), [RECORDS[1] | {"age": 1}]).retraining
    assert "renew" not in watching(drift(), RECORDS[:1]).retraining


@pytest.mark.parametrize("status", ["green", "amber", "red", "unknown"])
def test_every_status_is_in_the_report(tmp_path, status):
    inputs = read_inputs(MadeFiles(tmp_path).data_only)
    context = build_context(inputs, date=LAST, title="t", smiles=1, drift=drift(status), live=RECORDS)
    for text in (render_html(context), render_markdown(context, tmp_path)):
        assert "The release in use" in text
        assert watching(drift(status), RECORDS).headline in text.replace("\\", "")
        assert "3.21" in text and ("most in" in text) == (status == "red")


def test_a_report_that_is_not_asked_for_it_says_nothing_of_a_release_in_use(tmp_path):
    context = build_context(read_inputs(MadeFiles(tmp_path).data_only), date=LAST, title="t", smiles=1)
    assert "The release in use" not in render_html(context)
    assert "live_by_day" not in context["charts"]


def test_without_a_release_there_is_a_small_picture_and_no_table():
    shown = watching(drift("unknown", release=None, power=None), [])
    assert (shown.days, shown.drawn, shown.release) == ([], False, "none")
    assert len(live_picture(drift("unknown", release=None), []).wide) < len(live_picture(drift(), RECORDS).wide)


@pytest.mark.parametrize(
    ("changed", "live"),
    [({}, True), ({"live": False}, False), ({"release_id": "b" * 12}, False), (None, False)],
    ids=["live", "staged", "another is live", "none"],
)
def test_a_staged_release_that_was_made_live_is_told_as_live(inputs, changed, live):
    name = {"release_id": inputs.status.release_id, "model_sha256": inputs.status.model_sha256}
    release = None if changed is None else NAME | name | changed
    records = [] if release is None else [record(LAST, 0.1, release)]
    context = build_context(
        inputs, date=LAST, title="t", smiles=1, drift=drift("unknown", release=release, power=None), live=records
    )
    assert context["release"].live is live
    assert ("staged and not live" in render_html(context)) is not live
