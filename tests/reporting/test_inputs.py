import hashlib
import json
from pathlib import Path

import pytest

from options_pricing.quotes.schema import FEATURES, PREDICTIONS
from options_pricing.quotes.tables import write_parquet
from options_pricing.reporting.inputs import read_inputs
from options_pricing.run.errors import BadDataError, MissingInputError
from tests.reporting.made_files import validation_of


def test_every_input_is_listed_with_its_own_sha256_and_maker(inputs, files):
    listed = {file.path: file for file in inputs.files}
    assert len(listed) == len(inputs.files) == 2 * 6 + 1 + 6
    for path, file in listed.items():
        assert file.sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert listed[files.card.as_posix()].made_by == "model_train"
    assert listed[files.validation[0].as_posix()].made_by == "data_validate"
    assert listed[(files.plots / "r2_by_day.csv").as_posix()].made_by == "model_evaluate"


def test_days_come_oldest_first_whatever_order_they_are_given_in(made):
    files = made.data_only
    turned = type(files)(validation=files.validation[::-1], meta=files.meta[::-1], features=files.features)
    days = [day.date for day in read_inputs(turned).validation]
    assert days == sorted(days)
    assert len(days) == 6


@pytest.mark.parametrize("name", ["card", "metrics", "predictions", "status", "features"])
def test_a_named_file_that_is_not_there_is_missing_input(made, name):
    getattr(made, name).unlink()
    with pytest.raises(MissingInputError, match=getattr(made, name).name):
        read_inputs(made.files)


def test_missing_plot_data_is_missing_input(made):
    (made.plots / "r2_by_day.csv").unlink()
    with pytest.raises(MissingInputError, match="r2_by_day"):
        read_inputs(made.files)


@pytest.mark.parametrize(
    ("name", "key", "value", "said"),
    [
        ("card", "as_of", "yesterday", "as_of"),
        ("card", "limits", None, "limits"),
        ("metrics", "confidence", 95, "confidence"),
        ("status", "checks", [{"name": "x"}], "checks.0.passed"),
        ("metrics", "protocols", {"next_day": {"quotes": -1}}, "protocols.next_day"),
    ],
)
def test_a_file_of_another_shape_is_bad_data_and_says_where(made, name, key, value, said):
    made.change(getattr(made, name), **{key: value})
    with pytest.raises(BadDataError) as caught:
        read_inputs(made.files)
    assert said in caught.value.why
    assert getattr(made, name).name in caught.value.what


def test_rows_that_are_not_conserved_are_bad_data(made):
    validation = made.files.validation[0]
    rows = validation_of("20261113")["rows"]
    made.change(validation, rows=rows | {"quarantined": rows["quarantined"] - 1})
    with pytest.raises(BadDataError, match=validation.name) as caught:
        read_inputs(made.files)
    assert "quarantined" in caught.value.why


def test_two_files_of_one_day_are_refused(made):
    files = made.files
    with pytest.raises(BadDataError, match="20261120"):
        read_inputs(type(files)(**vars(files) | {"validation": (*files.validation, files.validation[-1])}))


@pytest.mark.parametrize("protocols", [{}, {"next_day": {"days": [], "quotes": 0, "models": {}}}])
def test_metrics_of_zero_quotes_are_refused(made, protocols):
    made.change(made.metrics, protocols=protocols)
    with pytest.raises(BadDataError, match="zero quotes"):
        read_inputs(made.files)


def test_predictions_of_zero_rows_are_refused(made, inputs):
    write_parquet(inputs.predictions.iloc[:0], made.predictions, PREDICTIONS)
    with pytest.raises(BadDataError, match="zero predictions"):
        read_inputs(made.files)


def test_nan_and_infinity_in_metrics_become_no_figure(made):
    text = made.metrics.read_text()
    assert text.count("0.47,") >= 2
    made.metrics.write_text(
        text.replace('"value": 0.47,', '"value": NaN,').replace('"value": 2.1,', '"value": Infinity,')
    )
    models = read_inputs(made.files).metrics.protocols["next_day"].models
    assert models["boosted"]["r2_implied_vol_vs_random_walk"].value is None
    assert models["random_walk"]["mae_price"].value is None
    assert models["boosted"]["mae_price"].value == 1.48


def test_plot_data_with_text_for_a_number_is_bad_data(made):
    (made.plots / "r2_by_day.csv").write_text("date,r2_implied_vol_vs_random_walk,r2_price\n20261120,good,0.9\n")
    with pytest.raises(BadDataError, match="r2_by_day"):
        read_inputs(made.files)


def test_features_of_other_columns_are_bad_data(made):
    made.features.write_text(made.features.read_text().replace("implied_vol", "iv", 1))
    with pytest.raises(BadDataError, match=made.features.name):
        read_inputs(made.files)
    assert "implied_vol" in {column.name for column in FEATURES}


def test_broken_json_is_bad_data(made):
    made.card.write_text(json.dumps({"model": "boosted"})[:-3])
    with pytest.raises(BadDataError, match="not valid JSON"):
        read_inputs(made.files)


def test_data_alone_is_enough(made):
    inputs = read_inputs(made.data_only)
    assert inputs.metrics is inputs.card is inputs.predictions is inputs.status is inputs.r2_by_day is None
    assert len(inputs.files) == 13


def test_plots_without_metrics_are_not_read(made):
    files = made.files
    inputs = read_inputs(type(files)(**vars(files) | {"metrics": None, "predictions": None}))
    assert inputs.r2_by_day is inputs.error_by_bucket is None
    assert not any("r2_by_day" in file.path for file in inputs.files)
