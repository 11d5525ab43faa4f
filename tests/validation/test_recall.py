"""The rules against a market whose truth is known: planted defects are found, and little else is put aside."""

import pandas as pd
import pytest

from options_pricing.run.params import Validation
from options_pricing.sources.simulated import SimulatedMarket
from options_pricing.validation.engine import validate

UNDERLYINGS = ("XIDX", "XETF", "XTEC", "XOIL")
DAYS = ("20261117", "20261118")
FOUND_BY = {
    "broken_parity": "B05",
    "crossed": "P03",
    "negative": "P01",
    "null_quote": "P01",
    "duplicate": "I05",
    "expired": "I02",
}
# A row of yesterday's quotes is still one that could be true. Where it is not, neighbours contradict it (V05, A07);
# F07 looks for a whole feed that stands still.
FOUND_IN_PART = "stale"


def judged_days(seed: int, density: str, defects: float) -> pd.DataFrame:
    """Raw rows of two days with their planted defect and the rules that put them aside."""
    market = SimulatedMarket(seed, UNDERLYINGS, density, defects)
    days: list[pd.DataFrame] = []
    previous: list[pd.DataFrame] = []
    for day in DAYS:
        chain = market.chain(day)
        result = validate(chain.quotes, previous, day, Validation())
        assert result.halts == []
        previous = [chain.quotes]
        ids = result.quarantine.set_index("raw_row")["rule_ids"].reindex(range(len(chain.quotes))).fillna("")
        days.append(chain.quotes.assign(ids=ids.to_numpy(), defect=chain.truth["defect"].to_numpy()))
    return pd.concat(days, ignore_index=True)


@pytest.fixture(scope="module", params=[(99, "normal"), (7, "normal"), (5, "full")], ids=str)
def spoilt(request) -> pd.DataFrame:
    """Days of which one row in twenty is defective."""
    return judged_days(*request.param, 0.05)


@pytest.fixture(scope="module", params=[(99, "normal"), (7, "normal"), (11, "tiny"), (5, "full")], ids=str)
def clean(request) -> pd.DataFrame:
    """Days without a planted defect."""
    return judged_days(*request.param, 0.0)


def test_the_simulated_market_plants_what_is_scored_here(spoilt: pd.DataFrame) -> None:
    assert set(spoilt["defect"].dropna()) == set(FOUND_BY) | {FOUND_IN_PART}


def test_planted_defects_are_put_aside_by_their_rule(spoilt: pd.DataFrame) -> None:
    for defect, id in FOUND_BY.items():
        ids = spoilt.loc[spoilt["defect"] == defect, "ids"]
        assert len(ids) > 50
        assert ids.str.contains(id).mean() >= 0.99, defect


def test_a_stale_quote_is_put_aside_where_its_neighbours_contradict_it(spoilt: pd.DataFrame) -> None:
    stale = spoilt.loc[spoilt["defect"] == FOUND_IN_PART, "ids"]
    assert stale.str.contains("V05|A07").mean() > 0.05


def falsely_aside(rows: pd.DataFrame) -> float:
    """Share of sound rows that are put aside though they have a bid; without one a row is put aside by definition."""
    sound = rows[rows["defect"].isna()]
    assert (sound["ids"].str.contains("P02") == (sound["bid"] == 0)).all()
    return float(((sound["ids"] != "") & ~sound["ids"].str.contains("P02")).mean())


def test_of_a_clean_chain_hardly_a_row_is_put_aside(clean: pd.DataFrame) -> None:
    assert falsely_aside(clean) <= 0.001
    aside = clean.loc[clean["ids"] != "", "ids"]
    assert aside.str.contains("P02|P04").all()  # no bid, or a lazy wide quote


def test_defects_do_not_take_their_neighbours_along(spoilt: pd.DataFrame) -> None:
    assert falsely_aside(spoilt) <= 0.002
