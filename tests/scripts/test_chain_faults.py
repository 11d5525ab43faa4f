"""Faults in what a chain holds, through the scripts: rows are put aside by the rule that is named, or the day stops.

What ends in an error message is in `test_bad_input`. The numbers are those of the project's fault catalogue.
"""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from options_pricing.quotes.schema import FEATURES
from options_pricing.quotes.tables import read_csv
from tests.scripts.spoilt import (
    BEFORE,
    DAY,
    META,
    OUTPUTS,
    RAW,
    VALIDATED,
    VALIDATION,
    cells,
    edit,
    held,
    in_json,
    line,
    message,
    params,
    renamed,
    rows,
)
from tests.scripts.spoilt import (
    FEATURES as FEATURES_FILE,
)

QUARANTINE = OUTPUTS["data_validate"]["quarantine"]
HTML, MARKDOWN = (OUTPUTS["generate_report"][kind] for kind in ("html", "markdown"))
ROWS = slice(20, 23)
LENIENT = "validation: {rules: {%s}, halt_if_usable_below: 0}\nfeatures: {min_pairs: 4}\n"


def validated_rows(folder):
    """Which rows of the raw file passed, and the rules of the others."""
    with (folder / VALIDATED).open(newline="") as passed, (folder / QUARANTINE).open(newline="") as aside:
        good = {int(row["raw_row"]): row["warnings"] for row in csv.DictReader(passed)}
        bad = {int(row["raw_row"]): row["rule_ids"].split(";") for row in csv.DictReader(aside)}
    raw_rows = len((folder / RAW).read_text().splitlines()) - 1
    assert sorted([*good, *bad]) == list(range(raw_rows))
    return good, bad


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        *(pytest.param("bid", v, "P01", id=f"fault-21-bid-{v}") for v in ("nan", "", "inf", "-inf", "-0.05", "-1e308")),
        *(pytest.param("ask", v, "P01", id=f"fault-21-ask-{v}") for v in ("nan", "inf", "0", "-2", "1e400")),
        *(
            pytest.param("strike", v, "I01", id=f"fault-21-strike-{v}")
            for v in ("0", "-5000", "inf", "1e-9", "5000.00001")
        ),
        pytest.param("bid", "99999", "P03", id="fault-22-crossed"),
        pytest.param("expiration", "2026-11-20", "I02", id="fault-23-expires-at-this-close"),
        pytest.param("expiration", "2026-11-19", "I02", id="fault-23-expired-yesterday"),
        pytest.param("expiration", "1900-01-01", "I02", id="fault-23-expired-long-ago"),
        pytest.param("expiration", "9999-12-31", "I02", id="fault-23-centuries-away"),
    ],
)
def test_rows_are_put_aside_by_the_rule_that_says_so(tasks, folder, capsys, column, value, rule):
    before = set(validated_rows(folder)[0])
    cells(RAW, column, value, ROWS)(folder)
    assert tasks["data_validate"](line("data_validate")) == 0
    good, bad = validated_rows(folder)
    struck = set(range(ROWS.start, ROWS.stop))
    assert all(rule in bad[row] for row in struck)
    assert len(before - struck - set(good)) <= 6  # neighbours that only stood by the rows that are gone
    assert tasks["feature_engineer"](line("feature_engineer")) == 0
    assert "Traceback" not in capsys.readouterr().err


def test_fault_22_a_locked_market_only_warns(tasks, folder):
    good, _ = validated_rows(folder)
    row = next(row for row in good if row >= ROWS.start)
    head, *body = (folder / RAW).read_text().replace('"', "").splitlines()
    bid = body[row].split(",")[head.split(",").index("bid")]
    cells(RAW, "ask", bid, slice(row, row + 1))(folder)
    assert tasks["data_validate"](line("data_validate")) == 0
    assert "P03" in validated_rows(folder)[0][row].split(";")


@pytest.mark.parametrize("day", ["2026-11-20", "2026-11-19", "1900-01-01"])
def test_fault_23_no_time_left_is_no_division_by_zero(tasks, folder, day):
    cells(VALIDATED, "expiration", day, ROWS)(folder)
    assert tasks["feature_engineer"](line("feature_engineer")) == 0
    features = read_csv(folder / FEATURES_FILE, FEATURES)
    expired = features["expiration"] == pd.Timestamp(day)
    assert expired.sum() == 3 and (features.loc[expired, "year_fraction"] <= 0).all()
    assert features.loc[expired, ["implied_vol", "standardised_moneyness", "delta"]].isna().all(axis=None)
    numbers = features[[c.name for c in FEATURES if c.kind == "number"]].to_numpy(dtype=float)
    assert not np.isinf(numbers).any()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param("0", "no positive price", id="fault-24-zero"),
        pytest.param("", "no positive price", id="fault-24-missing"),
        pytest.param("-5000", "no positive price", id="fault-24-negative"),
        pytest.param("50000", "since 20261119", id="fault-24-ten-times"),
        pytest.param("500", "since 20261119", id="fault-24-a-tenth"),
    ],
)
def test_an_underlying_without_a_price_or_with_another_halts_the_day(tasks, folder, capsys, value, said):
    cells(RAW, "underlying_price", value)(folder)
    before = held(folder)
    assert tasks["data_validate"](line("data_validate")) == 80
    told = message(capsys.readouterr().err)
    assert len(told) <= 5 and said in " ".join(told) and "U01" in " ".join(told)
    report = json.loads((folder / VALIDATION).read_text())
    assert report["status"] == "halted"
    assert {name: sha for name, sha in held(folder).items() if name != VALIDATION} == {
        name: sha for name, sha in before.items() if name != VALIDATION
    }


def test_fault_25_an_expiration_of_one_strike_has_no_forward_and_spoils_no_other(tasks, folder):
    before = read_csv(folder / FEATURES_FILE, FEATURES)
    last = before["expiration"].max()
    strike = before.loc[before["expiration"] == last, "strike"].iloc[-10]

    def keep(content):
        head, *body = content.decode().replace('"', "").splitlines()
        at = head.split(",").index("expiration"), head.split(",").index("strike")
        kept = [
            row for row in body if row.split(",")[at[0]] != f"{last:%Y-%m-%d}" or float(row.split(",")[at[1]]) == strike
        ]
        return "\n".join([head, *kept, ""]).encode()

    edit(VALIDATED, keep)(folder)
    assert tasks["feature_engineer"](line("feature_engineer")) == 0
    after = read_csv(folder / FEATURES_FILE, FEATURES)
    lone = after["expiration"] == last
    assert 1 <= lone.sum() <= 4 and after.loc[lone, ["forward", "implied_vol"]].isna().all(axis=None)
    others = after[~lone & after["out_of_the_money"] & after["implied_vol"].notna()]
    same = before.set_index("raw_row").loc[others["raw_row"], "implied_vol"].to_numpy()
    assert len(others) > 50 and np.abs(others["implied_vol"].to_numpy() - same).max() < 5e-3


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        pytest.param(lambda row: row["raw_row"] == "0", "all 1 options", id="fault-25-one-row"),
        pytest.param(lambda row: row["strike"] == "5000", "it has 1 strike", id="fault-25-one-strike"),
        pytest.param(lambda row: row["option_type"] == "P", "options are puts", id="fault-25-all-puts"),
    ],
)
def test_a_chain_that_tells_no_forward_has_features_and_no_model_is_trained_on_it(tasks, folder, capsys, kept, said):
    rows(VALIDATED, kept)(folder)
    assert tasks["feature_engineer"](line("feature_engineer")) == 0
    assert "nothing_to_fit" in capsys.readouterr().err
    features = read_csv(folder / FEATURES_FILE, FEATURES)
    assert len(features) and features[["forward", "implied_vol"]].isna().all(axis=None)
    assert features["year_fraction"].notna().all()
    before = held(folder)
    assert tasks["model_train"](line("model_train")) == 65
    told = message(capsys.readouterr().err)
    assert len(told) <= 5 and said in " ".join(told)
    assert held(folder) == before


# Bytes.


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda content: b"\xef\xbb\xbf" + content, id="fault-27-byte-order-mark"),
        pytest.param(lambda content: content.replace(b"\n", b"\r\n"), id="fault-27-crlf"),
        pytest.param(lambda content: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"), id="fault-27-both"),
    ],
)
def test_how_lines_and_files_begin_and_end_does_not_matter(tasks, folder, change):
    before = held(folder)
    for path, task in ((RAW, "data_validate"), (VALIDATED, "feature_engineer")):
        edit(path, change)(folder)
        assert tasks[task](line(task)) == 0
        if task == "data_validate":
            assert held(folder)[VALIDATED] == before[VALIDATED]
    assert held(folder)[FEATURES_FILE] == before[FEATURES_FILE]


@pytest.mark.parametrize("ticker", ["ÄÖÜ", "日経225", "🚀", "a b", "É́"])
def test_fault_27_a_ticker_in_any_script_goes_through(tasks, folder, ticker):
    cells(RAW, "underlying", ticker)(folder)
    cells(BEFORE, "underlying", ticker)(folder)
    assert tasks["data_validate"](line("data_validate")) == 0
    assert tasks["feature_engineer"](line("feature_engineer")) == 0
    assert set(read_csv(folder / FEATURES_FILE, FEATURES)["underlying"]) == {ticker}


@pytest.mark.parametrize(("path", "task"), [(RAW, "data_validate"), (VALIDATED, "feature_engineer")])
@pytest.mark.parametrize("byte", [b"\xe9", b"\x00", b"\xff"])
def test_fault_27_a_byte_that_is_no_text_is_named_by_its_place(tasks, folder, capsys, path, task, byte):
    content = (folder / path).read_bytes()
    place = content.index(b"XIDX", len(content) // 2)
    edit(path, lambda content: content[:place] + byte + content[place + 1 :])(folder)
    before = held(folder)
    assert tasks[task](line(task)) == 65
    told = " ".join(message(capsys.readouterr().err))
    number = content.count(b"\n", 0, place) + 1
    assert f"byte {place} (from 0), in line {number}, is 0x{byte.hex()}" in told
    assert held(folder) == before


# Texts that would be programs elsewhere.


@pytest.mark.parametrize("ticker", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "＝1"])
def test_fault_28_no_csv_has_a_cell_that_is_a_formula(tasks, folder, ticker):
    for path in (RAW, BEFORE):
        cells(path, "underlying", ticker)(folder)
    cells(RAW, "settlement", ticker, slice(2))(folder)  # two rows for the quarantine
    assert tasks["data_validate"](line("data_validate")) == 0
    assert tasks["feature_engineer"](line("feature_engineer")) == 0
    for path in (VALIDATED, QUARANTINE, FEATURES_FILE):
        with (folder / path).open(newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert {row["underlying"] for row in rows} == {f"'{ticker}"}
        assert all(float(row["strike"]) for row in rows) and not any("'" in row["bid"] for row in rows)
    assert set(read_csv(folder / FEATURES_FILE, FEATURES)["underlying"]) == {ticker}


@pytest.mark.parametrize("ticker", ["{{7*7}}", "<script>alert(1)</script>", "[x](javascript:alert(1))", "{% raw %}"])
def test_fault_29_a_ticker_is_shown_literally_in_the_report(tasks, folder, ticker):
    for path in (RAW, BEFORE):
        cells(path, "underlying", ticker)(folder)
    in_json(META, underlyings=[ticker], source=ticker)(folder)
    assert tasks["data_validate"](line("data_validate")) == 0
    assert tasks["feature_engineer"](line("feature_engineer")) == 0
    assert tasks["generate_report"](line("generate_report")) == 0
    page, text = (folder / HTML).read_text(), (folder / MARKDOWN).read_text()
    shown = ticker.replace("<", "&lt;").replace(">", "&gt;")
    assert shown in page and "<script>alert" not in page + text and "49" not in page.split(shown)[0][-20:]
    assert 'href="javascript' not in page and "[x](javascript" not in text


@pytest.mark.parametrize(
    "date", ["../../x", "20261301", "2026-11-20", "", "00000000", "２０２６１１２０", "20261120\n", "a" * 500]
)
def test_fault_30_what_is_no_date_is_refused_before_any_file_is_touched(tasks, folder, capsys, date):
    before = held(folder)
    for task in ("data_fetch", "data_validate", "feature_engineer"):
        assert tasks[task](line(task, date=date)) == 78
        assert len(message(capsys.readouterr().err)) <= 5
    assert held(folder) == before


@pytest.mark.parametrize("day", ["20261121", "20261122", "20261126"])
def test_fault_18_a_day_without_a_session_is_skipped_with_its_reason_and_without_a_file(tasks, folder, capsys, day):
    before = held(folder)
    assert tasks["data_fetch"](line("data_fetch", date=day, out=f"raw/options_data_{day}.csv")) == 0
    assert "no trading day" in capsys.readouterr().err
    assert held(folder) == before


# Vendors' files, through data_fetch.

VENDOR = """\
source:
  kind: generic
  folder: vendor
  files: '{date:%Y%m%d}.csv'
  layout: {columns: {underlying: u, expiration: e, strike: k, option_type: t, bid: b, ask: a}}
"""


def vendor_file(folder, bad="", rows=400, header="u,e,k,t,b,a"):
    (folder / "vendor").mkdir()
    body = [f"SPY,2026-12-18,{500 + row // 2},{'CP'[row % 2]},1.5,1.6" for row in range(rows)]
    body[7] = body[7].replace("1.5", bad) if bad else body[7]
    (folder / "vendor" / f"{DAY}.csv").write_text("\n".join([header, *body, ""]))
    params(VENDOR)(folder)


@pytest.mark.parametrize("cell", ['"1,234.5"', "N/A", "None", "-", "1e400"])
def test_fault_13_a_cell_that_is_no_number_is_null_counted_and_put_aside(tasks, folder, capsys, cell):
    vendor_file(folder, cell)
    out = "vendor_raw/options_data.csv"
    assert tasks["data_fetch"](line("data_fetch", out=out)) == 0
    assert json.loads((folder / out.replace(".csv", ".meta.json")).read_text())["unreadable"] == {"bid": 1}
    assert 'unreadable="{\\"bid\\": 1}"' in capsys.readouterr().err
    (folder / "params.yaml").write_text(LENIENT % "F03: {severity: warn}, U01: {severity: warn}")
    assert tasks["data_validate"](line("data_validate", raw=out, previous=None)) == 0
    with (folder / QUARANTINE).open(newline="") as handle:
        rules = {int(row["raw_row"]): row["rule_ids"] for row in csv.DictReader(handle)}
    assert "P01" in rules[7].split(";")


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        pytest.param({"header": "u,e,k,t,bid,a"}, "missing: b;", id="fault-12-renamed"),
        pytest.param({"header": "u,e,k,t,b,b"}, "missing: a; there twice: b", id="fault-12-twice"),
        pytest.param({"bad": "N/A", "rows": 50}, "'N/A' in row 7", id="fault-13-too-many"),
    ],
)
def test_a_vendor_file_of_another_layout_stops_the_fetch(tasks, folder, capsys, spoilt, said):
    vendor_file(folder, **spoilt)
    before = held(folder)
    assert tasks["data_fetch"](line("data_fetch", out="other/options_data.csv")) == 65
    told = message(capsys.readouterr().err)
    assert len(told) <= 5 and said in " ".join(told)
    assert held(folder) == before


def test_fault_12_the_difference_of_the_columns_is_said(tasks, folder, capsys):
    renamed(RAW, b"open_interest", b"oi")(folder)
    edit(RAW, lambda content: content)(folder)
    assert tasks["data_validate"](line("data_validate")) == 65
    assert "missing: open_interest; unknown or repeated: oi" in capsys.readouterr().err
