"""A made-up market, and predictions of it, for tests of evaluation."""

import pandas as pd
import pytest

from options_pricing.evaluation.evaluate import Judged, judge
from options_pricing.evaluation.protocols import Setting
from options_pricing.run.params import Boosted, Train
from tests.made_up_features import Market, make_features


@pytest.fixture(scope="session")
def setting() -> Setting:
    """How models are made and judged here."""
    train = Train(boosted=Boosted(max_iter=20, min_samples_leaf=40))
    return Setting(train, held_out=0.2, seed=42)


@pytest.fixture(scope="session")
def features() -> pd.DataFrame:
    """Five days of an index and a fund whose options are American."""
    market = Market(underlyings=("IDX", "ETF"), american=("ETF",), expirations=(20, 41, 104, 398, 460), strikes=15)
    return make_features(market)


@pytest.fixture(scope="session")
def judged(features: pd.DataFrame, setting: Setting) -> Judged:
    """What next_day and same_day gave."""
    return judge(features, ["next_day", "same_day"], setting)
