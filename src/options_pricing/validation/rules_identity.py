"""Rules on which contract a row is about: does it exist, is it alive, is it named once."""

import numpy as np
import pandas as pd

from options_pricing.quotes.osi import STRIKE_SCALE, build_symbols, describe_roots, parse_symbols
from options_pricing.quotes.schema import TERMS
from options_pricing.run.calendar import DAYS_A_YEAR
from options_pricing.validation.chain import Chain, Mask, off_grid
from options_pricing.validation.duplicates import repeated_quotes, worse_quotes
from options_pricing.validation.rule import Finding, Thresholds, rule

DAYS_A_CALENDAR_YEAR = 365.25
STRIKE_TOLERANCE = 0.5 / STRIKE_SCALE


@rule("I01", "strike not positive, or not on the grid", source="OWN", severity="quarantine", grid=0.001)
def strike(chain: Chain, limits: Thresholds) -> Finding:
    """Fails unless `K` is finite and a positive multiple of `grid`, the finest step that an option symbol can say."""
    positive = np.isfinite(chain.strike) & (chain.strike > limits["grid"] / 2)
    return Finding(rows=~positive | off_grid(np.where(positive, chain.strike, 0.0), limits["grid"]))


@rule("I02", "expired, or more than ten years away", source="OWN", severity="quarantine", most_years=10)
def expiration(chain: Chain, limits: Thresholds) -> Finding:
    """Fails without an expiration, with ``T <= 0`` at the session's close, and with ``T`` over `most_years`.

    `T` runs to the exact expiry: an option that is settled at the close of this very day has none left.
    """
    alive = chain.year_fraction > 0
    return Finding(rows=~alive | (chain.year_fraction * DAYS_A_YEAR > limits["most_years"] * DAYS_A_CALENDAR_YEAR))


@rule(
    "I03",
    "type, multiplier or symbol is not the contract's",
    source="OWN",
    severity="quarantine",
    multiplier=100,
    coin_multiplier=1,
)
def contract(chain: Chain, limits: Thresholds) -> Finding:
    """Fails unless the type is C or P, the multiplier (where given) the standard one, and the symbol (where given)
    spells the row's root, expiration, type and strike. An option on a coin (settlement utc08) is on one coin."""
    table = chain.table
    multiplier = chain.column("multiplier")
    standard = np.where(table["settlement"] == "utc08", limits["coin_multiplier"], limits["multiplier"])
    wrong = ~(chain.call | chain.put) | (np.isfinite(multiplier) & (multiplier != standard))
    return Finding(rows=wrong | _misspelt(table))


def _misspelt(table: pd.DataFrame) -> Mask:
    """Symbols that do not spell their row; building one is quicker than taking it apart, and most are right."""
    symbol = table["contract_symbol"]
    built = build_symbols(table["root"], table["expiration"], table["option_type"], table["strike"])
    suspects = np.flatnonzero((symbol.notna() & ~(built == symbol)).to_numpy(dtype=bool))
    wrong = np.zeros(len(table), dtype=bool)
    if len(suspects):
        wrong[suspects] = _says_otherwise(table.iloc[suspects])
    return wrong


def _says_otherwise(table: pd.DataFrame) -> Mask:
    said = parse_symbols(table["contract_symbol"])
    root = table["root"].isna() | (said["root"] == table["root"])
    rest = (said["expiration"] == table["expiration"]) & (said["option_type"] == table["option_type"])
    close = (said["strike"] - table["strike"]).abs() < STRIKE_TOLERANCE
    return ~(root & rest & close).to_numpy(dtype=bool)


@rule("I04", "adjusted or non-standard contract", source="OptionMetrics", severity="quarantine")
def standard(chain: Chain, limits: Thresholds) -> Finding:
    """Fails where the root is one of an adjusted or FLEX contract, or how it settles or is exercised is not known."""
    table = chain.table
    known = table["settlement"].isin(TERMS["settlement"]) & table["exercise_style"].isin(TERMS["exercise_style"])
    return Finding(rows=(describe_roots(table["root"])["adjusted"] | ~known).to_numpy(dtype=bool))


@rule("I05", "the same quote again", source="Constantinides-Jackwerth-Savov 2013", severity="quarantine")
def repeated(chain: Chain, limits: Thresholds) -> Finding:
    """Fails every row after the first with the same underlying, root, expiration, strike, type, bid and ask."""
    return Finding(rows=repeated_quotes(chain))


@rule("I06", "another quote of the same contract fits better", source="CJS 2013; Visagie 2025", severity="quarantine")
def conflicting(chain: Chain, limits: Thresholds) -> Finding:
    """Where a contract (root included) has several quotes, all fail but the one whose implied vol is nearest to the
    line between those of the neighbouring strikes. A crossed or negative quote loses in any case."""
    return Finding(rows=worse_quotes(chain))
