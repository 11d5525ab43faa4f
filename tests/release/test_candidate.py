import hashlib
import json
import pickle
import time
from pathlib import Path

import pytest

from options_pricing.release import candidate, golden
from options_pricing.release.candidate import Limits, check_candidate, why_unfit
from options_pricing.release.verify import load_release, read_manifest
from options_pricing.run.errors import ModelRefusedError
from tests.made_release import fingerprint
from tests.release.harmful import Harmful

ID = "0" * 12


def id_of(folder: Path) -> str:
    return read_manifest(folder / "manifest.json").release_id


@pytest.fixture
def harmful(staged_copy, monkeypatch):
    """Makes a release that its own manifest names, whose model does something when it is unpickled in the child."""
    # The child finds the class by its module's name.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))

    def make(code: str) -> Path:
        content = pickle.dumps(Harmful(code))
        card = json.loads((staged_copy / "model_card.json").read_text())
        card["model_sha256"] = hashlib.sha256(content).hexdigest()
        fingerprint(staged_copy, {"options_pricing_model.pkl": content, "model_card.json": json.dumps(card).encode()})
        return staged_copy

    return make


def test_a_whole_release_is_reported(staged):
    report = check_candidate(staged, id_of(staged))
    assert report == {
        "release_id": id_of(staged),
        "model_sha256": read_manifest(staged / "manifest.json").files["options_pricing_model.pkl"],
        "signature": "unsigned",
        "golden_rows": 12,
    }


def test_a_release_of_another_id_is_refused_and_a_missing_one_too(staged, tmp_path):
    with pytest.raises(ModelRefusedError, match=f"not {ID}"):
        check_candidate(staged, ID)
    with pytest.raises(ModelRefusedError, match="no release"):
        check_candidate(tmp_path / "nothing", ID)


def test_golden_rows_may_differ_by_a_part_in_a_million_million_and_no_more(staged_with, staged, manifest):
    rows = manifest["golden_rows"]
    for factor, fit in ((1 + 5e-13, True), (1 + 5e-12, False)):
        changed = [row | {"predicted_price": row["predicted_price"] * factor} for row in rows]
        release = load_release(staged_with(golden_rows=changed))
        assert (why_unfit(release) is None) == fit


def test_a_release_that_is_slow_or_fails_at_its_golden_rows_is_unfit(staged, monkeypatch):
    release = load_release(staged)
    monkeypatch.setattr(candidate, "SLOWEST_SECONDS", 0.0)
    assert "golden prices take" in why_unfit(release)
    monkeypatch.setattr(golden, "_priced", lambda model, asked: {"predicted_price": [float("nan")] * len(asked)})
    assert "12 of 12 golden prices differ" in why_unfit(release)
    monkeypatch.undo()
    monkeypatch.setattr(type(release.model), "price_options", lambda self, asked: 1 / 0)
    assert "ZeroDivisionError" in why_unfit(release)


@pytest.mark.parametrize(
    ("code", "limits", "word"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", Limits(), "SIGSEGV"),
        ("while True: pass", Limits(cpu_seconds=5), "SIGXCPU"),
        ("held = bytearray(3 << 30)", Limits(memory_bytes=2 << 30), "MemoryError"),
        ("open('/dev/shm/options-pricing-test', 'wb').write(bytes(65 << 20))", Limits(), "File too large"),
        ('print(\'{"release_id": "made up"}\'); import os; os._exit(0)', Limits(), "ended with 0"),
    ],
    ids=["crashes", "computes for ever", "takes memory", "writes a large file", "lies"],
)
def test_what_kills_the_child_or_goes_over_a_limit_is_a_refusal(harmful, code, limits, word):
    folder = harmful(code)
    try:
        with pytest.raises(ModelRefusedError, match=word):
            check_candidate(folder, id_of(folder), limits)
    finally:
        Path("/dev/shm/options-pricing-test").unlink(missing_ok=True)


def test_a_child_that_is_not_waited_for_any_more_is_gone_with_its_own_children(harmful, tmp_path):
    file = tmp_path / "pid"
    spawn = (
        f"import subprocess, time; p = subprocess.Popen(['sleep', '300']); open({str(file)!r}, 'w').write(str(p.pid))"
    )
    folder = harmful(f"{spawn}; time.sleep(300)")
    with pytest.raises(ModelRefusedError, match="had not ended after 10 s"):
        check_candidate(folder, id_of(folder), Limits(wall_seconds=10))
    pid = int(file.read_text())
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    stat = Path(f"/proc/{pid}/stat")
    assert not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"
