"""The Yahoo CSV behind the first version of the model."""

from pathlib import Path

import pandas as pd
import pytest

from options_pricing.run.errors import BadDataError, MissingInputError, UpstreamError
from options_pricing.sources.yahoo_csv import YahooCsv

HEADER = (
    "symbol,underlying_symbol,strike,expiration_date,contract_type,implied_volatility,open_interest,volume,bid,ask,"
    "last_price,market_price,underlying_price,risk_free_rate,fetch_timestamp,time_to_expiry,data_source,"
    "simulated_trade_date\n"
)
ROW = (
    "{symbol},SPY,530.0,2025-08-25,{kind},0.84,11.0,12.0,113.98,116.78,106.25,115.38,645.31,0.04,"
    "2025-08-23 16:39:40.712793,0.0027,yahoo_finance,{day} 16:39:41.671421\n"
)


def write(path: Path, *rows: str) -> Path:
    path.write_text(HEADER + "".join(rows))
    return path


def row(symbol: str = "SPY20250825C00530000", kind: str = "call", day: str = "2025-08-22") -> str:
    return ROW.format(symbol=symbol, kind=kind, day=day)


def test_a_row_of_the_raw_table(tmp_path: Path) -> None:
    chain = YahooCsv(write(tmp_path / "a.csv", row())).chain("20250822")
    got = chain.quotes.iloc[0]
    assert (got["contract_symbol"], got["root"], got["underlying"]) == ("SPY250825C00530000", "SPY", "SPY")
    assert (got["exercise_style"], got["settlement"], got["option_type"]) == ("american", "pm", "C")
    assert (got["bid"], got["ask"], got["last_price"], got["vendor_price"]) == (113.98, 116.78, 106.25, 115.38)
    assert (got["volume"], got["open_interest"], got["vendor_implied_vol"]) == (12.0, 11.0, 0.84)
    assert (got["trade_date"], got["expiration"]) == (pd.Timestamp("2025-08-22"), pd.Timestamp("2025-08-25"))
    assert pd.isna(got["quote_time"])
    assert chain.captured_at == "2025-08-23T16:39:40"


def test_the_trading_day_is_the_greatest_that_the_rows_claim(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", row(day="2025-08-12"), row(day="2025-08-22"), row(day="2025-07-28"))
    assert (YahooCsv(path).chain("20250822").quotes["trade_date"] == pd.Timestamp("2025-08-22")).all()


def test_another_day_is_not_invented(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="20250825") as caught:
        YahooCsv(write(tmp_path / "a.csv", row())).chain("20250825")
    assert "20250822" in caught.value.why


def test_an_unknown_type_or_symbol_is_left_for_the_rules(tmp_path: Path) -> None:
    chain = YahooCsv(write(tmp_path / "a.csv", row(kind="straddle"), row(symbol="what"))).chain("20250822")
    assert chain.quotes["option_type"].iloc[0] == "straddle"
    assert chain.quotes["contract_symbol"].iloc[1] == "what"
    assert pd.isna(chain.quotes["root"].iloc[1])


@pytest.mark.parametrize("content", ["", HEADER, "a,b\n1,2\n", "\x00\x01"])
def test_an_unusable_file_is_bad_data(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(BadDataError):
        YahooCsv(path).chain("20250822")


def test_a_file_without_its_day_is_bad_data(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", row().replace("2025-08-22 16:39:41.671421", ""))
    with pytest.raises(BadDataError, match="trading day"):
        YahooCsv(path).chain("20250822")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        YahooCsv(tmp_path / "none.csv").chain("20250822")


@pytest.mark.market
def test_the_real_file_in_its_order(market: Path) -> None:
    path = market / "seed" / "spy_20250822.csv"
    file = pd.read_csv(path)
    quotes = YahooCsv(path).chain("20250822").quotes
    renamed = {"vendor_price": "market_price", "vendor_implied_vol": "implied_volatility"}
    for column in ("strike", "bid", "ask", "vendor_price", "vendor_implied_vol"):
        assert quotes[column].tolist() == file[renamed.get(column, column)].tolist()
    assert quotes["contract_symbol"].notna().all() and quotes["root"].unique().tolist() == ["SPY"]
