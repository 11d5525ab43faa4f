import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from options_pricing.serving.asked import DEEPEST, MOST_ROWS, read_body, read_columns, read_query, strict_json
from options_pricing.serving.problems import RequestProblemError

GOOD = {"underlying": "XIDX", "expiration": "2026-12-18", "strike": 5000, "option_type": "C"}


def body(*rows) -> bytes:
    return json.dumps({"options": list(rows)}).encode()


def refused(call, *args) -> RequestProblemError:
    with pytest.raises(RequestProblemError) as caught:
        call(*args)
    return caught.value


def test_a_good_body_becomes_options_in_order():
    batch = read_body(body(GOOD, GOOD | {"strike": 4900.5, "option_type": "P", "root": "XIDXW"}))
    assert not batch.by_column
    assert batch.asked["strike"].tolist() == [5000.0, 4900.5]
    assert batch.asked["option_type"].tolist() == ["C", "P"]
    assert batch.asked["root"].tolist() == [None, "XIDXW"]
    assert batch.asked["expiration"].tolist() == [date(2026, 12, 18)] * 2


def columns(**change) -> bytes:
    held = {"underlying": "XIDX", "expiration": ["2026-12-18"], "strike": [5000, 4900.5], "option_type": ["C", "P"]}
    return json.dumps({"columns": held | change}).encode()


def test_columns_are_the_same_options_as_rows():
    rows = read_body(body(GOOD, GOOD | {"strike": 4900.5, "option_type": "P"})).asked
    batch = read_body(columns())
    assert batch.by_column
    assert {name: batch.asked[name].tolist() for name in rows.held} == {
        name: values.tolist() for name, values in rows.held.items()
    }
    assert read_body(columns(root="XIDXW")).asked["root"].tolist() == ["XIDXW"] * 2
    assert read_body(columns(strike=5, option_type="C", expiration="2026-12-18")).asked["strike"].tolist() == [5.0]


@pytest.mark.parametrize(
    ("change", "field", "row"),
    [
        ({"strike": [5000, True]}, "strike", 1),
        ({"strike": [5000, "5000"]}, "strike", 1),
        ({"strike": [0, 5000]}, "strike", 0),
        ({"strike": [10**400, 5000]}, "strike", 0),
        ({"strike": [5000, None]}, "strike", 1),
        ({"strike": [5000, [1]]}, "strike", 1),
        ({"strike": {"a": 1}}, "strike", 0),
        ({"strike": [5000, 1e10]}, "strike", 1),
        ({"option_type": ["C", "c"]}, "option_type", 1),
        ({"option_type": ["C", 1]}, "option_type", 1),
        ({"expiration": ["2026-12-18", "2026-02-30"]}, "expiration", 1),
        ({"expiration": 20261218}, "expiration", 0),
        ({"underlying": ["XIDX", "xidx"]}, "underlying", 1),
        ({"underlying": None}, "underlying", 0),
        ({"root": [None, ""]}, "root", 1),
        ({"strike": []}, "strike", None),
        ({"strike": [1, 2, 3]}, "option_type", None),
        ({"volume": 1}, "volume", None),
        ({"type": "C"}, "type", None),
    ],
)
def test_a_wrong_value_in_a_column_is_named_with_its_row(change, field, row):
    error = refused(read_body, columns(**change))
    assert error.status == 422
    assert (row, field) in [(e["row"], e["field"]) for e in error.errors]


def test_a_missing_column_is_named_and_type_stands_for_option_type():
    held = {"underlying": "X", "expiration": "2026-12-18", "strike": 1, "type": "C"}
    assert read_columns(held)["option_type"].tolist() == ["C"]
    for missing in held:
        error = refused(read_columns, {name: value for name, value in held.items() if name != missing})
        assert error.errors[0]["field"] == {"type": "option_type"}.get(missing, missing)


def test_too_many_rows_in_columns_are_413():
    assert refused(read_body, columns(strike=[1.0] * (MOST_ROWS + 1), option_type="C")).status == 413


def test_brackets_nested_too_deep_are_refused_and_many_of_them_side_by_side_are_not():
    assert refused(strict_json, b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)).status == 400
    assert strict_json(b"[" + b"[]," * 5000 + b"[]]") == [[]] * 5001
    assert len(strict_json(b"[" * DEEPEST + b"]" * DEEPEST)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"strike": True}, "strike"),
        ({"strike": "5000"}, "strike"),
        ({"strike": 0}, "strike"),
        ({"strike": -1.0}, "strike"),
        ({"strike": 1e10}, "strike"),
        ({"strike": 10**400}, "strike"),
        ({"strike": None}, "strike"),
        ({"strike": [5000]}, "strike"),
        ({"option_type": "c"}, "option_type"),
        ({"option_type": "call"}, "option_type"),
        ({"expiration": "2026-02-30"}, "expiration"),
        ({"expiration": "18/12/2026"}, "expiration"),
        ({"expiration": "20261218"}, "expiration"),
        ({"expiration": "2026-12-18T00:00:00"}, "expiration"),
        ({"expiration": 1797552000}, "expiration"),
        ({"expiration": "٢٠٢٦-١٢-١٨"}, "expiration"),
        ({"underlying": ""}, "underlying"),
        ({"underlying": "xidx"}, "underlying"),
        ({"underlying": "XIDX\n"}, "underlying"),
        ({"underlying": "../../etc/passwd"}, "underlying"),
        ({"underlying": "A" * 17}, "underlying"),
        ({"underlying": "\ud800"}, "underlying"),
        ({"root": ""}, "root"),
        ({"expiry": "2026-12-18"}, "expiry"),
        ({"type": "P"}, "type"),
    ],
)
def test_a_wrong_field_is_named_with_its_row(change, field):
    error = refused(read_body, body(GOOD, GOOD | change))
    assert error.status == 422
    assert [(e["row"], e["field"]) for e in error.errors] == [(1, field)]


@pytest.mark.parametrize("missing", list(GOOD))
def test_a_missing_field_is_named(missing):
    error = refused(read_body, body({key: value for key, value in GOOD.items() if key != missing}))
    assert (error.errors[0]["row"], error.errors[0]["field"]) == (0, missing)


def test_every_wrong_field_is_told_at_once():
    error = refused(read_body, body(GOOD | {"strike": -1, "option_type": "X"}, GOOD, {}))
    assert {(e["row"], e["field"]) for e in error.errors} >= {(0, "strike"), (0, "option_type"), (2, "underlying")}


@pytest.mark.parametrize(
    "wrong", [b"[]", b"{}", b"1", b'{"options": {}}', b'{"options": [], "x": 1}', b'{"options": []}']
)
def test_another_document_is_refused(wrong):
    assert refused(read_body, wrong).status == 422


@pytest.mark.parametrize("row", [1, None, "XIDX", [], [[]]])
def test_a_row_that_is_no_object_is_refused(row):
    assert refused(read_body, body(GOOD, row)).errors[0]["row"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{",
        b"{'options': []}",
        b'{"options": [],}',
        b"NaN",
        b'{"options": [NaN]}',
        b'{"options": [{"strike": Infinity}]}',
        b'{"options": [{"strike": -Infinity}]}',
        b'{"options": [], "options": []}',
        b'{"options": [{"strike": 1, "strike": 2}]}',
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5000,
    ],
)
def test_what_is_not_json_is_refused(wrong):
    assert refused(read_body, wrong).status == 400


def test_one_row_too_many_is_refused_before_any_is_read():
    assert len(read_body(body(*[GOOD] * MOST_ROWS)).asked) == MOST_ROWS
    assert refused(read_body, body(*[{}] * (MOST_ROWS + 1))).status == 413


def test_the_list_of_errors_is_bounded():
    assert len(refused(read_body, body(*[{}] * 5000)).errors) == 100


@given(st.binary(max_size=60))
def test_bytes_are_json_or_a_problem(wrong):
    try:
        strict_json(wrong)
    except RequestProblemError as error:
        assert error.status == 400


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "options", "root"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(values)
def test_any_json_is_options_or_a_problem_that_says_why(value):
    try:
        asked = read_body(json.dumps(value).encode()).asked
        assert np.isfinite(asked["strike"]).all()
        assert all(isinstance(day, date) for day in asked["expiration"])
    except RequestProblemError as error:
        assert error.status == 422
        assert error.errors
        json.dumps(error.errors, allow_nan=False)


def query(**changes) -> MultiDict:
    return MultiDict({**GOOD, "strike": "5000", **changes})


@pytest.mark.parametrize("strike", ["5000", "5000.", "5000.0", "0005000"])
def test_a_query_names_an_option(strike):
    assert read_query(query(strike=strike)).strike == 5000.0


def test_type_is_short_for_option_type():
    asked = MultiDict({key: value for key, value in query().items() if key != "option_type"} | {"type": "P"})
    assert read_query(asked).option_type == "P"


@pytest.mark.parametrize(
    "strike", ["nan", "NaN", "inf", "-1", "1e3", "1_000", "٥٠٠٠", "", " 5000", "5000\n", "9" * 400, "0x10"]
)
def test_a_strike_that_is_no_plain_decimal_is_refused(strike):
    assert refused(read_query, query(strike=strike)).errors[0]["field"] == "strike"


def test_a_parameter_given_twice_is_refused():
    error = refused(read_query, MultiDict([*query().items(), ("strike", "1")]))
    assert error.errors == [{"row": None, "field": "strike", "detail": "is given more than once"}]
