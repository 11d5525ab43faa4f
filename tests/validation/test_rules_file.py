"""Rules on the file as a whole: F01 to F08."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.validation import rules_file as rules
from options_pricing.validation.chain import Chain

DAY_RULES = [
    rules.answers, rules.columns, rules.row_count, rules.both_sides, rules.quoted_at_the_close, rules.trading_day,
    rules.unchanged, rules.null_rates,
]  # fmt: skip


def the_day_before(table: pd.DataFrame, day: str = "2026-11-17", move: float = 1.01) -> pd.DataFrame:
    """The chain as it might have been on an earlier day."""
    return table.assign(
        trade_date=pd.Timestamp(day),
        bid=table["bid"] * move,
        ask=table["ask"] * move,
        underlying_price=table["underlying_price"] * move,
    )


@pytest.mark.parametrize("rule", DAY_RULES, ids=lambda rule: rule.id)
def test_a_clean_day_after_a_clean_day_passes(clean, judged, rule) -> None:
    found = judged(rule, clean, [the_day_before(clean)])
    assert not found.grave and not found.mild and not found.halting


@pytest.mark.parametrize(("codes", "grave"), [([], 0), ([200], 0), ([503, 500, 200], 0), ([200, 503], 1), ([404], 1)])
def test_f01_the_last_answer_decides(clean, codes, grave) -> None:
    assert len(rules.answers(Chain(clean, "20261118", meta={"response_codes": codes})).grave) == grave


def test_f01_one_page_for_two_expirations(clean) -> None:
    pages = [{"path": f"https://x/{date}", "sha256": name} for date, name in (("0818", "a"), ("0821", "b"))]
    assert not rules.answers(Chain(clean, "20261118", meta={"inputs": pages})).grave
    assert not rules.answers(Chain(clean, "20261118", meta={"inputs": [*pages, pages[0]]})).grave
    again = [*pages, {"path": "https://x/0825", "sha256": "b"}]
    said = rules.answers(Chain(clean, "20261118", meta={"inputs": again})).grave
    assert said == ("1 of 3 payloads repeat another: the source gave one page for two",)


def test_f02_missing_is_grave_and_unknown_is_mild(clean) -> None:
    given = [name for name in clean if name != "volume"] + ["colour"]
    found = rules.columns(Chain(clean, "20261118", given_columns=given))
    assert found.grave == ("columns are missing: volume",)
    assert found.mild == ("columns are unknown: colour",)


@pytest.mark.parametrize(("share", "grave", "mild"), [(0.55, 1, 0), (0.7, 0, 1), (0.9, 0, 0)])
def test_f03_rows_against_the_days_before(clean, judged, share, grave, mild) -> None:
    fund = clean.index[clean["root"] == "SPY"]
    table = clean.drop(fund[int(share * len(fund)) :]).reset_index(drop=True)
    found = judged(rules.row_count, table, [the_day_before(clean)])
    assert (len(found.grave), len(found.mild)) == (grave, mild)
    assert all("SPY" in said for said in (*found.grave, *found.mild))


def test_f03_uses_the_median_of_five_days_so_that_one_odd_day_decides_nothing(clean, judged) -> None:
    before = [the_day_before(clean, f"2026-11-{day}") for day in (10, 11, 12, 13, 16)]
    odd = the_day_before(clean).iloc[::10].reset_index(drop=True)
    found = judged(rules.row_count, clean, [odd, *before])
    assert not found.grave
    assert not any("rows" in said and "usually" in said for said in found.mild)


def test_f03_twice_the_rows_is_mild(clean, judged) -> None:
    found = judged(rules.row_count, pd.concat([clean] * 3, ignore_index=True), [the_day_before(clean)])
    assert not found.grave and len(found.mild) == 2


def test_f03_an_underlying_that_vanished_is_grave(clean, judged) -> None:
    table = clean[clean["underlying"] != "SPY"].reset_index(drop=True)
    assert "SPY has 0 rows" in judged(rules.row_count, table, [the_day_before(clean)]).grave[0]


def test_f03_an_expiration_that_vanished_is_mild_and_one_that_passed_is_not(clean, judged) -> None:
    before = the_day_before(clean)
    gone = before[before["root"] == "SPX"].assign(expiration=pd.Timestamp("2026-11-20"))
    passed = before[before["root"] == "SPXW"].assign(expiration=pd.Timestamp("2026-11-18"))
    found = judged(rules.row_count, clean, [pd.concat([before, gone.head(1), passed.head(1)], ignore_index=True)])
    assert not found.grave
    assert found.mild == ("SPX has no rows for 1 expirations of the day before: 20261120",)


def test_f03_what_expires_by_the_day_is_no_part_of_the_comparison(clean, judged) -> None:
    before = the_day_before(clean)
    large_expiration = pd.concat([before.assign(expiration=pd.Timestamp(clean["trade_date"].max()))] * 3)
    found = judged(rules.row_count, clean, [pd.concat([before, large_expiration], ignore_index=True)])
    assert not found.grave
    assert not any("usually" in said for said in found.mild)


def test_f03_no_rows_at_all(clean, judged) -> None:
    assert judged(rules.row_count, clean.iloc[:0]).grave == ("the chain has no rows",)


def test_f03_later_days_are_not_compared_with(clean, judged) -> None:
    later = the_day_before(pd.concat([clean] * 3, ignore_index=True), "2026-11-19")
    assert not judged(rules.row_count, clean, [later]).grave


def test_f04_only_one_side(clean, judged) -> None:
    calls = clean[(clean["underlying"] != "SPY") | (clean["option_type"] == "C")].reset_index(drop=True)
    assert judged(rules.both_sides, calls).grave == ("SPY has 17 calls and 0 puts",)
    assert judged(rules.both_sides, calls, share_of_rows=0.5).mild == ("SPY has 17 calls and 0 puts",)


@pytest.mark.parametrize(
    ("taken", "fails"),
    [("15:39", True), ("15:40", False), ("16:15", False), ("23:00", False), ("03:59", False), ("04:01", True)],
)
def test_f05_quotes_are_of_the_close(clean, failing, taken, fails) -> None:
    """20 minutes before the close of 16:00 until 12 hours after it; New York is 5 hours behind UTC in November."""
    day = "2026-11-19" if taken < "12" else "2026-11-18"
    clean.loc[[3, 7], "quote_time"] = pd.Timestamp(f"{day} {taken}", tz="America/New_York").tz_convert("UTC")
    assert failing(rules.quoted_at_the_close, clean) == ([3, 7] if fails else [])


def test_f05_a_half_day_closes_at_13(clean) -> None:
    table = clean.assign(trade_date=pd.Timestamp("2026-11-27"), quote_time=pd.Timestamp("2026-11-27T18:10Z"))
    assert not rules.quoted_at_the_close(Chain(table, "20261127")).rows.any()
    table["quote_time"] = pd.Timestamp("2026-11-27T17:30Z")
    assert rules.quoted_at_the_close(Chain(table, "20261127")).rows.all()
    assert not rules.quoted_at_the_close(Chain(table, "20261127"), minutes_before=30).rows.any()


@pytest.mark.parametrize(("share", "halts"), [(0.19, 0), (0.21, 1)])
def test_f05_halts_where_a_fifth_is_of_another_time(clean, judged, share, halts) -> None:
    clean.loc[: int(share * len(clean)), "quote_time"] = pd.Timestamp("2026-11-18T16:00Z")
    assert len(judged(rules.quoted_at_the_close, clean).halting) == halts


def test_f05_without_a_time_or_a_close_there_is_nothing_to_judge(clean, failing) -> None:
    assert failing(rules.quoted_at_the_close, clean.assign(quote_time=clean["quote_time"].shift(len(clean)))) == []
    around = clean.assign(source="deribit", quote_time=pd.Timestamp("2026-11-18T09:00Z"))
    assert failing(rules.quoted_at_the_close, around) == []


def test_f06_rows_of_another_day(clean, judged) -> None:
    clean.loc[[4, 9], "trade_date"] = pd.Timestamp("2026-11-17")
    found = judged(rules.trading_day, clean)
    assert np.flatnonzero(found.rows).tolist() == [4, 9]
    assert found.grave == ("2 rows are of 20261117, not of 20261118",)
    assert not judged(rules.trading_day, clean, share_of_rows=0.1).grave


@pytest.mark.parametrize(("day", "said"), [("20261121", "Saturday"), ("20261126", "holiday")])
def test_f06_no_session(clean, day, said) -> None:
    table = clean.assign(trade_date=pd.Timestamp(day), quote_time=pd.Timestamp(f"{day}T21:15Z"))
    assert said in rules.trading_day(Chain(table, day)).grave[0]


def test_f06_quotes_from_before_the_day(clean, judged) -> None:
    table = clean.assign(quote_time=pd.Timestamp("2026-11-18T04:59:00Z"))  # 23:59 in New York the evening before
    assert len(judged(rules.trading_day, table).grave) == 1
    table = clean.assign(quote_time=pd.Timestamp("2026-11-18T05:01:00Z"))
    assert not judged(rules.trading_day, table).grave
    assert not judged(rules.trading_day, clean.assign(quote_time=pd.NaT)).grave


def test_f07_yesterdays_quotes_again(clean, judged) -> None:
    same = the_day_before(clean, move=1.0)
    found = judged(rules.unchanged, clean, [same])
    assert len(found.grave) == 2 and "100.0%" in found.grave[0]
    half = same.assign(bid=same["bid"].where(same.index % 5 < 3, same["bid"] + 1))
    found = judged(rules.unchanged, clean, [half])
    assert not found.grave and len(found.mild) == 2


def test_f07_a_handful_of_equal_quotes_proves_nothing(clean, judged) -> None:
    few = clean.iloc[:10].reset_index(drop=True)
    assert not judged(rules.unchanged, few, [the_day_before(few, move=1.0)]).grave


@pytest.mark.parametrize("column", ["expiration", "strike", "option_type", "underlying"])
def test_f08_a_null_in_what_names_the_contract_is_grave(clean, judged, column) -> None:
    clean.loc[3, column] = None
    found = judged(rules.null_rates, clean)
    assert len(found.grave) == 1 and column in found.grave[0]
    assert not judged(rules.null_rates, clean, key_share=0.01).grave


@pytest.mark.parametrize(
    ("column", "rows", "mild"), [("bid", 1, 0), ("ask", 2, 1), ("volume", 27, 0), ("volume", 28, 1)]
)
def test_f08_other_nulls_are_mild_above_a_share(clean, judged, column, rows, mild) -> None:
    clean.loc[: rows - 1, column] = np.nan
    found = judged(rules.null_rates, clean)
    assert not found.grave and len(found.mild) == mild
