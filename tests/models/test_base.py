import numpy as np
import pandas as pd
import pytest

from options_pricing.models.base import ASKED, asked, eligible_quotes, last_days, standardised_moneyness
from options_pricing.models.registry import MODELS, make_model
from options_pricing.quotes.schema import FEATURES, names
from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Train

KNOWN_ONLY_AFTERWARDS = [
    "bid",
    "ask",
    "mid",
    "implied_vol",
    "total_variance",
    "vol_time",
    "early_exercise_premium",
    "vendor_implied_vol",
    "vendor_price",
    "volume",
    "open_interest",
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
]


def one(features, **changes):
    """One eligible call, changed."""
    call = eligible_quotes(features, 7, 400)
    return call[call["option_type"] == "C"].head(1).assign(**changes)


def test_a_model_is_asked_with_columns_that_are_known_without_the_answer():
    assert set(ASKED) <= set(names(FEATURES))
    assert not set(ASKED) & set(KNOWN_ONLY_AFTERWARDS)


@pytest.mark.parametrize(
    "changes",
    [
        {"bid": 0.0},
        {"ask": np.nan},
        {"implied_vol": np.nan},
        {"implied_vol": 0.0},
        {"implied_vol": np.inf},
        {"forward": np.nan},
        {"discount_factor": np.nan},
        {"year_fraction": 0.0},
        {"option_type": "P"},
        {"expiration": pd.Timestamp("2030-01-18")},
    ],
)
def test_what_cannot_be_judged_is_not_eligible(features, changes):
    assert len(eligible_quotes(one(features), 7, 400)) == 1
    assert eligible_quotes(one(features, **changes), 7, 400).empty


@pytest.mark.parametrize(("days", "kept"), [(6, False), (7, True), (400, True), (401, False)])
def test_both_ends_of_the_window_are_eligible(features, days, kept):
    quote = one(features)
    quote["expiration"] = quote["trade_date"] + pd.Timedelta(days=days)
    assert len(eligible_quotes(quote, 7, 400)) == kept


def test_a_call_struck_at_the_forward_is_out_of_the_money_and_a_put_is_not(features):
    at = one(features)
    at["strike"] = at["forward"]
    assert len(eligible_quotes(at, 7, 400)) == 1
    assert eligible_quotes(at.assign(option_type="P"), 7, 400).empty


def test_the_last_day_is_each_underlyings_own(features):
    newest = features["trade_date"].max()
    earlier = features[~((features["underlying"] == "ETF") & (features["trade_date"] == newest))]
    found = last_days(earlier).groupby("underlying")["trade_date"].unique()
    assert found["IDX"] == [newest] and found["ETF"] == [sorted(features["trade_date"].unique())[-2]]


def test_standardised_moneyness_is_that_of_the_features(features):
    np.testing.assert_allclose(standardised_moneyness(features), features["standardised_moneyness"])


@pytest.mark.parametrize("name", MODELS)
def test_corrupting_what_is_not_asked_changes_no_prediction(features, quick, name):
    model = make_model(name, quick).fit(features[features["trade_date"] < features["trade_date"].max()])
    today = features[features["trade_date"] == features["trade_date"].max()]
    unknown = [c for c in today.columns if c not in ASKED]
    rubbish = today.copy()
    for column in unknown:
        rubbish[column] = rubbish[column].iloc[::-1].to_numpy()
    for before, after in zip(
        model.predict_with_prices(today), model.predict_with_prices(rubbish[[*unknown, *ASKED]]), strict=True
    ):
        assert (before == after).all()
    assert (model.price(asked(today)) == model.price(today)).all()


@pytest.mark.parametrize("name", MODELS)
def test_an_underlying_it_does_not_know_and_a_missing_forward_give_nan(features, quick, name):
    model = make_model(name, quick).fit(features[features["underlying"] == "IDX"])
    today = features[features["trade_date"] == features["trade_date"].max()].copy()
    known = today["underlying"] == "IDX"
    today.loc[known[known].index[:3], "forward"] = np.nan
    told = known & today["forward"].notna()
    for values in model.predict_with_prices(asked(today)):
        assert (np.isfinite(values) == told).all()


@pytest.mark.parametrize("name", MODELS)
def test_predictions_do_not_depend_on_what_else_is_asked(features, quick, name):
    model = make_model(name, quick).fit(features[features["trade_date"] < features["trade_date"].max()])
    today = asked(eligible_quotes(features[features["trade_date"] == features["trade_date"].max()], 7, 400))
    vols, prices = model.predict_with_prices(today)
    for row in range(0, len(today), 37):
        alone = model.predict_with_prices(today.iloc[[row]])
        assert (alone[0][0], alone[1][0]) == (vols[row], prices[row])


@pytest.mark.parametrize("name", MODELS)
def test_nothing_to_fit_is_refused(features, name):
    with pytest.raises(BadDataError, match="no quote of"):
        make_model(name, Train()).fit(features.assign(bid=0.0))


@pytest.mark.parametrize("name", MODELS)
def test_nothing_asked_gives_nothing(features, quick, name):
    vols, prices = make_model(name, quick).fit(features).predict_with_prices(asked(features).iloc[:0])
    assert len(vols) == len(prices) == 0
