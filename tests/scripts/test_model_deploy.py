import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import model_deploy
import pytest

from options_pricing.release.ledger import Ledger
from options_pricing.release.staging import Check
from options_pricing.release.verify import load_release
from options_pricing.run.files import sha256_of
from tests.made_release import pickled_model, write_trained


@pytest.fixture
def words(root, tmp_path):
    """The command line of a deployment from a folder with a trained model, into folders with odd names."""
    model, card = write_trained(tmp_path)
    release, status = tmp_path / "re 'leases'" / "staged", tmp_path / "reports" / "deployment_status.json"
    paths = {"model": model, "card": card, "release": release, "status": status, "log": tmp_path / "deploy.log"}
    given = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    return [*given, "--params", str(root / "params.yaml"), "--date", "20261120"]


def path_of(words: list[str], name: str) -> Path:
    return Path(words[words.index(f"--{name}") + 1])


def staged(words: list[str]) -> dict[str, bytes]:
    """The bytes of the staged release."""
    return {path.name: path.read_bytes() for path in path_of(words, "release").iterdir()}


def others_than(words: list[str], before: dict[str, bytes]) -> list[str]:
    """What lies beside the staged release, but for the one that was kept before."""
    kept = json.loads(before["deployment_status.json"])["release_id"]
    return sorted({*os.listdir(path_of(words, "release").parent)} - {"staged", kept})


def held(words: list[str]) -> dict[str, bytes]:
    """The bytes of the staged release and of the status."""
    files = [*path_of(words, "release").iterdir(), path_of(words, "status")]
    return {path.name: path.read_bytes() for path in files}


GOOD = [Check("api_ready", True, "status 200")]


def test_a_model_is_staged_tried_and_told_and_a_second_time_gives_the_same_bytes(root, words, monkeypatch):
    command = [sys.executable, str(root / "scripts" / "model_deploy.py"), *words]
    command += ["--ledger", str(path_of(words, "log").parent / "ledger.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    release = load_release(path_of(words, "release"))
    assert len(release.manifest.golden_rows) == 25
    (entry,) = Ledger(path_of(words, "log").parent / "ledger.jsonl").entries()
    assert (entry.event, entry.release_id) == ("staged", release.manifest.release_id)
    assert entry.details["manifest_sha256"] == sha256_of(path_of(words, "release") / "manifest.json")
    status = json.loads(path_of(words, "status").read_text())
    assert status["release_id"] == release.manifest.release_id
    assert (status["status"], status["live"]) == ("staged", False)
    assert [check["name"] for check in status["checks"]] == [
        "api_ready",
        "api_single_price",
        "api_golden_prices",
        "app_health",
        "app_page",
        "app_page_drawn",
    ]
    assert all(check["passed"] for check in status["checks"])
    assert set(os.listdir(path_of(words, "release").parent)) == {"staged", release.manifest.release_id}
    kept = path_of(words, "release").with_name(release.manifest.release_id)
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == staged(words)
    assert "event=health_check" in path_of(words, "log").read_text()
    first = held(words)
    checks = [Check(**check) for check in status["checks"]]
    monkeypatch.setattr(model_deploy, "try_release", lambda *args, **kwargs: checks)
    assert model_deploy.main(words) == 0
    assert held(words) == first


@pytest.fixture
def staged_before(words, monkeypatch):
    """What an earlier deployment left; its model is another one."""
    monkeypatch.setattr(model_deploy, "try_release", lambda *args, **kwargs: GOOD)
    assert model_deploy.main(words) == 0
    write_trained(path_of(words, "model").parent, pickled_model("flat_vol"))
    return held(words)


def test_a_failed_check_is_exit_82_and_leaves_the_old_release_and_status(words, staged_before, monkeypatch, capsys):
    bad = [*GOOD, Check("api_golden_prices", False, "24 of 25 prices equal to the last bit")]
    monkeypatch.setattr(model_deploy, "try_release", lambda *args, **kwargs: bad)
    assert model_deploy.main(words) == 82
    assert held(words) == staged_before
    assert others_than(words, staged_before) == []
    assert "24 of 25" in capsys.readouterr().err


def test_a_service_that_does_not_come_up_is_exit_82_with_its_last_line(words, staged_before, monkeypatch, capsys):
    monkeypatch.undo()
    loud = [sys.executable, "-S", "-c", "raise ValueError('no such thing')"]
    monkeypatch.setattr("options_pricing.serving.trial.api_command", lambda *args, **kwargs: loud)
    monkeypatch.setattr("options_pricing.serving.trial.app_command", lambda *args, **kwargs: loud)
    assert model_deploy.main(words) == 82
    assert held(words) == staged_before
    assert "ValueError: no such thing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda model, card: model.write_bytes(model.read_bytes()[:-1]), 81),
        (lambda model, card: card.write_text("{}"), 81),
        (lambda model, card: card.write_text("not json"), 81),
        (lambda model, card: model.unlink(), 66),
        (lambda model, card: card.unlink(), 66),
    ],
)
def test_what_cannot_be_staged_has_its_exit_code_and_leaves_the_old_release(words, staged_before, spoil, code, capsys):
    spoil(path_of(words, "model"), path_of(words, "card"))
    capsys.readouterr()
    assert model_deploy.main(words) == code
    assert held(words) == staged_before
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "fix: " in said


def test_sigterm_while_it_tries_stops_everything_and_leaves_the_old_release(root, words, staged_before):
    command = [sys.executable, str(root / "scripts" / "model_deploy.py"), *words]
    task = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children: list[int] = []
    until = time.monotonic() + 60
    while len(children) < 2 and time.monotonic() < until:
        children = [int(pid) for pid in Path(f"/proc/{task.pid}/task/{task.pid}/children").read_text().split()]
        time.sleep(0.05)
    task.send_signal(signal.SIGTERM)
    assert task.wait(30) == 143
    assert len(children) == 2
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert held(words) == staged_before
    assert others_than(words, staged_before) == []
