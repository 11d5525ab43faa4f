import errno

import pytest

from options_pricing.run.errors import BadDataError, HaltedDayError
from options_pricing.run.task import run_task, task_parser


def run(tmp_path, work, params="{}"):
    (tmp_path / "params.yaml").write_text(params)
    argv = ["--params", str(tmp_path / "params.yaml"), "--log", str(tmp_path / "task.log"), "--date", "20261120"]
    return run_task("data_validate", task_parser("data_validate", "Test."), work, argv)


def failing_with(error):
    def work(args, params, log):
        raise error

    return work


def test_a_task_that_ends_well(tmp_path):
    assert run(tmp_path, lambda args, params, log: log.info("made", rows=3)) == 0
    lines = (tmp_path / "task.log").read_text().splitlines()
    assert [line.split("event=")[1].split()[0] for line in lines] == ["start", "made", "end"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadDataError("a.csv is empty", why="no header", fix="fetch it again"), 65),
        (HaltedDayError("20261120 is halted", why="F06", fix="look at it"), 80),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.csv"), 66),
        (OSError(errno.ENOSPC, "No space left on device", "b.csv"), 74),
        (PermissionError(errno.EACCES, "Permission denied", "b.csv"), 74),
    ],
)
def test_failures_end_in_a_few_lines_and_their_code(tmp_path, capsys, error, code):
    assert run(tmp_path, failing_with(error)) == code
    said = [line for line in capsys.readouterr().err.splitlines() if not line[:4].isdigit()]
    assert 1 <= len(said) <= 5
    assert "Traceback" not in "\n".join(said)


def test_a_bug_keeps_its_traceback(tmp_path, capsys):
    assert run(tmp_path, failing_with(ZeroDivisionError("bug"))) == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_connection_that_fails_is_tried_again_as_the_params_say(tmp_path):
    calls = []

    def work(args, params, log):
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError("reset")

    assert run(tmp_path, work, "retry: {data_validate: {tries: 2, first_wait: 0}}") == 0
    assert "event=retry" in (tmp_path / "task.log").read_text()


def test_wrong_params_stop_before_the_work(tmp_path, capsys):
    assert run(tmp_path, failing_with(AssertionError("ran")), "trian: {}") == 78
    assert "trian: no such key" in capsys.readouterr().err
