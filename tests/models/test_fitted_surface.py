import pickle

import numpy as np
import pytest

from options_pricing.models.base import asked, eligible_quotes
from options_pricing.models.fitted_surface import ConstrainedSurface, EssviSurface
from options_pricing.models.hybrid import half_spreads_in_log_vol
from options_pricing.run.params import Train


def last_day(features):
    quotes = eligible_quotes(features, 7, 400)
    return quotes[quotes["trade_date"] == quotes["trade_date"].max()]


@pytest.mark.parametrize(("kind", "inside"), [(EssviSurface, 0.02), (ConstrainedSurface, 0.85)])
def test_it_knows_the_last_day_and_lies_among_its_quotes(features, kind, inside):
    today = last_day(features)
    told = kind(Train()).fit(features).predict(asked(today))
    off = np.abs(np.log(told / today["implied_vol"]))
    assert np.median(off) < 0.05
    assert (off <= half_spreads_in_log_vol(today) + 1e-4).mean() > inside
    np.testing.assert_array_equal(kind(Train()).fit(today).predict(asked(today)), told)


@pytest.mark.parametrize("kind", [EssviSurface, ConstrainedSurface])
def test_no_surface_no_vol(features, kind):
    model = kind(Train()).fit(features[features["underlying"] == "IDX"])
    assert np.isnan(model.predict(asked(features[features["underlying"] == "ETF"].head(5)))).all()
    assert np.isnan(model.predict(asked(last_day(features).head(2).assign(forward=np.nan)))).all()


@pytest.mark.parametrize("kind", [EssviSurface, ConstrainedSurface])
def test_its_pickle_says_the_same(features, kind):
    model, today = kind(Train()).fit(features), asked(last_day(features))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(today), model.predict(today))
