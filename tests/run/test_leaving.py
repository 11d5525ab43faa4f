"""How a process ends: with all that it wrote, its exit code, and nothing torn down."""

import os
import subprocess
import sys

import pytest

LEAVE = "import atexit, sys; from options_pricing.run.leaving import leave; atexit.register(print, 'torn down'); "


@pytest.mark.parametrize("code", [0, 65, 81])
def test_what_was_written_is_there_and_libraries_are_not_torn_down(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{LEAVE} print('told', end=''); leave({code})"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "told", "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["today"], ["--help"]])
def test_a_reader_that_has_seen_enough_ends_a_command_without_a_traceback(words, unbuffered):
    process = subprocess.Popen(
        [sys.executable, "-m", "options_pricing.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) in {0, 141}
