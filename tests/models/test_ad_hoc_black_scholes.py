import numpy as np

from options_pricing.models.ad_hoc_black_scholes import LOWEST_VOL, AdHocBlackScholes
from options_pricing.models.base import asked, eligible_quotes
from options_pricing.run.params import Train


def parabola(quotes):
    strike, years = quotes["strike"] / 100, quotes["year_fraction"]
    return 0.9 - 1.1 * strike + 0.4 * strike**2 + 0.1 * years - 0.05 * years**2 + 0.02 * strike * years


def test_a_market_that_is_the_parabola_comes_back(features):
    quotes = features[features["underlying"] == "IDX"].assign(implied_vol=parabola)
    told = AdHocBlackScholes(Train()).fit(quotes).predict(asked(quotes))
    np.testing.assert_allclose(told, quotes["implied_vol"], rtol=1e-8)


def test_it_knows_the_last_day_only(features):
    last = features["trade_date"].max()
    earlier = features.assign(implied_vol=features["implied_vol"].where(features["trade_date"] == last, 0.5))
    quotes = asked(eligible_quotes(features, 7, 400))
    both = [AdHocBlackScholes(Train()).fit(table).predict(quotes) for table in (features, earlier)]
    np.testing.assert_array_equal(*both)


def test_a_vol_is_never_under_one_percent(features):
    model = AdHocBlackScholes(Train()).fit(features)
    far = asked(features).assign(strike=features["strike"] * np.linspace(0.1, 9, len(features)))
    told = model.predict(far)
    assert (told >= LOWEST_VOL).all()


def test_no_forward_no_vol(features):
    told = AdHocBlackScholes(Train()).fit(features).predict(asked(features.head(2).assign(forward=np.nan)))
    assert np.isnan(told).all()
