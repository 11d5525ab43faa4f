"""Rules P01 to P08."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.validation import rules_price as rules

NAMES = ["priced", "zero_bid", "crossed", "spread", "tick_grid", "beyond_the_bids", "idle"]


@pytest.mark.parametrize("name", NAMES)
def test_a_clean_chain_passes(clean, failing, name) -> None:
    assert failing(getattr(rules, name), clean) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("bid", -0.1), ("bid", np.nan), ("bid", np.inf), ("ask", 0.0), ("ask", -1.0), ("ask", np.nan), ("ask", np.inf)],
)
def test_p01_no_price(clean, failing, column, value) -> None:
    clean.loc[9, column] = value
    assert failing(rules.priced, clean) == [9]


def test_p01_leaves_a_zero_bid_to_p02(clean, failing) -> None:
    clean.loc[9, "bid"] = 0.0
    assert failing(rules.priced, clean) == []
    assert failing(rules.zero_bid, clean) == [9]


def test_p03_crossed_fails_and_locked_warns(clean, judged) -> None:
    clean.loc[9, "bid"] = clean.loc[9, "ask"] + 0.1
    clean.loc[10, "bid"] = clean.loc[10, "ask"]
    clean.loc[11, ["bid", "ask"]] = 0.0
    found = judged(rules.crossed, clean)
    assert np.flatnonzero(found.rows).tolist() == [9]
    assert np.flatnonzero(found.mild_rows).tolist() == [10]


@pytest.mark.parametrize(
    ("bid", "ask", "fails"),
    [
        (100.0, 299.8, False),  # the mid, 199.9
        (100.0, 300.2, True),
        (0.1, 0.6, False),  # ten ticks of five cents
        (0.1, 0.65, True),
        (0.05, 0.5, False),
        (0.05, 0.55, True),  # ten ticks, but eleven times the bid
        (0.0, 0.5, False),
        (0.0, 0.55, True),
        (np.nan, 5.0, False),
    ],
)
def test_p04_wide_in_ticks_and_in_percent(clean, failing, bid, ask, fails) -> None:
    clean.loc[9, ["bid", "ask"]] = [bid, ask]
    assert failing(rules.spread, clean) == ([9] if fails else [])


def test_p04_counts_the_ticks_of_the_root(clean, failing, row_of) -> None:
    fund = row_of(clean, "SPY", "2026-12-18", 420.0, "P")
    clean.loc[fund, ["bid", "ask"]] = [0.02, 0.12]
    clean.loc[9, ["bid", "ask"]] = [0.1, 0.6]
    assert failing(rules.spread, clean, times_bid=100) == []
    clean.loc[fund, ["bid", "ask"]] = [0.02, 0.13]
    assert failing(rules.spread, clean, times_bid=100) == [fund]


def test_p05_cheap_by_a_threshold_of_ones_own(clean, failing) -> None:
    clean = clean[clean["underlying"] == "SPX"]
    clean.loc[9, ["bid", "ask"]] = [0.3, 0.4]
    clean.loc[10, ["bid", "ask"]] = [0.3, 0.45]
    assert failing(rules.cheap, clean) == [9]
    assert failing(rules.cheap, clean, least_mid=0.1) == []


@pytest.mark.parametrize(("price", "fails"), [(10.1, False), (10.05, True), (2.05, False), (2.01, True)])
def test_p06_the_grid_is_the_one_the_prices_show(clean, failing, price, fails) -> None:
    clean.loc[9, "ask"] = price
    assert failing(rules.tick_grid, clean) == ([9] if fails else [])


def test_p06_pennies_are_no_fault_where_all_trade_in_pennies(clean, failing, row_of) -> None:
    fund = row_of(clean, "SPY", "2026-12-18", 500.0, "P")
    clean.loc[fund, "ask"] = 23.456
    assert failing(rules.tick_grid, clean) == [fund]


def zero(table: pd.DataFrame, strikes: list[float], option_type: str) -> pd.DataFrame:
    """The table without a bid at some strikes of the fund."""
    at = (table["root"] == "SPY") & table["strike"].isin(strikes) & (table["option_type"] == option_type)
    return table.assign(bid=table["bid"].mask(at, 0.0))


def strikes_of(table: pd.DataFrame, rows: list[int]) -> list[tuple[str, float]]:
    found = table.loc[rows]
    return sorted(zip(found["option_type"], found["strike"], strict=True))


def test_p07_puts_are_walked_down_and_calls_up(clean, failing) -> None:
    table = zero(zero(clean, [450.0, 440.0], "P"), [560.0, 570.0], "C")
    assert strikes_of(table, failing(rules.beyond_the_bids, table)) == [("C", 580.0), ("P", 420.0), ("P", 430.0)]


def test_p07_one_zero_bid_is_no_end(clean, failing) -> None:
    assert failing(rules.beyond_the_bids, zero(clean, [450.0, 430.0], "P")) == []


def test_p07_in_the_money_does_not_count(clean, failing) -> None:
    assert failing(rules.beyond_the_bids, zero(clean, [540.0, 550.0], "P")) == []


def test_p07_ends_only_its_own_expiration(clean, failing) -> None:
    index = (clean["root"] == "SPX") & (clean["expiration"] == "2027-03-19") & clean["strike"].isin([4400.0, 4500.0])
    clean.loc[index & (clean["option_type"] == "P"), "bid"] = 0.0
    rows = clean.loc[failing(rules.beyond_the_bids, clean)]
    assert set(zip(rows["root"], rows["expiration"].astype(str), rows["strike"], strict=True)) == {
        ("SPX", "2027-03-19", 4200.0),
        ("SPX", "2027-03-19", 4300.0),
    }


def test_p07_a_strike_listed_twice_is_one_strike(clean, failing, row_of) -> None:
    table = zero(clean, [450.0], "P")
    again = row_of(table, "SPY", "2026-12-18", 450.0, "P")
    table = pd.concat([table, table.loc[[again]]], ignore_index=True)
    assert failing(rules.beyond_the_bids, table) == []


def test_p07_walks_from_the_underlying_where_there_is_no_forward(clean, failing) -> None:
    puts = clean[(clean["root"] == "SPY") & (clean["option_type"] == "P")].reset_index(drop=True)
    table = zero(puts, [450.0, 440.0], "P")
    assert strikes_of(table, failing(rules.beyond_the_bids, table)) == [("P", 420.0), ("P", 430.0)]


def test_p08_neither_traded_nor_held(clean, failing) -> None:
    clean.loc[9, ["volume", "open_interest"]] = 0.0
    clean.loc[10, "volume"] = 0.0
    clean.loc[11, ["volume", "open_interest"]] = np.nan
    assert failing(rules.idle, clean) == [9]


def test_p06_premiums_converted_from_a_coin_lie_on_no_grid(clean, failing) -> None:
    clean.loc[[3, 4], "bid"] = 449.684501
    assert failing(rules.tick_grid, clean) == [3, 4]
    clean.loc[4, "settlement"] = "utc08"
    assert failing(rules.tick_grid, clean) == [3]
