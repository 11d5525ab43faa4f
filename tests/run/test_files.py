import json
import os
import signal
import subprocess
import sys

import pytest

from options_pricing.run.errors import BadDataError, MissingInputError
from options_pricing.run.files import read_json, sha256_of, whole_file, write_json, write_text


def test_write_makes_the_folder_and_leaves_nothing_beside(tmp_path):
    target = tmp_path / "deep" / "er" / "a.txt"
    write_text(target, "ä\n")
    assert target.read_bytes() == "ä\n".encode()
    assert os.listdir(target.parent) == ["a.txt"]


def test_an_error_while_writing_keeps_the_old_file_whole(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), whole_file(target) as temporary:
        temporary.write_text("half of the ne")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_kill_while_writing_keeps_the_old_file_whole(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    program = f"""
import os, signal
from pathlib import Path
from options_pricing.run.files import whole_file
with whole_file(Path({str(target)!r})) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program])
    assert done.returncode == -signal.SIGKILL
    assert target.read_text() == "old"


def test_json_keeps_its_keys_in_order_and_refuses_nan(tmp_path):
    target = tmp_path / "a.json"
    write_json(target, {"b": 1, "a": [None, 0.1]})
    assert list(read_json(target)) == ["b", "a"]
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(target, {"a": float("nan")})
    assert json.loads(target.read_text()) == {"b": 1, "a": [None, 0.1]}


def test_reading_what_is_not_there_or_not_json_says_so(tmp_path):
    with pytest.raises(MissingInputError, match=r"none\.json is not there"):
        read_json(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"a": 1')
    with pytest.raises(BadDataError, match="not valid JSON"):
        read_json(tmp_path / "bad.json")


def test_sha256_of_a_known_text(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
