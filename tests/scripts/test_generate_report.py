import os
import subprocess
import sys

import generate_report
import pandas as pd
import pytest

from options_pricing.release.ledger import Ledger
from options_pricing.run.files import write_json
from tests.made_release import make_store
from tests.reporting.made_files import MadeFiles

DAY = "20261120"


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return MadeFiles(folder)


def arguments(root, inputs, out, date=DAY):
    return [
        *("--params", str(root / "params.yaml"), "--date", date, "--log", str(out / "report.log"), *inputs),
        *("--markdown", str(out / "r.md"), "--html", str(out / "r.html"), "--figures", str(out / "figures")),
        *("--trend", str(out / "trend.json")),
    ]


def data_only(made):
    return made.arguments[: made.arguments.index("--card")]


def test_the_whole_report(root, made, tmp_path):
    assert generate_report.main(arguments(root, made.arguments, tmp_path / "out")) == 0
    assert {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()} == {
        *(
            "r.md",
            "r.html",
            "report.log",
            "trend.json",
            "r2_by_day.svg",
            "error_by_bucket.svg",
            "smiles.svg",
            "validation_waterfall.svg",
        )
    }
    log = (tmp_path / "out/report.log").read_text()
    assert "event=inputs_read" in log and "event=report_written" in log


def test_the_daily_report_is_about_data_only(root, made, tmp_path):
    assert generate_report.main(arguments(root, data_only(made), tmp_path / "out")) == 0
    for name in ("r.md", "r.html"):
        text = (tmp_path / "out" / name).read_text()
        assert "No model was evaluated: this report is about data only." in text
        assert "How good is" not in text
    assert len(list((tmp_path / "out/figures").iterdir())) == 4


def test_same_inputs_same_bytes_whatever_the_clock_zone_and_locale(root, made, tmp_path):
    outputs = []
    for place, settings in enumerate(
        [
            {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "1", "PYTHONUTF8": "0", "OMP_NUM_THREADS": "1"},
            {"TZ": "America/New_York", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2"},
        ]
    ):
        out = tmp_path / f"out{place}"
        command = [sys.executable, str(root / "scripts/generate_report.py"), *arguments(root, made.arguments, out)]
        subprocess.run(command, env=os.environ | settings, check=True, capture_output=True, cwd=tmp_path)
        outputs.append(
            {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file() and p.suffix != ".log"}
        )
    assert len(outputs[0]) == 7
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (lambda made: made.metrics.unlink(), 66, "evaluation_metrics.json is not there"),
        (lambda made: made.card.write_text("{"), 65, "not valid JSON"),
        (lambda made: made.change(made.metrics, protocols={}), 65, "judges zero quotes"),
        (lambda made: made.features.write_text(""), 65, "is empty"),
    ],
)
def test_bad_input_is_one_message_and_old_reports_stay(root, made, tmp_path, capsys, spoil, code, said):
    out = tmp_path / "out"
    assert generate_report.main(arguments(root, made.arguments, out)) == 0
    before = {path: path.read_bytes() for path in out.rglob("*.*") if path.suffix in {".md", ".html", ".svg"}}
    capsys.readouterr()
    spoil(made)
    assert generate_report.main(arguments(root, made.arguments, out)) == code
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert {path: path.read_bytes() for path in before} == before


def test_old_data_under_a_new_date_are_refused(root, made, tmp_path, capsys):
    assert generate_report.main(arguments(root, made.arguments, tmp_path / "out", date="20261123")) == 65
    assert "the data end on 2026-11-20, the report is of 2026-11-23" in capsys.readouterr().err
    assert not (tmp_path / "out/r.md").exists()


@pytest.mark.parametrize("date", ["2026-11-20", "20261301", "../../x", ""])
def test_what_is_no_date_is_refused(root, made, tmp_path, capsys, date):
    assert generate_report.main(arguments(root, made.arguments, tmp_path / "out", date=date)) == 78
    assert "is not a date" in capsys.readouterr().err
    assert not (tmp_path / "out/r.md").exists()


@pytest.mark.parametrize(
    ("held", "kept"),
    [('{"date": "20261123"}', True), ('{"date": "20261119"}', False), ("{", False), ("[]", False), (None, False)],
)
def test_the_state_of_drift_of_a_later_day_is_not_written_over(tmp_path, held, kept):
    path = tmp_path / "drift.json"
    if held is not None:
        path.write_text(held)
    drift = {"date": DAY, "status": "green"}
    assert generate_report._newest(path, drift) == ({} if kept else {path: drift})


def losing(store, days: int) -> None:
    """Records of days on which the live release lost to the surface of its own last day."""
    name = {"release_id": store.live().live}
    for day in pd.bdate_range(end="2026-11-19", periods=days):
        figures = {"r2_implied_vol_vs_own_last_day": -0.1}
        record = {"date": f"{day:%Y%m%d}", "judged": True, "release": name, "figures": figures}
        write_json(store.folder.parent / f"reports/live/live_{day:%Y%m%d}.json", record)


@pytest.mark.parametrize(("days", "demoted"), [(20, True), (12, False)])
def test_the_daily_report_takes_a_losing_release_back_and_tells_people(root, made, tmp_path, hook, days, demoted):
    store = make_store(tmp_path / "releases", count=2)
    first, second = store.ids()
    store.make_live(second)
    losing(store, days)
    words = [*arguments(root, data_only(made), tmp_path / "out"), "--demote", str(store.folder)]
    assert generate_report.main(words) == 0
    assert store.live().live == (first if demoted else second)
    acts = [(act.event, act.release_id, act.details["to"]) for act in Ledger(store.folder / "ledger.jsonl").entries()]
    assert acts == [("demoted", second, first)] * demoted
    told = [message for message in hook.messages if "taken back by itself" in str(message)]
    assert len(told) == demoted
    assert all(second in str(message) and first in str(message) for message in told)
