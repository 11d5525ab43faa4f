import subprocess

import pytest

from options_pricing.cli import main
from options_pricing.run.backfill import FEATURES, backfill, sessions_missed
from options_pricing.run.errors import BadParamsError
from options_pricing.run.params import check_params

UPSTREAM = """\
2026-11-23T20:33:04Z INFO data_fetch event=start date={day}
2026-11-23T20:33:05Z ERROR data_fetch event=failed date={day} exit_code=69 what="no chain" why="it was down"
data_fetch: no chain of {day}
  why: the source was down
  fix: try again later
Error in rule data_fetch:
"""
HALTED = UPSTREAM.replace("exit_code=69", "exit_code=80").replace("data_fetch", "data_validate")


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").touch()
    (tmp_path / "params.yaml").write_text("{}")
    has_run(tmp_path, "20261118")
    return tmp_path


def has_run(folder, day):
    path = folder / FEATURES.format(day=day)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.fixture
def snakemake(monkeypatch):
    """A Snakemake that says what it is told to say of a day, and otherwise makes it."""
    said, asked = {}, []

    def run(command, *, cwd, **how):
        asked.append(command[3:])
        day = command[3][-12:-4]
        if day not in said:
            has_run(cwd, day)
        return subprocess.CompletedProcess(command, int(day in said), said.get(day, "").format(day=day))

    monkeypatch.setattr("options_pricing.run.backfill.subprocess.run", run)
    return said, asked


def test_what_is_missed_are_sessions_without_features(checkout):
    params = check_params({"run": {"without": ["20261124"]}})
    assert sessions_missed(checkout, params, "20261117", "20261127") == [
        *("20261117", "20261119", "20261120", "20261123", "20261125"),
        "20261127",  # the 26th is Thanksgiving
    ]


@pytest.mark.parametrize(
    ("first", "last"), [("20261120", "20261119"), ("2026-11-20", "20261120"), ("20260101", "today")]
)
def test_a_range_that_is_none_is_refused(checkout, first, last):
    with pytest.raises(BadParamsError):
        sessions_missed(checkout, check_params({}), first, last)


def test_each_session_is_run_by_itself_as_its_daily_run_was_to_be(checkout, snakemake, capsys):
    assert main(["backfill", "--from", "20261117", "--to", "20261120", "--folder", str(checkout)]) == 0
    assert capsys.readouterr().out.splitlines() == ["20261117 made", "20261119 made", "20261120 made"]
    assert snakemake[1] == [
        [FEATURES.format(day=day), "--config", f"date={day}"] for day in ("20261117", "20261119", "20261120")
    ]
    assert main(["backfill", "--from", "20261117", "--to", "20261120", "--folder", str(checkout)]) == 0
    assert capsys.readouterr().out == "nothing to do: no session from 20261117 to 20261120 is missing\n"


def test_another_parameter_file_is_passed_on(checkout, snakemake):
    (checkout / "other.yaml").write_text("run: {without: ['20261119']}")
    command = [
        "backfill",
        "--from",
        "20261119",
        "--to",
        "20261120",
        "--folder",
        str(checkout),
        "--params",
        "other.yaml",
    ]
    assert main(command) == 0
    assert snakemake[1] == [[FEATURES.format(day="20261120"), "--config", "date=20261120", "params=other.yaml"]]


@pytest.mark.parametrize(
    ("first", "second", "code"), [(UPSTREAM, UPSTREAM, 69), (HALTED, HALTED, 80), (UPSTREAM, HALTED, 69), ("?", "", 69)]
)
def test_days_that_cannot_be_made_are_named_and_keep_no_other_from_it(checkout, snakemake, capsys, first, second, code):
    snakemake[0].update({"20261117": first, "20261120": second})
    assert main(["backfill", "--from", "20261117", "--to", "20261120", "--folder", str(checkout)]) == code
    said = capsys.readouterr()
    assert "20261119 made" in said.out
    assert "2 of 3 sessions could not be made: 20261117, 20261120" in said.err
    assert len(said.err.splitlines()) <= 5
    assert (checkout / "logs/backfill_20261117.log").read_text() == first.format(day="20261117")
    if first == UPSTREAM:
        assert "20261117 not made: no chain of 20261117 (the source was down)" in said.out


def test_a_run_at_work_is_not_disturbed(checkout, snakemake, capsys):
    snakemake[0]["20261117"] = "LockException:\nError: Directory cannot be locked.\n"
    assert main(["backfill", "--from", "20261117", "--to", "20261120", "--folder", str(checkout)]) == 75
    assert "another run is at work" in capsys.readouterr().err
    assert len(snakemake[1]) == 1


def test_many_days_are_not_all_listed(checkout, snakemake, capsys):
    days = sessions_missed(checkout, check_params({}), "20260601", "20261120")
    snakemake[0].update(dict.fromkeys(days, UPSTREAM))
    assert main(["backfill", "--from", "20260601", "--to", "20261120", "--folder", str(checkout)]) == 69
    said = capsys.readouterr().err
    assert f"and {len(days) - 20} more" in said and days[19] in said and days[20] not in said


def test_the_last_day_is_the_newest_closed_session_unless_given(checkout, snakemake, monkeypatch):
    from options_pricing.run.clock import moment

    monkeypatch.setattr("options_pricing.run.clock.utc_now", lambda: moment("2026-11-20T15:00"))
    assert main(["backfill", "--from", "20261117", "--folder", str(checkout)]) == 0
    assert [command[0][-12:-4] for command in snakemake[1]] == ["20261117", "20261119"]


def test_outside_a_checkout_the_way_is_shown(tmp_path, capsys):
    assert main(["backfill", "--from", "20261117", "--to", "20261120", "--folder", str(tmp_path)]) == 66
    with pytest.raises(Exception, match="no checkout"):
        backfill(tmp_path, check_params({}), "20261117", "20261120")
