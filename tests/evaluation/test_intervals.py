import json

import numpy as np
import pandas as pd
import pytest

from options_pricing.evaluation.intervals import (
    LEVELS,
    NOMINAL,
    THRESHOLDS,
    TOGETHER,
    Calibration,
    calibrated,
    honest_level,
    interval_report,
    next_half_widths,
    served_intervals,
)
from options_pricing.pricing.black import black_price

STRIKES = np.array([70.0, 80, 90, 96, 104, 110, 120, 130])
YEARS = np.array([20, 60, 120, 300]) / 365


def market(days, seed=0, each=4, spread_of_days=0.5):
    """A model whose relative errors share a scale a day, and are larger in the wings and for short maturities."""
    random = np.random.default_rng(seed)
    parts = []
    for number in range(days):
        strike, years = (grid.ravel() for grid in np.meshgrid(np.repeat(STRIKES, each), YEARS))
        strike = strike * np.exp(0.01 * random.standard_normal(strike.size))
        own = 0.02 * (1 + 4 * np.abs(np.log(strike / 100))) * (0.1 / years) ** 0.3
        error = own * np.exp(spread_of_days * random.standard_normal()) * random.standard_t(4, strike.size)
        parts.append(
            pd.DataFrame(
                {
                    "date": f"{pd.Timestamp('2024-01-01') + pd.Timedelta(days=number):%Y%m%d}",
                    "strike": strike,
                    "year_fraction": years,
                    "option_type": np.where(strike >= 100, "C", "P"),
                    "forward": 100.0,
                    "discount_factor": 0.99,
                    "predicted_implied_vol": 0.25,
                    "implied_vol": 0.25 * (1 + np.maximum(error, -0.9)),
                }
            )
        )
    made = pd.concat(parts, ignore_index=True)
    call = (made["option_type"] == "C").to_numpy()
    terms = [made[name].to_numpy() for name in ("forward", "strike", "year_fraction", "discount_factor")]
    mid = black_price(*terms, made["implied_vol"].to_numpy(), call)
    price = black_price(*terms, made["predicted_implied_vol"].to_numpy(), call)
    return made.assign(predicted_price=price, mid=mid, bid=mid - 0.01, ask=mid + 0.01)


def cells(report):
    return [cell for by_maturity in report["by_bucket"].values() for cell in by_maturity.values()]


@pytest.fixture(scope="module")
def long_run():
    return interval_report(market(130))


def test_of_many_days_nine_in_ten_quotes_are_inside(long_run):
    assert long_run["days"] == 127 and long_run["nominal"] == NOMINAL
    assert long_run["coverage"] == pytest.approx(NOMINAL, abs=0.02)


def test_so_are_they_in_every_bucket_with_quotes_enough(long_run):
    well_known = [cell["coverage"] for cell in cells(long_run) if cell["quotes"] >= 400]
    assert len(well_known) >= 15
    assert well_known == pytest.approx([NOMINAL] * len(well_known), abs=0.04)


def test_buckets_that_err_more_have_wider_intervals(long_run):
    widths = {place: cell["30-90 days"]["mean_width_vol_points"] for place, cell in long_run["by_bucket"].items()}
    assert widths["put 0-5"] > 1.3 * widths["put 35-65"]
    put = long_run["by_bucket"]["put 15-35"]
    assert put["under 30 days"]["mean_width_vol_points"] > put["90-180 days"]["mean_width_vol_points"]


def test_when_errors_grow_for_good_the_intervals_follow():
    calm, wild = market(30), market(40, seed=1)
    wild["implied_vol"] = 0.25 + 3 * (wild["implied_vol"] - 0.25).clip(lower=-0.07)
    wild["date"] = wild["date"].str.replace("2024", "2025")
    rows = calibrated(pd.concat([calm, wild], ignore_index=True))
    assert rows.loc[rows["date"] >= "20250120", "inside"].mean() > 0.85


def test_of_few_days_the_coverage_is_right_on_average():
    """A quantile of the scores of few days pooled is too small for the next day's."""
    ours, pooled = [], []
    for seed in range(25):
        told = market(8, seed=seed, each=1, spread_of_days=0.7)
        ours.append(interval_report(told)["coverage"])
        score = (told["implied_vol"] / told["predicted_implied_vol"] - 1).abs()
        days = sorted(told["date"].unique())
        naive = [(score[told["date"] == day] <= score[told["date"] < day].quantile(NOMINAL)).mean() for day in days[3:]]
        pooled.append(np.mean(naive))
    assert np.mean(pooled) < 0.88
    assert np.mean(ours) == pytest.approx(NOMINAL, abs=0.03)


def test_nothing_of_a_day_or_later_makes_its_intervals():
    told = market(10)
    day = sorted(told["date"].unique())[6]
    changed = told.copy()
    later = changed["date"] >= day
    changed.loc[later, ["implied_vol", "bid", "ask", "mid"]] *= 1.7
    ends = ["vol_low", "vol_high", "price_low", "price_high"]
    before, after = calibrated(told), calibrated(changed)
    assert before.loc[before["date"] <= day, ends].equals(after.loc[after["date"] <= day, ends])
    assert not before.loc[before["date"] > day, ends].equals(after.loc[after["date"] > day, ends])
    shortened = calibrated(told[told["date"] <= day])
    assert shortened[ends].equals(before.loc[before["date"] <= day, ends])


def test_a_price_is_inside_when_its_vol_is():
    rows = calibrated(market(8))
    inside = (rows["mid"] >= rows["price_low"]) & (rows["mid"] <= rows["price_high"])
    assert (inside == rows["inside"]).mean() > 0.999
    assert ((rows["price_low"] <= rows["predicted_price"]) & (rows["predicted_price"] <= rows["price_high"])).all()
    in_half_spreads = ((rows["price_high"] - rows["price_low"]) / 0.01).mean()
    assert interval_report(market(8))["mean_width_half_spreads"] == pytest.approx(in_half_spreads)


@pytest.mark.parametrize("days", [1, 3])
def test_without_three_days_before_there_is_no_interval(days):
    found = interval_report(market(days))
    assert (found["days"], found["quotes"], found["by_bucket"]) == (0, 0, {})
    figures = {name: value for name, value in found.items() if name not in {"nominal", "days", "quotes", "by_bucket"}}
    assert set(figures.values()) == {None}
    json.dumps(found, allow_nan=False)


def test_quotes_without_a_vol_have_no_interval_and_teach_nothing():
    told = market(6)
    holes = told.copy()
    holes.loc[::3, "predicted_implied_vol"] = np.nan
    rows = calibrated(holes)
    assert len(rows) and not set(rows.index) & set(told.index[::3])
    kept = calibrated(holes.dropna(subset="predicted_implied_vol"))
    assert rows["vol_high"].equals(kept["vol_high"])
    assert interval_report(told.assign(predicted_implied_vol=np.nan))["coverage"] is None


def test_a_bucket_that_is_hardly_known_has_the_width_of_all_quotes():
    calibration, random = Calibration(), np.random.default_rng(1)
    for _ in range(5):
        bucket = np.repeat([3, 8], [200, 2])
        calibration.learn(bucket, np.where(bucket == 3, 0.01, 0.2) * random.uniform(0.5, 1.5, 202))
    widths = calibration.half_widths()
    assert widths[8] == widths[TOGETHER] and widths[3] <= widths[TOGETHER]


def shares_of(scores):
    """Of one bucket, and of all together, the shares of each day's scores up to each threshold."""
    one = np.stack([(np.asarray(day)[:, None] <= THRESHOLDS).mean(axis=0) for day in scores])
    shares, counts = np.zeros((len(one), TOGETHER + 1, len(THRESHOLDS))), np.zeros((len(one), TOGETHER + 1))
    shares[:, 0] = shares[:, TOGETHER] = one
    counts[:, [0, TOGETHER]] = np.array([[len(day)] for day in scores])
    return shares, counts


def test_days_that_are_alike_need_no_higher_level():
    alike = [np.linspace(0.01, 0.1, 1000)] * 6
    assert honest_level(*shares_of(alike)) == pytest.approx(NOMINAL, abs=0.011)


def test_days_of_different_sizes_need_a_higher_one():
    random = np.random.default_rng(0)
    different = [scale * np.abs(random.standard_normal(400)) for scale in (0.01, 0.015, 0.02, 0.04, 0.06)]
    level = honest_level(*shares_of(different))
    assert NOMINAL + 0.02 < level <= LEVELS[-1]


def test_a_width_is_the_quantile_of_the_days_to_two_percent():
    random, calibration, every = np.random.default_rng(2), Calibration(), []
    for _ in range(20):
        scores = random.lognormal(-4, 0.6, 500)
        calibration.learn(np.zeros(500, dtype=int), scores)
        every.append(scores)
    level = honest_level(np.stack(calibration._shares), np.stack(calibration._counts))
    expected = np.quantile(np.concatenate(every), level)
    assert 1 - 1e-3 < calibration.half_widths()[0] / expected < 1.016


def test_what_is_served_is_what_the_next_day_would_have_had():
    told = market(9)
    last = told["date"].max()
    before, ends = told[told["date"] < last], ["vol_low", "vol_high", "price_low", "price_high"]
    expected = calibrated(told)
    expected = expected.loc[expected["date"] == last, ends]
    served = served_intervals(told[told["date"] == last], next_half_widths(before))
    assert len(expected) and served.loc[expected.index, ends].equals(expected)


def test_three_days_calibrate_and_two_do_not():
    assert next_half_widths(market(2)) is None
    assert next_half_widths(market(3))


def test_an_option_without_a_vol_is_served_without_an_interval():
    told = market(4).assign(predicted_implied_vol=np.nan)
    assert served_intervals(told, next_half_widths(market(4))).isna().all(axis=None)
