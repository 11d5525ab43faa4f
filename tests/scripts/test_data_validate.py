"""data_validate from its command line: files in, files out, exit codes."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import data_validate
import pandas as pd
import pytest

from options_pricing.quotes.schema import QUARANTINE, RAW, REPAIRED, VALIDATED
from options_pricing.quotes.tables import read_csv, write_csv
from options_pricing.run.errors import ExitCode
from options_pricing.sources.simulated import SimulatedMarket

DAYS = ["20261117", "20261118"]


@pytest.fixture(scope="module")
def quotes() -> dict[str, pd.DataFrame]:
    """Two days of a small simulated chain."""
    market = SimulatedMarket(7, ("XIDX", "XTEC"), "tiny", 0.02)
    return {day: market.chain(day).quotes for day in DAYS}


@pytest.fixture
def folder(tmp_path: Path, quotes: dict[str, pd.DataFrame]) -> Path:
    """A data folder with the raw files of two days."""
    for day, table in quotes.items():
        put_raw(tmp_path, day, table)
    (tmp_path / "params.yaml").write_text("{}\n")
    return tmp_path


def put_raw(folder: Path, day: str, table: pd.DataFrame) -> None:
    path = folder / f"options_data_{day}.csv"
    write_csv(table, path, RAW)
    describe(path)


def describe(path: Path) -> None:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    meta = {"source": "simulated", "simulated": True, "sha256": sha256}
    path.with_suffix(".meta.json").write_text(json.dumps(meta))


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the task on the second day."""
    monkeypatch.chdir(folder)

    def task(*, previous: bool = True, out: str = "out", repaired: str | None = None) -> int:
        return data_validate.main(
            [
                *("--params", "params.yaml", "--log", f"{out}/task.log", "--date", DAYS[1]),
                *("--raw", f"options_data_{DAYS[1]}.csv", "--previous"),
                *([f"options_data_{DAYS[0]}.csv"] if previous else []),
                *("--out", f"{out}/validated.csv", "--quarantine", f"{out}/quarantine.csv"),
                *("--report", f"{out}/validation.json"),
                *(["--repaired", repaired] if repaired else []),
            ]
        )

    return task


def test_rows_are_conserved_and_the_report_says_so(run, folder: Path) -> None:
    assert run() == ExitCode.OK
    raw = read_csv(folder / f"options_data_{DAYS[1]}.csv", RAW)
    validated = read_csv(folder / "out/validated.csv", VALIDATED)
    quarantine = read_csv(folder / "out/quarantine.csv", QUARANTINE)
    report = json.loads((folder / "out/validation.json").read_text())
    assert sorted([*validated["raw_row"], *quarantine["raw_row"]]) == list(range(len(raw)))
    assert report["rows"] == {"raw": len(raw), "validated": len(validated), "quarantined": len(quarantine)}
    assert (report["date"], report["source"], report["simulated"]) == (DAYS[1], "simulated", True)
    assert list(report)[:4] == ["date", "source", "simulated", "status"]


def test_the_log_says_which_rules_passed_and_failed(run, folder: Path) -> None:
    run()
    log = (folder / "out/task.log").read_text()
    lines = {line.split(" event=")[1].split(" ")[0]: line for line in log.splitlines()}
    assert "passed=F01,F02,F03" in lines["rules"] and "P02" in lines["rules"].split("quarantine=")[1]
    assert "id=P02" in log and 'title="no bid" outcome=quarantine' in log
    assert "vendor_price=1" in lines["null_rates"]
    assert "status=passed" in lines["rows"]


def test_the_same_inputs_give_the_same_bytes(run, folder: Path) -> None:
    run(out="a")
    run(out="b")
    for name in ("validated.csv", "quarantine.csv", "validation.json"):
        assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()


def test_the_first_day_has_no_days_before_it(run) -> None:
    assert run(previous=False) == ExitCode.OK


def test_a_halted_day_leaves_a_report_and_no_table(run, folder: Path, quotes, capsys) -> None:
    put_raw(folder, DAYS[1], quotes[DAYS[0]])
    assert run() == ExitCode.HALTED_DAY
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["task.log", "validation.json"]
    assert json.loads((folder / "out/validation.json").read_text())["status"] == "halted"
    said = capsys.readouterr().err
    assert "F06" in said and "run.without" in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"response_codes": [503, 200], "inputs": [{"path": "a", "sha256": "1"}]}, ExitCode.OK),
        ({"response_codes": [200, 503]}, ExitCode.HALTED_DAY),
        ({"inputs": [{"path": "a", "sha256": "1"}, {"path": "b", "sha256": "1"}]}, ExitCode.HALTED_DAY),
        ({"response_codes": "200"}, ExitCode.BAD_DATA),
        ({"response_codes": [None]}, ExitCode.BAD_DATA),
        ({"inputs": ["a"]}, ExitCode.BAD_DATA),
    ],
)
def test_what_is_known_of_the_fetch_is_judged(run, folder: Path, told: dict, code: ExitCode, capsys) -> None:
    meta = folder / f"options_data_{DAYS[1]}.meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | told))
    assert run() == code
    said = capsys.readouterr().err
    assert ("F01" in said and "Traceback" not in said) or code == ExitCode.BAD_DATA


def test_an_empty_chain_halts(run, folder: Path, quotes) -> None:
    put_raw(folder, DAYS[1], quotes[DAYS[1]].iloc[:0])
    assert run() == ExitCode.HALTED_DAY
    assert not (folder / "out/validated.csv").exists()
    assert json.loads((folder / "out/validation.json").read_text())["halts"][0]["id"] == "F03"


def test_a_raw_file_that_was_changed_is_refused(run, folder: Path, capsys) -> None:
    path = folder / f"options_data_{DAYS[1]}.csv"
    path.write_bytes(path.read_bytes().replace(b",100,", b",101,", 1))
    assert run() == ExitCode.BAD_DATA
    assert "sha256" in capsys.readouterr().err
    assert not (folder / "out/validation.json").exists()


def test_a_raw_file_without_its_description(run, folder: Path) -> None:
    meta = folder / f"options_data_{DAYS[1]}.meta.json"
    meta.write_text("[]")
    assert run() == ExitCode.BAD_DATA
    meta.unlink()
    assert run() == ExitCode.MISSING_INPUT


@pytest.mark.parametrize("spoilt", [b"", b"a,b\n1,2\n", b"source,bid\nx,N/A\n"])
def test_a_raw_file_that_is_no_raw_table(run, folder: Path, spoilt: bytes, capsys) -> None:
    path = folder / f"options_data_{DAYS[1]}.csv"
    path.write_bytes(spoilt)
    describe(path)
    assert run() == ExitCode.BAD_DATA
    assert "Traceback" not in capsys.readouterr().err


def test_an_unknown_rule_stops_before_any_file_is_read(run, folder: Path, capsys) -> None:
    (folder / "params.yaml").write_text("validation: {rules: {P77: {severity: warn}}}\n")
    (folder / f"options_data_{DAYS[1]}.csv").unlink()
    assert run() == ExitCode.BAD_PARAMS
    assert "P77" in capsys.readouterr().err


def test_severities_of_the_params_are_used(run, folder: Path) -> None:
    (folder / "params.yaml").write_text("validation: {rules: {P02: {severity: halt}}}\n")
    assert run() == ExitCode.HALTED_DAY


def test_repaired_prices_are_written_only_where_they_are_asked_for(run, folder: Path) -> None:
    assert run() == ExitCode.OK
    assert "repair" not in json.loads((folder / "out/validation.json").read_text())
    before = (folder / "out/validated.csv").read_bytes()
    (folder / "params.yaml").write_text("validation: {repair: lp}\n")
    assert run(repaired="out/repaired.csv") == ExitCode.OK
    repaired = read_csv(folder / "out/repaired.csv", REPAIRED)
    report = json.loads((folder / "out/validation.json").read_text())
    assert report["repair"]["quotes"] == len(repaired) > 100
    assert (folder / "out/validated.csv").read_bytes() == before
    validated = read_csv(folder / "out/validated.csv", VALIDATED).set_index("raw_row")
    assert set(repaired["raw_row"]) <= set(validated.index)
    assert (repaired["bid"].to_numpy() == validated.loc[repaired["raw_row"], "bid"].to_numpy()).all()
    (folder / "params.yaml").write_text("{}")
    assert run(repaired="out/repaired.csv") == ExitCode.OK
    assert not (folder / "out/repaired.csv").exists()


def test_a_repair_without_a_place_for_it_is_refused(run, folder: Path, capsys) -> None:
    (folder / "params.yaml").write_text("validation: {repair: lp}\n")
    assert run() == ExitCode.BAD_PARAMS
    assert "--repaired" in capsys.readouterr().err
    assert not (folder / "out/validated.csv").exists()
