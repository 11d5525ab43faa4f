import json
import shutil
import subprocess
import sys
import time

import pytest

from options_pricing.cli import main
from options_pricing.release import promotion
from options_pricing.release.health import Api
from options_pricing.release.store import Store
from options_pricing.run.targets import VARIABLE
from options_pricing.serving.processes import child_environment
from tests.made_hook import Received
from tests.made_release import make_store


@pytest.fixture
def checkout(root, tmp_path, monkeypatch):
    """A folder with two releases that Ann has approved, none of them live; no API runs."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(promotion, "check_candidate", lambda folder, release_id: {})
    shutil.copy(root / "params.yaml", tmp_path)
    make_store(tmp_path / "releases", count=2, live=False)
    for release_id in Store(tmp_path / "releases").ids():
        words = ["approve", release_id, "--by", "Ann", "--reason", "good", "--expires", in_a_month()]
        assert main([*words, "--folder", str(tmp_path)]) == 0
    return tmp_path


def in_a_month() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))


def words(checkout, *given: str, by: str = "Bob") -> list[str]:
    return [*given, "--by", by, "--reason", "because", "--folder", str(checkout), "--api", "http://127.0.0.1:1"]


def live_in(checkout) -> dict:
    return json.loads((checkout / "releases" / "live.json").read_text())


def test_a_release_is_promoted_and_gone_back_from(checkout, capsys):
    one, two = Store(checkout / "releases").ids()
    assert main(words(checkout, "promote", one)) == 0
    assert main(words(checkout, "promote", two)) == 0
    said = capsys.readouterr().out
    assert f"live: {two} (before it {one})" in said
    assert "no API that follows these releases answers at http://127.0.0.1:1" in said
    assert live_in(checkout)["live"] == two
    assert main(words(checkout, "rollback")) == 0
    assert f"live: {one} again" in capsys.readouterr().out
    assert live_in(checkout)["live"] == one
    assert main(words(checkout, "rollback")) == 66
    assert main(["verify", "--folder", str(checkout)]) == 0


def test_without_permission_it_ends_with_84_in_a_few_lines(checkout, capsys):
    one, _ = Store(checkout / "releases").ids()
    capsys.readouterr()
    assert main(words(checkout, "promote", one, by="Ann")) == 84
    said = capsys.readouterr()
    assert said.out == ""
    assert 1 <= len(said.err.strip().splitlines()) <= 5


def test_fault_63_what_is_taken_back_ends_with_86_and_an_alert(checkout, capsys, httpserver, monkeypatch):
    one, two = Store(checkout / "releases").ids()
    assert main(words(checkout, "promote", one)) == 0
    received = Received(httpserver, monkeypatch)
    monkeypatch.setattr(Api, "follows_releases", lambda self: True)
    monkeypatch.setattr(promotion, "watch", lambda api, manifest, patience: "12 of 12 golden prices differ")
    assert main(words(checkout, "promote", two)) == 86
    assert "12 of 12 golden prices differ" in capsys.readouterr().err
    assert live_in(checkout)["live"] == one
    (letter,) = received.messages
    assert two in str(letter) and "taken back by itself" in str(letter)


@pytest.mark.parametrize("command", [["promote", "0" * 12], ["rollback"]])
def test_in_a_folder_of_the_checkout_the_way_out_is_named(tmp_path, monkeypatch, capsys, command):
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").touch()
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "docs")
    assert main([*command, "--by", "Bob", "--reason", "because"]) == 66
    assert capsys.readouterr().err.endswith(f"fix: go to the checkout: cd {tmp_path}\n")


@pytest.mark.parametrize("option", ["--by", "--reason"])
def test_nobody_and_no_reason_is_a_wrong_command_line(checkout, option):
    with pytest.raises(SystemExit) as ended:
        main([*words(checkout, "rollback"), option, " "])
    assert ended.value.code == 2


def test_going_back_loads_no_model_and_no_library_of_numbers(checkout):
    one, two = Store(checkout / "releases").ids()
    assert main(words(checkout, "promote", one)) == main(words(checkout, "promote", two)) == 0
    code = "import sys; from options_pricing.cli import main; code = main(sys.argv[1:])\n"
    code += "print(code, sorted({'numpy', 'pandas', 'sklearn', 'pickle5', 'exchange_calendars'} & set(sys.modules)))"
    command = [sys.executable, "-c", code, *words(checkout, "rollback")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=child_environment(), cwd=checkout
    )
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr
