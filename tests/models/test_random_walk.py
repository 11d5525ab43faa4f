import numpy as np

from options_pricing.models.base import asked, eligible_quotes
from options_pricing.models.random_walk import RandomWalk
from options_pricing.run.params import Train
from tests.made_up_features import Market, make_features


def test_of_its_own_day_it_gives_every_quote_its_vol_and_mid(features):
    model = RandomWalk(Train()).fit(features)
    quotes = eligible_quotes(features[features["trade_date"] == features["trade_date"].max()], 7, 400)
    vols, prices = model.predict_with_prices(asked(quotes))
    assert (vols == quotes["implied_vol"]).all()
    np.testing.assert_allclose(prices, quotes["mid"], rtol=1e-12)


def test_when_the_smile_does_not_move_it_is_nearly_right():
    still = make_features(Market(days=2, beta=0.0, noise=0.0, strikes=41))
    first, last = sorted(still["trade_date"].unique())
    model = RandomWalk(Train()).fit(still[still["trade_date"] == first])
    tomorrow = eligible_quotes(still[still["trade_date"] == last], 7, 395)
    surface = model.surfaces_["IDX"]
    inner = tomorrow[surface.covers(tomorrow["year_fraction"], tomorrow["standardised_moneyness"])]
    assert len(inner) > 100
    np.testing.assert_allclose(model.predict(asked(inner)), inner["implied_vol"], atol=0.004)


def test_only_the_last_day_counts(features):
    last = features[features["trade_date"] == features["trade_date"].max()]
    for quotes in (features, last):
        model = RandomWalk(Train()).fit(quotes)
        assert (model.predict(asked(last)) == RandomWalk(Train()).fit(last).predict(asked(last))).all()


def test_roots_share_one_surface(features):
    index = features[features["underlying"] == "IDX"].copy()
    index.loc[index["expiration"] == index["expiration"].min(), "root"] = "IDXW"
    split, together = (RandomWalk(Train()).fit(f) for f in (index, index.assign(root="IDX")))
    assert (split.predict(asked(index)) == together.predict(asked(index))).all()
