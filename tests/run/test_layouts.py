"""A layout in the parameter file: what cannot mean anything is refused, with all of it named at once."""

import pytest
import yaml
from pydantic import ValidationError

from options_pricing.quotes.schema import RAW
from options_pricing.run.errors import BadParamsError
from options_pricing.run.layouts import (
    Columns,
    DateFrom,
    InstantFrom,
    Layout,
    NumberFrom,
    TextFrom,
    check_pattern,
    tells_days_apart,
)
from options_pricing.run.params import check_params

CONTRACT = "expiration: Exp, strike: K, option_type: Right"
LAYOUT = f"{{columns: {{underlying: Sym, trade_date: Day, {CONTRACT}}}}}"


def generic(**changed: str) -> dict[str, object]:
    given = {"kind": "generic", "folder": "somewhere", "files": "chains.csv", "layout": LAYOUT} | changed
    return {name: yaml.safe_load(text) if name != "files" else text for name, text in given.items()}


def test_every_column_of_the_raw_table_can_be_described_in_its_kind():
    kinds = {"number": NumberFrom, "text": TextFrom, "date": DateFrom, "instant": InstantFrom}
    described = {name: field.annotation for name, field in Columns.model_fields.items()}
    assert list(described) and set(described) == {column.name for column in RAW} - {"source"}
    for column in RAW:
        if column.name != "source":
            given = Columns.model_validate(
                {column.name: {"column": "x", **({"zone": "UTC"} if column.kind == "instant" else {})}}
            )
            assert isinstance(getattr(given, column.name), kinds[column.kind])


def test_a_name_alone_stands_for_its_column():
    columns = Columns.model_validate({"bid": "Bid", "quote_time": {"column": ["Day", "Time"], "zone": "UTC"}})
    assert columns.bid == NumberFrom(column="Bid")
    assert [column.columns for _, column in columns.given()] == [("Bid",), ("Day", "Time")]


def test_the_columns_that_are_read_are_named_once_each():
    sides = {"calls": {"bid": "C_BID", "ask": "C_ASK"}, "puts": {"bid": "P_BID", "ask": "C_ASK"}}
    layout = Layout.model_validate({"columns": {"expiration": "E", "strike": "K"}, "captured": "At", **sides})
    assert layout.wanted == ["E", "K", "C_BID", "C_ASK", "P_BID", "At"]
    assert [side.option_type.constant for side in layout.sides] == ["C", "P"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layout": "{columns: {stirke: K}}"}, "layout.columns.stirke: no such key"),
        ({"layout": "{colums: {}}"}, "layout.colums: no such key"),
        ({"layout": f"{{columns: {{{CONTRACT}, bid: {{colunm: b}}}}}}"}, "bid.colunm: no such key"),
        ({"layout": f"{{columns: {{{CONTRACT}, bid: {{scale: 2}}}}}}"}, "give a column or a constant"),
        ({"layout": f"{{columns: {{{CONTRACT}, bid: {{column: b, constant: 1}}}}}}"}, "not both"),
        ({"layout": f"{{columns: {{{CONTRACT}, bid: {{column: b, scale: 0}}}}}}"}, "greater than 0"),
        ({"layout": f"{{columns: {{{CONTRACT}, bid: {{column: b, scale: .inf}}}}}}"}, "finite"),
        ({"layout": f"{{columns: {{{CONTRACT}, bid: {{column: b, match: '('}}}}}}"}, "no regular expression"),
        ({"layout": f"{{columns: {{{CONTRACT}, bid: {{column: b, match: '\\d+'}}}}}}"}, "into ( )"),
        ({"layout": f"{{columns: {{{CONTRACT}, quote_time: T}}}}"}, "say the zone"),
        ({"layout": f"{{columns: {{{CONTRACT}, quote_time: {{column: T, zone: Mars/Base}}}}}}"}, "no such time zone"),
        ({"layout": f"{{columns: {{{CONTRACT}, trade_date: {{column: T, format: unix}}}}}}"}, "say the zone"),
        ({"layout": "{columns: {underlying: S, trade_date: D, strike: K}}"}, "nothing says expiration, option_type"),
        ({"layout": f"{{columns: {{{CONTRACT}}}, calls: {{bid: b}}}}"}, "both calls and puts"),
        ({"layout": f"{{separator: '::', columns: {{{CONTRACT}}}}}"}, "at most 1 character"),
        ({"layout": f"{{decimal: ',', thousands: ',', columns: {{{CONTRACT}}}}}"}, "the same sign"),
        ({"layout": f"{{columns: {{trade_date: D, {CONTRACT}}}}}"}, "nothing says the underlying"),
        ({"layout": f"{{columns: {{underlying: S, {CONTRACT}}}}}"}, "nothing says the trading day"),
        ({"layout": f"{{columns: {{underlying: S, {CONTRACT}}}}}", "files": "{date:%Y%m}.csv"}, "the trading day"),
        ({"files": "{ticker}.csv"}, "where tickers are given"),
        ({"tickers": "{SPY: SPY}"}, "where tickers are given"),
        ({"files": "{ticker}.csv", "tickers": "{../x: SPY}"}, "should match pattern"),
        ({"vendor": "Simulated!"}, "should match pattern"),
    ],
)
def test_what_cannot_be_meant_is_refused(changed, said):
    with pytest.raises(BadParamsError) as caught:
        check_params({"source": generic(**changed)})
    assert said in caught.value.why
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize(
    "pattern",
    [
        *("../{date}.csv", "/etc/passwd", "a/../../b.csv", "a/..", "", "**/x.csv", "a\0.csv"),
        *(
            "{day}.csv",
            "{date.__class__}.csv",
            "{date!r}.csv",
            "{ticker:>{date}}.csv",
            "{0}.csv",
            "{}.csv",
            "{date.csv",
        ),
    ],
)
def test_fault_30_a_pattern_stays_in_its_folder_and_knows_two_names(pattern):
    with pytest.raises(ValueError):
        check_pattern(pattern)
    with pytest.raises(BadParamsError, match=r"source\.generic\.files|1 error"):
        check_params({"source": generic(files=pattern)})


def test_which_patterns_tell_days_apart():
    assert tells_days_apart("x/{date:%Y-%m-%d}.csv") and tells_days_apart("{date}.csv")
    assert not tells_days_apart("{date:%Y%m}.csv") and not tells_days_apart("all.csv")


def test_a_layout_of_nothing_is_no_layout():
    with pytest.raises(ValidationError):
        Layout.model_validate({})
