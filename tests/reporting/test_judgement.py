from options_pricing.reporting.inputs import Metrics
from options_pricing.reporting.judgement import judged, seed_section
from tests.reporting.made_files import metrics_of, random_rows


def metrics_with(**changes):
    return Metrics.model_validate(metrics_of() | changes)


def test_each_protocol_has_the_chosen_models_headline_with_intervals(inputs):
    next_day, same_day = judged(inputs.metrics)
    assert (next_day.title, same_day.title) == ("Next day", "Same day")
    assert next_day.judged_on == "1,000 quotes, 5 days, 2026-11-16 to 2026-11-20"
    first = next_day.headline[0]
    assert (first.title, first.value, first.interval) == (
        "R² of implied vol against yesterday's surface",
        "0.470",
        "0.376 to 0.508",
    )
    assert [figure.value for figure in next_day.headline[1:]] == ["0.462", "3.05", "22.1 %", "1.48", "0.9993"]
    assert next_day.intervals == "Ranges are 95 % intervals from resampling whole days."


def test_the_ladder_holds_every_model_least_error_first_unknown_last(inputs):
    steps = judged(inputs.metrics)[0].steps
    assert [step.name for step in steps] == ["boosted", "random_walk", "flat_vol", "seed_linear"]
    assert [step.chosen for step in steps] == [True, False, False, False]
    assert [step.benchmark for step in steps] == [False, True, False, False]
    assert steps[-1].figures[0].value == "—"
    assert "could not compute" in judged(inputs.metrics)[0].gaps


def test_models_that_leave_quotes_without_a_price_are_named():
    made = metrics_of()
    made["protocols"]["next_day"]["models"]["flat_vol"]["coverage"] = {"value": 0.912, "low": None, "high": None}
    made["protocols"]["next_day"]["models"]["boosted"]["coverage"] = {"value": 1.0, "low": 1.0, "high": 1.0}
    gaps = judged(Metrics.model_validate(made))[0].gaps
    assert "one flat volatility 91.2 %" in gaps
    assert "boosted" not in gaps


def test_too_few_days_for_an_interval_are_the_reason_given():
    made = metrics_of()
    protocol = made["protocols"]["next_day"]
    for model in protocol["models"].values():
        for figure in model.values():
            figure |= {"low": None, "high": None}
    made["protocols"] = {"next_day": protocol | {"days": ["20261119", "20261120"]}}
    part = judged(Metrics.model_validate(made))[0]
    assert part.headline[0].interval == ""
    assert part.intervals == "No ranges: they come from resampling whole days, and 2 days cannot give them."


def test_figures_by_underlying_stand_where_there_are_several_and_once(inputs):
    next_day, same_day = judged(inputs.metrics)
    assert [name for name, _ in next_day.by_underlying] == ["XIDX", "XTEC"]
    assert next_day.by_underlying[0][1][0].value == "0.470"
    assert same_day.by_underlying == []


def test_the_seeds_model_stands_beside_the_surface():
    made = metrics_with(protocols={"random_rows": random_rows()})
    section = seed_section(made)
    assert [(line.words, line.told, line.r2_price) for line in section.lines] == [
        ("the seed's linear regression", True, "0.344"),
        ("the boosted surface", False, "0.981"),
        ("the day's own surface", False, "0.981"),
    ]
    assert "0.344" in section.answer and "0.981" in section.answer
    assert section.answer.endswith("it explains more of the prices.")


def test_what_one_flat_vol_reaches_on_the_seeds_rows_is_not_hidden():
    rows = random_rows()
    rows["models"]["flat_vol"] = {"r2_price": {"value": 0.9982, "low": None, "high": None}}
    section = seed_section(metrics_with(protocols={"random_rows": rows}))
    assert "One flat volatility reaches 0.9982" in section.answer


def test_the_seeds_model_may_win():
    rows = random_rows()
    rows["models"]["boosted"]["r2_price"] = {"value": 0.1, "low": None, "high": None}
    section = seed_section(metrics_with(protocols={"random_rows": rows}))
    assert section.answer.endswith("it does not explain more of the prices.")


def test_no_random_rows_no_such_section(inputs):
    assert seed_section(inputs.metrics) is None
    assert seed_section(None) is None


def test_only_the_next_days_walk_is_the_benchmark(inputs):
    same_day = judged(inputs.metrics)[1]
    assert [step.words for step in same_day.steps if step.name == "random_walk"] == ["the day's own surface"]
    assert not any(step.benchmark for step in same_day.steps)
