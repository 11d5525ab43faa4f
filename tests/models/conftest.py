"""A made-up market for tests of models."""

import pandas as pd
import pytest

from options_pricing.run.params import Boosted, Train
from tests.made_up_features import Market, make_features


@pytest.fixture(scope="session")
def features() -> pd.DataFrame:
    """Five days of an index and a fund whose options are American."""
    return make_features(Market(underlyings=("IDX", "ETF"), american=("ETF",)))


@pytest.fixture(scope="session")
def many_days() -> pd.DataFrame:
    """Nine days of an index whose vol answers every return alike."""
    return make_features(Market(days=9))


@pytest.fixture(scope="session")
def quick() -> Train:
    """Params that a small market can be learnt with."""
    return Train(boosted=Boosted(max_iter=30, min_samples_leaf=40))
