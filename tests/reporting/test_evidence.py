from options_pricing.reporting.evidence import evidence
from options_pricing.reporting.inputs import Metrics
from options_pricing.reporting.wording import MODELS
from tests.reporting.made_files import metrics_of


def answers(**changes):
    """The answers by question, with keys of the next-day protocol or of the whole file changed."""
    made = metrics_of()
    own = made["protocols"]["next_day"]
    for key, value in changes.items():
        (own if key in own else made)[key] = value
    return {part.question: part.answer for part in evidence(Metrics.model_validate(made)).said}


def test_luck_is_told_with_its_test(inputs):
    said = answers()["Is it luck?"]
    assert said == (
        "Day by day, the squared error of the boosted surface is 0.315 squared vol points below that of yesterday's "
        "surface on average. If both were equally good, a difference as large as this would come about in 45.7 % of "
        "such periods (Diebold-Mariano test, 5 days, statistic −0.77)."
    )


def test_a_model_that_is_worse_is_said_to_be_above():
    comparison = metrics_of()["protocols"]["next_day"]["comparison"]
    comparison["models"]["boosted"] |= {"loss_difference": 0.2, "dm_statistic": 2.5}
    assert "above that of yesterday's surface" in answers(comparison=comparison)["Is it luck?"]


def test_without_a_test_the_reason_is_given():
    comparison = metrics_of()["protocols"]["next_day"]["comparison"]
    comparison["models"]["boosted"] |= {"dm_statistic": None, "dm_p_value": None}
    assert "nothing to test" in answers(comparison=comparison)["Is it luck?"]
    assert "3 days of comparison cannot say" in answers(comparison=comparison | {"days": 3})["Is it luck?"]


def test_the_benchmark_is_not_tested_against_itself():
    assert "Is it luck?" not in answers(chosen_model="random_walk")


def test_the_set_of_models_names_who_stays_and_who_goes():
    assert answers()["Which models may be the best?"] == (
        "With 95 % confidence the best of the 4 is among: yesterday's surface and the boosted surface (model "
        "confidence set). Ruled out: the seed's linear regression and one flat volatility."
    )


def test_names_with_commas_are_kept_apart(monkeypatch):
    monkeypatch.setitem(MODELS, "boosted", "yesterday's surface, boosted")
    assert (
        "among: yesterday's surface; yesterday's surface, boosted (model" in answers()["Which models may be the best?"]
    )


def test_coverage_is_told_with_its_worst_day_and_buckets_that_have_quotes():
    said = answers()["How far off may a price be?"]
    for words in (
        "claim 90 %",
        "93.4 % of 400 quotes on 2 days",
        "67.7 % on the worst",
        "3.97 vol points",
        "46.6 half",
    ):
        assert words in said
    assert "from 68.1 % (put 0-5, 30-90 days) to 93.1 % (put 15-35, 30-90 days)" in said
    assert "do not settle a coverage" in said
    intervals = metrics_of()["protocols"]["next_day"]["intervals"] | {"days": 100}
    assert "do not settle" not in answers(intervals=intervals)["How far off may a price be?"]


def test_without_intervals_the_reason_is_given():
    intervals = {"nominal": 0.9, "days": 0, "quotes": 0, "coverage": None}
    assert "no day has three" in answers(intervals=intervals)["How far off may a price be?"]


def test_contradictions_are_told_under_every_protocol_as_the_gate_asks_one():
    assert answers()["Do its prices contradict each other?"] == (
        "In places. Neighbouring triples of strikes of one day whose prices are not convex, and pairs that are out of "
        "order, by however little: next day, 26,541 of 144,631 triples and 547 of 145,204 pairs; same day, 26,541 of "
        "144,631 triples and 547 of 145,204 pairs. Who could deal at such prices would be paid for nothing. The gate "
        "looks at the next day, and counts what is worth a tick or more."
    )


def test_where_no_protocol_has_a_contradiction_the_answer_is_no():
    made = metrics_of()
    for protocol in made["protocols"].values():
        clean = {"vertical": 0, "vertical_checked": 10, "butterfly": 0, "butterfly_checked": 9}
        protocol["arbitrage"] = {"boosted": clean}
    found = {part.question: part.answer for part in evidence(Metrics.model_validate(made)).said}
    said = found["Do its prices contradict each other?"]
    assert said.startswith("No. ") and "next day, 0 of 9 triples and 0 of 10 pairs" in said
    assert "paid for nothing" not in said
    made["protocols"]["next_day"]["arbitrage"]["boosted"]["vertical"] = 1
    found = {part.question: part.answer for part in evidence(Metrics.model_validate(made)).said}
    assert found["Do its prices contradict each other?"].startswith("In places. ")


def test_every_delta_has_a_line_and_black_is_held_against_nothing(inputs):
    found = evidence(inputs.metrics)
    assert [line.words for line in found.hedges] == [
        "Black, vol as it is",
        "the boosted surface",
        "yesterday's surface",
    ]
    assert (found.hedges[0].taken_away, found.hedges[1].taken_away) == ("—", "−0.281")
    assert found.hedges[1].interval == "−2.136 to 0.286" and found.hedges[0].deviation == "23.68"
    assert "9,870 options over 5 nights" in found.hedge_words


def test_an_evaluation_that_says_none_of_it_has_no_section():
    made = metrics_of()
    for protocol in made["protocols"].values():
        for key in ("comparison", "intervals", "arbitrage"):
            del protocol[key]
    del made["hedging"]
    assert evidence(Metrics.model_validate(made)) is None
    assert evidence(None) is None
