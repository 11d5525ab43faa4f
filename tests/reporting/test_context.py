import dataclasses

import pytest

from options_pricing.reporting.context import build_context
from options_pricing.reporting.inputs import read_inputs
from options_pricing.run.errors import BadDataError


def test_days_covered(context):
    assert context["day"] == "Friday 20 November 2026"
    assert context["covered"] == {
        "last": "2026-11-20",
        "days": "6 trading days, 2026-11-13 to 2026-11-20",
        "underlyings": "XIDX, XTEC",
        "sources": "simulated",
    }


def test_the_release_and_its_checks(context):
    release = context["release"]
    assert (release.release_id, release.live, release.passed) == (
        "20261120-aaaaaaaaaaaa",
        False,
        "2 of 2 checks passed",
    )
    assert release.checks[1] == ("the API answers with this release", True, "200")


def test_limits_come_from_the_card_and_from_the_count_of_days(context):
    limits = context["limits"]
    assert limits[0] == "It is fitted on options of 7 to 400 days; others are extrapolated."
    assert any("6 days of predictions" in limit for limit in limits)
    assert any("simulated" in limit for limit in limits)


def test_what_made_it(context):
    assert ("learning_rate", "0.05") in context["parameters"]
    assert ("report.smiles", "2") in context["parameters"]
    assert ("scikit-learn (model)", "1.9.0") in context["versions"]
    assert context["raw_days"][0][:4] == ("2026-11-20", "simulated", "2026-11-20T21:15:00Z", "4,140")


def test_data_only(made):
    context = build_context(read_inputs(made.data_only), date="20261120", title="T", smiles=1)
    assert context["judged"] == []
    assert context["release"] is context["seed"] is None
    assert any("none was evaluated" in limit for limit in context["limits"])


def test_another_day_is_refused(inputs):
    with pytest.raises(BadDataError):
        build_context(inputs, date="20261119", title="T", smiles=1)


def test_a_model_without_figures_in_a_protocol_is_no_error(inputs):
    odd = dataclasses.replace(inputs, metrics=inputs.metrics.model_copy(update={"chosen_model": "boosted2"}))
    context = build_context(odd, date="20261120", title="T", smiles=1)
    assert [figure.value for figure in context["judged"][0].headline] == ["—"] * 6


def test_one_day_is_one_day(made):
    files = made.data_only
    one = type(files)(validation=files.validation[-1:], meta=files.meta[-1:], features=files.features)
    assert (
        build_context(read_inputs(one), date="20261120", title="T", smiles=1)["covered"]["days"]
        == "1 trading day, 2026-11-20"
    )
