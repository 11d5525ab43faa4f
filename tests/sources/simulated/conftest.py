"""Markets that several tests look at."""

import pandas as pd
import pytest

from options_pricing.run.calendar import session_close, year_fractions
from options_pricing.sources.simulated import SimulatedMarket

SEED = 20261120
ALL = ("XIDX", "XETF", "XTEC", "XOIL")


@pytest.fixture(scope="session")
def clean() -> pd.DataFrame:
    """A day of the normal market without defects, quotes and truth side by side, with `year_fraction`."""
    return side_by_side(SimulatedMarket(SEED, ALL, "normal", 0.0), "20261120")


def side_by_side(market: SimulatedMarket, day: str) -> pd.DataFrame:
    chain = market.chain(day)
    table = chain.quotes.join(chain.truth.drop(columns="contract_symbol"))
    return table.assign(year_fraction=year_fractions(table["expiration"], table["settlement"], session_close(day)))
