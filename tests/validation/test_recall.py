"""The rules against a market whose truth is known: planted defects are found, and little else."""

import pandas as pd
import pytest

from options_pricing.run.params import Validation
from options_pricing.sources.simulated import SimulatedMarket
from options_pricing.validation.engine import validate

FOUND_BY = {
    "broken_parity": "B05",
    "crossed": "P03",
    "negative": "P01",
    "null_quote": "P01",
    "duplicate": "I05",
    "expired": "I02",
}
# A single row of yesterday's quotes is still a quote that could be true; F07 looks for a whole feed that stands still.
NOT_COVERED = {"stale"}


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    """Two days of raw rows with their planted defect and the rules they fail."""
    market = SimulatedMarket(99, ("XIDX", "XETF", "XTEC", "XOIL"), "normal", 0.05)
    days = []
    for day in ("20261117", "20261118"):
        chain = market.chain(day)
        result = validate(chain.quotes, [], day, Validation())
        assert result.halts == []
        ids = result.quarantine.set_index("raw_row")["rule_ids"].reindex(range(len(chain.quotes))).fillna("")
        days.append(chain.quotes.assign(ids=ids.to_numpy(), defect=chain.truth["defect"].to_numpy()))
    return pd.concat(days, ignore_index=True)


def test_the_simulated_market_plants_what_is_scored_here(judged: pd.DataFrame) -> None:
    assert set(judged["defect"].dropna()) == set(FOUND_BY) | NOT_COVERED


@pytest.mark.parametrize("defect", FOUND_BY)
def test_planted_defects_are_found_by_their_rule(judged: pd.DataFrame, defect: str) -> None:
    planted = judged[judged["defect"] == defect]
    assert len(planted) > 50
    assert planted["ids"].str.contains(FOUND_BY[defect]).mean() >= 0.99


def test_sound_rows_are_left_alone(judged: pd.DataFrame) -> None:
    sound = judged[judged["defect"].isna()]
    natural = sound["ids"].str.contains("P02|P04")  # no bid, or a lazy wide quote
    assert (natural == (sound["ids"] != "")).mean() > 0.999
    assert sound["ids"].str.contains("P02").sum() == (sound["bid"] == 0).sum()
    assert (sound["ids"].str.contains("P04") & ~sound["ids"].str.contains("P02")).mean() < 0.01
