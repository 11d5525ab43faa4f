"""Repair: the nearest prices without static arbitrage, inside bid and ask, beside their originals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from options_pricing.quotes.schema import REPAIRED, names
from options_pricing.run.params import Validation
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.surface.arbitrage import find_violations
from options_pricing.validation.chain import Chain
from options_pricing.validation.engine import validate
from options_pricing.validation.repair import repair, summary
from tests.validation.conftest import DAY, listed

SPX = ("SPX", "2026-12-18")


def violations(chain: Chain, repaired: pd.DataFrame, column: str = "repaired_mid") -> pd.DataFrame:
    """What the independent checker finds among the prices of one underlying, American ones without their premium."""
    points = chain.market.points
    kept = chain.usable[points.row]
    points = points.take(kept)
    original = (points.low + points.high) / 2
    change = repaired.set_index("raw_row")[column].reindex(points.row).to_numpy() - chain.mid[points.row]
    parity = np.where(points.call, 0.0, 1 - points.k)
    table = pd.DataFrame(
        {
            "underlying": chain.table["underlying"].to_numpy()[points.row],
            "year_fraction": points.years,
            "strike": points.k * points.forward,
            "option_type": np.where(points.call, "C", "P"),
            "forward": points.forward,
            "discount_factor": points.unit / points.forward,
            "price": (original - parity) * points.unit + change,
        }
    )
    # A price that is written down and read again is exact to 1e-16 of itself.
    parts = [find_violations(part, price="price", tolerance=2e-12) for _, part in table.groupby("underlying")]
    return pd.concat(parts)


@pytest.fixture
def spoilt(clean, row_of):
    """A call whose wide quote has its mid 11 over where it was: above the chord of its neighbours."""
    row = row_of(clean, *SPX, 5200.0, "C")
    clean.loc[row, "bid"] -= 3.0
    clean.loc[row, "ask"] += 40.0
    return clean, row


def test_clean_prices_stay_as_they_are(clean) -> None:
    repaired = repair(Chain(clean, DAY))
    assert list(repaired.columns) == names(REPAIRED)
    assert len(repaired) == len(clean) / 2  # those out of the money
    assert repaired["change"].abs().max() < 1e-5 and repaired["inside"].all()
    assert repaired["raw_row"].is_monotonic_increasing


def test_only_what_breaks_is_moved_and_stays_inside_its_spread(spoilt) -> None:
    table, row = spoilt
    chain = Chain(table, DAY)
    before = repair(chain).assign(repaired_mid=lambda told: told["mid"])
    assert len(violations(chain, before)) > 0
    repaired = repair(chain).set_index("raw_row")
    assert repaired.index[repaired["change"].abs() > 1e-4].tolist() == [row]
    assert repaired.loc[row, "change"] < -1 and repaired["inside"].all()
    assert len(violations(chain, repaired.reset_index())) == 0
    assert (repaired["mid"] == (table["bid"] + table["ask"])[repaired.index] / 2).all()


def test_the_change_is_the_least_there_is(spoilt) -> None:
    """One convexity constraint binds, on the chord between 5100 and 5300: the price comes down to it and no further."""
    table, row = spoilt
    table = table[(table["root"] == "SPX") & (table["expiration"] == "2026-12-18")]
    told = repair(Chain(table, DAY)).set_index("strike")
    chord = (told.loc[5100.0, "mid"] + told.loc[5300.0, "mid"]) / 2
    assert told.loc[5200.0, "raw_row"] == row
    assert told.loc[5200.0, "repaired_mid"] == pytest.approx(chord, abs=1e-4)


def test_arbitrage_that_can_be_traded_leaves_the_spread_and_says_so(clean, row_of) -> None:
    clean = clean[clean["root"] == "SPX"].reset_index(drop=True)
    row = row_of(clean, *SPX, 5200.0, "C")
    clean.loc[row, ["bid", "ask"]] += 20.0
    chain = Chain(clean, DAY)
    repaired = repair(chain)
    assert repaired.loc[~repaired["inside"], "raw_row"].tolist() == [row]
    assert len(violations(chain, repaired)) == 0
    told = summary(repaired)
    assert (told["quotes"], told["outside"]) == (34, 1) and told["changed"] >= 1 and told["largest_change"] > 5


def test_rows_that_were_put_aside_are_neither_repaired_nor_heard(clean, row_of) -> None:
    row = row_of(clean, *SPX, 5200.0, "C")
    clean.loc[row, ["bid", "ask"]] += 20.0
    judged = validate(clean, [], DAY, Validation(repair="lp"))
    assert row in judged.quarantine["raw_row"].tolist()
    repaired = repair(judged.chain)
    assert row not in repaired["raw_row"].tolist()
    assert repaired["change"].abs().max() < 1e-4


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.floats(0.2, 3.0))
def test_any_noise_is_repaired(clean, seed: int, size: float) -> None:
    """Quotes moved about by up to `size` of their spreads, in two expirations and two roots."""
    random = np.random.default_rng(seed)
    table = clean[clean["underlying"] == "SPX"].reset_index(drop=True)
    moved = np.round(size * (table["ask"] - table["bid"]) * random.uniform(-1, 1, len(table)), 1)
    table["bid"], table["ask"] = np.maximum(table["bid"] + moved, 0.1), np.maximum(table["ask"] + moved, 0.2)
    chain = Chain(table, DAY)
    assert len(violations(chain, repair(chain))) == 0


def test_nothing_usable_is_nothing_repaired(clean) -> None:
    chain = Chain(clean, DAY)
    chain.put_aside(np.ones(len(clean), dtype=bool))
    assert len(repair(chain)) == 0
    assert len(repair(Chain(clean.iloc[:0], DAY))) == 0
    assert summary(repair(chain)) == {"quotes": 0, "changed": 0, "outside": 0, "largest_change": 0.0}
    alone = Chain(listed("SPX", "2026-12-18", [4800.0, 5000.0], 5000.0, 0.1), DAY)
    assert len(repair(alone)) == 0  # two pairs tell no forward


@pytest.mark.market
@pytest.mark.parametrize("ticker", ["SPY"])
def test_a_real_day_is_free_of_arbitrage_inside_its_spreads(market: Path, ticker: str) -> None:
    quotes = CboeEod(market / "cboe_eod", [ticker]).chain("20260730").quotes
    judged = validate(quotes, [], "20260730", Validation(repair="lp"))
    repaired = repair(judged.chain)
    assert len(repaired) > 5000
    assert repaired["inside"].mean() > 0.999
    assert len(violations(judged.chain, repaired)) == 0
    assert repaired["change"].abs().median() < 0.01
