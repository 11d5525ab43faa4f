import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.reporting.inputs import Estimate
from options_pricing.reporting.wording import (
    as_day,
    coefficient,
    counted,
    decimal,
    in_words,
    model_words,
    percent,
    significant,
    typeset,
    visible,
    with_interval,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-1234.5, "−1,234.50"),
        (-0.001, "0.00"),
        (0.0, "0.00"),
        (None, "—"),
        (float("nan"), "—"),
        (2.345, "2.35"),
        (1e6, "1,000,000.00"),
    ],
)
def test_decimal(value, shown):
    assert decimal(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.4621, "0.462"), (3.05, "3.05"), (30.61, "30.6"), (1234.5, "1,234"), (None, "—")]
)
def test_significant(value, shown):
    assert significant(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.221, "22.1 %"), (1.0, "100 %"), (0.0, "0 %"), (0.99999, "99.999 %"), (0.00004, "0.004 %"), (None, "—")],
)
def test_percent_never_rounds_to_all_or_nothing(share, shown):
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.344, "0.344"),
        (0.9993, "0.9993"),
        (0.99996, "0.999960"),
        (0.99999971, "0.99999971"),
        (1.0, "1.000"),
        (-0.2, "−0.200"),
        (-41.23, "−41.2"),
        (None, "—"),
    ],
)
def test_coefficient_tells_nearly_one_from_one(value, shown):
    assert coefficient(value) == shown


def test_days():
    assert as_day("20261120") == "2026-11-20"
    assert in_words("20260102") == "Friday 2 January 2026"
    assert counted(1, "day") == "1 day"
    assert counted(1300, "day") == "1,300 days"


@given(st.text())
def test_visible_text_is_one_line_without_control_characters(text):
    shown = visible(text)
    assert shown.isprintable() or all(c.isprintable() or c == " " or ord(c) > 0x2FF for c in shown)
    assert not set(shown) & set("\n\r\t\x00\x1b\u202e\u2066\u200b")


def test_visible_shows_what_would_turn_text_around():
    assert visible("X\u202eCOD\x07") == "X\\u202eCOD\\u0007"
    assert visible("two\n lines") == "two lines"


def test_the_benchmark_is_not_called_yesterdays_within_one_day():
    assert model_words("random_walk", "next_day") == "yesterday's surface"
    assert "yesterday" not in model_words("random_walk", "same_day")
    assert model_words("<my model>") == "<my model>"


def test_a_figure_has_an_interval_only_with_both_ends_apart():
    assert with_interval(Estimate(value=0.47, low=0.39, high=0.55), coefficient) == ("0.470", "0.390 to 0.550")
    assert with_interval(Estimate(value=0.47, low=None, high=0.55), coefficient) == ("0.470", "")
    assert with_interval(Estimate(value=0.0, low=0.0, high=0.0), coefficient) == ("0.000", "")
    assert with_interval(Estimate(), coefficient) == ("—", "")


@pytest.mark.parametrize(
    ("model", "protocol", "words"),
    [
        ("essvi", "next_day", "yesterday's surface, as eSSVI"),
        ("essvi", "same_day", "the day's own surface, as eSSVI"),
        ("sticky_strike", "few_quotes", "a surface through the nine quotes, strike by strike"),
        ("hybrid", "same_day", "the hybrid surface"),
    ],
)
def test_a_surface_is_called_after_the_day_that_it_is_of(model, protocol, words):
    assert model_words(model, protocol) == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as of the close of 20261120.", "as of the close of 2026-11-20."),
        ("R2 -0.139 on 9 days, lower bound below -1", "R² −0.139 on 9 days, lower bound below −1"),
        ("89.5% of quotes, 85% to 95% is right", "89.5 % of quotes, 85 % to 95 % is right"),
        ("2026-11-20, put 5-15, 30-90 days", "2026-11-20, put 5-15, 30-90 days"),
        ("release 20261120aaaa, R2D2, 120261120", "release 20261120aaaa, R2D2, 120261120"),
    ],
)
def test_words_from_elsewhere_are_written_as_the_reports_own(text, shown):
    assert typeset(text) == shown
    assert typeset(shown) == shown
