"""The folder of the metrics is made for a process, goes with it, and goes later where the process was killed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from options_pricing.serving.metrics_folder import FOLDER, PREFIX, clear_folder, make_folder


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv(FOLDER, "")
    return tmp_path


def test_a_folder_is_made_and_cleared(temporary):
    make_folder()
    made = Path(os.environ[FOLDER])
    assert made.is_dir() and made.parent == temporary
    clear_folder()
    assert FOLDER not in os.environ
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_cleared_and_what_belongs_to_a_running_one_stays(temporary):
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    left, kept, foreign = (temporary / f"{PREFIX}{name}" for name in (f"{ended.pid}-a", f"{os.getppid()}-b", "x-y"))
    for folder in (left, kept, foreign):
        folder.mkdir()
    make_folder()
    assert (left.exists(), kept.exists(), foreign.exists()) == (False, True, True)
    clear_folder()
