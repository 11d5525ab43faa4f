"""The surface as others use it: made-up and real quotes, bad ones, and promises it makes."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing import Surface
from options_pricing.pricing.black import black_price
from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Features, Validation
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.surface.arbitrage import find_violations
from options_pricing.surface.features import build_features
from options_pricing.validation.engine import validate
from tests.surface.made_surface import FORWARD, made_quotes

METHODS = ["constrained", "essvi", "svi"]
FREE = ["constrained", "essvi"]
QUOTES = made_quotes(noise=0.3, seed=1)
TERMS = ("year_fraction", "strike", "forward", "discount_factor")


@pytest.fixture(scope="module")
def surfaces():
    return {method: Surface.fit(QUOTES, method) for method in METHODS}


def terms(quotes):
    return [quotes[name].to_numpy() for name in TERMS]


def prices(surface, quotes):
    return surface.prices(*terms(quotes), quotes["option_type"].to_numpy().astype(str))


def inside(surface, quotes):
    told = prices(surface, quotes)
    return ((told >= quotes["bid"] - 1e-9) & (told <= quotes["ask"] + 1e-9)).mean()


def out(quotes):
    return quotes[(quotes["option_type"] == "C") == (quotes["strike"] >= quotes["forward"])]


def held_out(quotes, share, seed=0):
    """Some quotes of each expiration, never its first or last."""
    quotes = quotes.sort_values(["root", "expiration", "strike"])
    groups = quotes.groupby(["root", "expiration"])["strike"]
    place, size = groups.cumcount(), groups.transform("size")
    held = (np.random.default_rng(seed).random(len(quotes)) < share) & (place > 0) & (place < size - 1)
    return quotes[~held], quotes[held]


def test_constrained_is_inside_bid_and_ask_and_near_the_truth(surfaces):
    assert inside(surfaces["constrained"], out(QUOTES)) == 1.0
    told, true = prices(surfaces["constrained"], out(QUOTES)), out(QUOTES)["true_price"]
    half = (out(QUOTES)["ask"] - out(QUOTES)["bid"]) / 2
    assert ((told - true).abs() / half).mean() < 0.25


@pytest.mark.parametrize("method", METHODS)
def test_vols_and_prices_are_one(surfaces, method):
    years, strike, forward, discount = terms(out(QUOTES))
    x = np.log(strike / forward) / np.sqrt(years)
    vol = surfaces[method].vols_at(years, x)
    black = black_price(forward, strike, years, discount, vol, True)
    np.testing.assert_allclose(surfaces[method].call_prices(years, strike, forward, discount), black, atol=1e-9)
    assert np.median(np.abs(vol / out(QUOTES)["true_vol"] - 1)) < 0.01


@pytest.mark.parametrize("method", FREE)
def test_no_violation_on_a_grid_of_all_times_and_strikes(surfaces, method):
    assert surfaces[method].violations().empty
    times = np.linspace(0.02, 1.0, 40)
    time, k = (values.ravel() for values in np.meshgrid(times, np.geomspace(0.3, 2.5, 160), indexing="ij"))
    table = pd.DataFrame({"year_fraction": time, "strike": 100 * k, "forward": 100.0, "discount_factor": 1.0})
    table["model"] = surfaces[method].call_prices(time, 100 * k, 100.0, 1.0)
    assert find_violations(table.assign(option_type="C"), price="model").empty


def test_quotes_with_arbitrage_inside_the_spread_give_a_surface_without():
    noisy = made_quotes(noise=0.45, seed=4)
    market = find_violations(out(noisy))
    assert len(market) > 10 and not market["actionable"].any()
    surface = Surface.fit(noisy)
    assert surface.violations().empty
    assert inside(surface, out(noisy)) > 0.99


def test_crossed_expirations_are_set_apart():
    quotes = made_quotes()
    low = quotes["year_fraction"] == 0.1
    fresh = out(quotes).assign(year_fraction=quotes["year_fraction"].where(~low, 0.0495))
    surface = Surface.fit(fresh)  # Vols of 0.1 years squeezed into a half: dearer than the expiration after it.
    assert surface.violations().empty
    assert surface.year_fraction[1] == 0.0495


@pytest.mark.parametrize("method", METHODS)
def test_puts_and_calls_keep_parity(surfaces, method):
    years, strike, forward, discount = terms(QUOTES)
    call, put = (surfaces[method].prices(years, strike, forward, discount, t) for t in "CP")
    np.testing.assert_allclose(call - put, discount * (forward - strike), atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_answer_does_not_depend_on_what_else_is_asked(surfaces, method):
    surface, random = surfaces[method], np.random.default_rng(2)
    years, x = random.uniform(0.005, 1.5, 300), random.normal(size=300) * 0.3
    together = surface.vols_at(years, x)
    alone = [surface.vols_at(years[i : i + 1], x[i : i + 1])[0] for i in range(300)]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("method", METHODS)
def test_same_quotes_same_bytes(surfaces, method):
    again = Surface.fit(QUOTES.sample(frac=1, random_state=1), method)
    content = pickle.dumps(surfaces[method])
    assert pickle.dumps(again) == content
    back = pickle.loads(content)
    assert pickle.dumps(back) == content
    np.testing.assert_array_equal(prices(back, QUOTES), prices(surfaces[method], QUOTES))


@pytest.mark.parametrize("method", METHODS)
def test_far_outside_its_data_it_answers_and_says_so(surfaces, method):
    surface = surfaces[method]
    years, x = np.array([0.25, 0.25, 0.25, 0.001, 30.0, 0.25]), np.array([0.0, -8.0, 8.0, 0.0, 0.0, -1e6])
    vols = surface.vols_at(years, x)
    assert (np.isfinite(vols) & (vols > 0)).all()
    assert surface.covers(years, x).tolist() == [True, False, False, False, False, False]
    deep = surface.call_prices(0.25, [1e-3, 1e7], FORWARD, 1.0)
    assert deep[0] == pytest.approx(FORWARD - 1e-3) and 0 <= deep[1] < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_nothing_comes_of_nothing(surfaces, method):
    surface, bad = surfaces[method], [np.nan, 0.0, -1.0]
    assert np.isnan(surface.vols_at(bad, [0.0, 0.0, 0.0])).all()
    assert np.isnan(surface.vols_at([0.5], [np.nan])).all()
    assert np.isnan(surface.call_prices(0.5, bad, 100.0, 1.0)).all()
    assert not surface.covers(bad, [0.0, 0.0, 0.0]).any()
    assert surface.vols_at(np.zeros(0), np.zeros(0)).shape == (0,)


def test_extrapolated_in_time_vols_stay_at_their_moneyness(surfaces):
    for surface in surfaces.values():
        ends = surface.vols_at([0.02, 1.0], [0.1, -0.1])
        np.testing.assert_allclose(surface.vols_at([0.001, 3.0], [0.1, -0.1]), ends, rtol=1e-9)


def test_between_expirations_variance_lies_between(surfaces):
    for surface in surfaces.values():
        at = np.array([0.25, 0.35, 0.5])
        variance = surface.vols_at(at, np.zeros(3)) ** 2 * at
        assert variance[0] < variance[1] < variance[2]
        assert variance[1] == pytest.approx(np.interp(0.35, at[[0, 2]], variance[[0, 2]]), rel=0.01)


ONE = out(made_quotes()).query("year_fraction == 0.25 and implied_vol > 0")
STRAY = ONE.tail(1).assign(strike=20_000.0, option_type="C", bid=2.0, ask=2.5, mid=2.25, implied_vol=1.4)
BAD = {
    "a stray quote far out": pd.concat([ONE, STRAY]),
    "every second quote three times as dear": ONE.assign(
        **{c: ONE[c] * np.where(np.arange(len(ONE)) % 2, 3.0, 1.0) for c in ("bid", "ask", "mid")}
    ),
    "one strike": ONE.loc[[(ONE["strike"] - FORWARD).abs().idxmin()]],
    "two strikes": ONE.iloc[[10, 25]],
    "only puts": ONE[ONE["option_type"] == "P"],
    "only calls": ONE[ONE["option_type"] == "C"],
    "one expiration": ONE,
    "duplicates": pd.concat([ONE, ONE.assign(ask=ONE["ask"] * 1.2)]),
    "out of order": ONE.sample(frac=1, random_state=3),
    "only in the money": made_quotes()
    .query("year_fraction == 0.25 and implied_vol > 0")
    .drop(ONE.index, errors="ignore"),
    "locked": ONE.assign(bid=ONE["mid"], ask=ONE["mid"]),
    "one wild quote": ONE.assign(
        **{c: ONE[c].where(ONE.index != ONE.index[12], 3 * ONE[c]) for c in ("bid", "ask", "mid")}
    ),
    "an expiration of one": pd.concat(
        [ONE, out(made_quotes()).query("year_fraction == 0.5 and implied_vol > 0").iloc[[15]]]
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", BAD)
def test_poor_quotes_still_give_a_surface(method, name):
    surface = Surface.fit(BAD[name], method)
    vols = surface.vols_at(np.full(9, 0.25), np.linspace(-1, 1, 9) * 0.4)
    assert (np.isfinite(vols) & (vols > 0.01) & (vols < 3)).all()
    if method in FREE:
        assert surface.violations().empty
    near = surface.vols_at(np.array([0.25]), np.array([0.0]))
    assert near[0] == pytest.approx(0.2, rel=0.25)


@pytest.mark.parametrize("method", METHODS)
def test_no_usable_quote_is_an_error_in_words(method):
    for none in (QUOTES.iloc[:0], QUOTES.assign(bid=0.0), QUOTES.assign(bid=QUOTES["ask"] + 1)):
        with pytest.raises(BadDataError, match="none of"):
            Surface.fit(none, method)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="constrained, essvi, svi"):
        Surface.fit(QUOTES, "sabr")


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 100_000))
def test_any_quotes_give_a_surface_without_arbitrage(seed):
    random = np.random.default_rng(seed)
    quotes = made_quotes(noise=random.uniform(0, 3), seed=seed, half_spread=random.uniform(0, 0.3), strikes=17)
    kept = quotes[random.random(len(quotes)) < random.uniform(0.1, 1)]
    assert Surface.fit(kept).violations().empty


@pytest.mark.market
@pytest.mark.parametrize(("share", "least"), [(0.2, 0.99), (0.8, 0.95), (0.9, 0.88)])
def test_held_out_quotes_of_a_real_day_are_inside_and_free_of_arbitrage(real_day, share, least):
    fitted, held = held_out(real_day, share)
    surface = Surface.fit(fitted)
    assert inside(surface, held) >= least
    assert inside(surface, fitted) >= 0.99
    assert find_violations(real_day.assign(model=prices(surface, real_day)), price="model").empty


@pytest.fixture(scope="module")
def real_day(market):
    raw = CboeEod(market / "cboe_eod", ["_SPX"]).chain("20260804").quotes
    features = build_features(validate(raw, [], "20260804", Validation()).validated, Features())
    days = (features["expiration"] - features["trade_date"]).dt.days
    return features[features["out_of_the_money"] & days.between(7, 400) & features["implied_vol"].notna()]
