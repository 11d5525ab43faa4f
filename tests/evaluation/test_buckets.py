import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from options_pricing.evaluation.buckets import (
    FIGURES_BY_BUCKET,
    MATURITY,
    SMILE,
    bucket_table,
    forward_delta,
    nested,
    with_buckets,
)
from options_pricing.evaluation.metrics import figures_of
from options_pricing.pricing.black import black_price


def quotes(**columns):
    table = {"strike": 100.0, "forward": 100.0, "year_fraction": 0.25, "option_type": "C"} | columns
    return pd.DataFrame(table, index=range(max(np.size(value) for value in table.values())))


def test_delta_is_the_slope_of_blacks_price_in_the_forward():
    table = quotes(strike=[80.0, 95.0, 100.0, 130.0] * 2, option_type=["C"] * 4 + ["P"] * 4)
    vols, step = np.linspace(0.15, 0.4, 8), 1e-4
    call = (table["option_type"] == "C").to_numpy()
    up, down = (black_price(100 + s, table["strike"], 0.25, 1.0, vols, call) for s in (step, -step))
    assert forward_delta(table, vols) == pytest.approx((up - down) / (2 * step), abs=1e-7)


@pytest.mark.parametrize(
    ("delta", "kind", "place"),
    [
        (0.01, "C", "call 0-5"),
        (0.0501, "C", "call 5-15"),
        (0.3, "C", "call 15-35"),
        (0.5, "C", "call 35-65"),
        (0.9, "C", "call 65-100"),
        (-0.01, "P", "put 0-5"),
        (-0.2, "P", "put 15-35"),
        (-0.36, "P", "put 35-65"),
        (-0.97, "P", "put 65-100"),
    ],
)
def test_a_bucket_holds_the_deltas_that_its_name_says(delta, kind, place):
    upper = delta if kind == "C" else 1 + delta
    deviation = 0.2 * np.sqrt(0.25)
    strike = 100 * np.exp(deviation * (deviation / 2 - norm.ppf(upper)))
    found = with_buckets(quotes(strike=[strike], option_type=kind), np.array([0.2]))
    assert found["delta_bucket"].tolist() == [place]


@pytest.mark.parametrize(("days", "name"), [(7, 0), (29.9, 0), (30, 1), (90, 2), (179, 2), (180, 3), (400, 3)])
def test_a_maturity_on_an_edge_belongs_above_it(days, name):
    found = with_buckets(quotes(year_fraction=[days / 365]), np.array([0.2]))
    assert found["maturity_bucket"].tolist() == [list(MATURITY.values())[name]]


def test_the_smile_runs_from_far_puts_over_the_money_to_far_calls():
    strikes = np.exp(np.linspace(-0.5, 0.5, 41)) * 100
    table = quotes(strike=strikes, option_type=np.where(strikes < 100, "P", "C"))
    found = with_buckets(table, np.full(41, 0.2))["delta_bucket"]
    assert found.is_monotonic_increasing
    assert list(dict.fromkeys(found)) == [name for name in SMILE if "65-100" not in name]


def test_a_quote_without_a_vol_is_in_no_bucket():
    assert with_buckets(quotes(), np.array([np.nan]))["delta_bucket"].isna().all()


def test_every_quote_is_in_one_bucket_with_the_figures_of_its_quotes(judged):
    told = judged.of("next_day", "boosted")
    table = bucket_table(told)
    assert table["quotes"].sum() == len(told) and not table.duplicated(["delta_bucket", "maturity_bucket"]).any()
    days, delta = told["year_fraction"] * 365, forward_delta(told, told["implied_vol"].to_numpy())
    inside = told[(delta >= 0.15) & (delta < 0.35) & (days >= 30) & (days < 90)]
    row = table[(table["delta_bucket"] == "call 15-35") & (table["maturity_bucket"] == "30-90 days")].iloc[0]
    assert row["quotes"] == len(inside) > 0
    assert row[list(FIGURES_BY_BUCKET)].to_dict() == pytest.approx(
        {name: figures_of(inside)[name] for name in FIGURES_BY_BUCKET}
    )


def test_the_nested_form_says_the_same_with_null_for_nothing(judged):
    table = bucket_table(judged.of("next_day", "boosted").assign(random_walk_implied_vol=np.nan))
    found = nested(table)
    assert sum(len(by_maturity) for by_maturity in found.values()) == len(table)
    first = table.iloc[0]
    cell = found[first["delta_bucket"]][first["maturity_bucket"]]
    assert cell["quotes"] == first["quotes"] and cell["r2_implied_vol_vs_random_walk"] is None
