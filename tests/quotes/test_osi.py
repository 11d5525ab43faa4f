"""OSI symbols: what is one, what it says, and what its root says."""

import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.quotes.osi import INDEX_ROOTS, Root, build_symbols, describe_roots, parse_symbols


def parse_one(symbol: str | None) -> dict:
    return parse_symbols(pd.Series([symbol], dtype="str")).iloc[0].to_dict()


@pytest.mark.parametrize("symbol", ["SPX260821C00200000", "SPX   260821C00200000"])
def test_compact_and_padded_say_the_same(symbol: str) -> None:
    assert parse_one(symbol) == {
        "root": "SPX", "expiration": pd.Timestamp("2026-08-21"), "option_type": "C", "strike": 200.0,
    }  # fmt: skip


def test_thousandths_of_the_strike_are_kept() -> None:
    assert parse_one("AAPL1260821P00012505")["strike"] == 12.505


def test_a_digit_at_the_end_belongs_to_the_root() -> None:
    assert parse_one("AAPL1260821P00012500")["root"] == "AAPL1"


@pytest.mark.parametrize(
    "symbol",
    [
        None,
        "",
        "SPX",
        "spx260821C00200000",
        "SPX260821X00200000",
        "SPX261331C00200000",  # no month 13
        "SPX260230C00200000",  # no 30 February
        "SPX260821C0020000",
        "SPX260821C002000000",
        " SPX260821C00200000",
        "SPX260821C00200000 ",
        "260821C00200000",
        "ABCDEFG260821C00200000",  # seven characters before the date
        "SPX26082١C00200000",  # an Arabic digit
    ],
)
def test_what_is_no_symbol_gives_nulls(symbol: str | None) -> None:
    assert all(pd.isna(value) for value in parse_one(symbol).values())


def test_index_and_order_are_kept() -> None:
    symbols = pd.Series(["SPY260821P00500000", "no", "SPX260821C00200000"], index=[7, 3, 7])
    parsed = parse_symbols(symbols)
    assert parsed.index.tolist() == [7, 3, 7]
    assert parsed["root"].tolist()[::2] == ["SPY", "SPX"]


def test_no_rows_are_no_error() -> None:
    nothing = pd.Series([], dtype="str")
    assert parse_symbols(nothing).columns.tolist() == ["root", "expiration", "option_type", "strike"]
    assert len(describe_roots(nothing)) == 0


roots = st.text(string.ascii_uppercase, min_size=1, max_size=5)
contracts = st.tuples(
    roots,
    st.dates(pd.Timestamp("2000-01-01").date(), pd.Timestamp("2099-12-31").date()),
    st.sampled_from("CP"),
    st.integers(1, 99_999_999).map(lambda thousandths: thousandths / 1000),
)


@given(st.lists(contracts, min_size=1, max_size=20))
def test_parsing_undoes_building(listed: list[tuple]) -> None:
    table = pd.DataFrame(listed, columns=["root", "expiration", "option_type", "strike"])
    table = table.astype({"root": "str", "option_type": "str", "expiration": "datetime64[s]"})
    symbols = build_symbols(table["root"], table["expiration"], table["option_type"], table["strike"])
    pd.testing.assert_frame_equal(parse_symbols(symbols), table)
    padded = symbols.str[:-15].str.pad(6, side="right") + symbols.str[-15:]
    pd.testing.assert_frame_equal(parse_symbols(padded), table)


@pytest.mark.parametrize("strike", [np.nan, 0.0, -5.0, 100_000.0, 10.00005, np.inf])
def test_a_strike_without_a_place_in_the_symbol_gives_null(strike: float) -> None:
    built = build_symbols(
        pd.Series(["SPX"]), pd.Series([pd.Timestamp("2026-08-21")]), pd.Series(["C"]), pd.Series([strike])
    )
    assert built.isna().all()


def test_a_null_part_gives_a_null_symbol() -> None:
    dates = pd.Series([pd.NaT, pd.Timestamp("2026-08-21")], dtype="datetime64[s]")
    built = build_symbols(pd.Series(["SPX", None]), dates, pd.Series(["C", "C"]), pd.Series([1.0, 1.0]))
    assert built.isna().all()


def test_roots_of_one_index_differ_in_settlement() -> None:
    said = describe_roots(pd.Series(["SPX", "SPXW"]))
    assert said["underlying"].tolist() == ["SPX", "SPX"]
    assert said["settlement"].tolist() == ["am", "pm"]
    assert said["exercise_style"].tolist() == ["european", "european"]


@pytest.mark.parametrize(
    ("root", "underlying", "settlement", "style"),
    [
        ("RUTW", "RUT", "pm", "european"),
        ("NDXP", "NDX", "pm", "european"),
        ("NDX", "NDX", "am", "european"),
        ("VIX", "VIX", "am", "european"),
        ("OEX", "OEX", "pm", "american"),
        ("XEO", "OEX", "pm", "european"),
        ("XIDXW", "XIDX", "pm", "european"),
        ("SPY", "SPY", "pm", "american"),
    ],
)
def test_what_roots_say(root: str, underlying: str, settlement: str, style: str) -> None:
    said = describe_roots(pd.Series([root])).iloc[0]
    assert (said["underlying"], said["settlement"], said["exercise_style"]) == (underlying, settlement, style)
    assert not said["adjusted"]


def test_adjusted_roots_are_told() -> None:
    said = describe_roots(pd.Series(["AAPL1", "AAPL", "1SPX", None]))
    assert said["adjusted"].tolist() == [True, False, True, False]
    assert said["underlying"].tolist()[:3] == ["AAPL", "AAPL", "SPX"]
    assert said.iloc[3, :3].isna().all()


def test_the_table_of_roots_is_open() -> None:
    mine = {**INDEX_ROOTS, "MYX": Root("MYX", "am", "european")}
    assert describe_roots(pd.Series(["MYX"]), mine)["settlement"].tolist() == ["am"]
    assert describe_roots(pd.Series(["MYX"]))["settlement"].tolist() == ["pm"]


def test_the_symbols_of_options_on_coins_are_read_beside_those_of_the_osi():
    symbols = pd.Series(
        ["BTC-13FEB26-100000-C", "SPX260821C00200000", None, "BTC_USDC-3JAN27-500-P", "BTC-31FEB26-1-C"]
    )
    found = parse_symbols(symbols)
    assert found["root"].fillna("").tolist() == ["BTC", "SPX", "", "BTC_USDC", ""]
    assert found["strike"].fillna(0).tolist() == [100_000, 200, 0, 500, 0]
    assert found["expiration"].dt.strftime("%Y%m%d").fillna("").tolist() == ["20260213", "20260821", "", "20270103", ""]
    assert found["option_type"].fillna("").tolist() == ["C", "C", "", "P", ""]


@pytest.mark.parametrize(
    "symbol", ["BTC-13FEB26-1e5-C", "BTC-13feb26-100-C", "-13FEB26-100-C", "BTC-13FEB26-100-X", "-"]
)
def test_what_only_looks_like_one_is_not(symbol):
    assert parse_symbols(pd.Series([symbol])).isna().all(axis=None)
