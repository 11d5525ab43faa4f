"""Any vendor's files by parameters alone, strictly; the real ones beside the checkout among them."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from options_pricing.run.errors import BadDataError, MissingInputError, UpstreamError
from options_pricing.run.params import check_params
from options_pricing.sources import make_source
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.sources.yahoo_csv import YahooCsv

DAY = "20261120"
LONG = """\
{vendor: acme, files: 'chains.csv', layout: {columns: {
  underlying: Symbol, trade_date: {column: Date, format: '%m/%d/%Y'}, expiration: {column: Expiry, format: '%m/%d/%Y'},
  strike: {column: Strike, scale: 0.001}, option_type: {column: Right, values: {call: C, put: P}}, bid: Bid, ask: Ask,
  vendor_implied_vol: {column: IV, scale: 0.01}}}}
"""
HEAD = "Symbol,Date,Expiry,Strike,Right,Bid,Ask,IV,Notes\n"
ROWS = HEAD + (
    "SPY,11/20/2026,12/18/2026,650000,call,10.5,10.7,18.25,x\n"
    "SPY,11/20/2026,12/18/2026,650000,put,8.1,8.2,19,\n"
    "QQQ,11/20/2026,12/18/2026,500500,put,3,3.1,20,\n"
    "SPY,11/19/2026,12/18/2026,650000,call,11,11.2,18,\n"
)


def archive(folder: Path, text: str = LONG, **changed):
    given = {"kind": "generic", "folder": str(folder), **yaml.safe_load(text), **changed}
    return make_source(check_params({"source": given}).source)


def put(folder: Path, content: str | bytes = ROWS, name: str = "chains.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_row_becomes_one_of_ours(tmp_path):
    put(tmp_path)
    chain = archive(tmp_path).chain(DAY)
    assert len(chain.quotes) == 3
    row = chain.quotes.iloc[0]
    assert (row["source"], row["underlying"], row["root"]) == ("acme", "SPY", "SPY")
    assert row["contract_symbol"] == "SPY261218C00650000"
    assert (row["trade_date"], row["expiration"]) == (pd.Timestamp("2026-11-20"), pd.Timestamp("2026-12-18"))
    assert (row["strike"], row["option_type"], row["bid"], row["ask"]) == (650.0, "C", 10.5, 10.7)
    assert (row["exercise_style"], row["settlement"], row["multiplier"]) == ("american", "pm", 100.0)
    assert row["vendor_implied_vol"] == 0.1825 and pd.isna(row["volume"])
    assert chain.quotes["strike"].tolist() == [650.0, 650.0, 500.5]


def test_what_was_asked_names_the_layout(tmp_path):
    first, other = archive(tmp_path), archive(tmp_path, LONG.replace("0.01", "1"))
    assert first.request(DAY) == archive(tmp_path).request(DAY)
    assert first.request(DAY) != other.request(DAY) != first.request("20261119")


def test_only_some_underlyings(tmp_path):
    put(tmp_path)
    assert archive(tmp_path, underlyings=["QQQ"]).chain(DAY).quotes["underlying"].tolist() == ["QQQ"]
    assert archive(tmp_path, underlyings=["IWM"]).chain(DAY).quotes.empty


def zipped(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name in names:
            file.writestr(name, ROWS)
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chains.csv.gz", gzip.compress(ROWS.encode())),
        ("chains.csv.bz2", bz2.compress(ROWS.encode())),
        ("chains.csv.xz", lzma.compress(ROWS.encode())),
        ("chains.zip", zipped("inside.csv")),
        ("chains.txt", ROWS.replace("\n", "\r\n").encode("utf-8-sig")),
    ],
    ids=["gzip", "bzip2", "xz", "zip", "fault-27-byte-order-mark-and-crlf"],
)
def test_however_it_is_packed(tmp_path, name, content):
    put(tmp_path)
    put(tmp_path, content, name)
    pd.testing.assert_frame_equal(archive(tmp_path, files=name).chain(DAY).quotes, archive(tmp_path).chain(DAY).quotes)


@pytest.mark.parametrize("name", ["chains.csv.gz", "chains.csv.bz2", "chains.csv.xz", "chains.zip"])
@pytest.mark.parametrize("content", [ROWS.encode(), b"", zipped("a.csv", "b.csv")], ids=["plain", "empty", "two"])
def test_what_is_not_packed_as_its_name_says(tmp_path, name, content):
    put(tmp_path, content, name)
    with pytest.raises(BadDataError):
        archive(tmp_path, files=name).chain(DAY)


def test_other_separators_lines_before_the_header_and_none_at_all(tmp_path):
    put(tmp_path)
    plain = archive(tmp_path).chain(DAY).quotes
    put(tmp_path, "Acme Ltd\n\n" + ROWS.replace(",", ";"))
    layout = yaml.safe_load(LONG)["layout"]
    pd.testing.assert_frame_equal(
        archive(tmp_path, layout={**layout, "separator": ";", "skip_lines": 2}).chain(DAY).quotes, plain
    )
    put(tmp_path, ROWS.removeprefix(HEAD).replace(",", "\t"))
    header = {"separator": "\t", "header": HEAD.strip().split(",")}
    pd.testing.assert_frame_equal(archive(tmp_path, layout={**layout, **header}).chain(DAY).quotes, plain)


def test_a_call_and_a_put_side_by_side(tmp_path):
    put(tmp_path, "e,k,cb,ca,pb,pa\n2026-12-18,650,10.5,10.7,8.1,8.2\n2026-12-18,660,5,5.2,,\n", "SPY/2026-11-20.csv")
    text = """\
        {files: '{ticker}/{date}.csv', tickers: {SPY: SPY},
         layout: {columns: {expiration: e, strike: k}, calls: {bid: cb, ask: ca}, puts: {bid: pb, ask: pa}}}
    """
    quotes = archive(tmp_path, text).chain(DAY).quotes
    assert quotes["option_type"].tolist() == ["C", "P", "C", "P"]
    assert quotes["strike"].tolist() == [650, 650, 660, 660]
    assert quotes["bid"].tolist()[:3] == [10.5, 8.1, 5.0] and np.isnan(quotes["bid"].iloc[3])
    assert quotes["contract_symbol"].tolist()[1] == "SPY261218P00650000"
    assert (quotes["trade_date"] == pd.Timestamp("2026-11-20")).all()


def test_a_contract_symbol_tells_the_terms(tmp_path):
    symbols = ("SPX   261218C06500000", "SPXW261218P06500000", "AAPL1261218P00100000", "x")
    put(tmp_path, "option,bid,ask\n" + "".join(f"{symbol},1,2\n" for symbol in symbols), f"{DAY}.csv")
    text = """\
        {files: '{date:%Y%m%d}.csv', layout: {columns: {
         contract_symbol: option, bid: bid, ask: ask, underlying: {column: option, match: '^([A-Z]+)'}}}}
    """
    quotes = archive(tmp_path, text).chain(DAY).quotes
    assert quotes["contract_symbol"].tolist()[:2] == ["SPX261218C06500000", "SPXW261218P06500000"]
    assert quotes["underlying"].tolist() == ["SPX", "SPXW", "AAPL", "x"]
    assert quotes["root"].tolist()[:3] == ["SPX", "SPXW", "AAPL1"]
    assert quotes["settlement"].tolist()[:3] == ["am", "pm", "pm"]
    assert quotes["exercise_style"].tolist()[:3] == ["european", "european", "american"]
    assert quotes["strike"].tolist()[:3] == [6500, 6500, 100]
    assert quotes["multiplier"].tolist()[:2] == [100, 100] and quotes["multiplier"].iloc[2:].isna().all()
    assert quotes.iloc[3][["root", "expiration", "strike", "settlement"]].isna().all()


def test_which_index_option_it_is_is_not_guessed(tmp_path):
    put(tmp_path, ROWS.replace("SPY", "SPX"))
    with pytest.raises(BadDataError, match="of which root the options on SPX") as caught:
        archive(tmp_path).chain(DAY)
    assert "SPX and SPXW" in caught.value.why
    quotes = archive(tmp_path, roots={"SPX": "SPXW"}).chain(DAY).quotes
    assert quotes["root"].tolist() == ["SPXW", "SPXW", "QQQ"]
    assert quotes["contract_symbol"].iloc[0] == "SPXW261218C00650000"
    assert (quotes["settlement"] == "pm").all()
    assert quotes["exercise_style"].tolist() == ["european", "european", "american"]


def test_the_day_of_the_whole_file_may_be_the_greatest(tmp_path):
    put(tmp_path)
    greatest = LONG.replace("trade_date: {", "trade_date: {greatest: true, ")
    assert len(archive(tmp_path, greatest).chain(DAY).quotes) == 4
    with pytest.raises(UpstreamError, match="has no chain for 20261119"):
        archive(tmp_path, greatest).chain("20261119")


def test_another_day_is_not_invented(tmp_path):
    put(tmp_path)
    with pytest.raises(UpstreamError, match="has no chain for 20261118") as caught:
        archive(tmp_path).chain("20261118")
    assert "20261119, 20261120" in caught.value.why
    put(tmp_path, HEAD + "SPY,soon,12/18/2026,650000,call,1,2,3,\n")
    with pytest.raises(BadDataError, match="which trading day"):
        archive(tmp_path).chain(DAY)


def test_files_that_are_not_there_or_too_many(tmp_path):
    with pytest.raises(MissingInputError, match=r"chains\.csv is not there"):
        archive(tmp_path).chain(DAY)
    with pytest.raises(MissingInputError, match="not a folder"):
        archive(tmp_path / "none").chain(DAY)
    with pytest.raises(UpstreamError, match="no chain of anything for 20261120") as caught:
        archive(tmp_path, files="{date:%Y%m}*.csv").chain(DAY)
    assert "run.without: ['20261120']" in caught.value.fix
    put(tmp_path, name="202611a.csv"), put(tmp_path, name="202611b.csv")
    with pytest.raises(BadDataError, match="2 files may hold"):
        archive(tmp_path, files="{date:%Y%m}*.csv").chain(DAY)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(ROWS.replace("Strike", "Strkie"), "missing: Strike; there twice: none", id="fault-12-renamed"),
        pytest.param(ROWS.replace(",IV", ",Vol").replace("Bid", "B"), "missing: Bid, IV", id="fault-12-two-missing"),
        pytest.param(ROWS.replace("Notes", "Bid"), "there twice: Bid", id="fault-12-twice"),
        pytest.param("<html><body>Busy</body></html>\n", "missing: Symbol", id="fault-07-html"),
        pytest.param(HEAD, "nothing below it", id="header-only"),
        pytest.param("", "missing: Symbol", id="empty"),
        pytest.param("x" * 200_000, "field larger than field limit", id="one-endless-line"),
        pytest.param(ROWS + "SPY,11/20/2026\n", "Expected 9 columns", id="cut-in-a-row"),
        pytest.param(ROWS.replace("QQQ", "QQ\0"), "in line 4, is 0x00", id="fault-27-nul"),
        pytest.param(ROWS.encode().replace(b"QQQ", b"Q\xe9Q"), "in line 4, is 0xe9", id="fault-27-latin-1"),
        pytest.param(ROWS.replace("10.5", '"1,234.5"'), "first '1,234.5' in row 0", id="fault-13-thousands"),
        pytest.param(ROWS.replace("10.5", "1e400"), "first '1e400' in row 0", id="fault-13-too-large"),
        pytest.param(ROWS.replace("12/18/2026", "2026-12-18"), "3 cells of expiration", id="fault-13-another-date"),
    ],
)
def test_a_file_of_another_layout_is_named(tmp_path, content, said):
    path = put(tmp_path, content)
    with pytest.raises(BadDataError) as caught:
        archive(tmp_path).chain(DAY)
    assert said in caught.value.why and str(path) in caught.value.what
    assert len(str(caught.value).splitlines()) <= 5


def test_fault_13_a_few_cells_that_are_no_numbers_are_counted_and_null(tmp_path):
    good = "SPY,11/20/2026,12/18/2026,650000,call,10.5,10.7,18.25,\n"
    bad = good.replace("10.5", "N/A").replace("18.25", "-")
    put(tmp_path, HEAD + good * 198 + bad * 2)
    chain = archive(tmp_path).chain(DAY)
    assert chain.unreadable == {"bid": 2, "vendor_implied_vol": 2}
    assert chain.quotes["bid"].isna().sum() == 2 and len(chain.quotes) == 200
    put(tmp_path, HEAD + good * 197 + bad * 3)
    with pytest.raises(BadDataError, match="in bid, vendor_implied_vol") as caught:
        archive(tmp_path).chain(DAY)
    assert "'N/A' in row 197" in caught.value.why
    named = yaml.safe_load(LONG)["layout"] | {"nulls": ["N/A", "-"]}
    assert archive(tmp_path, layout=named).chain(DAY).unreadable == {}


def test_fault_13_rows_without_a_day_are_counted_and_many_of_them_refused(tmp_path):
    good, bad = "SPY,11/20/2026,12/18/2026,650000,call,1,2,18,\n", "SPY,soon,12/18/2026,650000,call,1,2,18,\n"
    put(tmp_path, HEAD + good * 199 + bad)
    chain = archive(tmp_path).chain(DAY)
    assert chain.unreadable == {"trade_date": 1} and len(chain.quotes) == 199
    put(tmp_path, HEAD + good * 9 + bad.replace("soon", ""))
    with pytest.raises(BadDataError, match="in trade_date") as caught:
        archive(tmp_path).chain(DAY)
    assert "first None in row 9" in caught.value.why


def test_the_time_of_capture(tmp_path):
    timed = ROWS.replace("Notes", "At").replace(",x\n", ",2026-11-20 16:15:01\n")
    put(tmp_path, timed)
    assert archive(tmp_path).chain(DAY).captured_at == ""
    columns = "quote_time: {column: At, zone: America/New_York}, bid: Bid"
    assert archive(tmp_path, LONG.replace("bid: Bid", columns)).chain(DAY).captured_at == "2026-11-20T21:15:01Z"
    unzoned = archive(tmp_path, LONG.replace("layout: {", "layout: {captured: At, "))
    assert unzoned.chain(DAY).captured_at == "2026-11-20T16:15:01"


# The real files.

CBOE = """\
{vendor: cboe_eod, files: '{ticker}/{date:%Y-%m-%d}.csv.gz', tickers: {_SPX: SPX, SPY: SPY}, layout: {columns: {
  trade_date: {column: last_trade_time, greatest: true}, contract_symbol: option, expiration: expiry, strike: strike,
  option_type: right, bid: bid, ask: ask, bid_size: bid_size, ask_size: ask_size, last_price: last_trade_price,
  volume: volume, open_interest: open_interest, vendor_implied_vol: iv,
  last_trade_time: {column: last_trade_time, zone: America/New_York}}}}
"""
SEED = """\
{vendor: yahoo_csv, files: spy_20250822.csv, layout: {captured: fetch_timestamp, columns: {
  underlying: underlying_symbol, trade_date: {column: simulated_trade_date, greatest: true},
  expiration: expiration_date, strike: strike, option_type: {column: contract_type, values: {call: C, put: P}},
  bid: bid, ask: ask, last_price: last_price, volume: volume, open_interest: open_interest,
  underlying_price: underlying_price, vendor_implied_vol: implied_volatility, vendor_price: market_price}}}
"""
HISTORY = """\
{vendor: history, files: spx_prices_2008_2012.csv.gz, layout: {columns: {
  underlying: {constant: SPX}, trade_date: date, contract_symbol: option_symbol,
  underlying_price: underlying_price, vendor_price: market_price}}}
"""


@pytest.mark.market
def test_a_cboe_day_is_the_one_of_its_own_reader(market):
    ours = archive(market / "cboe_eod", CBOE).chain("20260805").quotes
    theirs = CboeEod(market / "cboe_eod", ["_SPX", "SPY"]).chain("20260805").quotes
    elsewhere = ["underlying_price", "quote_time"]  # they stand in underlying.csv
    pd.testing.assert_frame_equal(ours.drop(columns=elsewhere), theirs.drop(columns=elsewhere))
    assert len(ours) > 40_000 and ours[elsewhere].isna().all(axis=None)


@pytest.mark.market
def test_a_cboe_capture_of_the_day_before_is_not_taken_for_its_name(market):
    with pytest.raises(UpstreamError, match="20260723") as caught:
        archive(market / "cboe_eod", CBOE).chain("20260723")
    assert "20260722" in caught.value.why


@pytest.mark.market
def test_the_seed_is_the_one_of_its_own_reader(market):
    ours = archive(market / "seed", SEED).chain("20250822")
    theirs = YahooCsv(market / "seed" / "spy_20250822.csv").chain("20250822")
    pd.testing.assert_frame_equal(ours.quotes, theirs.quotes)
    assert ours.captured_at == theirs.captured_at and len(ours.quotes) == 496


@pytest.mark.market
def test_a_day_of_the_years_2008_to_2012(market):
    file = pd.read_csv(market / "long_history" / "spx_prices_2008_2012.csv.gz")
    file = file[file["date"] == "2008-10-10"]
    quotes = archive(market / "long_history", HISTORY).chain("20081010").quotes
    assert quotes["vendor_price"].tolist() == file["market_price"].tolist()
    assert quotes["strike"].tolist() == file["strike_price"].tolist()
    assert quotes["option_type"].map({"C": "call", "P": "put"}).tolist() == file["type"].tolist()
    assert quotes[["bid", "ask", "volume"]].isna().all(axis=None)
    assert set(quotes["settlement"]) <= {"am", "pm"}
