"""What the rules ask of lookup.py."""

import re
import sys

import pytest

from options_pricing.run.files import write_json
from options_pricing.run.params import check_params
from options_pricing.sources.payloads import Payload, PayloadStore


@pytest.fixture(scope="module")
def lookup(root):
    sys.path.insert(0, str(root / "workflow"))
    import lookup

    yield lookup
    sys.path.remove(str(root / "workflow"))


def test_a_task_depends_on_the_modules_it_imports_and_on_no_others(lookup):
    code = lookup.code_of("scripts/feature_engineer.py")
    for file in (
        "scripts/feature_engineer.py",
        "scripts/_checkout.py",
        "src/options_pricing/surface/features.py",
        "src/options_pricing/pricing/implied_vol.py",  # imported by what it imports
        "src/options_pricing/run/params.py",
    ):
        assert file in code
    assert not [file for file in code if re.search(r"/(models|evaluation|serving|reporting|sources)/", file)]
    assert len(code) == len(set(code))


def test_several_programs_together(lookup):
    code = lookup.code_of("scripts/model_deploy.py", "src/options_pricing/serving/dashboard.py")
    assert "src/options_pricing/serving/trial.py" in code
    assert "src/options_pricing/serving/charts.py" in code  # what the app alone imports


def test_deploy_depends_on_what_it_starts(root):
    deps = (root / "dvc.yaml").read_text().split("  model_deploy:")[1].split("params:")[0]
    for program in ("api", "dashboard", "gunicorn_settings"):
        assert f"src/options_pricing/serving/{program}.py" in deps


@pytest.mark.parametrize("day", ["20261120", "20261127", "20250103", "20271231"])
def test_trading_days_match(lookup, day):
    assert re.fullmatch(lookup.date_pattern(["20261109", "20261120"]), day)


@pytest.mark.parametrize("day", ["20261121", "20261126", "20261301", "2026112", "202611200", "../../x", "00000000"])
def test_nothing_else_matches(lookup, day):
    assert not re.fullmatch(lookup.date_pattern(["20261109", "20261120"]), day)


def test_standing_files_are_named_by_their_hash_and_missing_ones_left_out(lookup, tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert lookup.standing(str(tmp_path / "abc"), str(tmp_path / "none")) == {
        str(tmp_path / "abc"): "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    }


@pytest.mark.parametrize("day", ["20261121", "20261122", 20261126])
def test_a_scheduler_has_nothing_to_do_on_a_day_without_a_session(lookup, root, capsys, day):
    with pytest.raises(SystemExit) as ended:
        lookup.open_params(str(root / "params.yaml"), date=day, targets=lambda: {"daily"})
    assert ended.value.code == 0
    said = capsys.readouterr().err
    assert said.startswith(f"nothing to do: {day} is no trading day")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("day", "targets"),
    [("20261121", set()), ("20261121", {"daily", "train"}), ("20261345", {"daily"}), ("19990101", {"daily"})],
)
def test_any_other_day_that_is_no_session_is_an_error(lookup, root, capsys, day, targets):
    with pytest.raises(SystemExit) as ended:
        lookup.open_params(str(root / "params.yaml"), date=day, targets=lambda: targets)
    assert ended.value.code == 78
    assert day in capsys.readouterr().err


def test_a_day_that_is_left_out_on_purpose_is_nothing_to_do_either(lookup, tmp_path, capsys):
    (tmp_path / "params.yaml").write_text("run: {without: ['20261119']}")
    with pytest.raises(SystemExit) as ended:
        lookup.open_params(str(tmp_path / "params.yaml"), date="20261119", targets=lambda: {"fetch"})
    assert ended.value.code == 0
    assert capsys.readouterr().err == "nothing to do: 20261119 is listed under run.without\n"


def fetched(folder, day, source="simulated", request=None):
    write_json(folder / f"options_data_{day}.meta.json", {"source": source, "request": request or {"seed": 20261120}})


def test_of_a_live_source_only_what_is_there_is_asked_for(lookup, tmp_path, capsys):
    params = check_params({"run": {"days": 4}})
    assert lookup.days_at_hand(params, tmp_path) == params.run.window
    assert capsys.readouterr().err == ""
    kept = {"source": {"kind": "cboe"}, "http": {"payloads": tmp_path / "kept"}}
    params = check_params({"run": {"days": 4}} | kept)
    fetched(tmp_path, "20261118", "cboe")
    assert lookup.days_at_hand(params, tmp_path) == ["20261118", "20261120"]
    assert capsys.readouterr().err == "left out, as cboe shows the newest day only: 20261117, 20261119\n"


def test_of_a_live_source_a_day_whose_answers_are_kept_is_there_if_the_same_was_asked(lookup, tmp_path):
    there = {"run": {"days": 2}, "http": {"payloads": tmp_path / "kept"}}
    params = check_params(there | {"source": {"kind": "cboe", "tickers": ["SPY"]}})
    request = {"source": "cboe", "tickers": ["SPY"], "day": "20261119"}
    PayloadStore(tmp_path / "kept").keep(request, [Payload("https://x", (200,), b"{}")])
    assert lookup.days_at_hand(params, tmp_path) == ["20261119", "20261120"]
    other = check_params(there | {"source": {"kind": "cboe", "tickers": ["_SPX"]}})
    assert lookup.days_at_hand(other, tmp_path) == ["20261120"]


def test_the_first_day_of_a_window_is_compared_with_the_day_before_it_where_that_was_fetched_alike(lookup, tmp_path):
    params, window = check_params({"run": {"days": 2}}), ["20261119", "20261120"]
    assert lookup.day_before("20261120", window, params, tmp_path) == "20261119"
    assert lookup.day_before("20261119", window, params, tmp_path) is None
    fetched(tmp_path, "20261118")
    assert lookup.day_before("20261119", window, params, tmp_path) == "20261118"
    assert lookup.day_before("20261119", window, params, None) is None


@pytest.mark.parametrize(
    ("source", "request_", "run"),
    [
        ("cboe_eod", {"seed": 20261120}, {}),
        ("simulated", {"seed": 1}, {}),
        ("simulated", [], {}),
        ("simulated", {"seed": 20261120}, {"without": ["20261118"]}),
    ],
)
def test_a_day_that_was_fetched_otherwise_or_is_left_out_is_not_compared_with(lookup, tmp_path, source, request_, run):
    params = check_params({"run": {"days": 2} | run})
    write_json(tmp_path / "options_data_20261118.meta.json", {"source": source, "request": request_})
    assert lookup.day_before("20261119", params.run.window, params, tmp_path) is None


def test_a_missing_parameter_file_is_named_as_snakemake_is_told_it(lookup, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        lookup.open_params(str(tmp_path / "none.yaml"))
    assert ended.value.code == 66
    assert "--config params=" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["parms", "train", "Date"])
def test_a_config_key_that_nothing_reads_is_refused(lookup, capsys, name):
    with pytest.raises(SystemExit) as ended:
        lookup.refuse_unknown({"params": "params.yaml", name: "examples/cboe_spx.yaml"})
    assert ended.value.code == 2
    assert f"--config {name}= is not known" in capsys.readouterr().err


def test_what_the_workflow_takes_is_not_refused(lookup):
    lookup.refuse_unknown({"params": "params.yaml", "date": 20261120, "dvc_yaml": "dvc.yaml"})
