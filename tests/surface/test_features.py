"""Features of made-up days, and of real ones against the independent scorer."""

import importlib.util

import numpy as np
import pandas as pd
import pytest

from options_pricing.pricing.american import american_price
from options_pricing.pricing.black import black_price, price_and_greeks
from options_pricing.pricing.implied_vol import implied_vol
from options_pricing.quotes.schema import FEATURES, names
from options_pricing.run.calendar import session_close
from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Features
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.sources.yahoo_csv import YahooCsv
from options_pricing.surface.features import MADE, build_features, describe, years_to_expiry
from options_pricing.surface.zero_curve import ZeroCurve
from tests.surface.made_chain import DAY, RATE, made_chain

PARAMS, CURVE = Features(), ZeroCurve.flat(RATE)
TERMS = ("forward", "strike", "year_fraction", "discount_factor", "implied_vol", "option_type")


def validated(quotes):
    return quotes.assign(raw_row=np.arange(len(quotes)), warnings=None)


@pytest.fixture(scope="module")
def european():
    chain = made_chain("IDX", spot=5000.0)
    return chain, build_features(chain, PARAMS, curve=CURVE)


@pytest.fixture(scope="module")
def american():
    chain = made_chain("ETF", spot=500.0, style="american", days=(9, 93, 275))
    return chain, build_features(chain, PARAMS, curve=CURVE)


@pytest.mark.parametrize("style", ["european", "american"])
def test_fault_26_blocks_of_rows_make_no_difference(request, style, monkeypatch):
    chain, features = request.getfixturevalue(style)
    monkeypatch.setattr("options_pricing.surface.features.ROWS_AT_ONCE", 7)
    pd.testing.assert_frame_equal(build_features(chain, PARAMS, curve=CURVE), features)


def test_european_vols_come_back(european):
    chain, features = european
    out = features["out_of_the_money"] & (features["mid"] > 0.01)
    assert out.sum() > 100
    np.testing.assert_allclose(features["implied_vol"][out], chain["true_vol"][out], rtol=1e-6)
    assert (features["early_exercise_premium"] == 0).all()


def test_american_vols_come_back_in_and_out_of_the_money(american):
    chain, features = american
    without_vol = american_price(
        500.0, chain["strike"], features["year_fraction"], RATE, 0.012, 0.0, chain["option_type"]
    )
    held = features["mid"] > without_vol + 0.02
    assert (held & ~features["out_of_the_money"]).sum() > 40
    np.testing.assert_allclose(features["implied_vol"][held], chain["true_vol"][held], atol=5e-4)


def test_premium_takes_the_american_price_to_blacks(american):
    _, features = american
    kept = features[features["implied_vol"].notna()]
    black = black_price(
        *(kept[c] for c in ("forward", "strike", "year_fraction", "discount_factor", "implied_vol", "option_type"))
    )
    np.testing.assert_allclose(kept["european_price"], black, atol=1e-9)
    np.testing.assert_allclose(kept["mid"] - kept["early_exercise_premium"], kept["european_price"], rtol=1e-12)
    far_put = kept[(kept["option_type"] == "P") & (kept["strike"] > 540) & (kept["year_fraction"] > 0.5)]
    assert (far_put["early_exercise_premium"] > 1).all() and len(far_put)


def test_columns_are_what_their_names_say(european):
    _, f = european
    assert list(f.columns) == names(FEATURES)
    np.testing.assert_allclose(f["mid"], (f["bid"] + f["ask"]) / 2)
    np.testing.assert_allclose(f["moneyness"], f["strike"] / f["forward"])
    np.testing.assert_allclose(f["log_moneyness"], np.log(f["strike"] / f["forward"]))
    np.testing.assert_allclose(f["standardised_moneyness"], f["log_moneyness"] / np.sqrt(f["year_fraction"]))
    np.testing.assert_allclose(f["total_variance"], f["implied_vol"] ** 2 * f["year_fraction"])
    np.testing.assert_allclose(f["vol_time"], f["implied_vol"] * np.sqrt(f["year_fraction"]))
    is_out = np.where(f["option_type"] == "C", f["strike"] >= f["forward"], f["strike"] < f["forward"])
    np.testing.assert_array_equal(f["out_of_the_money"], is_out)


def test_greeks_are_on_the_spot(european):
    _, f = european
    kept = f[f["implied_vol"].notna()]
    expected = price_and_greeks(*(kept[c] for c in TERMS), spot=5000.0)
    for name in ("delta", "gamma", "vega", "theta", "rho"):
        np.testing.assert_allclose(kept[name], getattr(expected, name), rtol=1e-4, atol=1e-6)


def test_american_delta_is_the_slope_of_the_price(american):
    chain, f = american
    row = f.index[(f["strike"] > 505) & (f["option_type"] == "P") & (f["year_fraction"] > 0.5)][0]
    terms = (f["strike"][row], f["year_fraction"][row], RATE, 0.012, chain["true_vol"][row], "P")
    up, down = (american_price(spot, *terms) for spot in (505.0, 495.0))
    assert f["delta"][row] == pytest.approx((up - down) / 10, abs=5e-3)


def test_every_row_stays_in_its_place_with_nulls_where_nothing_is_defined():
    chain = made_chain("IDX", spot=5000.0, days=(0, 30))
    priceless = chain.index == chain.index.max()
    chain.loc[priceless, ["bid", "ask"]] = [9000.0, 9010.0]
    shuffled = chain.sample(frac=1, random_state=3)
    features = build_features(shuffled, PARAMS, curve=CURVE)
    assert features["raw_row"].tolist() == shuffled["raw_row"].tolist()
    assert features.index.tolist() == shuffled.index.tolist()
    expired = features["expiration"] == pd.Timestamp(DAY)
    assert (features["year_fraction"][expired] == 0).all()
    undefined = [
        "forward",
        "discount_factor",
        "log_moneyness",
        "standardised_moneyness",
        "implied_vol",
        "delta",
        "theta",
    ]
    assert features.loc[expired, undefined].isna().all(axis=None)
    assert not features.loc[expired, "out_of_the_money"].any()
    row = features.loc[chain.index.max()]
    assert np.isnan(row["implied_vol"]) and np.isnan(row["vega"]) and row["forward"] > 0


def test_the_order_of_rows_does_not_matter(american):
    chain, features = american
    shuffled = build_features(chain.sample(frac=1, random_state=4), PARAMS, curve=CURVE).sort_index()
    pd.testing.assert_frame_equal(shuffled, features, check_exact=True)


def test_time_counts_from_the_close_or_from_an_earlier_quote():
    chain = made_chain("IDX", spot=5000.0, days=(1,), strikes=13)
    close = session_close(DAY)
    hour = 1 / (365 * 24)

    def years(quote_time):
        return years_to_expiry(chain.assign(quote_time=pd.Series(quote_time, chain.index, dtype="datetime64[s, UTC]")))

    assert years(pd.NaT) == pytest.approx(24 * hour)
    assert years(close + pd.Timedelta(hours=5)) == pytest.approx(24 * hour)
    assert years(close - pd.Timedelta(hours=2)) == pytest.approx(26 * hour)
    # Before the opening it cannot be a quote of the session: New York time taken for UTC, or yesterday's.
    assert years(close - pd.Timedelta(hours=9)) == pytest.approx(24 * hour)


def test_morning_settlement_stops_at_the_open_and_half_days_at_one():
    chain = made_chain("IDX", spot=5000.0, days=(1,), strikes=13)
    hour = 1 / (365 * 24)
    morning = years_to_expiry(chain.assign(settlement="am"))
    assert morning == pytest.approx(17.5 * hour)
    eve = chain.assign(trade_date=pd.Timestamp("2026-11-25"), expiration=pd.Timestamp("2026-11-27"))
    assert years_to_expiry(eve) == pytest.approx((48 - 3) * hour)


def test_a_quote_of_a_far_century_counts_as_one_of_the_close():
    chain = made_chain("IDX", spot=5000.0, days=(30,))
    spoilt = chain.assign(quote_time=pd.Timestamp("9999-12-31 21:00", tz="UTC").as_unit("s"))
    plain = chain.assign(quote_time=pd.Series(pd.NaT, index=chain.index, dtype="datetime64[s, UTC]"))
    assert (years_to_expiry(spoilt) == years_to_expiry(plain)).all()


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(lambda chain: chain.index == 0, id="fault-25-one-row"),
        pytest.param(lambda chain: chain["strike"] == chain["strike"].iloc[0], id="fault-25-one-strike"),
        pytest.param(lambda chain: chain["option_type"] == "C", id="fault-25-all-calls"),
        pytest.param(lambda chain: chain["strike"] > 0, id="fault-25-too-few-pairs"),
    ],
)
def test_a_day_that_tells_no_forward_has_its_other_features(kept):
    chain = made_chain("IDX", spot=5000.0, strikes=7)
    chain = chain[kept(chain)]
    features = build_features(chain, PARAMS, curve=CURVE)
    assert len(features) == len(chain) and (features["year_fraction"] > 0).all() and (features["mid"] > 0).all()
    assert features[["forward", "moneyness", "implied_vol", "delta"]].isna().all(axis=None)
    assert not features["out_of_the_money"].any()


def test_as_many_pairs_as_are_asked_for_are_enough():
    chain = made_chain("IDX", spot=5000.0, strikes=7)
    assert build_features(chain, Features(min_pairs=7))["forward"].notna().all()


def test_bad_tables_are_refused():
    chain = made_chain("IDX", spot=5000.0, days=(30,))
    with pytest.raises(BadDataError, match="no validated quote"):
        build_features(chain.iloc[:0], PARAMS, curve=CURVE)
    with pytest.raises(BadDataError, match="no trading day"):
        build_features(chain.assign(trade_date=pd.Timestamp("2026-05-23")), PARAMS, curve=CURVE)
    with pytest.raises(BadDataError, match="no trading day"):
        build_features(chain.assign(trade_date=chain["trade_date"].shift(1)), PARAMS, curve=CURVE)


def test_description_has_a_row_a_feature(european):
    _, features = european
    table = describe(features)
    assert tuple(table.index) == MADE
    assert table.loc["mid", "mean"] == pytest.approx(features["mid"].mean())
    assert table.loc["implied_vol", "null_share"] == pytest.approx(features["implied_vol"].isna().mean())
    assert table.loc["forward", "q50"] == features["forward"].median()


@pytest.fixture(scope="module")
def score(market):
    path = market.parent / "score" / "score.py"
    if not path.is_file():
        pytest.skip("the scorer (../shared/score/score.py) is not beside the chains")
    spec = importlib.util.spec_from_file_location("score", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.market
def test_a_real_index_day_agrees_with_the_scorer(market, score):
    """Forwards within what its least squares, without weights, err by; vols to the precision of its bisection."""
    features = build_features(
        validated(CboeEod(market / "cboe_eod", ("_SPX",)).chain("20260730").quotes), PARAMS, curve=CURVE
    )
    scored = score.load_day(market / "cboe_eod" / "_SPX" / "2026-07-30.csv.gz")
    both = scored.merge(features, left_on="option", right_on="contract_symbol", suffixes=("_scored", ""))
    assert len(both) == len(scored) > 9000
    months = both["year_fraction"] >= 0.2
    assert 3000 < months.sum() < 7000
    np.testing.assert_allclose(both["forward"][months], both["forward_scored"][months], rtol=5e-5)
    np.testing.assert_allclose(both["discount_factor"][months], both["discount"][months], rtol=1e-3)
    np.testing.assert_allclose(both["forward"], both["forward_scored"], rtol=1e-4)
    assert both["out_of_the_money"].mean() > 0.999
    terms = (both[c] for c in ("mid", "forward_scored", "strike_scored", "t", "discount", "is_call"))
    np.testing.assert_allclose(implied_vol(*terms), both["iv"], rtol=1e-9)
    # The scorer counts whole days, which the morning's options and those past the end of summer time are not.
    same_time = np.isclose(both["year_fraction"], both["t"], rtol=1e-12)
    assert same_time.sum() > 5000
    np.testing.assert_allclose(both["implied_vol"][same_time], both["iv"][same_time], atol=2e-3)


@pytest.mark.market
def test_a_real_day_of_american_options_makes_sense(market):
    features = build_features(
        validated(CboeEod(market / "cboe_eod", ("SPY",)).chain("20260730").quotes), PARAMS, curve=CURVE
    )
    kept = features[(features["bid"] > 0) & features["forward"].notna()]
    out = kept[kept["out_of_the_money"]]
    assert out["implied_vol"].notna().all()
    spot = kept["forward"] * kept["discount_factor"] * np.exp(kept["dividend_yield"] * kept["year_fraction"])
    assert (spot / features["underlying_price"].iloc[0] - 1).abs().max() < 0.01
    # A call and a put of one strike, near the money, have one vol: nothing in the fit asks for that.
    near = kept[kept["standardised_moneyness"].abs() < 0.1]
    sides = near.pivot_table(
        index=["expiration", "strike"], columns="option_type", values=["implied_vol", "vega", "ask", "bid"]
    )
    sides = sides.dropna()
    half_spread = sum(sides["ask"][side] - sides["bid"][side] for side in "CP") / 2 / sides["vega"]["C"]
    assert len(sides) > 300
    assert ((sides["implied_vol"]["C"] - sides["implied_vol"]["P"]).abs() / half_spread).median() < 0.25


@pytest.mark.market
def test_the_first_versions_file(market):
    quotes = YahooCsv(market / "seed" / "spy_20250822.csv").chain("20250822").quotes
    features = build_features(validated(quotes), Features(min_pairs=5))
    kept = features[features["forward"].notna() & (features["bid"] > 0)]
    assert kept["expiration"].nunique() >= 4
    assert (kept["forward"] / 645.31 - 1).abs().max() < 0.01
    assert kept.loc[kept["out_of_the_money"], "implied_vol"].between(0.03, 1.5).all()


def test_a_quote_of_a_coin_counts_from_its_own_time_and_not_from_the_close():
    quotes = pd.DataFrame(
        {
            "trade_date": pd.Timestamp("2026-11-20"),
            "quote_time": pd.to_datetime(["2026-11-20 12:00Z", "2026-11-20 23:00Z", "2026-11-20 23:00Z", None]),
            "expiration": pd.Timestamp("2026-11-21"),
            "settlement": ["utc08", "utc08", "pm", "utc08"],
        }
    )
    hours = years_to_expiry(quotes) * 365 * 24
    assert hours == pytest.approx([20, 9, 24, 11])
