import dataclasses

import pytest

from options_pricing.reporting.answer import answer, main_protocol
from options_pricing.reporting.inputs import Metrics
from tests.reporting.made_files import metrics_of, random_rows

R2 = "r2_implied_vol_vs_random_walk"


SURE = {"dm_p_value": 0.003, "in_confidence_set": True}


def said(inputs, *, chosen="boosted", protocol="next_day", days=None, tests=None, **estimate):
    metrics = metrics_of() | {"chosen_model": chosen}
    metrics["protocols"] = {protocol: metrics["protocols"]["next_day"]}
    compared = metrics["protocols"][protocol]["comparison"]["models"]
    for model, found in (tests or {}).items():
        compared[model] |= found
    if days is not None:
        metrics["protocols"][protocol]["days"] = days
    if estimate:
        metrics["protocols"][protocol]["models"][chosen][R2] = estimate
    return answer(dataclasses.replace(inputs, metrics=Metrics.model_validate(metrics)))


@pytest.mark.parametrize(
    ("low", "value", "high", "words"),
    [
        (0.39, 0.47, 0.55, "The boosted surface beats yesterday's surface: it takes away 47.0 % of its squared error"),
        (
            -0.9,
            -0.4,
            -0.1,
            "The boosted surface is worse than yesterday's surface: it adds 40.0 % to its squared error",
        ),
        (-0.12, 0.05, 0.2, "There is no evidence that the boosted surface beats yesterday's surface"),
        (0.0, 0.05, 0.2, "There is no evidence that"),
        (-0.2, -0.05, 0.0, "There is no evidence that"),
    ],
)
def test_the_verdict_follows_the_interval_where_the_tests_agree(inputs, low, value, high, words):
    difference, loser = (-0.3, "random_walk") if value > 0 else (0.3, "boosted")
    tests = {"boosted": SURE | {"loss_difference": difference}}
    tests[loser] = tests.get(loser, {}) | {"in_confidence_set": False}
    verdict = said(inputs, tests=tests, value=value, low=low, high=high)[0]
    assert verdict.startswith(words)
    assert "95 % interval" in verdict
    assert "luck" not in verdict and "but" not in verdict
    assert ("which includes 0" in verdict) == (low <= 0 <= high)
    assert "5 days, 1,000 quotes" in verdict


@pytest.mark.parametrize(
    ("chosen", "benchmark", "but"),
    [
        ({"dm_p_value": 0.112}, False, ", but chance alone makes such a difference in 11.2 % of such periods."),
        (SURE, True, ", but yesterday's surface is still among the models that may be the best."),
        (
            {"dm_p_value": 0.112},
            True,
            ", but chance alone makes such a difference in 11.2 % of such periods and yesterday's surface is still "
            "among the models that may be the best.",
        ),
        ({"dm_p_value": None}, False, ", but there is no test of luck."),
        (SURE | {"loss_difference": 0.1}, False, ", but day by day, on average, it is the other way round."),
    ],
)
def test_what_may_be_luck_is_not_called_a_win(inputs, chosen, benchmark, but):
    tests = {"boosted": chosen, "random_walk": {"in_confidence_set": benchmark}}
    verdict = said(inputs, tests=tests, value=0.139, low=0.019, high=0.209)[0]
    assert verdict.startswith(
        "The boosted surface was better than yesterday's surface on these 5 days, which may be luck: it took away"
    )
    assert verdict.endswith(but)


def test_what_may_be_bad_luck_is_not_called_a_loss(inputs):
    tests = {"boosted": {"loss_difference": 0.3, "dm_p_value": 0.2, "in_confidence_set": True}}
    verdict = said(inputs, tests=tests, value=-0.2, low=-0.3, high=-0.1)[0]
    assert "was worse than yesterday's surface on these 5 days, which may be luck: it added 20.0 % to" in verdict
    assert "the boosted surface is still among the models that may be the best" in verdict


def test_another_model_with_less_error_is_named(inputs):
    made = metrics_of()
    assert "Least error" not in " ".join(said(inputs))
    made["protocols"]["next_day"]["models"]["flat_vol"]["iv_rmse_vol_points"]["value"] = 0.1
    told = answer(dataclasses.replace(inputs, metrics=Metrics.model_validate(made)))[3]
    assert told.startswith(
        "Least error of vol of all models: one flat volatility (R² −41.2, −49.4 to −37.9). The delta of"
    )


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (
            {"value": -0.17, "low": -0.497, "high": 0.048},
            "The delta of the boosted surface hedged worse than Black's over 5 nights: it added 17.0 % to the squared "
            "error (share taken away −0.170, −0.497 to 0.048, which includes 0).",
        ),
        (
            {"value": 0.2, "low": 0.1, "high": 0.3},
            "The delta of the boosted surface hedged better than Black's over 5 nights: it took away 20.0 % of the "
            "squared error (share taken away 0.200, 0.100 to 0.300).",
        ),
        ({"value": None}, ""),
        ({"value": 0.0}, ""),
    ],
)
def test_what_its_delta_hedges_is_in_the_answer(inputs, share, words):
    made = metrics_of()
    made["hedging"]["deltas"]["boosted"]["variance_reduction"] = share
    told = " ".join(answer(dataclasses.replace(inputs, metrics=Metrics.model_validate(made))))
    assert words in told
    assert ("hedged" in told) == bool(words)


def test_a_correction_of_nothing_is_called_what_it_is(inputs):
    verdict = said(inputs, value=0.0, low=0.0, high=0.0)[0]
    assert verdict.startswith("On these quotes the boosted surface predicts just what yesterday's surface predicts")


def test_without_an_interval_nothing_is_claimed(inputs):
    verdict = said(inputs, days=["20261119", "20261120"], value=0.9, low=None, high=None)[0]
    assert verdict.startswith("Whether the boosted surface beats yesterday's surface cannot be said: 2 days")
    assert "0.900" in verdict


def test_without_the_figure_nothing_is_claimed(inputs):
    assert said(inputs, value=None, low=None, high=None)[0].endswith("that figure could not be computed.")


def test_one_day_has_no_yesterday(inputs):
    metrics = metrics_of()
    metrics |= {"days": ["20261120"], "protocols": {"random_rows": random_rows()}}
    sentences = answer(dataclasses.replace(inputs, metrics=Metrics.model_validate(metrics)))
    assert (
        sentences[0]
        == "Whether the boosted surface beats yesterday's surface cannot be said: there is only one day of data."
    )


def test_a_poor_r2_of_price_is_not_held_up_as_easy_to_reach(inputs):
    metrics = metrics_of()
    metrics["protocols"]["next_day"]["models"]["flat_vol"]["r2_price"]["value"] = -1.7
    sentences = answer(dataclasses.replace(inputs, metrics=Metrics.model_validate(metrics)))
    assert "flat" not in sentences[2]
    assert "0.9989 for yesterday's surface:" in sentences[2]


def test_the_benchmark_is_not_held_against_itself(inputs):
    sentences = said(inputs, chosen="random_walk")
    assert "the benchmark" in sentences[0]
    assert "0.679 for one flat volatility" in sentences[2]
    assert "for yesterday's surface" not in sentences[2]


def test_r2_of_price_is_named_with_what_it_does_not_say(inputs):
    sentence = said(inputs)[2]
    assert "0.9993, against 0.9989 for yesterday's surface and 0.679 for one flat volatility" in sentence
    assert "does not say that a model is good" in sentence


def test_within_one_day_the_walk_is_the_days_own_surface_and_may_beat_yesterdays(inputs):
    own = {"random_walk": {"loss_difference": -0.2, "dm_p_value": 0.001}}
    verdict = said(inputs, chosen="random_walk", protocol="same_day", tests=own, value=0.9, low=0.8, high=0.95)[0]
    assert verdict.startswith("The day's own surface beats yesterday's surface: it takes away 90.0 %")


def test_the_answer_is_short(inputs):
    assert 3 <= len(answer(inputs)) <= 5


def test_data_only(inputs):
    sentences = answer(dataclasses.replace(inputs, metrics=None))
    assert sentences[0] == "No model was evaluated: this report is about data only."
    assert sentences[1].startswith("Of 4,140 quotes of 2026-11-20, 94.3 % are usable")


def test_halted_days_are_counted_and_named(inputs):
    halted = inputs.validation[2].model_copy(update={"status": "halted"})
    days = [*inputs.validation[:2], halted, *inputs.validation[3:]]
    assert answer(dataclasses.replace(inputs, validation=days))[-1].endswith("6 trading days 1 day halted: 2026-11-17.")


def test_the_next_day_comes_before_other_protocols(inputs):
    metrics = inputs.metrics
    assert main_protocol(metrics) == "next_day"
    assert main_protocol(metrics.model_copy(update={"protocols": {"own": metrics.protocols["same_day"]}})) == "own"
