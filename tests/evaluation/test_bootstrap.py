import numpy as np
import pandas as pd
import pytest

from options_pricing.evaluation.bootstrap import figures_with_intervals, resampled_days
from options_pricing.evaluation.metrics import FIGURES, DaySums
from options_pricing.run.params import Evaluate


def predictions(days, quotes=40):
    """Each day errs by its own amount, all of its quotes alike."""
    random = np.random.default_rng(3)
    date = np.repeat([f"202611{day + 1:02d}" for day in range(days)], quotes)
    error = np.repeat(random.uniform(0.1, 1.0, days), quotes)
    mid = random.uniform(5, 50, days * quotes)
    return pd.DataFrame(
        {
            "date": date,
            "market_price": mid,
            "bid": mid - 0.5,
            "ask": mid + 0.5,
            "implied_vol": 0.2,
            "predicted_price": mid + error,
            "predicted_implied_vol": 0.2 + error / 100,
            "random_walk_implied_vol": 0.21,
        }
    )


def sums(days):
    table = predictions(days)
    return DaySums.of(table, sorted(table["date"].unique()))


def test_each_sample_draws_as_many_days_as_there_are():
    times = resampled_days(6, 500, seed=0)
    assert times.shape == (500, 6) and (times.sum(axis=1) == 6).all()
    assert abs(times.mean() - 1) < 1e-12 and (times == 0).any() and (times > 1).any()
    assert (times == resampled_days(6, 500, seed=0)).all()
    assert (times != resampled_days(6, 500, seed=1)).any()


def test_the_interval_is_that_of_days_and_not_of_quotes():
    table = predictions(8)
    found = figures_with_intervals(sums(8), Evaluate(bootstrap=4000))["mae_price"]
    daily = (table["predicted_price"] - table["market_price"]).groupby(table["date"]).mean().to_numpy()
    drawn = np.random.default_rng(9).choice(daily, (20_000, 8)).mean(axis=1)
    assert found["value"] == pytest.approx(daily.mean())
    assert found["low"] == pytest.approx(np.quantile(drawn, 0.025), abs=0.02)
    assert found["high"] == pytest.approx(np.quantile(drawn, 0.975), abs=0.02)


def test_more_confidence_is_a_wider_interval():
    narrow, wide = (figures_with_intervals(sums(8), Evaluate(confidence=c))["mae_price"] for c in (0.8, 0.99))
    assert wide["low"] < narrow["low"] < narrow["value"] < narrow["high"] < wide["high"]


@pytest.mark.parametrize(("days", "known"), [(1, False), (2, False), (3, True)])
def test_fewer_than_three_days_have_no_interval(days, known):
    found = figures_with_intervals(sums(days), Evaluate())
    assert tuple(found) == FIGURES
    assert all((figure["low"] is not None) == known and figure["value"] is not None for figure in found.values())
