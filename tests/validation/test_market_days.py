"""The rules on real chains: what is known to be wrong with them is found, and nothing else is put aside."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import conform
from options_pricing.run.errors import UpstreamError
from options_pricing.run.params import Validation
from options_pricing.sources.base import contract_terms
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.sources.yahoo_csv import YahooCsv
from options_pricing.validation.chain import Chain
from options_pricing.validation.engine import Validated, validate

pytestmark = pytest.mark.market
DEAD_UNBID_OR_WIDE = r"I02|P01|P02|P04"
# Confirmed on days that no threshold was chosen on (that was 2026-08-05).
SESSIONS = ("20260722", "20260806")
NEVER_FAIL = ("I01", "I03", "I04", "I05", "I06", "P06", "B01", "B02", "B03", "B05", "B06", "A07", "V01", "V06", "U02")


def chain_of(market: Path, ticker: str, day: str) -> pd.DataFrame:
    return CboeEod(market / "cboe_eod", [ticker]).chain(day).quotes


def failed(judged: Validated) -> dict[str, int]:
    return {rule["id"]: rule["failed"] for rule in judged.report["rules"]}


@pytest.mark.parametrize("ticker", ["_SPX", "SPY"])
@pytest.mark.parametrize("day", SESSIONS)
def test_real_days_lose_what_is_dead_unbid_or_wide_and_nothing_else(market: Path, ticker: str, day: str) -> None:
    today = chain_of(market, ticker, day)
    judged = validate(today, [], day, Validation())
    assert judged.halts == []
    assert judged.report["usable_share"] > 0.9
    assert len(judged.validated) + len(judged.quarantine) == len(today)
    other = ~judged.quarantine["rule_ids"].str.contains(DEAD_UNBID_OR_WIDE)
    assert other.mean() < 1e-3, judged.quarantine["rule_ids"][other].tolist()
    by_id = failed(judged)
    assert all(by_id[id] == 0 for id in NEVER_FAIL)
    assert by_id["P02"] == (today["bid"] == 0).sum()
    assert by_id["P01"] == (today["ask"] <= 0).sum()


def test_defect_1_a_capture_of_the_day_before_is_never_that_day(market: Path) -> None:
    """The file of 2026-07-23 holds 07-22, and that of 08-07 holds 08-06: the source has no such day."""
    for day in ("20260723", "20260807"):
        with pytest.raises(UpstreamError, match=day):
            chain_of(market, "SPY", day)


@pytest.mark.parametrize("ticker", ["_SPX", "SPY"])
def test_defect_1_the_same_quotes_under_the_next_date_halt(market: Path, ticker: str) -> None:
    """Told apart from quotes that merely did not move: between two sessions hardly any is the same."""
    before, today = (chain_of(market, ticker, day) for day in ("20260804", "20260805"))
    again = before.assign(trade_date=today["trade_date"].iloc[0], quote_time=today["quote_time"].iloc[0])
    assert [halt["id"] for halt in validate(again, [before], "20260805", Validation()).halts] == ["F07"]
    assert failed(validate(today, [before], "20260805", Validation()))["F07"] == 0


def test_defect_1_rows_of_another_day_halt(market: Path) -> None:
    quotes = chain_of(market, "SPY", "20260805")
    halts = [halt["id"] for halt in validate(quotes, [], "20260806", Validation()).halts]
    assert "F06" in halts
    dead = validate(chain_of(market, "SPY", "20260805"), [], "20260805", Validation()).quarantine
    assert dead["rule_ids"].str.contains("I02").sum() == (quotes["expiration"] <= "2026-08-05").sum() > 300


def test_defect_2_roots_of_one_date_are_no_duplicates(market: Path) -> None:
    today = chain_of(market, "_SPX", "20260805")
    key = ["expiration", "strike", "option_type"]
    assert today.duplicated(key).sum() > 1000
    kept = validate(today, [], "20260805", Validation()).validated
    assert kept.duplicated(key).any()
    merged = today.assign(root="SPX", settlement="am")
    assert failed(validate(merged, [], "20260805", Validation()))["I06"] > 1000


def test_defect_3_a_late_price_of_the_underlying_costs_no_quote(market: Path) -> None:
    """SPY's price is 0.24 % off the close on 07-22; bounds on it allow half a percent, and above that U02 warns."""
    quotes = chain_of(market, "SPY", "20260722")
    assert quotes["underlying_price"].iloc[0] == 745.6
    by_id = failed(validate(quotes, [], "20260722", Validation()))
    assert by_id["B02"] == by_id["B03"] == by_id["B05"] == by_id["U02"] == 0
    late = quotes.assign(underlying_price=747.41 * 0.985)
    assert failed(validate(late, [], "20260722", Validation()))["U02"] == 1


def test_defect_4_the_options_own_rates_are_in_range(market: Path) -> None:
    """4.34 to 4.64 % over 60 to 400 days is what the parity lines say, and what B06 has no objection to."""
    chain = Chain(chain_of(market, "_SPX", "20260805"), "20260805")
    number, first = np.unique(chain.expiry, return_index=True)
    years, discount = chain.year_fraction[first], chain.parity.discount_factor[number]
    rates = (-np.log(discount) / years)[(years > 60 / 365) & (years < 400 / 365)]
    assert ((rates > 0.040) & (rates < 0.050) | np.isnan(rates)).all()


def test_defect_5_times_of_either_clock_are_told_apart(market: Path) -> None:
    """Captured in the evening (F05 lets that pass); taken for New York time it would be of the next day."""
    quotes = chain_of(market, "_SPX", "20260805")
    assert failed(validate(quotes, [], "20260805", Validation()))["F05"] == 0
    shifted = quotes.assign(quote_time=quotes["quote_time"] - pd.Timedelta(hours=4))
    assert [halt["id"] for halt in validate(shifted, [], "20260805", Validation()).halts][:1] == ["F05"]


def test_defect_6_vendor_vols_of_zero_and_missing_trades_cost_nothing(market: Path) -> None:
    quotes = chain_of(market, "SPY", "20260805")
    assert (quotes["vendor_implied_vol"] == 0).mean() > 0.05 and quotes["last_trade_time"].isna().mean() > 0.1
    kept = validate(quotes, [], "20260805", Validation()).validated
    assert (kept["vendor_implied_vol"] == 0).any() and kept["last_trade_time"].isna().any()
    locked = [failed_and_warned(market, day) for day in ("20260803", "20260806")]
    assert locked == [(0, 1), (0, 2)]


def failed_and_warned(market: Path, day: str) -> tuple[int, int]:
    report = validate(chain_of(market, "SPY", day), [], day, Validation()).report
    entry = next(rule for rule in report["rules"] if rule["id"] == "P03")
    return entry["failed"], entry["warned"]


def test_defect_7_the_old_file_loses_its_stale_calls(market: Path) -> None:
    quotes = YahooCsv(market / "seed" / "spy_20250822.csv").chain("20250822").quotes
    judged = validate(quotes, [], "20250822", Validation())
    by_id = failed(judged)
    assert by_id["P02"] == (quotes["bid"] == 0).sum() == 134
    assert by_id["B02"] == 18  # calls from 220 to 345 with quotes of weeks before
    assert by_id["I03"] == 0
    assert judged.halts == []


@pytest.fixture(scope="module")
def intraday(market: Path) -> pd.DataFrame:
    """Every eighth name of the breadth archive: American, taken during trading, read here for it has no source."""
    parts = []
    with tarfile.open(market / "breadth" / "us_335_names_20260715.tar.gz") as archive:
        for name in sorted(name for name in archive.getnames() if name.endswith(".json"))[::8]:
            held = archive.extractfile(name)
            assert held is not None
            parts.append(raw_of(json.load(held)))
    return pd.concat(parts, ignore_index=True)


def raw_of(given: dict) -> pd.DataFrame:
    quotes = pd.DataFrame(given["quotes"])
    table = quotes.assign(
        **contract_terms(quotes["symbol"].astype("str")),
        source="breadth",
        underlying=given["symbol"],
        trade_date=pd.Timestamp("2026-07-15"),
        expiration=pd.to_datetime(quotes["expiration"]),
        option_type=quotes["side"].str[0].str.upper(),
        open_interest=quotes["openInterest"],
        underlying_price=given["underlyingPrice"],
        quote_time=pd.Timestamp(given["updated"]).tz_convert("UTC").floor("s"),
    )
    numbers = ["bid", "ask", "volume", "open_interest", "strike"]
    return conform(table.assign(**table[numbers].apply(pd.to_numeric)), RAW)


def test_defect_8_intraday_quotes_halt_unless_that_is_wanted(intraday: pd.DataFrame) -> None:
    judged = validate(intraday, [], "20260715", Validation())
    assert judged.halts[0]["id"] == "F05" and "100.0% of the rows" in judged.halts[0]["message"]


def test_defect_8_one_sided_and_crossed_quotes_are_put_aside(intraday: pd.DataFrame) -> None:
    wanted = Validation.model_validate({"rules": {"F05": {"severity": "warn"}}})
    judged = validate(intraday, [], "20260715", wanted)
    assert judged.halts == []
    bid, ask = judged.validated["bid"], judged.validated["ask"]
    assert (bid > 0).all() and (ask >= bid).all()
    one_sided = (intraday["bid"] == 0) | (intraday["ask"] == 0)
    assert 0.1 < one_sided.mean() < 0.4
    crossed = int(((intraday["bid"] > intraday["ask"]) & (intraday["ask"] > 0)).sum())
    assert failed(judged)["P03"] == crossed > 0
    # Arbitrage that can be traded and vols off the smile: stale quotes of names that hardly trade.
    late = judged.quarantine["rule_ids"]
    assert (late.str.contains("A07|V0[15]") & ~late.str.contains("I0|P0[1-4]|B0[1235]")).sum() < 0.01 * len(intraday)
