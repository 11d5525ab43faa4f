"""Faults 57 and 58: whatever is done to the files of a release, nothing of them is loaded or runs."""

import base64
import hashlib
import io
import json
import os
import pickle
import random
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest

from options_pricing.release import verify
from options_pricing.release.candidate import check_candidate
from options_pricing.release.manifest import CARD_FILE, MANIFEST_FILE, MODEL_FILE
from options_pricing.release.signing import KEY, SIGNATURE_FILE, sign, signature_bytes
from options_pricing.release.verify import load_release
from options_pricing.run.errors import ModelRefusedError
from tests.made_release import edit_manifest, fingerprint

SECRET = "a key of this test, of thirty-two letters or more"
FILES = (MODEL_FILE, CARD_FILE, MANIFEST_FILE, SIGNATURE_FILE)
FLIPS = {"signed": 1000, "unsigned": 200}


@pytest.fixture(params=["signed", "unsigned"])
def release(request, staged_copy, monkeypatch) -> Path:
    """A release signed with the key of this machine, and one on a machine without a key."""
    if request.param == "signed":
        sign_anew(staged_copy)
        monkeypatch.setenv(KEY, SECRET)
    return staged_copy


def sign_anew(folder: Path) -> None:
    signature = sign((folder / MANIFEST_FILE).read_bytes(), SECRET.encode())
    (folder / SIGNATURE_FILE).write_bytes(signature_bytes(signature))


def test_fault_57_a_thousand_flipped_bits_and_none_is_loaded(release, monkeypatch, request):
    load_release(release)
    monkeypatch.setattr(verify.pickle, "loads", lambda content: pytest.fail("it was unpickled"))
    drawn = random.Random(57)
    whole = {name: (release / name).read_bytes() for name in FILES}
    for number in range(FLIPS[request.node.callspec.params["release"]]):
        name = FILES[number % len(FILES)]
        bit = drawn.randrange(8 * len(whole[name]))
        flipped = bytearray(whole[name])
        flipped[bit // 8] ^= 1 << bit % 8
        (release / name).write_bytes(flipped)
        with pytest.raises(ModelRefusedError):
            load_release(release)
        (release / name).write_bytes(whole[name])
    monkeypatch.undo()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"",
        lambda whole: random.Random(57).randbytes(len(whole)),
        lambda whole: whole + b"\n",
    ],
    ids=["truncated", "empty", "random", "longer"],
)
def test_fault_57_nor_is_what_is_truncated_empty_random_or_longer(release, name, spoil, monkeypatch):
    monkeypatch.setattr(verify.pickle, "loads", lambda content: pytest.fail("it was unpickled"))
    path = release / name
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ModelRefusedError):
        load_release(release)


class Malicious:
    """Makes a file when it is loaded."""

    def __init__(self, canary: Path) -> None:
        self.canary = str(canary)

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


def pickled(canary: Path) -> bytes:
    return pickle.dumps(Malicious(canary))


def by_joblib(canary: Path) -> bytes:
    held = io.BytesIO()
    joblib.dump(Malicious(canary), held)
    return held.getvalue()


def by_numpy(canary: Path) -> bytes:
    held = io.BytesIO()
    np.save(held, np.array([Malicious(canary)], dtype=object), allow_pickle=True)
    return held.getvalue()


def as_skops(canary: Path) -> bytes:
    """A file as skops writes them, whose schema asks for a type that is no model's."""
    node = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": f"touch {canary}"}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("schema.json", json.dumps(node | {"protocol": 2, "_skops_version": "0.11.0"}))
    return held.getvalue()


def nested(canary: Path) -> bytes:
    """JSON with a pickle in it, in the words of two libraries that would run it."""
    text = base64.b64encode(pickled(canary)).decode()
    touched = {"py/object/apply:os.system": [f"touch {canary}"], "py/reduce": [{"py/function": "os.system"}, [text]]}
    return json.dumps({"model": touched, "versions": {"numpy": text}, "params": {"!!python/object": text}}).encode()


LOADERS = {
    pickled: lambda content: pickle.loads(content),
    by_joblib: lambda content: joblib.load(io.BytesIO(content)),
    by_numpy: lambda content: np.load(io.BytesIO(content), allow_pickle=True),
}
FORMS = [pickled, by_joblib, by_numpy, as_skops, nested]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FILES)
def test_fault_58_no_malicious_form_runs_in_the_place_of_any_file(release, tmp_path, form, name):
    canary = tmp_path / "canary"
    content = form(canary)
    (release / name).write_bytes(content)
    with pytest.raises(ModelRefusedError):
        load_release(release)
    assert not canary.exists()
    if form in LOADERS:
        # The proof that the canary would have sung.
        LOADERS[form](content)
        assert canary.exists()


@pytest.mark.parametrize("form", FORMS)
def test_fault_58_nor_where_card_manifest_and_id_were_made_to_fit(staged_copy, tmp_path, monkeypatch, form):
    canary = tmp_path / "canary"
    sign_anew(staged_copy)
    monkeypatch.setenv(KEY, SECRET)
    fitted(staged_copy, form(canary))
    with pytest.raises(ModelRefusedError, match="not the one that was signed"):
        load_release(staged_copy)
    assert not canary.exists()


@pytest.mark.parametrize("form", [nested])
def test_fault_58_nor_where_it_stands_in_the_parameters_of_a_manifest_that_fits(staged_copy, tmp_path, form):
    canary = tmp_path / "canary"
    edit_manifest(staged_copy, params=json.loads(form(canary)))
    load_release(staged_copy)
    assert not canary.exists()


def test_fault_58_nor_in_the_child_that_tries_a_candidate(staged_copy, tmp_path, monkeypatch):
    canary = tmp_path / "canary"
    sign_anew(staged_copy)
    monkeypatch.setenv(KEY, SECRET)
    fitted(staged_copy, pickled(canary))
    release_id = json.loads((staged_copy / MANIFEST_FILE).read_text())["release_id"]
    with pytest.raises(ModelRefusedError, match="not the one that was signed"):
        check_candidate(staged_copy, release_id)
    assert not canary.exists()


def fitted(folder: Path, model: bytes) -> None:
    """Put a model into a release with a card and a manifest that name it."""

    card = json.loads((folder / CARD_FILE).read_text()) | {"model_sha256": hashlib.sha256(model).hexdigest()}
    fingerprint(folder, {MODEL_FILE: model, CARD_FILE: json.dumps(card).encode()})
