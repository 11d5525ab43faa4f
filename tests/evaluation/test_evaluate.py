import json

import numpy as np
import pytest

from options_pricing.evaluation.evaluate import evaluation_metrics, judge
from options_pricing.evaluation.metrics import FIGURES, figures_of
from options_pricing.models.registry import MODELS
from options_pricing.quotes.schema import PREDICTIONS, names
from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Evaluate


@pytest.fixture(scope="module")
def metrics(judged, features):
    return evaluation_metrics(judged, features, Evaluate(bootstrap=200), chosen_model="boosted", simulated=True)


def test_the_metrics_have_every_model_protocol_and_underlying(metrics):
    assert (metrics["simulated"], metrics["chosen_model"], metrics["confidence"]) == (True, "boosted", 0.95)
    assert metrics["underlyings"] == ["ETF", "IDX"] and len(metrics["days"]) == 5 and metrics["skipped"] == {}
    assert list(metrics["protocols"]) == ["next_day", "same_day"]
    for found in metrics["protocols"].values():
        assert len(found["days"]) == 4 and set(found["models"]) == set(MODELS)
        assert set(found["by_underlying"]) == {"ETF", "IDX"}
        for figures in found["models"].values():
            assert tuple(figures) == FIGURES
            assert all(set(figure) == {"value", "low", "high"} for figure in figures.values())
    json.dumps(metrics, allow_nan=False)


def test_only_quotes_that_were_not_fitted_count(metrics, judged):
    rows = judged.predictions.query("protocol == 'same_day' and model == 'boosted'")
    assert metrics["protocols"]["same_day"]["quotes"] == rows["held_out"].sum() < len(rows)
    found = {name: f["value"] for name, f in metrics["protocols"]["same_day"]["models"]["boosted"].items()}
    assert found == pytest.approx(figures_of(rows[rows["held_out"]]))


def test_figures_by_underlying_are_of_its_rows(metrics, judged):
    rows = judged.of("next_day", "flat_vol")
    found = metrics["protocols"]["next_day"]["by_underlying"]["ETF"]["flat_vol"]
    assert found == pytest.approx(figures_of(rows[rows["underlying"] == "ETF"]))


def test_intervals_hold_their_values(metrics):
    for figure in metrics["protocols"]["next_day"]["models"]["random_walk"].values():
        assert figure["low"] <= figure["value"] <= figure["high"]


def test_the_random_walk_gains_nothing_on_itself(metrics):
    walk = metrics["protocols"]["next_day"]["models"]["random_walk"]
    assert walk["r2_implied_vol_vs_random_walk"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert walk["coverage"]["value"] == 1.0


def test_predictions_have_the_columns_of_the_schema_one_row_each(judged):
    table = judged.predictions
    assert list(table) == names(PREDICTIONS)
    assert not table.duplicated(["protocol", "model", "date", "contract_symbol"]).any()
    assert np.isfinite(table["predicted_price"]).all()


def test_what_cannot_be_carried_out_is_skipped_with_a_reason(features, setting):
    day = features[features["trade_date"] == features["trade_date"].max()]
    judged = judge(day, ["next_day", "same_day"], setting)
    assert judged.protocols == ["same_day"] and "two days" in judged.skipped["next_day"]
    metrics = evaluation_metrics(judged, day, Evaluate(), chosen_model="boosted", simulated=False)
    assert metrics["skipped"] == judged.skipped
    figures = metrics["protocols"]["same_day"]["models"]["boosted"]
    assert figures["r2_implied_vol_vs_random_walk"]["value"] is None
    assert figures["r2_price"]["value"] > 0.9 and figures["r2_price"]["low"] is None


def test_when_nothing_can_be_carried_out_it_is_an_error_with_every_reason(features, setting):
    day = features[features["trade_date"] == features["trade_date"].max()]
    with pytest.raises(BadDataError) as caught:
        judge(day, ["next_day"], setting)
    assert "next_day: it needs two days" in caught.value.why


def test_an_underlying_that_was_not_there_yesterday_is_not_covered(features, setting):
    first = features["trade_date"].min()
    newcomer = features[(features["underlying"] == "IDX") | (features["trade_date"] > first)]
    judged = judge(newcomer, ["next_day"], setting)
    metrics = evaluation_metrics(judged, newcomer, Evaluate(), chosen_model="boosted", simulated=False)
    coverage = metrics["protocols"]["next_day"]["by_underlying"]["ETF"]["random_walk"]["coverage"]
    assert 0.7 < coverage < 0.8
    assert metrics["protocols"]["next_day"]["by_underlying"]["IDX"]["random_walk"]["coverage"] == 1.0
