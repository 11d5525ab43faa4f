"""Rules on the file as a whole: F02 to F08, U01, U02."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.validation import rules_file as rules
from options_pricing.validation.chain import Chain

DAY_RULES = [
    rules.columns, rules.row_count, rules.both_sides, rules.trading_day, rules.unchanged, rules.null_rates,
    rules.underlying_price, rules.simultaneous,
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
    assert not found.grave and not found.mild


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


@pytest.mark.parametrize("price", [0.0, -1.0, np.nan])
def test_u01_an_underlying_without_a_price(clean, judged, price) -> None:
    clean.loc[clean["underlying"] == "SPY", "underlying_price"] = price
    assert judged(rules.underlying_price, clean).grave == ("SPY has no positive price",)


@pytest.mark.parametrize(("move", "grave"), [(1.28, 0), (1.29, 2), (0.78, 0), (0.77, 2), (10.0, 2)])
def test_u01_a_jump(clean, judged, move, grave) -> None:
    assert len(judged(rules.underlying_price, clean, [the_day_before(clean, move=move)]).grave) == grave


def test_u02_a_price_that_the_options_do_not_know(clean, judged) -> None:
    late = clean.assign(underlying_price=clean["underlying_price"].mask(clean["underlying"] == "SPY", 492.0))
    found = judged(rules.simultaneous, late)
    assert len(found.grave) == 1 and found.grave[0].startswith("SPY is at 492")
    assert not judged(rules.simultaneous, late, share=0.02).grave
