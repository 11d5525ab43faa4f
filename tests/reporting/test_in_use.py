import dataclasses

import pytest

from options_pricing.reporting.answer import answer
from options_pricing.reporting.in_use import in_use
from tests.reporting.made_files import LAST
from tests.reporting.test_watching import NAME, drift, record


def of_model(inputs, model_sha256):
    return dataclasses.replace(inputs, metrics=inputs.metrics.model_copy(update={"model_sha256": model_sha256}))


def test_the_answer_begins_with_the_release_in_use(inputs):
    told = in_use(of_model(inputs, "c" * 64), drift("green"), [record("20261119", 0.9), record(LAST, -8.5371)])
    assert told == [
        "In use is release aaaaaaaaaaaa (the hybrid surface of 2026-11-17, live), 2 trading days old: on 2026-11-20 it "
        "was worse than yesterday's surface (R² of implied vol against it −8.537); renew it.",
        "The evaluation below is of the same model, on days up to 2026-11-20.",
    ]
    assert answer(inputs, told)[:2] == told


@pytest.mark.parametrize(("r2", "side"), [(0.244, "better than"), (0.0, "as good as"), (-0.1, "worse than")])
def test_one_day_old_it_is_told_and_not_judged(inputs, r2, side):
    told = in_use(inputs, drift("green"), [record(LAST, r2) | {"age": 1}])[0]
    assert f"1 trading day old: on 2026-11-20 it was {side} yesterday's surface" in told
    assert "renew" not in told


def test_drift_is_told_with_it(inputs):
    assert in_use(inputs, drift("red"), [record(LAST, 0.2)])[0].endswith("The market has drifted away from it.")


def test_a_figure_that_is_not_there_is_not_made_up(inputs):
    assert "could not be computed" in in_use(inputs, drift("green"), [record(LAST, None)])[0]


def test_the_evaluation_of_another_release_is_named_as_that(inputs):
    staged = in_use(of_model(inputs, inputs.status.model_sha256), drift("green"), [record(LAST, 0.2)])[1]
    assert staged == (
        "The evaluation below is of another release, 20261120-aaaaaaaaaaaa of 2026-11-20, not of the release in use."
    )
    unjudged = in_use(of_model(inputs, "e" * 64), drift("unknown"), [])
    assert unjudged == [
        "The evaluation below is of another model, not of the release in use, aaaaaaaaaaaa "
        "(the hybrid surface of 2026-11-17, live)."
    ]


def test_without_a_release_or_a_judged_day_nothing_is_said(inputs):
    assert in_use(inputs, None, []) == []
    assert in_use(inputs, drift("unknown", release=None), []) == []
    assert in_use(of_model(inputs, NAME["model_sha256"]), drift("unknown"), []) == []
