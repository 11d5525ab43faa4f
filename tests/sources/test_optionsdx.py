"""A month of OptionsDX: the layout of its files (header and cells as published; the numbers are made up)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from options_pricing.run.errors import BadDataError, UpstreamError
from options_pricing.run.params import check_params
from options_pricing.sources import make_source

HEADER = (
    "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], [EXPIRE_DATE], "
    "[EXPIRE_UNIX], [DTE], [C_DELTA], [C_GAMMA], [C_VEGA], [C_THETA], [C_RHO], [C_IV], [C_VOLUME], [C_LAST], "
    "[C_SIZE], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], [P_SIZE], [P_LAST], [P_DELTA], [P_GAMMA], [P_VEGA], "
    "[P_THETA], [P_RHO], [P_IV], [P_VOLUME], [STRIKE_DISTANCE], [STRIKE_DISTANCE_PCT]\n"
)


def row(day: str, strike: float, call: str, put: str, expiration: str = "2023-02-17") -> str:
    """A strike; `call` and `put` are ``bid, ask``."""
    greeks = "0.985740, 0.000470, 0.007560, -0.415280, 0.006070"
    return (
        f"1672866000, {day} 16:00, {day}, 16.000000, 383.710000, {expiration}, 1676667600, 44.000000, {greeks}, "
        f"0.241300, 12.000000, 18.300000, 300 x 20, {call}, {strike:.6f}, {put}, 0 x 4522, 0.030000, {greeks}, , , "
        "16.300000, 0.042000\n"
    )


MONTH = (
    HEADER
    + row("2023-01-03", 370, "19.110000, 19.250000", "5.000000, 5.040000")
    + row("2023-01-04", 370, "18.110000, 18.250000", "4.000000, 4.040000")
    + row("2023-01-04", 375, "14.200000, 14.310000", " , ")
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("spy", "spx"):
        (tmp_path / f"{name}_eod_2023q1-zfoivd").mkdir()
        (tmp_path / f"{name}_eod_2023q1-zfoivd" / f"{name}_eod_202301.txt").write_text(MONTH)
    return tmp_path


def source(folder: Path, **changed: object):
    asked = {"kind": "optionsdx", "folder": str(folder), "tickers": {"spy": "SPY"}, **changed}
    return make_source(check_params({"source": asked}).source)


def test_a_strike_is_two_rows_of_ours(folder):
    chain = source(folder).chain("20230104")
    quotes = chain.quotes
    assert quotes["contract_symbol"].tolist() == [
        *("SPY230217C00370000", "SPY230217P00370000"),
        *("SPY230217C00375000", "SPY230217P00375000"),
    ]
    assert quotes["bid"].tolist()[:3] == [18.11, 4.0, 14.2] and quotes["ask"].tolist()[:3] == [18.25, 4.04, 14.31]
    assert quotes[["bid", "ask"]].iloc[3].isna().all()
    assert quotes["bid_size"].tolist() == [300, 0, 300, 0] and quotes["ask_size"].tolist() == [20, 4522, 20, 4522]
    assert quotes["last_price"].tolist()[:2] == [18.3, 0.03] and quotes["volume"].iloc[0] == 12
    assert quotes["vendor_implied_vol"].iloc[0] == 0.2413 and np.isnan(quotes["vendor_implied_vol"].iloc[1])
    assert (quotes["underlying_price"] == 383.71).all() and (quotes["settlement"] == "pm").all()
    assert (quotes["quote_time"] == pd.Timestamp("2023-01-04 21:00", tz="UTC")).all()
    assert (chain.captured_at, chain.unreadable) == ("2023-01-04T21:00:00Z", {})
    assert [Path(file["path"]).name for file in chain.inputs] == ["spy_eod_202301.txt"]


def test_several_tickers_and_their_roots(folder):
    both = {"tickers": {"spx": "SPX", "spy": "SPY"}}
    with pytest.raises(BadDataError, match="of which root the options on SPX"):
        source(folder, **both).chain("20230104")
    quotes = source(folder, **both, roots={"SPX": "SPXW"}).chain("20230104").quotes
    assert quotes["root"].tolist() == ["SPXW"] * 4 + ["SPY"] * 4
    assert quotes["exercise_style"].tolist() == ["european"] * 4 + ["american"] * 4


def test_a_day_or_a_month_that_is_not_there(folder):
    with pytest.raises(UpstreamError, match="20230105") as caught:
        source(folder).chain("20230105")
    assert "the nearest 20230103, 20230104" in caught.value.why
    with pytest.raises(UpstreamError, match="20230201") as caught:
        source(folder).chain("20230201")
    assert "spy_eod_202302.txt" in caught.value.why


def test_fault_12_another_layout_is_named(folder):
    for path in folder.glob("spy*/*.txt"):
        path.write_text(MONTH.replace("[P_BID]", "[PUT_BID]"))
    with pytest.raises(BadDataError, match="columns") as caught:
        source(folder).chain("20230104")
    assert "missing: [P_BID];" in caught.value.why and "[PUT_BID]" in caught.value.why
