import numpy as np
import pytest

from options_pricing.models.base import eligible_quotes
from options_pricing.models.flat_vol import FlatVol, level_of
from options_pricing.run.params import Train


def test_the_level_is_the_mean_of_the_quarter_nearest_the_forward(features):
    quotes = eligible_quotes(features[features["underlying"] == "IDX"], 7, 400).head(8)
    nearest = quotes["standardised_moneyness"].abs().nsmallest(2).index
    assert level_of(quotes) == pytest.approx(quotes.loc[nearest, "implied_vol"].mean())
    assert level_of(quotes.head(1)) == quotes["implied_vol"].iloc[0]


def test_every_option_of_an_underlying_has_yesterdays_vol(features):
    days = sorted(features["trade_date"].unique())
    model = FlatVol(Train()).fit(features[features["trade_date"] < days[-1]])
    today = features[features["trade_date"] == days[-1]]
    yesterday = eligible_quotes(features[features["trade_date"] == days[-2]], 7, 400)
    for underlying in ("IDX", "ETF"):
        vols = model.predict(today[today["underlying"] == underlying])
        assert np.ptp(vols) == 0
        assert vols[0] == level_of(yesterday[yesterday["underlying"] == underlying])
