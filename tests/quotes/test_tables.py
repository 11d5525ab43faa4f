import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.quotes.schema import PREDICTIONS, RAW, Column, names
from options_pricing.quotes.tables import conform, read_csv, read_parquet, write_csv, write_parquet
from options_pricing.run.errors import BadDataError, MissingInputError


@pytest.fixture
def raw():
    return conform(
        pd.DataFrame(
            {
                "source": ["simulated"] * 3,
                "underlying": ["XIDX", 'a "quoted", name', "Ünï"],
                "trade_date": pd.to_datetime(["2026-11-20"] * 3),
                "expiration": pd.to_datetime(["2026-12-18", None, "2027-01-15"]),
                "strike": [5000.0, 0.1 + 0.2, np.nan],
                "volume": [12, np.nan, 0],
                "quote_time": pd.to_datetime(["2026-11-20T21:15:00Z", None, None]),
            }
        ),
        RAW,
    )


def test_a_table_comes_back_from_csv_as_it_went(tmp_path, raw):
    write_csv(raw, tmp_path / "raw.csv", RAW)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "raw.csv", RAW), raw)


def test_a_table_comes_back_from_parquet_as_it_went(tmp_path, raw):
    write_parquet(raw, tmp_path / "raw.parquet", RAW)
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "raw.parquet", RAW), raw)


def test_the_same_rows_give_the_same_bytes_whatever_the_order_of_columns(tmp_path, raw):
    write_csv(raw, tmp_path / "a.csv", RAW)
    write_csv(raw[raw.columns[::-1]], tmp_path / "b.csv", RAW)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_fault_26_a_table_in_pieces_has_the_same_bytes(tmp_path, raw, monkeypatch):
    write_csv(raw, tmp_path / "whole.csv", RAW)
    monkeypatch.setattr("options_pricing.quotes.tables.ROWS_A_BATCH", 2)
    write_csv(raw, tmp_path / "pieces.csv", RAW)
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "pieces.csv").read_bytes()


def test_an_empty_table_keeps_its_types(tmp_path, raw):
    write_csv(raw.iloc[:0], tmp_path / "raw.csv", RAW)
    assert read_csv(tmp_path / "raw.csv", RAW).dtypes.equals(raw.dtypes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", "is empty"),
        (lambda text: text.replace('"strike"', '"strkie"', 1), "missing: strike; unknown or repeated: strkie"),
        (lambda text: text.replace("5000", "five thousand", 1), "cannot be read"),
        (lambda text: text + "1,2,3\n", "cannot be read"),
        (lambda text: "<html>\n503\n</html>\n", "does not have the columns"),
    ],
)
def test_a_broken_file_is_refused_in_words(tmp_path, raw, change, said):
    write_csv(raw, tmp_path / "raw.csv", RAW)
    (tmp_path / "raw.csv").write_text(change((tmp_path / "raw.csv").read_text()))
    with pytest.raises(BadDataError, match=said):
        read_csv(tmp_path / "raw.csv", RAW)


FORMULAS = ["=1+2", "+1", "-1", "@SUM(A1)", "\tx", "=cmd|' /C calc'!A0", "＝1", "-", "'=1", "''=1"]
PLAIN = ["XIDX", "'", "''", "'a", "a=1", "", " =1", "é"]


def test_fault_28_a_text_that_is_a_formula_to_a_spreadsheet_has_an_apostrophe_and_comes_back_as_it_was(tmp_path, raw):
    texts = [*FORMULAS, *PLAIN]
    table = raw.iloc[[0] * len(texts)].assign(underlying=texts, strike=-1.5, bid=-1e-7).reset_index(drop=True)
    write_csv(table, tmp_path / "raw.csv", RAW)
    with (tmp_path / "raw.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["underlying"] for row in rows] == [*(f"'{text}" for text in FORMULAS), *PLAIN]
    assert {row["strike"] for row in rows} == {"-1.5"} and {float(row["bid"]) for row in rows} == {-1e-7}
    back = read_csv(tmp_path / "raw.csv", RAW, judged_later=True)["underlying"]
    assert back.fillna("").tolist() == texts


@given(texts=st.lists(st.text(st.characters(exclude_characters="\0\r\n", codec="utf-8"), min_size=1), min_size=1))
def test_fault_28_any_text_comes_back(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("texts") / "texts.csv"
    columns = (Column("text", "text", ""), Column("number", "integer", ""))
    write_csv(pd.DataFrame({"text": texts, "number": 1}), path, columns)
    back = read_csv(path, columns, judged_later=True)["text"]
    assert [None if pd.isna(text) else text for text in back] == [None if t in ("NaN", "nan") else t for t in texts]


def test_bytes_that_are_no_text_are_refused(tmp_path, raw):
    write_csv(raw, tmp_path / "raw.csv", RAW)
    (tmp_path / "raw.csv").write_bytes((tmp_path / "raw.csv").read_bytes().replace("Ünï".encode(), b"\xff\x00"))
    with pytest.raises(BadDataError):
        read_csv(tmp_path / "raw.csv", RAW)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"none\.csv"):
        read_csv(tmp_path / "none.csv", RAW)


def test_a_column_that_may_not_be_null_must_be_there(raw):
    with pytest.raises(BadDataError, match="columns are missing: source"):
        conform(raw.drop(columns="source"), RAW)


@pytest.mark.parametrize("values", [["five"], ["1,234.5"], [10**400], [["list"]]])
def test_a_value_of_another_type_is_refused(raw, values):
    with pytest.raises(BadDataError, match="column strike does not hold"):
        conform(raw.assign(strike=pd.Series(values * len(raw), dtype=object)), RAW)


def test_names_are_unique_in_every_table():
    for table in (RAW, PREDICTIONS):
        assert len(set(names(table))) == len(table)
