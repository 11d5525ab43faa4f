"""Cells of somebody else's file: what is no number or date is null and counted, never guessed."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.run.layouts import DateFrom, InstantFrom, Layout, NumberFrom, TextFrom
from options_pricing.sources.cells import read_cells

CONTRACT = {"expiration": "e", "strike": "k", "option_type": "t"}


def layout(**changed):
    return Layout.model_validate({"columns": CONTRACT, **changed})


def read(texts, how, **changed):
    texts = [texts] if isinstance(texts, str) else texts
    cells = read_cells(pa.table({"x": pa.chunked_array([pa.array(texts, pa.string())])}), how, layout(**changed))
    return cells.values.tolist(), cells.unreadable.tolist()


def number(text, **changed):
    how = NumberFrom(column="x", **{name: changed.pop(name) for name in ("scale", "match") if name in changed})
    (value,), (unreadable,) = read(text, how, **changed)
    return value, unreadable


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5", 12.5),
        (" 7 ", 7.0),
        ("-3", -3.0),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("2E-2", 0.02),
        ("0", 0.0),
    ],
)
def test_numbers(text, value):
    assert number(text) == (value, False)


@pytest.mark.parametrize(
    "text",
    [
        *("1,234.5", "N/A", "None", "-", "1e400", "-1e400", "inf", "Infinity", "0x1F", "1_000", "1 000", "12,5"),
        *("1.2.3", "--5", "5-", "1e", "e5", "TRUE", "#REF!", "$5", "5%", "٣", "1e99999999999"),
    ],
)
def test_fault_13_what_is_no_number_is_null_and_counted(text):
    value, unreadable = number(text)
    assert math.isnan(value) and unreadable


@pytest.mark.parametrize("text", ["", "   ", "NaN", "nan"])
def test_no_value_is_not_counted(text):
    value, unreadable = number(text)
    assert math.isnan(value) and not unreadable


def test_fault_13_nulls_that_the_layout_names_are_not_counted():
    values, unreadable = read(["N/A", "-", "5", "--"], NumberFrom(column="x"), nulls=["N/A", "-"])
    assert np.isnan(values[:2]).all() and values[2] == 5
    assert unreadable == [False, False, False, True]


@pytest.mark.parametrize(
    ("text", "signs", "value"),
    [
        ("1,234.5", {"thousands": ","}, 1234.5),
        ("1,234,567", {"thousands": ","}, 1234567.0),
        ("1234.5", {"thousands": ","}, 1234.5),
        ("1.234,5", {"thousands": ".", "decimal": ","}, 1234.5),
        ("12,5", {"decimal": ","}, 12.5),
        ("1 234.5", {"thousands": " "}, 1234.5),
        ("1'234.5", {"thousands": "'"}, 1234.5),
        ("1,23", {"thousands": ","}, None),
        ("12,3456", {"thousands": ","}, None),
        ("1,,234", {"thousands": ","}, None),
        ("1.5", {"decimal": ","}, None),
    ],
)
def test_fault_13_a_thousands_comma_is_read_where_the_layout_says_so(text, signs, value):
    found, unreadable = number(text, **signs)
    assert unreadable == (value is None)
    assert value is None or found == value


@given(st.integers(1, 99_999_999))
def test_thousandths_are_scaled_to_the_last_digit(thousandths):
    assert number(str(thousandths), scale=0.001)[0] == thousandths / 1000


def test_scales_and_matches():
    assert number("25", scale=0.01)[0] == 0.25
    assert number("3", scale=2.5)[0] == 7.5
    assert number("300 x 20", match=r"x *(\d+)$")[0] == 20
    assert number("25.5%", match=r"^(.*)%$", scale=0.01)[0] == 0.255
    assert number("25.5", match=r"^(.*)%$")[1]


def test_texts_that_are_not_named_are_kept():
    how = TextFrom(column="x", values={"call": "C", "put": "P"})
    values, unreadable = read(["call", " put ", "straddle", "", "N/A"], how)
    assert values[:3] == ["C", "P", "straddle"] and pd.isna(values[3]) and values[4] == "N/A"
    assert not any(unreadable)
    assert read("SPY_C", TextFrom(column="x", match="_([CP])$", values={"C": "call"}))[0] == ["call"]


@pytest.mark.parametrize(
    ("text", "how", "day"),
    [
        ("2026-11-20", {}, "2026-11-20"),
        ("2026-11-20 23:59:59.5", {}, "2026-11-20"),
        ("2026-11-20T23:59:00-05:00", {}, "2026-11-20"),
        ("11/20/2026", {"format": "%m/%d/%Y"}, "2026-11-20"),
        ("20261120", {"format": "%Y%m%d"}, "2026-11-20"),
        ("2028-02-29", {}, "2028-02-29"),
        ("9999-12-31", {}, "9999-12-31"),
        ("1795222800", {"format": "unix", "zone": "America/New_York"}, "2026-11-20"),
        ("1795222800000", {"format": "unix_ms", "zone": "Asia/Tokyo"}, "2026-11-21"),
    ],
)
def test_days(text, how, day):
    values, unreadable = read(text, DateFrom(column="x", **how))
    assert values == [pd.Timestamp(day)] and not any(unreadable)


@pytest.mark.parametrize(
    ("text", "how"),
    [
        *((text, {}) for text in ("2026-02-30", "20/11/2026", "2026", "tomorrow", "0", "2026-11", "2026-11-20x")),
        ("20261301", {"format": "%Y%m%d"}),
        ("11/20/26", {"format": "%m/%d/%Y"}),
        ("soon", {"format": "unix", "zone": "UTC"}),
        ("1e300", {"format": "unix", "zone": "UTC"}),
    ],
)
def test_fault_13_what_is_no_day_is_null_and_counted(text, how):
    values, unreadable = read([text, ""], DateFrom(column="x", **how))
    assert pd.isna(values[0]) and pd.isna(values[1])
    assert unreadable == [True, False]


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-11-20 16:00:00", "America/New_York", "2026-11-20 21:00"),
        ("2026-07-20 16:00", "America/New_York", "2026-07-20 20:00"),
        ("2026-11-20T16:00:00.999", "UTC", "2026-11-20 16:00"),
        ("2026-11-20T16:00:00Z", "America/New_York", "2026-11-20 16:00"),
        ("2026-11-20T16:00:00+0530", "America/New_York", "2026-11-20 10:30"),
    ],
)
def test_moments_are_utc(text, zone, moment):
    values, _ = read(text, InstantFrom(column="x", zone=zone))
    assert values == [pd.Timestamp(moment, tz="UTC")]


def test_moments_with_and_without_a_zone_stand_side_by_side():
    values, unreadable = read(
        ["2026-11-20T16:00:00Z", "2026-11-20 16:00", "noon"], InstantFrom(column="x", zone="America/New_York")
    )
    assert [str(at)[11:16] for at in values[:2]] == ["16:00", "21:00"] and unreadable == [False, False, True]


def test_an_hour_that_the_clocks_skip_or_repeat_is_not_guessed():
    _, unreadable = read(
        ["2027-03-14 02:30", "2026-11-01 01:30"], InstantFrom(column="x", zone="America/New_York")
    )  # faults.md 49: neither is a moment
    assert unreadable == [True, True]


def test_a_date_and_a_time_are_joined():
    table = pa.table({"d": ["11/20/2026"], "t": ["16:00"]})
    how = InstantFrom(column=("d", "t"), format="%m/%d/%Y %H:%M", zone="America/New_York")
    assert read_cells(table, how, layout()).values.tolist() == [pd.Timestamp("2026-11-20 21:00", tz="UTC")]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=30))
def test_any_text_is_read_or_null(texts):
    how = (NumberFrom(column="x"), TextFrom(column="x"), DateFrom(column="x"), InstantFrom(column="x", zone="UTC"))
    for kind in how:
        values, unreadable = read(texts, kind)
        assert len(values) == len(unreadable) == len(texts)
    assert all(math.isnan(value) or abs(value) < math.inf for value in read(texts, how[0])[0])
