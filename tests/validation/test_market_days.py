"""The rules on real chains: what they put aside, and that they put nothing else aside."""

from pathlib import Path

import pandas as pd
import pytest

from options_pricing.run.params import Validation
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.sources.yahoo_csv import YahooCsv
from options_pricing.validation.engine import validate

pytestmark = pytest.mark.market
EXPECTED = r"I02|P01|P02|P04"


def chains(market: Path, ticker: str) -> list[pd.DataFrame]:
    source = CboeEod(market / "cboe_eod", [ticker])
    return [source.chain(day).quotes for day in ("20260804", "20260805")]


@pytest.mark.parametrize("ticker", ["_SPX", "SPY"])
def test_real_days_pass_and_lose_what_is_dead_unbid_or_wide(market: Path, ticker: str) -> None:
    before, today = chains(market, ticker)
    judged = validate(today, [before], "20260805", Validation())
    assert judged.halts == []
    assert judged.report["usable_share"] > 0.9
    assert len(judged.validated) + len(judged.quarantine) == len(today)
    assert judged.quarantine["rule_ids"].str.contains(EXPECTED).all()
    by_id = {rule["id"]: rule["failed"] for rule in judged.report["rules"]}
    assert all(by_id[id] == 0 for id in ("I01", "I03", "I04", "I05", "I06", "P06", "B01", "B02", "B03", "B05", "U02"))
    assert by_id["P02"] == (today["bid"] == 0).sum()
    assert by_id["P01"] == (today["ask"] <= 0).sum()


def test_real_roots_of_one_date_are_no_duplicates(market: Path) -> None:
    today = chains(market, "_SPX")[1]
    key = ["expiration", "strike", "option_type"]
    assert today.duplicated(key).sum() > 1000
    kept = validate(today, [], "20260805", Validation()).validated
    assert kept.duplicated(key).any()
    merged = today.assign(root="SPX", settlement="am")
    judged = validate(merged, [], "20260805", Validation())
    assert {rule["id"]: rule["failed"] for rule in judged.report["rules"]}["I06"] > 1000


def test_the_same_real_day_again_halts(market: Path) -> None:
    before, today = chains(market, "SPY")
    again = before.assign(trade_date=today["trade_date"].iloc[0], quote_time=today["quote_time"].iloc[0])
    judged = validate(again, [before], "20260805", Validation())
    assert [halt["id"] for halt in judged.halts] == ["F07"]


def test_the_old_file_loses_its_stale_calls(market: Path) -> None:
    quotes = YahooCsv(market / "seed" / "spy_20250822.csv").chain("20250822").quotes
    judged = validate(quotes, [], "20250822", Validation())
    by_id = {rule["id"]: rule["failed"] for rule in judged.report["rules"]}
    assert by_id["P02"] == (quotes["bid"] == 0).sum() == 134
    assert by_id["B02"] == 18  # calls from 220 to 345 with quotes of weeks before
    assert by_id["I03"] == 0
    assert judged.halts == []
