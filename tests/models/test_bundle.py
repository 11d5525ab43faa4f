import pickle

import numpy as np
import pandas as pd
import pytest

from options_pricing.models.base import asked, eligible_quotes
from options_pricing.models.bundle import PRICED, PricingModel
from options_pricing.models.registry import MODELS, make_model
from tests.made_up_features import Market, make_features

NUMBERS = PRICED[: PRICED.index("exercise_style")]


@pytest.fixture(scope="module")
def pricing(features, quick):
    return PricingModel(make_model("boosted", quick).fit(features), features, quick.model_dump(mode="json"))


def option(**changes):
    plain = {"underlying": "IDX", "expiration": "2026-12-25", "strike": 100.0, "option_type": "C"}
    return pd.DataFrame([{**plain, **changes}])


def test_it_says_what_it_stands_on(pricing, quick):
    assert (pricing.as_of, pricing.sources, pricing.model.name) == ("20261120", ["made_up"], "boosted")
    assert pricing.train == quick.model_dump(mode="json")


@pytest.mark.parametrize("name", MODELS)
def test_listed_options_have_the_models_price(features, quick, name):
    model = make_model(name, quick).fit(features)
    pricing = PricingModel(model, features, {})
    quotes = pricing.quotes()
    told = pricing.price_options(quotes[["underlying", "expiration", "strike", "option_type"]])
    fitted = eligible_quotes(features[features["trade_date"] == features["trade_date"].max()], 7, 400)
    assert len(quotes) == len(fitted)
    vols, prices = model.predict_with_prices(asked(fitted))
    assert (told["predicted_price"] == prices).all() and (told["predicted_implied_vol"] == vols).all()
    assert not told["extrapolated"].any() and (told["reason"] == "").all()


def test_terms_and_greeks_of_listed_options_are_those_of_the_features(pricing, features):
    day = features[features["trade_date"] == features["trade_date"].max()]
    fitted = eligible_quotes(day, 7, 400).reset_index(drop=True)
    told = pricing.price_options(fitted)
    for name in ("forward", "discount_factor", "year_fraction", "delta", "gamma", "vega", "theta", "rho"):
        np.testing.assert_allclose(told[name], fitted[name], rtol=1e-6, atol=1e-9, err_msg=name)
    assert (told["exercise_style"] == fitted["exercise_style"]).all()


def test_no_american_option_is_worth_less_than_its_exercise_at_the_spot_that_is_told(pricing):
    for expiration in sorted(pricing.listed()["expiration"].unique()):
        (spot,) = pricing.price_options(option(underlying="ETF", expiration=expiration))["spot"]
        for option_type, sign in (("C", 1), ("P", -1)):
            for strike in spot * np.array([0.5, 0.8, 0.95, 1.05, 1.2, 2.0]):
                asked = option(underlying="ETF", expiration=expiration, strike=strike, option_type=option_type)
                (price,) = pricing.price_options(asked)["predicted_price"]
                assert price >= sign * (spot - strike) - 1e-9


def test_the_spot_carried_to_the_expiry_is_the_forward(pricing):
    for _, series in pricing.listed().iterrows():
        asked = option(underlying=series["underlying"], expiration=series["expiration"])
        (spot,) = pricing.price_options(asked)["spot"]
        carry = np.exp(-series["dividend_yield"] * series["year_fraction"]) / series["discount_factor"]
        assert spot * carry == pytest.approx(series["forward"], rel=1e-12)


def test_listed_series_are_told_with_their_forwards(pricing, features):
    listed = pricing.listed()
    assert len(listed) == 2 * 8
    assert {"underlying", "root", "expiration", "settlement", "exercise_style", "forward", "discount_factor"} <= set(
        listed
    )
    assert set(listed.loc[listed["underlying"] == "ETF", "exercise_style"]) == {"american"}


def test_an_unlisted_expiration_between_listed_ones_is_interpolated(pricing):
    told = pricing.price_options(option()).iloc[0]
    years = (pd.Timestamp("2026-12-25") - pd.Timestamp("2026-11-20")).days / 365
    # Christmas is no session: the plain time of day counts, and the closes of both days are alike.
    assert told["year_fraction"] == pytest.approx(years, abs=1e-9)
    assert told["discount_factor"] == pytest.approx(np.exp(-0.04 * years))
    assert told["reason"] == "" and not told["extrapolated"]
    around = pricing.price_options(
        pd.concat([option(expiration=e) for e in sorted(pricing.listed()["expiration"].unique())])
    )
    assert around["predicted_price"].min() < told["predicted_price"] < around["predicted_price"].max()


@pytest.mark.parametrize("changes", [{"expiration": "2028-06-16"}, {"expiration": "2026-11-27"}, {"strike": 300.0}])
def test_outside_the_fitted_quotes_a_price_is_marked(pricing, changes):
    told = pricing.price_options(option(**changes)).iloc[0]
    assert np.isfinite(told["predicted_price"]) and told["extrapolated"] and told["reason"] == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"underlying": "NONE"}, "does not know this underlying; it knows ETF, IDX"),
        ({"underlying": None}, "does not know this underlying"),
        ({"root": "OTHER"}, "no options of this root"),
        ({"option_type": "X"}, "option_type must be C or P"),
        ({"option_type": None}, "option_type must be C or P"),
        ({"strike": 0.0}, "strike must be"),
        ({"strike": -5}, "strike must be"),
        ({"strike": np.nan}, "strike must be"),
        ({"strike": np.inf}, "strike must be"),
        ({"strike": 1e300}, "strike must be"),
        ({"strike": "a lot"}, "strike must be"),
        ({"expiration": None}, "expiration is not a date"),
        ({"expiration": "soon"}, "expiration is not a date"),
        ({"expiration": "0001-01-01"}, "expiration is not a date"),
        ({"expiration": "9999-12-31"}, "expiration is not a date"),
        ({"expiration": "2026-11-20"}, "has expired"),
        ({"expiration": "2020-01-17"}, "has expired"),
        ({"expiration": "2045-01-20"}, "more than 10 years"),
    ],
)
def test_what_cannot_be_priced_has_a_reason_and_no_number(pricing, changes, reason):
    told = pricing.price_options(pd.concat([option(), option(**changes), option()]))
    assert reason in told["reason"].iloc[1]
    assert told[["predicted_price", "predicted_implied_vol", "delta", "vega"]].iloc[1].isna().all()
    assert not told["extrapolated"].iloc[1]
    assert told.iloc[0].equals(told.iloc[2]) and told["reason"].iloc[0] == ""


@pytest.mark.parametrize("strike", [0.0001, 1.0, 1e9])
@pytest.mark.parametrize("kind", ["C", "P"])
@pytest.mark.parametrize("underlying", ["IDX", "ETF"])
def test_absurd_strikes_have_sane_prices(pricing, strike, kind, underlying):
    told = pricing.price_options(option(strike=strike, option_type=kind, underlying=underlying)).iloc[0]
    intrinsic = max(0.0, (1 if kind == "C" else -1) * (told["forward"] - strike)) * told["discount_factor"]
    assert told["predicted_price"] == pytest.approx(intrinsic, rel=0.02, abs=1e-6)


def test_rows_come_back_in_order_on_their_own_index(pricing):
    rows = pd.concat([option(strike=k, underlying=u) for k in (90, 110) for u in ("IDX", "NONE", "ETF")])
    rows.index = [7, 7, 3, 2, 1, 0]
    told = pricing.price_options(rows)
    assert told.index.tolist() == [7, 7, 3, 2, 1, 0] and list(told) == PRICED
    assert told["predicted_price"].isna().tolist() == [False, True, False] * 2
    assert set(told[NUMBERS].dtypes) == {np.dtype(float)} and told["extrapolated"].dtype == bool
    assert pricing.price_options(rows.iloc[:0]).empty


def test_a_price_does_not_depend_on_what_else_is_asked(pricing):
    quotes = pricing.quotes()
    together = pricing.price_options(quotes)
    for row in range(0, len(quotes), 41):
        pd.testing.assert_frame_equal(pricing.price_options(quotes.iloc[[row]]), together.iloc[[row]], check_exact=True)


def test_of_two_roots_the_one_settled_at_the_close_is_meant(features, quick):
    last = features[(features["trade_date"] == features["trade_date"].max()) & (features["underlying"] == "IDX")]
    opening = last.assign(root="AAA", settlement="am", year_fraction=last["year_fraction"] - 6.5 / 24 / 365)
    both = pd.concat([last, opening], ignore_index=True)
    pricing = PricingModel(make_model("random_walk", quick).fit(both), both, {})
    listed = f"{last['expiration'].iloc[100]:%Y-%m-%d}"
    rows = pd.concat([option(expiration=listed, root=root) for root in (None, "IDX", "AAA")])
    told = pricing.price_options(rows)
    years = told["year_fraction"].tolist()
    assert years[0] == years[1] > years[2]
    assert told["series_root"].tolist() == ["IDX", "IDX", "AAA"] and told["listed"].all()
    assert not pricing.price_options(option(expiration="2026-12-12"))["listed"].any()


def test_a_pickle_prices_the_same(pricing):
    again = pickle.loads(pickle.dumps(pricing, protocol=5))
    quotes = pricing.quotes()
    pd.testing.assert_frame_equal(again.price_options(quotes), pricing.price_options(quotes), check_exact=True)
    pd.testing.assert_frame_equal(again.listed(), pricing.listed())


def test_an_expiration_that_is_not_listed_under_a_half_day_expires_at_noon_plus_one(quick):
    """2026-11-27 closes at 13:00, three hours before a plain day does."""
    features = make_features(Market(days=2, last="20261102"))
    pricing = PricingModel(make_model("random_walk", quick).fit(features), features, {})
    half, plain = pricing.price_options(pd.concat([option(expiration=f"2026-11-{d}") for d in (27, 25)]))[
        "year_fraction"
    ]
    assert (half - plain) * 365 * 24 == pytest.approx(45, abs=1e-3)
