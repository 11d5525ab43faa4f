import hashlib
import json
import os
import pickle
import platform
import random
import shutil
from importlib.metadata import version

import pytest

from options_pricing.models.bundle import PricingModel
from options_pricing.release import verify
from options_pricing.release.golden import golden_differences
from options_pricing.release.verify import load_release, verify_release
from options_pricing.run.errors import ExitCode, MissingInputError, ModelRefusedError
from tests.made_release import card_of, fingerprint

MODEL, CARD, MANIFEST = "options_pricing_model.pkl", "model_card.json", "manifest.json"


@pytest.fixture
def never_unpickled(monkeypatch):
    """Fails the test when a pickle is run."""
    monkeypatch.setattr(verify.pickle, "loads", lambda content: pytest.fail("it was unpickled"))


def refused(folder, name: str) -> ModelRefusedError:
    """The refusal of a release, which must name the file."""
    with pytest.raises(ModelRefusedError) as caught:
        load_release(folder)
    assert caught.value.exit_code == ExitCode.MODEL_REFUSED == 81
    assert str(folder / name) in caught.value.what
    assert len(str(caught.value).splitlines()) <= 5
    return caught.value


def test_a_whole_release_is_loaded_and_prices_as_it_did(staged):
    release = load_release(staged)
    assert isinstance(release.model, PricingModel)
    assert golden_differences(release.model, release.manifest.golden_rows) == []
    assert release.model_sha256 == hashlib.sha256((staged / MODEL).read_bytes()).hexdigest()
    assert release.card["as_of"] == release.manifest.as_of


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"",
        lambda whole: whole + b"\0",
        lambda whole: random.Random(1).randbytes(len(whole)),
        lambda whole: pickle.dumps({"another": "object"}),
    ],
    ids=["a byte short", "half", "empty", "a byte more", "random", "another pickle"],
)
def test_another_model_is_refused_before_it_is_unpickled(staged_copy, spoil, never_unpickled):
    path = staged_copy / MODEL
    path.write_bytes(spoil(path.read_bytes()))
    refused(staged_copy, MODEL)


@pytest.mark.parametrize("name", [MODEL, CARD, MANIFEST, "signature.json"])
def test_a_missing_file_is_named(staged_copy, name, never_unpickled):
    (staged_copy / name).unlink()
    refused(staged_copy, name)


def test_a_folder_in_the_place_of_the_model_is_refused(staged_copy, never_unpickled):
    (staged_copy / MODEL).unlink()
    (staged_copy / MODEL).mkdir()
    refused(staged_copy, MODEL)


def test_a_missing_release_is_a_missing_input(tmp_path):
    with pytest.raises(MissingInputError):
        load_release(tmp_path / "nothing")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, b" " * (2 << 20)])
def test_a_manifest_that_is_none_is_refused(staged_copy, content, never_unpickled):
    (staged_copy / MANIFEST).write_bytes(content)
    refused(staged_copy, MANIFEST)


@pytest.mark.parametrize("key", ["as_of", "simulated", "files", "sizes", "versions", "golden_rows", "days"])
def test_a_manifest_that_was_edited_is_refused(staged_copy, key, never_unpickled):
    path = staged_copy / MANIFEST
    held = json.loads(path.read_text())
    edits = {
        "as_of": "20261119",
        "simulated": not held["simulated"],
        "files": held["files"] | {MODEL: "0" * 64},
        "sizes": held["sizes"] | {MODEL: 1},
        "versions": held["versions"] | {"numpy": "1.0"},
        "golden_rows": held["golden_rows"][1:],
        "days": [],
    }
    path.write_text(json.dumps(held | {key: edits[key]}))
    assert "release_id" in refused(staged_copy, MANIFEST).why


@pytest.mark.parametrize("name", ["../../other/model.pkl", "extra.json"])
def test_a_manifest_may_name_only_the_files_of_a_release(staged_with, manifest, name, never_unpickled):
    folder = staged_with(files=manifest["files"] | {name: "0" * 64}, sizes=manifest["sizes"] | {name: 1})
    refused(folder, MANIFEST)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(staged_with, manifest, never_unpickled, monkeypatch):
    folder = staged_with(sizes=manifest["sizes"] | {MODEL: verify.LARGEST_FILE + 1})
    with (folder / MODEL).open("r+b") as handle:  # A sparse file: it takes no room on the disk.
        handle.truncate(verify.LARGEST_FILE + 1)
    monkeypatch.setattr(verify, "_named_content", lambda path, manifest: pytest.fail("it was read"))
    assert "more than 1073741824 bytes" in refused(folder, MANIFEST).why


class Malicious:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_model_does_not_run(staged_copy, tmp_path, protocol):
    canary = tmp_path / "canary"
    content = pickle.dumps(Malicious(canary), protocol=protocol)
    (staged_copy / MODEL).write_bytes(content)
    refused(staged_copy, MODEL)
    assert not canary.exists()
    # The proof that the canary would have sung.
    pickle.loads(content)
    assert canary.exists()


def test_nor_does_one_of_the_right_size(staged_copy, tmp_path):
    canary = tmp_path / "canary"
    content = pickle.dumps(Malicious(canary))
    path = staged_copy / MODEL
    path.write_bytes(content.ljust(path.stat().st_size, b"\0"))
    refused(staged_copy, MODEL)
    assert not canary.exists()


HERE = {"python": platform.python_version(), "numpy": version("numpy"), "scikit-learn": version("scikit-learn")}


@pytest.mark.parametrize("library", list(HERE))
@pytest.mark.parametrize("other", ["1.5.2", "3.10.1", "99.0.0", "", None])
def test_fault_59_a_model_made_with_another_version_is_refused_with_the_retrain_command(
    staged_with, manifest, library, other, never_unpickled
):
    versions = manifest["versions"] | {library: other}
    error = refused(staged_with(versions={key: held for key, held in versions.items() if held is not None}), MODEL)
    assert library in error.why
    assert HERE[library] in error.why
    assert "model_train" in error.fix


@pytest.mark.parametrize("library", list(HERE))
def test_another_patch_version_is_accepted(staged_with, manifest, library):
    major, minor, *_ = HERE[library].split(".")
    accepted = verify_release(staged_with(versions=manifest["versions"] | {library: f"{major}.{minor}.999"})).manifest
    assert accepted.versions[library] == f"{major}.{minor}.999"


@pytest.mark.parametrize(
    ("content", "word"),
    [(pickle.dumps({"not": "a model"}), "dict"), (b"coptions_pricing.models.bundle\nGone\n.", "Gone")],
    ids=["another object", "a class that is gone"],
)
def test_what_is_named_by_the_manifest_and_is_no_model_is_refused(staged_copy, content, word):
    card = json.dumps(card_of(content)).encode()
    fingerprint(staged_copy, {MODEL: content, CARD: card})
    assert word in refused(staged_copy, MODEL).why


def test_the_card_of_another_model_is_refused(staged_copy, never_unpickled):
    fingerprint(staged_copy, {CARD: json.dumps(card_of(b"another")).encode()})
    refused(staged_copy, CARD)


def test_a_model_of_another_day_than_its_manifest_says_is_refused(staged_with):
    refused(staged_with(as_of="20261119"), MODEL)


def test_a_release_is_the_same_wherever_it_lies(staged, tmp_path):
    moved = tmp_path / "with spaces and 'quotes'"
    shutil.copytree(staged, moved)
    assert load_release(moved).manifest == load_release(staged).manifest
