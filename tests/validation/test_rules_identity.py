"""Rules I01 to I06."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.validation import rules_identity as rules


@pytest.mark.parametrize("name", ["strike", "expiration", "contract", "standard", "repeated", "conflicting"])
def test_a_clean_chain_passes(clean, failing, name) -> None:
    assert failing(getattr(rules, name), clean) == []


@pytest.mark.parametrize("strike", [0.0, -5.0, 1e-9, np.nan, np.inf, 4500.0004])
def test_i01_a_strike_that_is_none(clean, failing, strike) -> None:
    clean.loc[3, "strike"] = strike
    assert failing(rules.strike, clean) == [3]


def test_i01_the_grid_can_be_coarser(clean, failing) -> None:
    clean.loc[3, "strike"] = 4500.005
    assert failing(rules.strike, clean) == []
    assert failing(rules.strike, clean, grid=0.01) == [3]


@pytest.mark.parametrize("expiration", ["2026-11-17", "2026-11-18", None, "2037-01-15"])
def test_i02_expired_expiring_and_far(clean, failing, expiration) -> None:
    clean.loc[5, "expiration"] = pd.Timestamp(expiration)
    assert failing(rules.expiration, clean) == [5]


def test_i02_tomorrow_and_ten_years_pass(clean, failing) -> None:
    clean.loc[5, "expiration"] = pd.Timestamp("2026-11-19")
    clean.loc[6, "expiration"] = pd.Timestamp("2036-11-14")
    assert failing(rules.expiration, clean) == []
    assert failing(rules.expiration, clean, most_years=9) == [6]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("option_type", "X"),
        ("option_type", None),
        ("multiplier", 10.0),
        ("contract_symbol", "nonsense"),
        ("strike", 4250.0),
        ("root", "SPXW"),
        ("expiration", pd.Timestamp("2026-12-17")),
    ],
)
def test_i03_a_row_that_contradicts_itself(clean, failing, column, value) -> None:
    clean.loc[4, column] = value
    assert failing(rules.contract, clean) == [4]


def test_i03_what_is_not_given_cannot_contradict(clean, failing) -> None:
    clean.loc[4, "multiplier"] = np.nan
    clean.loc[5, "contract_symbol"] = None
    clean.loc[6, "root"] = None
    clean.loc[7, "contract_symbol"] = "SPX   " + clean.loc[7, "contract_symbol"][3:]
    assert failing(rules.contract, clean) == []


@pytest.mark.parametrize(
    ("column", "value"), [("root", "SPY1"), ("root", "2SPY"), ("settlement", None), ("exercise_style", "x")]
)
def test_i04_not_a_standard_contract(clean, failing, column, value) -> None:
    clean.loc[110, column] = value
    assert failing(rules.standard, clean) == [110]


def with_copy(table: pd.DataFrame, row: int, **changed: object) -> pd.DataFrame:
    """The table and a copy of one of its rows at the end."""
    return pd.concat([table, table.loc[[row]].assign(**changed)], ignore_index=True)


def test_i05_the_second_of_two_equal_quotes(clean, failing) -> None:
    table = with_copy(with_copy(clean, 8), 8)
    assert failing(rules.repeated, table) == [len(clean), len(clean) + 1]
    assert failing(rules.conflicting, table) == []


def test_i05_the_root_tells_contracts_apart(clean, failing, row_of) -> None:
    spx, spxw = (row_of(clean, root, "2026-12-18", 5000.0, "C") for root in ("SPX", "SPXW"))
    assert clean.loc[spx, ["bid", "ask"]].tolist() == clean.loc[spxw, ["bid", "ask"]].tolist()
    assert failing(rules.repeated, clean) == []
    assert failing(rules.conflicting, clean) == []


def test_i05_null_prices_are_equal_too(clean, failing) -> None:
    clean.loc[8, "bid"] = np.nan
    assert failing(rules.repeated, with_copy(clean, 8)) == [len(clean)]


@pytest.mark.parametrize("shift", [40.0, -40.0])
@pytest.mark.parametrize("first_is_right", [True, False])
def test_i06_the_quote_that_fits_its_neighbours_stays(clean, failing, row_of, shift, first_is_right) -> None:
    row = row_of(clean, "SPX", "2026-12-18", 5000.0, "C")
    bid, ask = clean.loc[row, "bid"], clean.loc[row, "ask"]
    table = with_copy(clean, row, bid=bid + shift, ask=ask + shift)
    if not first_is_right:
        table.loc[row, ["bid", "ask"]] = [bid + shift, ask + shift]
        table.loc[len(clean), ["bid", "ask"]] = [bid, ask]
    assert failing(rules.conflicting, table) == [len(clean) if first_is_right else row]


@pytest.mark.parametrize("unsound", ["crossed", "negative", "null"])
def test_i06_an_unsound_quote_never_wins(clean, failing, row_of, unsound) -> None:
    row = row_of(clean, "SPX", "2026-12-18", 5000.0, "C")
    bid, ask = clean.loc[row, "bid"], clean.loc[row, "ask"]
    table = with_copy(clean, row)
    # Crossed or negative with the very mid of the sound quote: only its soundness tells them apart.
    prices = {"crossed": [ask, bid], "negative": [-1.0, bid + ask + 1.0], "null": [np.nan, ask]}
    table.loc[row, ["bid", "ask"]] = prices[unsound]
    assert failing(rules.conflicting, table) == [row]


def test_i06_of_several_copies_one_contract_is_left(clean, failing, row_of) -> None:
    row = row_of(clean, "SPY", "2026-12-18", 500.0, "P")
    table = with_copy(with_copy(with_copy(clean, row), row, bid=1.0), row, ask=60.0)
    gone = set(failing(rules.conflicting, table)) | set(failing(rules.repeated, table))
    assert gone == {len(clean), len(clean) + 1, len(clean) + 2}


def test_i03_an_option_on_a_coin_is_on_one_coin(clean, failing) -> None:
    coins = [3, 4]
    clean.loc[coins, "settlement"] = "utc08"
    clean.loc[coins, "contract_symbol"] = None
    clean.loc[coins, "multiplier"] = [1.0, 100.0]
    clean.loc[7, "multiplier"] = 1.0
    assert failing(rules.contract, clean) == [4, 7]
