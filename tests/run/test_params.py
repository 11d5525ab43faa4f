from datetime import date
from pathlib import Path

import pytest
import yaml

from options_pricing.run.errors import BadParamsError, MissingInputError
from options_pricing.run.params import Params, check_params, load_params


def test_the_committed_file_holds_exactly_the_defaults(root):
    assert load_params(root / "params.yaml") == Params()


def test_every_example_is_valid(root):
    examples = sorted((root / "examples").glob("*.yaml"))
    assert examples
    for example in examples:
        load_params(example)


def test_all_errors_are_told_at_once_with_path_and_what_is_allowed():
    wrong = {"train": {"modle": "boosted", "seed": -1}, "evaluate": {"held_out": "most"}, "extra": 1}
    with pytest.raises(BadParamsError) as caught:
        check_params(wrong)
    said = str(caught.value)
    for part in (
        "4 errors",
        "train.modle: no such key",
        "train.seed",
        "greater than or equal to 0",
        "evaluate.held_out",
    ):
        assert part in said
    assert len(said.splitlines()) <= 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run:\n\tdate: '20261120'\n", "not valid YAML"),
        ("train: {seed: 1, seed: 2}\n", "given twice"),
        ("[1, 2]\n", "1 error"),
        ("run: {date: '20261121'}\n", "Saturday"),
        ("run: {date: '2026-11-20'}\n", "run.date"),
        ("run: {date: 2026-11-20}\n", "run.date"),
        ("run: {date: '20261120', without: ['20261120']}\n", "itself among run.without"),
        ("source: {kind: bloomberg}\n", "'simulated', 'cboe_eod', 'yahoo_csv', 'optionsdx', 'generic'"),
        ("evaluate: {confidence: .nan}\n", "evaluate.confidence"),
        ("!!python/object/apply:os.system ['true']\n", "not valid YAML"),
    ],
)
def test_bad_files_are_refused_in_words(tmp_path, text, said):
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(BadParamsError) as caught:
        load_params(file)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-11-20", "run.date: write it as YYYYMMDD (it is '2026-11-20')"),
        (date(2026, 11, 20), "run.date: write it as YYYYMMDD"),
        ("２０２６１１２０", "run.date: write it as YYYYMMDD"),
        ("20261345", "run.date: '20261345' is not a date"),
        ("20261121", "run.date: 20261121 is no trading day of XNYS (Saturday); the one before it is 20261120"),
    ],
)
def test_a_wrong_date_is_said_once_with_what_is_wanted(day, said):
    with pytest.raises(BadParamsError) as refused:
        check_params({"run": {"date": day}})
    assert said in refused.value.why
    assert refused.value.why.count(str(day)) == 1


def test_a_date_without_quotes_is_a_date_all_the_same():
    assert check_params({"run": {"date": 20261120}}).run.date == "20261120"


def test_a_missing_file_is_named():
    with pytest.raises(MissingInputError, match=r"none\.yaml"):
        load_params(Path("none.yaml"))


def test_the_window_leaves_out_the_days_without_data():
    params = check_params({"run": {"date": "20260811", "days": 15, "without": ["20260723", "20260807"]}})
    assert len(params.run.window) == 13
    assert params.run.window[0] == "20260722"


@pytest.mark.parametrize("name", ["cboe_spx", "generic", "optionsdx_spy", "seed_spy"])
def test_an_example_is_right(root, name):
    assert {path.stem for path in (root / "examples").glob("*.yaml")} >= {name}
    params = load_params(root / "examples" / f"{name}.yaml")
    assert params.run.window
    assert check_params(params.model_dump(mode="json")) == check_params(params.model_dump()) == params


@pytest.mark.parametrize("written", ["19:00", "'19:00'", "1140"])
def test_a_time_of_day_is_read_whatever_an_editor_makes_of_it(written):
    """DVC writes it without quotes, and YAML 1.1 then means minutes."""
    assert check_params(yaml.safe_load(f"alerts: {{deadline: {written}}}")).alerts.deadline == "19:00"
