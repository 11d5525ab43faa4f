from options_pricing.reporting.inputs import Validation
from options_pricing.reporting.quality import DAYS_SHOWN, TREND_DAYS, quality_of, trend_of
from tests.reporting.made_files import validation_of


def test_rows_of_each_day_newest_first(inputs):
    quality = quality_of(inputs.validation)
    assert [day.day for day in quality.days][:2] == ["2026-11-20", "2026-11-19"]
    first = quality.days[0]
    assert (first.raw, first.validated, first.quarantined, first.usable, first.halted) == (
        "4,140",
        "3,902",
        "238",
        "94.3 %",
        False,
    )
    assert quality.earlier == ""


def test_rules_that_failed_with_rows_of_the_day_and_of_all_days(inputs):
    quality = quality_of(inputs.validation)
    assert [rule.id for rule in quality.rules] == ["P02", "P06", "P03", "B05", "I01"]
    worst = quality.rules[0]
    assert (worst.title, worst.last_day, worst.last_day_share, worst.all_days) == (
        "bid is zero",
        "212",
        "5.1 %",
        "1,272",
    )
    assert quality.rules_kept == "1 of 6 rules"


def test_a_rule_that_failed_on_an_earlier_day_only_is_still_named(inputs):
    earlier = validation_of("20261113")
    earlier["rules"].append(
        {"id": "A03", "title": "butterfly", "severity": "warn", "failed": 7, "share": 0.1, "message": None}
    )
    rules = quality_of([Validation.model_validate(earlier), *inputs.validation[1:]]).rules
    last = rules[-1]
    assert (last.id, last.last_day, last.last_day_share, last.all_days) == ("A03", "—", "—", "7")


def test_a_message_without_rows_is_named(inputs):
    told = validation_of("20261120")
    told["rules"][-1]["message"] = "the feed was late"
    rules = quality_of([*inputs.validation[:-1], Validation.model_validate(told)]).rules
    assert [rule.message for rule in rules if rule.id == "F08"] == ["the feed was late"]


def test_only_null_rates_worth_mention_are_named_largest_first(inputs):
    told = validation_of("20261120") | {"null_rates": {"a": 0.02, "b": 0.009, "c": 0.5, "d": None}}
    assert quality_of([Validation.model_validate(told)]).nulls == [("c", "50.0 %"), ("a", "2.0 %")]


def test_halted_days_say_why(inputs):
    halts = [{"id": "F03", "message": "too few rows"}]
    told = Validation.model_validate(validation_of("20261120") | {"status": "halted", "halts": halts})
    quality = quality_of([told])
    assert quality.halts == [("2026-11-20", "F03", "too few rows")]
    assert quality.days[0].halted


def test_long_windows_are_summed_up_without_losing_a_row(inputs):
    days = [inputs.validation[0].model_copy(update={"date": f"202501{day:02d}"}) for day in range(1, 21)]
    quality = quality_of(days)
    assert len(quality.days) == DAYS_SHOWN
    assert quality.earlier == (
        "The 5 days before these (2025-01-01 to 2025-01-05) hold 20,455 raw rows, 19,265 of them validated."
    )
    assert 5 * inputs.validation[0].rows.raw == 20455


def test_the_trend_has_a_value_for_each_of_the_last_twenty_days(inputs):
    days = [inputs.validation[0].model_copy(update={"date": f"202501{day:02d}"}) for day in range(1, 26)]
    days[-1] = days[-1].model_copy(update={"rules": days[-1].rules[:1], "null_rates": {}})
    trend = trend_of(days)
    assert trend["days"] == [f"202501{day:02d}" for day in range(6, 26)] and len(trend["days"]) == TREND_DAYS
    told = trend["rules"]["P02"]
    assert (told["title"], told["failed"]) == ("bid is zero", [212] * 19 + [None])
    assert trend["rules"]["I01"]["failed"] == [3] * 20
    assert all(len(rates) == 20 and rates[-1] is None for rates in trend["null_rates"].values())


def test_the_trend_of_a_rule_is_a_bar_a_day(inputs):
    """The greatest share is the full height; a rule that fails nothing, and a single day, have no trend."""
    days = list(inputs.validation)
    for number, failed in enumerate([0, 100, 200, 400, 300]):
        rules = [rule.model_copy(update={"share": failed / 4000, "failed": failed}) for rule in days[number].rules]
        days[number] = days[number].model_copy(update={"rules": tuple(rules)})
    trend = {rule.id: rule.trend for rule in quality_of(days[:5]).rules}
    assert trend["P02"] == "▁▃▅█▆"
    assert quality_of(days[:1]).rules == [] or quality_of(days[3:4]).rules[0].trend == ""
