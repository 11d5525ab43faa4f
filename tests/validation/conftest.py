"""A clean chain to spoil, and short ways to ask a rule about it."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from options_pricing.pricing.black import black_price
from options_pricing.quotes.osi import build_symbols, describe_roots
from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import conform
from options_pricing.validation.chain import Chain
from options_pricing.validation.rule import Finding, Rule

DAY = "20261118"
RATE, YIELD, VOL = 0.04, 0.015, 0.3

Failing = Callable[..., list[int]]


def listed(
    root: str, expiration: str, strikes: Sequence[float], spot: float, tick: float, vol: float = VOL
) -> pd.DataFrame:
    """Calls and puts of one expiration at Black prices, two ticks and 1 % wide, on ticks."""
    grid = pd.DataFrame({"strike": np.repeat(strikes, 2), "option_type": ["C", "P"] * len(strikes)})
    years = (pd.Timestamp(expiration) - pd.Timestamp(DAY)).days / 365
    forward, discount = spot * np.exp((RATE - YIELD) * years), np.exp(-RATE * years)
    price = black_price(forward, grid["strike"], years, discount, vol, grid["option_type"])
    facts = describe_roots(pd.Series([root] * len(grid)))
    table = grid.assign(
        source="made",
        underlying=facts["underlying"],
        root=root,
        trade_date=pd.Timestamp(DAY),
        expiration=pd.Timestamp(expiration),
        exercise_style=facts["exercise_style"],
        settlement=facts["settlement"],
        multiplier=100.0,
        bid=np.round(np.floor(price * 0.995 / tick) * tick, 10),
        ask=np.round(np.ceil(price * 1.005 / tick + 1) * tick, 10),
        bid_size=10.0,
        ask_size=10.0,
        volume=5.0,
        open_interest=100.0,
        underlying_price=spot,
        quote_time=pd.Timestamp("2026-11-18T21:15:00Z"),
    )
    table["contract_symbol"] = build_symbols(table["root"], table["expiration"], table["option_type"], table["strike"])
    return table


def clean_chain() -> pd.DataFrame:
    """An index with two roots on one date, and a fund: 138 rows, on ten-cent and one-cent ticks."""
    index, fund = np.arange(4200.0, 5801.0, 100.0), np.arange(420.0, 581.0, 10.0)
    parts = [
        listed("SPX", "2026-12-18", index, 5000.0, 0.1),
        listed("SPXW", "2026-12-18", index, 5000.0, 0.1),
        listed("SPX", "2027-03-19", index, 5000.0, 0.1),
        listed("SPY", "2026-12-18", fund, 500.0, 0.01),
    ]
    return conform(pd.concat(parts, ignore_index=True), RAW)


CLEAN = clean_chain()


@pytest.fixture
def clean() -> pd.DataFrame:
    """The clean chain; a test may change it."""
    return CLEAN.copy()


@pytest.fixture
def judged() -> Callable[..., Finding]:
    """What a rule finds in a table."""

    def judge(rule: Rule, table: pd.DataFrame, previous: Sequence[pd.DataFrame] = (), **changed: float) -> Finding:
        return rule(Chain(table, DAY, previous), **changed)

    return judge


@pytest.fixture
def failing(judged: Callable[..., Finding]) -> Failing:
    """The numbers of the rows that a rule fails."""

    def rows(rule: Rule, table: pd.DataFrame, **changed: float) -> list[int]:
        found = judged(rule, table, **changed).rows
        assert found is not None
        return np.flatnonzero(found).tolist()

    return rows


@pytest.fixture
def row_of() -> Callable[..., int]:
    """The row of a contract in a table."""

    def row(table: pd.DataFrame, root: str, expiration: str, strike: float, option_type: str) -> int:
        named = (table["root"] == root) & (table["expiration"] == expiration) & (table["option_type"] == option_type)
        return int(table.index[named & (table["strike"] == strike)][0])

    return row
