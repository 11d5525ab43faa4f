"""Known values: statsmodels 0.14 (HAC covariance) and arch 8.0 (MCS, method "max", circular bootstrap)."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.evaluation.bootstrap import resampled_days
from options_pricing.evaluation.comparison import (
    COMPARED,
    comparison,
    confidence_set_p_values,
    daily_losses,
    diebold_mariano,
    newey_west_lags,
    newey_west_variance,
)
from options_pricing.run.params import Evaluate

# Daily losses of a bad model, the benchmark, a model like it and a good one.
LOSSES = np.array(
    [
        [4.547, 2.244, 2.917, 1.484],
        [2.896, 1.011, 1.857, 0.481],
        [8.697, 5.131, 5.283, 3.636],
        [6.256, 3.277, 3.215, 1.909],
        [5.105, 3.219, 2.916, 2.177],
        [9.493, 5.1, 5.317, 4.698],
        [5.797, 3.38, 3.328, 2.599],
        [7.846, 4.272, 3.859, 3.29],
        [5.721, 3.065, 2.786, 1.871],
        [6.729, 3.566, 3.391, 2.806],
        [4.645, 3.263, 3.064, 1.565],
        [6.174, 3.076, 3.004, 2.312],
    ]
)
# OLS(d, 1).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}); n times the squared standard
# error is the long-run variance. The t value times the factor of Harvey, Leybourne and Newbold is our statistic.
HAC = [
    (0, 0, 0.6722061388888896, 11.226236208008581, 2.3008278324659479e-07),
    (0, 2, 0.3304129104938275, 13.22181870371469, 4.2682816838252213e-08),
    (2, 0, 0.13764785416666678, 0.24807020601580607, 0.8086500876685835),
    (2, 3, 0.2518928906250002, 0.13543492062054374, 0.8947146065205416),
    (3, 1, 0.12584718518518534, -8.375302799649758, 4.213150712036655e-06),
    (3, 3, 0.06440437037037042, -9.471843346834431, 1.2679616964895276e-06),
]
CLOSE = np.array(
    [
        [1.13, 1.6, 2.05, 1.7, 3.02],
        [1.79, 1.54, 1.12, 0.95, 2.29],
        [1.84, 1.48, 1.41, 1.06, 1.31],
        [2.52, 1.92, 2.04, 1.62, 1.79],
        [1.06, 0.91, 1.29, 1.62, 1.34],
        [2.81, 2.37, 2.51, 2.57, 3.8],
        [2.03, 2.48, 1.85, 1.21, 1.79],
        [1.94, 1.19, 1.98, 1.31, 1.74],
        [1.6, 1.17, 1.3, 1.0, 1.19],
        [0.34, 0.62, 0.32, -0.28, 0.54],
        [1.11, 0.61, 0.91, 0.6, 0.8],
        [3.03, 2.79, 1.77, 1.75, 1.3],
    ]
)


@pytest.mark.parametrize(("model", "lags", "variance", "statistic", "p_value"), HAC)
def test_the_test_is_that_of_the_textbook(model, lags, variance, statistic, p_value):
    differences = LOSSES[:, model] - LOSSES[:, 1]
    assert newey_west_variance(differences, lags) == pytest.approx(variance, rel=1e-10)
    found = diebold_mariano(differences, lags)
    assert found.difference == pytest.approx(differences.mean())
    assert found.statistic == pytest.approx(statistic, rel=1e-10)
    assert found.p_value == pytest.approx(p_value, rel=1e-8)


def test_lags_grow_slowly_with_the_days():
    assert [newey_west_lags(days) for days in (0, 5, 12, 100, 430)] == [0, 2, 2, 4, 5]


def test_whoever_is_better_the_test_says_the_same_with_the_other_sign():
    differences = LOSSES[:, 3] - LOSSES[:, 1]
    there, back = diebold_mariano(differences), diebold_mariano(-differences)
    assert there.statistic == -back.statistic < 0 and there.p_value == back.p_value


def test_without_a_difference_five_percent_of_tests_find_one():
    random = np.random.default_rng(4)
    rejected = [diebold_mariano(random.standard_normal(60)).p_value < 0.05 for _ in range(2000)]
    assert 0.03 < np.mean(rejected) < 0.08


@pytest.mark.parametrize("differences", [np.empty(0), np.ones(1), np.arange(4.0), np.zeros(20), np.full(20, 0.3)])
def test_few_days_or_none_that_vary_are_no_test(differences):
    found = diebold_mariano(differences)
    assert np.isnan(found.statistic) and np.isnan(found.p_value)
    assert np.isnan(found.difference) == (len(differences) == 0)


@pytest.mark.parametrize(
    ("block", "p_values"), [(1, [0.207, 0.207, 0.207, 1.0, 0.207]), (3, [0.01, 0.047, 0.047, 1.0, 0.042])]
)
def test_the_confidence_set_is_that_of_another_implementation(block, p_values):
    """MCS(losses, size=0.05, reps=1000, block_size=block, method="max", bootstrap="circular", seed=5)."""
    times = resampled_days(12, 1000, 5, block=block)
    assert confidence_set_p_values(CLOSE, times) == pytest.approx(p_values, abs=1e-12)


def test_the_best_model_stays_in_the_set_nearly_always():
    random, kept, alone = np.random.default_rng(6), 0, 0
    for seed in range(200):
        losses = random.gamma(4, 0.5, (60, 1)) + random.normal(0, 0.5, (60, 3)) + [0.0, 0.0, 0.6]
        p_values = confidence_set_p_values(losses, resampled_days(60, 300, seed))
        kept += (p_values[:2] > 0.1).all()
        alone += p_values[2] <= 0.1
    assert kept >= 170 and alone >= 195


def test_models_that_predict_alike_are_in_the_set_together():
    twins = CLOSE[:, [3, 3]]
    assert (confidence_set_p_values(twins, resampled_days(12, 200, 1)) == 1).all()
    with_worse = np.column_stack([twins, CLOSE[:, 0]])
    assert (confidence_set_p_values(with_worse, resampled_days(12, 200, 1))[:2] == 1).all()


def test_blocks_of_days_follow_each_other_and_fill_a_sample():
    times = resampled_days(7, 400, 1, block=3)
    assert (times.sum(axis=1) == 7).all() and abs(times.mean() - 1) < 1e-12
    # Three days are drawn together, so that a sample holds far fewer pairs of days than one of single days does.
    neighbours = [np.corrcoef(resampled_days(7, 4000, 1, block=b)[:, [2, 3]].T)[0, 1] for b in (1, 3)]
    assert neighbours[0] < 0 < neighbours[1]


def predictions(error, days=8, quotes=30):
    random = np.random.default_rng(2)
    vol = random.uniform(0.1, 0.4, days * quotes)
    return pd.DataFrame(
        {
            "date": np.repeat([f"202611{day + 1:02d}" for day in range(days)], quotes),
            "implied_vol": vol,
            "predicted_implied_vol": vol + error * random.standard_normal(days * quotes),
            "random_walk_implied_vol": vol + 0.01,
        }
    )


def test_the_loss_of_a_day_is_its_mean_square_over_quotes_in_common():
    told = {"good": predictions(0.002), "bad": predictions(0.02), "absent": predictions(0.01)}
    told["good"].loc[:1, "predicted_implied_vol"] = np.nan
    told["absent"].loc[10:, "predicted_implied_vol"] = np.nan
    models, losses, benchmark = daily_losses(told)
    assert models == ["good", "bad"] and losses.shape == (8, 2)
    assert benchmark == pytest.approx(np.ones(8))
    first = told["bad"].iloc[2:30]
    expected = 1e4 * ((first["predicted_implied_vol"] - first["implied_vol"]) ** 2).mean()
    assert losses[0, 1] == pytest.approx(expected)


def test_quotes_without_a_benchmark_do_not_count_unless_none_has_one():
    new = predictions(0.01)
    new.loc[:29, "random_walk_implied_vol"] = np.nan
    assert len(daily_losses({"a": new}).losses) == 7
    found = comparison({"a": new.assign(random_walk_implied_vol=np.nan), "b": predictions(0.02)}, Evaluate())
    assert found["days"] == 8 and found["models"]["a"]["dm_p_value"] is None
    assert found["models"]["a"]["mcs_p_value"] == 1.0 and found["models"]["b"]["in_confidence_set"] is False


def test_the_report_tells_a_good_model_from_a_bad_one():
    told = {"good": predictions(0.002), "even": predictions(0.01), "bad": predictions(0.02)}
    found = comparison(told, Evaluate(bootstrap=500))
    good, bad = found["models"]["good"], found["models"]["bad"]
    assert good["loss_difference"] < 0 < bad["loss_difference"]
    assert good["dm_p_value"] < 0.01 and good["in_confidence_set"] is True and good["mcs_p_value"] == 1.0
    assert bad["in_confidence_set"] is False and (found["days"], found["lags"]) == (8, 2)


@pytest.mark.parametrize("days", [1, 4])
def test_of_few_days_there_is_no_test(days):
    found = comparison({"a": predictions(0.01, days), "b": predictions(0.02, days)}, Evaluate())
    for figures in found["models"].values():
        assert [figures[name] for name in COMPARED[1:]] == [None] * 4 and figures["loss_difference"] is not None


def test_a_model_without_any_vol_has_no_figure():
    found = comparison({"a": predictions(np.nan), "b": predictions(np.nan)}, Evaluate())
    assert found["days"] == 0 and set(found["models"]["a"].values()) == {None}
