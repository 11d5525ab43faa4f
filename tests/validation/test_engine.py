"""The engine: every row goes one of two ways, with its reasons, and the report adds up."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from options_pricing.quotes.schema import QUARANTINE, RAW, VALIDATED, names
from options_pricing.run.errors import BadDataError, BadParamsError
from options_pricing.run.params import Validation
from options_pricing.validation.engine import Validated, validate

DAY = "20261118"
PLAIN = Validation()


def with_rules(**rules: dict) -> Validation:
    return Validation.model_validate({"rules": rules})


def entry(judged: Validated, id: str) -> dict:
    return next(rule for rule in judged.report["rules"] if rule["id"] == id)


def test_a_clean_chain_is_usable_whole(clean) -> None:
    judged = validate(clean, [], DAY, PLAIN)
    assert len(judged.validated) == len(clean)
    assert len(judged.quarantine) == 0
    assert set(judged.validated["warnings"].dropna()) <= {"P05"}
    assert judged.report["status"] == "passed"
    assert judged.report["usable_share"] == 1.0
    assert list(judged.validated.columns) == names(VALIDATED)
    assert list(judged.quarantine.columns) == names(QUARANTINE)


def test_a_row_keeps_every_rule_it_fails(clean) -> None:
    clean.loc[7, ["strike", "bid", "ask"]] = [-1.0, -3.0, -5.0]
    judged = validate(clean, [], DAY, PLAIN)
    assert judged.quarantine["raw_row"].tolist() == [7]
    assert {"I01", "I03", "P01"} <= set(judged.quarantine["rule_ids"].iloc[0].split(";"))


def test_a_warning_stays_with_the_usable_row(clean) -> None:
    clean.loc[7, "bid"] = clean.loc[7, "ask"]
    clean.loc[8, ["volume", "open_interest"]] = 0.0
    clean.loc[9, ["volume", "open_interest", "bid"]] = 0.0
    judged = validate(clean, [], DAY, PLAIN)
    warnings = judged.validated.set_index("raw_row")["warnings"]
    assert warnings[7] == "P03"
    assert warnings[8] == "P08"
    assert {"P02", "P08"} <= set(judged.quarantine["rule_ids"].iloc[0].split(";"))
    assert (entry(judged, "P03")["failed"], entry(judged, "P03")["warned"]) == (0, 1)
    assert entry(judged, "P03")["outcome"] == "warn"


def test_a_rule_that_is_off_is_not_asked(clean) -> None:
    clean.loc[7, "bid"] = 0.0
    judged = validate(
        clean, [], DAY, with_rules(P02={"severity": "off"}, P04={"severity": "off"}, B05={"severity": "off"})
    )
    assert len(judged.quarantine) == 0
    assert (entry(judged, "P02")["outcome"], entry(judged, "P02")["failed"]) == ("off", 0)


def test_a_rule_on_rows_can_halt_the_day(clean) -> None:
    clean.loc[7, "bid"] = 0.0
    judged = validate(clean, [], DAY, with_rules(P02={"severity": "halt"}))
    assert judged.halts == [{"id": "P02", "message": "1 rows fail: no bid"}]
    assert judged.quarantine["raw_row"].tolist() == [7]


def test_a_rule_on_the_day_halts_with_its_sentence(clean) -> None:
    clean.loc[3, "strike"] = np.nan
    judged = validate(clean, [], DAY, PLAIN)
    assert judged.report["status"] == "halted"
    assert judged.halts == [{"id": "F08", "message": f"{1 / len(clean):.2%} of strike is null"}]
    assert entry(judged, "F08")["outcome"] == "halt"
    warned = validate(clean, [], DAY, with_rules(F08={"severity": "warn"}))
    assert warned.report["status"] == "passed"
    assert entry(warned, "F08")["outcome"] == "warn"


def test_too_few_usable_rows_halt_the_day(clean) -> None:
    clean.loc[: int(0.75 * len(clean)), "bid"] = -1.0
    judged = validate(clean, [], DAY, PLAIN)
    assert [halt["id"] for halt in judged.halts] == ["halt_if_usable_below"]
    assert validate(clean, [], DAY, Validation(halt_if_usable_below=0.1)).halts == []


def test_an_empty_chain_halts(clean) -> None:
    judged = validate(clean.iloc[:0], [clean], DAY, PLAIN)
    assert [halt["id"] for halt in judged.halts] == ["F03"]
    assert judged.report["rows"] == {"raw": 0, "validated": 0, "quarantined": 0}
    json.dumps(judged.report, allow_nan=False)


def test_the_waterfall_leads_from_raw_to_validated(clean) -> None:
    clean.loc[[1, 2, 3], "bid"] = 0.0
    clean.loc[[3, 4], "ask"] = -1.0
    judged = validate(clean, [], DAY, PLAIN)
    steps = judged.report["waterfall"]
    removed = {step["id"]: step["removed"] for step in steps}
    assert (removed["P01"], removed["P02"]) == (2, 2)
    assert sum(removed.values()) == judged.report["rows"]["quarantined"] == len(judged.quarantine)
    assert steps[-1]["remaining"] == judged.report["rows"]["validated"] == len(judged.validated)


def test_the_report_names_examples_thresholds_and_null_rates(clean) -> None:
    clean.loc[[20, 30, 40, 50], "bid"] = 0.0
    clean.loc[[1, 2], "open_interest"] = np.nan
    judged = validate(clean, [], DAY, with_rules(P04={"thresholds": {"ticks": 7}}))
    assert entry(judged, "P02")["examples"] == [20, 30, 40]
    assert entry(judged, "P02")["failed"] == 4
    assert entry(judged, "P02")["share"] == 4 / len(clean)
    assert entry(judged, "P04")["thresholds"]["ticks"] == 7
    assert judged.report["null_rates"]["open_interest"] == 2 / len(clean)
    assert set(judged.report["null_rates"]) == set(names(RAW))


def test_an_unknown_rule_is_said_before_anything_else(clean) -> None:
    with pytest.raises(BadParamsError, match="validation"):
        validate(clean.drop(columns="source"), [], DAY, with_rules(X01={}))


def test_columns_that_may_not_be_missing(clean) -> None:
    with pytest.raises(BadDataError, match="trade_date"):
        validate(clean.drop(columns="trade_date"), [], DAY, PLAIN)


def test_a_missing_column_that_may_be_null_halts_by_f02(clean) -> None:
    judged = validate(clean.drop(columns="vendor_price"), [], DAY, PLAIN)
    assert judged.halts == [{"id": "F02", "message": "columns are missing: vendor_price"}]


def test_the_table_given_is_left_as_it_was(clean) -> None:
    before = clean.copy()
    clean.index = clean.index[::-1]
    validate(clean, [before], DAY, PLAIN)
    pd.testing.assert_frame_equal(clean.reset_index(drop=True), before)


NUMBERS = st.one_of(
    st.sampled_from([0.0, -1.0, 0.05, 1e-300, 1e300, float("nan"), float("inf"), float("-inf"), 100.0, 5000.0]),
    st.floats(-10, 10_000),
)
TEXTS = st.sampled_from([None, "", "C", "P", "SPX", "SPY1", "am", "american", "nonsense", "SPX261218C05000000", "=1+1"])
DATES = st.sampled_from([None, "2026-11-17", "2026-11-18", "2026-12-18", "2026-11-26", "1999-01-01", "2262-01-01"])
KINDS = {"number": NUMBERS, "text": TEXTS, "date": DATES.map(pd.Timestamp)}
SPOILT = [column for column in RAW if column.kind in KINDS]


@st.composite
def spoilings(draw) -> list[tuple[int, str, object]]:
    columns = draw(st.lists(st.sampled_from(SPOILT), max_size=25))
    return [(draw(st.integers(0, 135)), column.name, draw(KINDS[column.kind])) for column in columns]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoilings(), st.lists(st.integers(0, 135), max_size=8), st.integers(0, 136), st.booleans())
def test_every_row_goes_one_of_two_ways_unchanged(clean, spoiling, copied, kept, with_previous) -> None:
    table = clean.copy()
    for row, column, value in spoiling:
        table.loc[row, column] = value
    table = pd.concat([table.iloc[:kept], table.iloc[copied]], ignore_index=True)
    previous = [clean.assign(trade_date=pd.Timestamp("2026-11-17"))] if with_previous else []
    judged = validate(table, previous, DAY, PLAIN)

    both = pd.concat([judged.validated, judged.quarantine]).sort_values("raw_row")
    assert both["raw_row"].tolist() == list(range(len(table)))
    pd.testing.assert_frame_equal(
        both[names(RAW)].reset_index(drop=True), table.astype(both[names(RAW)].dtypes), check_index_type=False
    )
    assert judged.quarantine["rule_ids"].str.len().gt(0).all()
    report = judged.report
    assert report["rows"]["raw"] == report["rows"]["validated"] + report["rows"]["quarantined"] == len(table)
    json.dumps(report, allow_nan=False)

    contracts = judged.validated[["underlying", "root", "expiration", "strike", "option_type"]]
    assert not contracts.duplicated().any()
    assert (judged.validated["bid"] > 0).all() and (judged.validated["ask"] >= judged.validated["bid"]).all()


def test_one_bad_row_does_not_take_its_neighbours_along(clean) -> None:
    """Whatever is done to one row, no other row's fate depends on it (but for its own pair and the walk of P07)."""
    for value in (-1e9, 1e9, np.nan, np.inf):
        for column in ("bid", "ask", "strike", "underlying_price"):
            table = clean.copy()
            table.loc[20, column] = value
            gone = validate(table, [], DAY, with_rules(F08={"severity": "off"})).quarantine["raw_row"]
            assert set(gone) <= {20, 21}, (column, value)
