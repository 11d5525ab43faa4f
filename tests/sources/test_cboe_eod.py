"""The archive of Cboe quotes: on a small made one, and on the real one where it is."""

import gzip
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from options_pricing.run.errors import BadDataError, MissingInputError, UpstreamError
from options_pricing.sources.cboe_eod import CboeEod

HEADER = (
    "session_date,ticker,expiry,right,strike,option,bid,bid_size,ask,ask_size,last_trade_price,volume,open_interest,iv,"
    "last_trade_time\n"
)
UNDERLYING = "session_date,ticker,fetched_at_utc,payload_timestamp,current_price\n"


def add_capture(folder: Path, ticker: str, named: str, traded: str, *, root: str, bid: float = 1.0) -> None:
    """One file of two rows, the first never traded, and its line in underlying.csv."""
    (folder / ticker).mkdir(parents=True, exist_ok=True)
    rows = [
        f"{named},{ticker},2026-08-21,C,200.000,{root}260821C00200000,{bid},3,2.5,4,1.5,10,20,0.25,",
        f"{named},{ticker},2026-08-21,P,200.000,{root}260821P00200000,{bid},3,2.5,4,1.5,10,20,0.25,{traded}",
    ]
    text = HEADER + "\n".join(rows) + "\n"
    (folder / ticker / f"{named}.csv.gz").write_bytes(gzip.compress(text.encode()))
    underlying = folder / "underlying.csv"
    before = underlying.read_text() if underlying.exists() else UNDERLYING
    underlying.write_text(f"{before}{named},{ticker},{named}T22:41:37Z,{named} 22:40:39,7400.5\n")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    add_capture(tmp_path, "_SPX", "2026-07-22", "2026-07-22T16:14:59", root="SPX", bid=1.0)
    add_capture(tmp_path, "_SPX", "2026-07-23", "2026-07-22T16:14:59", root="SPX", bid=1.1)
    add_capture(tmp_path, "_SPX", "2026-07-25", "2026-07-24T16:14:59", root="SPXW")
    add_capture(tmp_path, "SPY", "2026-07-22", "2026-07-22T15:59:59", root="SPY")
    return tmp_path


def test_the_trading_day_comes_from_the_data(archive: Path) -> None:
    source = CboeEod(archive, ["_SPX"])
    assert source.trading_days("_SPX", date(2026, 7, 1), date(2026, 7, 31)) == ["20260722", "20260724"]
    chain = source.chain("20260724")  # in the file of a Saturday
    assert chain.quotes["trade_date"].unique().tolist() == [pd.Timestamp("2026-07-24")]
    assert chain.inputs[0]["path"].endswith("_SPX/2026-07-25.csv.gz")


def test_the_earliest_capture_of_a_day_is_taken(archive: Path) -> None:
    assert CboeEod(archive, ["_SPX"]).chain("20260722").quotes["bid"].tolist() == [1.0, 1.0]


def test_a_row_of_the_raw_table(archive: Path) -> None:
    row = CboeEod(archive, ["_SPX"]).chain("20260724").quotes.iloc[1]
    assert row["source"] == "cboe_eod"
    assert (row["underlying"], row["root"], row["settlement"], row["exercise_style"]) == (
        "SPX",
        "SPXW",
        "pm",
        "european",
    )
    assert row["contract_symbol"] == "SPXW260821P00200000"
    assert (row["strike"], row["option_type"], row["expiration"]) == (200.0, "P", pd.Timestamp("2026-08-21"))
    assert (row["bid"], row["ask"], row["bid_size"], row["ask_size"]) == (1.0, 2.5, 3.0, 4.0)
    assert (row["volume"], row["open_interest"], row["multiplier"]) == (10.0, 20.0, 100.0)
    assert row["underlying_price"] == 7400.5
    assert row["vendor_implied_vol"] == 0.25


def test_times_of_trades_are_new_yorks_and_the_capture_is_utc(archive: Path) -> None:
    chain = CboeEod(archive, ["_SPX"]).chain("20260724")
    assert chain.quotes["last_trade_time"].isna().tolist() == [True, False]
    assert chain.quotes["last_trade_time"].iloc[1] == pd.Timestamp("2026-07-24T20:14:59Z")
    assert chain.quotes["quote_time"].iloc[0] == pd.Timestamp("2026-07-25T22:40:39Z")
    assert chain.captured_at == "2026-07-25T22:40:39Z"


def test_tickers_come_in_one_table_in_their_order(archive: Path) -> None:
    chain = CboeEod(archive, ["SPY", "_SPX"]).chain("20260722")
    assert chain.quotes["underlying"].tolist() == ["SPY", "SPY", "SPX", "SPX"]
    assert chain.quotes["exercise_style"].tolist() == ["american"] * 2 + ["european"] * 2
    assert [Path(one["path"]).name for one in chain.inputs] == ["2026-07-22.csv.gz"] * 2 + ["underlying.csv"]
    assert chain.request == CboeEod(archive, ["SPY", "_SPX"]).request("20260722")


@pytest.mark.parametrize("day", ["20260723", "20260721"])
def test_a_day_that_is_not_there_is_said_with_the_days_that_are(archive: Path, day: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        CboeEod(archive, ["_SPX"]).chain(day)
    assert "20260722, 20260724" in caught.value.why
    assert "run.without" in caught.value.fix
    assert day in caught.value.fix


def test_one_ticker_without_the_day_is_enough_to_stop(archive: Path) -> None:
    with pytest.raises(UpstreamError, match="SPY"):
        CboeEod(archive, ["_SPX", "SPY"]).chain("20260724")


def test_a_ticker_that_the_archive_has_not(archive: Path) -> None:
    with pytest.raises(MissingInputError, match="_NDX"):
        CboeEod(archive, ["_NDX"]).chain("20260722")


def test_no_archive_at_all(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        CboeEod(tmp_path / "none", ["_SPX"]).chain("20260722")


def test_a_capture_that_underlying_csv_does_not_know(archive: Path) -> None:
    (archive / "underlying.csv").write_text(UNDERLYING + "2026-07-22,SPY,x,2026-07-22 22:40:39,745\n")
    with pytest.raises(BadDataError, match="_SPX"):
        CboeEod(archive, ["_SPX"]).chain("20260722")


def test_a_file_that_does_not_say_its_day(archive: Path) -> None:
    add_capture(archive, "_SPX", "2026-07-28", "", root="SPX")
    with pytest.raises(BadDataError, match="trading day"):
        CboeEod(archive, ["_SPX"]).chain("20260728")


def test_an_archive_that_is_not_there_is_named_itself(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="nowhere is not a folder") as refused:
        CboeEod(tmp_path / "nowhere", ["_SPX"]).chain("20260722")
    assert "underlying.csv" in refused.value.fix


def test_other_files_in_the_folder_are_left_alone(archive: Path) -> None:
    (archive / "_SPX" / "notes.csv.gz").write_bytes(b"not gzip")
    assert len(CboeEod(archive, ["_SPX"]).chain("20260722").quotes) == 2


@pytest.mark.market
@pytest.mark.parametrize("ticker", ["_SPX", "SPY"])
def test_fourteen_real_files_are_thirteen_trading_days(market: Path, ticker: str) -> None:
    assert len(list((market / "cboe_eod" / ticker).glob("*.csv.gz"))) == 14
    days = CboeEod(market / "cboe_eod", [ticker]).trading_days(ticker, date(2026, 7, 1), date(2026, 8, 31))
    assert len(days) == 13
    assert "20260723" not in days and "20260807" not in days and "20260806" in days


@pytest.mark.market
def test_a_real_day_keeps_spx_and_spxw_apart(market: Path) -> None:
    quotes = CboeEod(market / "cboe_eod", ["_SPX"]).chain("20260805").quotes
    assert quotes["root"].value_counts().to_dict() == {"SPXW": 21632, "SPX": 10156}
    assert set(zip(quotes["root"], quotes["settlement"], strict=True)) == {("SPX", "am"), ("SPXW", "pm")}
    key = ["expiration", "strike", "option_type"]
    assert quotes.duplicated(key).any()
    assert not quotes.duplicated(["root", *key]).any()


@pytest.mark.market
def test_the_second_real_capture_of_a_day_is_not_taken(market: Path) -> None:
    chain = CboeEod(market / "cboe_eod", ["SPY"]).chain("20260722")
    assert chain.quotes["underlying_price"].unique().tolist() == [745.6]  # 747.41 in the file of the 23rd
    assert chain.captured_at == "2026-07-22T22:51:31Z"
