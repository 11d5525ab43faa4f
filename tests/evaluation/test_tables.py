import pytest

from options_pricing.evaluation.buckets import MATURITY, SMILE
from options_pricing.evaluation.metrics import figures_of
from options_pricing.evaluation.tables import error_by_bucket, r2_by_day
from options_pricing.models.registry import MODELS
from options_pricing.quotes.schema import ERROR_BY_BUCKET, R2_BY_DAY, names


def test_every_day_has_its_two_r2(judged):
    table = r2_by_day(judged, "boosted")
    assert list(table) == names(R2_BY_DAY)
    rows = judged.of("next_day", "boosted")
    assert table["date"].tolist() == sorted(rows["date"].unique())
    last = figures_of(rows[rows["date"] == table["date"].iloc[-1]])
    assert table["r2_price"].iloc[-1] == pytest.approx(last["r2_price"])


def test_every_model_has_the_same_quotes_in_its_buckets(judged):
    table = error_by_bucket(judged)
    assert set(table) == set(names(ERROR_BY_BUCKET))
    assert not table.duplicated(["model", "delta_bucket", "maturity_bucket"]).any()
    counts = table.groupby("model")["quotes"].sum()
    assert set(counts.index) == set(MODELS) and set(counts) == {len(judged.of("next_day", "boosted"))}
    assert set(table["delta_bucket"]) <= set(SMILE)
    assert set(table["maturity_bucket"]) <= set(MATURITY.values())
