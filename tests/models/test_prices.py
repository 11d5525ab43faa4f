import numpy as np
import pytest

from options_pricing.models.prices import early_exercise, greeks_at, prices_at, vols_of_prices
from options_pricing.pricing.black import black_price


@pytest.fixture
def day(features):
    return features[features["trade_date"] == features["trade_date"].max()].reset_index(drop=True)


def test_at_the_markets_vol_every_option_has_its_market_price(day):
    prices = prices_at(day, day["implied_vol"].to_numpy())
    np.testing.assert_allclose(prices, day["mid"], rtol=1e-12)


def test_european_options_are_blacks(day):
    index = day[day["underlying"] == "IDX"]
    vol = index["implied_vol"].to_numpy()
    terms = [index[c].to_numpy() for c in ("forward", "strike", "year_fraction", "discount_factor")]
    assert (prices_at(index, vol) == black_price(*terms, vol, index["option_type"].to_numpy())).all()
    assert (early_exercise(index, vol) == 0).all()


def test_american_options_are_worth_more_and_never_less_than_exercise(day):
    fund = day[day["underlying"] == "ETF"]
    vol = fund["implied_vol"].to_numpy()
    american = prices_at(fund, vol)
    european = prices_at(fund.assign(exercise_style="european"), vol)
    assert (american >= european - 1e-12).all() and (american > european + 0.01).any()
    sign = np.where(fund["option_type"] == "C", 1, -1)
    assert (american >= sign * (fund["underlying_price"] - fund["strike"]) - 1e-9).all()


def test_deltas_are_slopes_of_prices(day):
    vol, bump = day["implied_vol"].to_numpy(), 1e-4
    above, below = (prices_at(day.assign(forward=day["forward"] * (1 + b)), vol) for b in (bump, -bump))
    slopes = (above - below) / (2 * bump * day["underlying_price"])
    found = greeks_at(day, vol)
    european = (day["exercise_style"] == "european").to_numpy()
    np.testing.assert_allclose(found.delta[european], slopes[european], atol=1e-6)
    np.testing.assert_allclose(found.delta[~european], slopes[~european], atol=0.02)
    np.testing.assert_allclose(found.price, day["mid"], rtol=1e-9)


def test_vols_of_prices_come_back_and_impossible_prices_take_the_nearer_end(day):
    index = day[day["underlying"] == "IDX"]
    out = index[index["out_of_the_money"]]
    np.testing.assert_allclose(vols_of_prices(out, out["mid"].to_numpy()), out["implied_vol"], rtol=1e-8)
    found = vols_of_prices(out.head(4), np.array([-1.0, 0.0, 1e6, np.nan]))
    assert found[:3].tolist() == [0.001, 0.001, 4.0] and np.isnan(found[3])
