import numpy as np
import pandas as pd
import pytest

from options_pricing.evaluation.bootstrap import resampled_days
from options_pricing.evaluation.metrics import FIGURES, DaySums, DayValues, figures_of


@pytest.fixture(scope="module")
def predictions():
    """Three days of quotes, some without a prediction, a bid or a benchmark."""
    random = np.random.default_rng(8)
    count = 400
    mid = random.lognormal(2, 1, count)
    half = 0.02 * mid + 0.01
    vol = random.uniform(0.1, 0.4, count)
    table = pd.DataFrame(
        {
            "date": random.choice(["20261118", "20261119", "20261120"], count),
            "market_price": mid,
            "bid": mid - half,
            "ask": mid + half,
            "implied_vol": vol,
            "predicted_price": mid * (1 + 0.02 * random.standard_normal(count)),
            "predicted_implied_vol": vol + 0.005 * random.standard_normal(count),
            "random_walk_implied_vol": vol + 0.01 * random.standard_normal(count),
        }
    )
    table.loc[:9, ["predicted_price", "predicted_implied_vol"]] = np.nan
    table.loc[10:19, "bid"] = np.nan
    table.loc[20:29, "random_walk_implied_vol"] = np.nan
    table.loc[30:39, "implied_vol"] = np.nan
    return table


def plain(rows):
    """The figures as they are written in a textbook."""
    priced = rows[rows["predicted_price"].notna()]
    error = priced["predicted_price"] - priced["market_price"]
    quoted = priced["bid"].notna()
    half = (priced["ask"] - priced["bid"]) / 2
    vol = (rows["predicted_implied_vol"] - rows["implied_vol"]).dropna()
    both = rows.dropna(subset=["predicted_implied_vol", "implied_vol", "random_walk_implied_vol"])
    ours, theirs = (both[c] - both["implied_vol"] for c in ("predicted_implied_vol", "random_walk_implied_vol"))
    inside = (priced["predicted_price"] >= priced["bid"]) & (priced["predicted_price"] <= priced["ask"])
    return {
        "r2_price": 1 - (error**2).sum() / ((priced["market_price"] - priced["market_price"].mean()) ** 2).sum(),
        "r2_implied_vol_vs_random_walk": 1 - (ours**2).sum() / (theirs**2).sum(),
        "iv_rmse_vol_points": 100 * np.sqrt((vol**2).mean()),
        "iv_bias_vol_points": 100 * vol.mean(),
        "mae_price": error.abs().mean(),
        "median_error_half_spreads": (error.abs() / half).median(),
        "inside_bid_ask": inside[quoted].mean(),
        "coverage": len(priced) / len(rows),
    }


def test_the_figures_are_those_of_the_textbook(predictions):
    assert tuple(figures_of(predictions)) == FIGURES
    assert figures_of(predictions) == pytest.approx(plain(predictions), rel=1e-10)


def test_weighing_a_day_is_repeating_it(predictions):
    days = sorted(predictions["date"].unique())
    found = DaySums.of(predictions, days).figures(np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]]))
    for sample, chosen in enumerate(([days[0], days[0], days[2]], [days[1]] * 3)):
        repeated = pd.concat([predictions[predictions["date"] == day] for day in chosen])
        assert {name: values[sample] for name, values in found.items()} == pytest.approx(plain(repeated), rel=1e-9)


def test_perfect_predictions(predictions):
    perfect = predictions.dropna().assign(
        predicted_price=lambda t: t["market_price"], predicted_implied_vol=lambda t: t["implied_vol"]
    )
    assert figures_of(perfect) == pytest.approx(dict(zip(FIGURES, [1, 1, 0, 0, 0, 0, 1, 1], strict=True)))


def test_figures_that_cannot_be_computed_are_none(predictions):
    nothing = predictions.assign(predicted_price=np.nan, predicted_implied_vol=np.nan)
    assert figures_of(nothing) == dict.fromkeys(FIGURES) | {"coverage": 0.0}
    one = predictions.tail(1).assign(random_walk_implied_vol=np.nan)
    assert figures_of(one)["r2_price"] is None and figures_of(one)["r2_implied_vol_vs_random_walk"] is None
    assert set(figures_of(predictions.iloc[:0]).values()) == {None}


def test_a_locked_quote_does_not_divide_by_zero(predictions):
    locked = predictions.dropna().assign(bid=lambda t: t["market_price"], ask=lambda t: t["market_price"])
    assert figures_of(locked)["median_error_half_spreads"] > 1e3


@pytest.mark.parametrize(("count", "days"), [(1, 1), (2, 1), (7, 3), (511, 2), (512, 3), (513, 4), (3000, 6)])
def test_medians_of_resampled_days_are_exact(count, days):
    random = np.random.default_rng(count)
    values, day = random.exponential(size=count).round(2), random.integers(0, days, count)
    times = resampled_days(days, 50, seed=1)
    found = DayValues.of(values, day, days).medians(times)
    for sample, weights in enumerate(times):
        repeated = np.repeat(values, weights.astype(int)[day])
        expected = np.median(repeated) if len(repeated) else np.nan
        np.testing.assert_allclose(found[sample], expected, rtol=1e-15)
