import numpy as np
import pandas as pd
import pytest

from options_pricing.models.base import asked, eligible_quotes
from options_pricing.models.random_walk import RandomWalk
from options_pricing.models.sticky_strike import StickyStrike
from options_pricing.run.params import Train
from tests.made_up_features import Market, make_features


def test_a_strike_keeps_its_vol_whatever_the_forward_does():
    """Tomorrow's chain has today's vols strike by strike (one time to expiry shorter): nothing is left to explain."""
    features = make_features(Market(days=2, returns=(0.03,), beta=0.0, noise=0.0))
    first, second = (day for _, day in features.groupby("trade_date"))
    key = ["expiration", "strike", "option_type"]
    vols = first.set_index(key)["implied_vol"]
    second = second.assign(implied_vol=vols.reindex(pd.MultiIndex.from_frame(second[key])).to_numpy())
    quotes = eligible_quotes(second, 20, 300)
    strike, walk = (kind(Train()).fit(first).predict(asked(quotes)) for kind in (StickyStrike, RandomWalk))
    error, walk_error = (np.abs(told - quotes["implied_vol"]).mean() for told in (strike, walk))
    assert error < 0.002 < 0.01 < walk_error


def test_without_a_return_it_is_the_random_walk(features):
    today = features[features["trade_date"] == features["trade_date"].max()]
    strike, walk = (kind(Train()).fit(today).predict(asked(today)) for kind in (StickyStrike, RandomWalk))
    np.testing.assert_allclose(strike, walk, rtol=1e-9)


def test_an_underlying_without_a_surface_has_no_vol(features):
    model = StickyStrike(Train()).fit(features[features["underlying"] == "IDX"])
    told = model.predict(asked(features[features["underlying"] == "ETF"]))
    assert np.isnan(told).all() and told.size


@pytest.mark.parametrize("missing", ["forward", "year_fraction"])
def test_an_option_without_terms_has_no_vol(features, missing):
    model = StickyStrike(Train()).fit(features)
    assert np.isnan(model.predict(asked(features.head(3).assign(**{missing: np.nan})))).all()
