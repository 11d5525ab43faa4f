import numpy as np
import pytest

from options_pricing.evaluation.metrics import figures_of
from options_pricing.evaluation.tables import MATURITY, MONEYNESS, error_by_bucket, r2_by_day
from options_pricing.models.registry import MODELS
from options_pricing.quotes.schema import ERROR_BY_BUCKET, R2_BY_DAY, names


def test_every_day_has_its_two_r2(judged):
    table = r2_by_day(judged, "boosted")
    assert list(table) == names(R2_BY_DAY)
    rows = judged.of("next_day", "boosted")
    assert table["date"].tolist() == sorted(rows["date"].unique())
    last = figures_of(rows[rows["date"] == table["date"].iloc[-1]])
    assert table["r2_price"].iloc[-1] == pytest.approx(last["r2_price"])


def test_every_quote_is_in_one_bucket(judged):
    table = error_by_bucket(judged)
    assert list(table) == names(ERROR_BY_BUCKET)
    assert not table.duplicated(["model", "moneyness_bucket", "maturity_bucket"]).any()
    counts = table.groupby("model")["quotes"].sum()
    assert set(counts.index) == set(MODELS) and set(counts) == {len(judged.of("next_day", "boosted"))}
    assert set(table["moneyness_bucket"]) <= set(MONEYNESS.values())
    assert set(table["maturity_bucket"]) <= set(MATURITY.values())


def test_a_bucket_holds_the_quotes_that_its_name_says(judged):
    rows = judged.of("next_day", "random_walk")
    moneyness, days = rows["strike"] / rows["forward"], rows["year_fraction"] * 365
    inside = rows[(moneyness >= 0.97) & (moneyness < 1.03) & (days >= 30) & (days < 90)]
    table = error_by_bucket(judged).set_index(["model", "moneyness_bucket", "maturity_bucket"])
    found = table.loc[("random_walk", "0.97-1.03", "30-90 days")]
    assert found["quotes"] == len(inside) > 0
    error = 100 * np.sqrt(((inside["predicted_implied_vol"] - inside["implied_vol"]) ** 2).mean())
    assert found["iv_rmse_vol_points"] == pytest.approx(error)
