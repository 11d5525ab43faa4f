import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from options_pricing.cli import main
from options_pricing.release.ledger import Ledger
from options_pricing.release.store import Store
from options_pricing.run.errors import ExitCode
from options_pricing.run.files import write_json
from tests.made_release import write_staged
from tests.release.made_evidence import predictions, write_evidence


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "releases" / "staged").mkdir(parents=True)
    write_staged(folder / "releases" / "staged")
    return folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "checkout"))


@pytest.fixture
def release_id(folder) -> str:
    return str(json.loads((folder / "releases" / "staged" / "manifest.json").read_text())["release_id"])


@pytest.fixture
def approve(folder, release_id):
    def run(by="Ann", expires=None):
        until = expires or f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
        told = ["--by", by, "--reason", "reviewed", "--expires", until, "--folder", str(folder)]
        return main(["approve", release_id, *told])

    return run


def verify(folder: Path) -> int:
    return main(["verify", "--folder", str(folder)])


def write_status(folder: Path, release_id: str) -> None:
    status = {"release_id": release_id, "status": "staged", "live": False, "simulated": True, "as_of": "20261120"}
    write_json(
        folder / "reports/deployment_status.json", status | {"model": "hybrid", "model_sha256": "", "checks": []}
    )


def test_approve_then_verify_then_revoke(folder, release_id, approve, capsys):
    assert approve() == ExitCode.OK
    assert capsys.readouterr().out.startswith(f"line 1: Ann approves {release_id} until ")
    assert verify(folder) == ExitCode.OK
    assert "1 lines, as they were written; head " in capsys.readouterr().out
    assert main(["revoke", release_id, "--by", "Bob", "--reason", "late", "--folder", str(folder)]) == ExitCode.OK
    assert capsys.readouterr().out == f"revoked: the approval of {release_id} by Ann (line 1)\n"


def test_fault_69_verify_names_the_altered_line_and_ends_with_its_own_code(folder, approve, capsys):
    assert approve() == approve("Bob") == ExitCode.OK
    ledger = folder / "releases" / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"Bob", b"Eve"))
    capsys.readouterr()
    assert verify(folder) == ExitCode.ALTERED
    assert "FAULT line 2 is not what its own hash is of" in capsys.readouterr().out


def test_verify_checks_every_release_against_its_manifest(folder, release_id, approve, capsys):
    shutil.copytree(folder / "releases" / "staged", folder / "releases" / release_id)
    assert approve() == verify(folder) == ExitCode.OK
    assert capsys.readouterr().out.count(f"{release_id}, unsigned") == 2
    model = folder / "releases" / release_id / "options_pricing_model.pkl"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    assert verify(folder) == ExitCode.ALTERED
    assert f"FAULT {model} is refused" in capsys.readouterr().out


def test_status_shows_what_is_live_the_gate_the_approvals_and_the_ledger(folder, release_id, approve, root, capsys):
    manifest = json.loads((folder / "releases" / "staged" / "manifest.json").read_text())
    write_evidence(folder / "releases", predictions(days=9), manifest["files"]["options_pricing_model.pkl"])
    write_status(folder, release_id)
    shutil.copy(root / "params.yaml", folder)
    assert approve() == ExitCode.OK
    assert main(["status", "--folder", str(folder)]) == ExitCode.OK
    said = capsys.readouterr().out
    for part in (
        f"release {release_id}  staged, not live",
        "live    nothing",
        f"gate    CLOSED for the staged release {release_id}",
        "on 9 days: too few, 120 are needed",
        "approvals in force: 1",
        "ledger  2 lines, as it was written; head ",
    ):
        assert part in said
    assert main(["gate", "--folder", str(folder)]) == ExitCode.NOT_PERMITTED
    assert "FAIL r2_above_line" in capsys.readouterr().out


def test_fault_69_an_altered_ledger_closes_the_gate_that_would_else_be_open(folder, root, capsys):
    manifest = json.loads((folder / "releases" / "staged" / "manifest.json").read_text())
    write_evidence(folder / "releases", predictions(), manifest["files"]["options_pricing_model.pkl"])
    (folder / "params.yaml").write_text("gate: {days: 30, paths: 500, coverage: [0.8, 0.98]}\n")
    assert main(["gate", "--folder", str(folder)]) == ExitCode.OK
    assert "ok   ledger: 1 lines, as they were written" in capsys.readouterr().out
    ledger = folder / "releases" / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes() * 2)
    assert main(["gate", "--folder", str(folder)]) == ExitCode.NOT_PERMITTED
    said = capsys.readouterr().out
    assert "gate CLOSED" in said and "FAIL ledger: line 2 holds entry 1" in said
    write_status(folder, manifest["release_id"])
    assert main(["status", "--folder", str(folder)]) == ExitCode.OK
    assert f"gate    CLOSED for the staged release {manifest['release_id']}" in capsys.readouterr().out


def test_status_says_that_another_release_lies_where_the_tried_one_should(folder, release_id, root, capsys):
    shutil.copy(root / "params.yaml", folder)
    for tried, other in ((release_id, False), ("0" * 12, True)):
        write_status(folder, tried)
        assert main(["status", "--folder", str(folder)]) == ExitCode.OK
        assert (f"staged holds release {release_id}, of which none of this is said" in capsys.readouterr().out) is other


def test_an_operating_curve_needs_days(folder, root, capsys):
    shutil.copy(root / "params.yaml", folder)
    assert main(["gate", "--operating-curve", "--folder", str(folder)]) == ExitCode.MISSING_INPUT
    assert "there are 0 evaluated days" in capsys.readouterr().err


def test_verify_finds_a_release_under_the_id_of_another(folder, release_id, capsys):
    shutil.copytree(folder / "releases" / "staged", folder / "releases" / ("0" * 12))
    assert verify(folder) == ExitCode.ALTERED
    said = f"FAULT {folder}/releases/000000000000 is refused; it was not loaded: it holds release {release_id}"
    assert said in capsys.readouterr().out


def test_verify_and_status_say_that_something_else_than_an_act_made_a_release_live(folder, release_id, root, capsys):
    releases = folder / "releases"
    shutil.copytree(releases / "staged", releases / release_id)
    Ledger(releases / "ledger.jsonl").append("trained", by="ci")
    Store(releases).make_live(release_id)
    assert verify(folder) == ExitCode.ALTERED
    assert f"FAULT live is {release_id}, and the ledger made none live" in capsys.readouterr().out
    write_status(folder, release_id)
    shutil.copy(root / "params.yaml", folder)
    assert main(["status", "--folder", str(folder)]) == ExitCode.OK
    said = capsys.readouterr().out
    assert f"FAULT live is {release_id}" in said
    assert said.startswith(f"release {release_id}  staged, live\n")
    Ledger(releases / "ledger.jsonl").append("promoted", release_id=release_id, by="Bob", details={"from": None})
    assert verify(folder) == ExitCode.OK
    assert "FAULT" not in capsys.readouterr().out


def test_fault_69_same_person_approving_twice_ends_in_a_few_lines(approve, capsys):
    assert approve() == ExitCode.OK
    assert approve("ANN") == ExitCode.NOT_PERMITTED
    said = capsys.readouterr().err
    assert "has approved" in said
    assert len(said.splitlines()) <= 5


@pytest.mark.parametrize(
    "expires", ["soon", "2026-13-01", "2026-11-31", "", "2027-01-01T10:00", "0001-01-01T00:00+14:00"]
)
def test_a_day_that_is_none_is_named(approve, expires, capsys):
    with pytest.raises(SystemExit) as ended:
        approve(expires=expires or " ")
    assert ended.value.code == 2 and "is no day or time" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["staged", "STAGED", "upper case"])
def test_a_release_is_named_by_its_id_in_any_case_or_as_the_staged_one(folder, release_id, name, capsys):
    named = release_id.upper() if name == "upper case" else name
    until = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    told = ["--by", "Ann", "--reason", "reviewed", "--expires", until, "--folder", str(folder)]
    assert main(["approve", named, *told]) == ExitCode.OK
    assert f"Ann approves {release_id} until" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["gate"], ["approve", "staged", "--by", "A", "--reason", "b"], ["status"]])
def test_where_nothing_is_staged_each_command_says_the_same(folder, command, capsys):
    shutil.rmtree(folder / "releases" / "staged")
    shutil.copy(Path(__file__).parents[2] / "params.yaml", folder)
    (folder / "workflow").mkdir()
    (folder / "workflow" / "Snakefile").touch()
    until = ["--expires", f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"] if command[0] == "approve" else []
    assert main([*command, *until, "--folder", str(folder)]) == ExitCode.MISSING_INPUT
    assert "nothing is staged yet" in capsys.readouterr().err


def test_a_live_release_that_is_not_kept_any_more_is_a_fault(folder, release_id, capsys):
    store = Store(folder / "releases")
    shutil.copytree(store.staged, store.folder_of(release_id))
    Ledger(folder / "releases" / "ledger.jsonl").append("promoted", release_id=release_id, by="Ann")
    store.make_live(release_id)
    assert verify(folder) == ExitCode.OK
    shutil.rmtree(store.folder_of(release_id))
    assert verify(folder) == ExitCode.ALTERED
    assert f"FAULT release {release_id}, which live.json names, is not kept" in capsys.readouterr().out


def test_outside_a_checkout_one_is_told_so(tmp_path, capsys):
    assert verify(tmp_path) == ExitCode.MISSING_INPUT
    assert "is no checkout" in capsys.readouterr().err
