"""Loading a model only when every byte of it is the one its manifest names.

A pickle is a program. This module holds the project's only call that runs one, and it is reached with bytes that
have already passed size, SHA-256, signature and version, in this order, never with a path.
"""

import hashlib
import json
import pickle
import platform
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from options_pricing.release.ledger import Ledger
from options_pricing.release.manifest import (
    CARD_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    Manifest,
    ModelCard,
    manifest_bytes,
    release_id_of,
)
from options_pricing.release.signing import SIGNATURE_FILE, State, WrongSignatureError, check_signature, release_key
from options_pricing.run.errors import MissingInputError, ModelRefusedError
from options_pricing.run.files import parsed_json, read_bytes

if TYPE_CHECKING:
    from options_pricing.models.bundle import PricingModel

LARGEST_MANIFEST = 1 << 20
LARGEST_SIGNATURE = 1 << 12
# Files are held in memory while they are checked, and a manifest without a key is anybody's word for their sizes.
LARGEST_FILE = 1 << 30
STAGE_AGAIN = "stage it again: `snakemake --cores 4 --forcerun model_deploy`"
SIGN_AGAIN = "train and stage again where the key is: `snakemake --cores 4 --forcerun model_train model_deploy`"
TRAIN_AGAIN = "train it again with what is installed here: `snakemake --cores 4 --forcerun model_train`"


@dataclass(frozen=True)
class Release:
    """A release that passed every check: its model, its manifest, its card, and what is known of its signature."""

    model: "PricingModel"
    manifest: Manifest
    card: dict[str, Any]
    signature: State

    @property
    def model_sha256(self) -> str:
        """The SHA-256 of the model's file."""
        return self.manifest.files[MODEL_FILE]

    @cached_property
    def underlyings(self) -> list[str]:
        """What it has prices for, in alphabetical order."""
        return sorted(set(self.model.listed()["underlying"]))


@dataclass(frozen=True)
class Verified:
    """A release whose files are those that its manifest names, not yet loaded."""

    manifest: Manifest
    files: dict[str, bytes]
    signature: State


@dataclass(frozen=True)
class Trained:
    """What model_train made: the model, its card, and the bytes of both by the names they have in a release."""

    model: "PricingModel"
    card: ModelCard
    files: dict[str, bytes]


def load_trained(model_path: Path, card_path: Path, ledger: Path | None = None) -> Trained:
    """Read a model and its card as model_train left them; the model is unpickled only if its card names it.

    A card proves nothing of who wrote it. Where there is a release key, so that what comes of the model may be signed,
    a line of the ledger that was written with the key must name the model too.

    Raises
    ------
    MissingInputError
        The model or its card is not there.
    ModelRefusedError
        They do not belong together, the ledger does not name the model, or other versions of the libraries made it.
    """
    files = {MODEL_FILE: read_bytes(model_path), CARD_FILE: read_bytes(card_path)}
    card = _read_card(files[CARD_FILE], card_path)
    if hashlib.sha256(files[MODEL_FILE]).hexdigest() != card.model_sha256:
        raise _refused(model_path, f"its SHA-256 is not the model_sha256 of {card_path}", TRAIN_AGAIN)
    _require_recorded(ledger, card.model_sha256, model_path)
    _check_versions(card.versions, model_path)
    return Trained(_unpickled(files[MODEL_FILE], model_path), card, files)


def load_release(folder: Path) -> Release:
    """Check a release and only then unpickle its model.

    Raises
    ------
    MissingInputError
        There is no such folder.
    ModelRefusedError
        A file is missing or is not what the manifest names, or other versions made the model.
    """
    verified = verify_release(folder)
    manifest, path = verified.manifest, Path(folder) / MODEL_FILE
    model = _unpickled(verified.files[MODEL_FILE], path)
    if model.as_of != manifest.as_of:
        raise _refused(path, f"it is of {model.as_of}, its manifest of {manifest.as_of}")
    return Release(model, manifest, json.loads(verified.files[CARD_FILE]), verified.signature)


def verify_release(folder: Path) -> Verified:
    """Check sizes, SHA-256, signature and versions of a release, in this order.

    Nothing is unpickled and no library of numbers imported: it takes as long as reading the files. Errors as in
    `load_release`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingInputError(
            f"there is no release in {folder}",
            why="the folder is not there",
            fix="stage one: `snakemake --cores 4 model_deploy`",
        )
    manifest = read_manifest(folder / MANIFEST_FILE)
    held = {name: _named_content(folder / name, manifest) for name in (CARD_FILE, MODEL_FILE)}
    card = _read_card(held[CARD_FILE], folder / CARD_FILE)
    if card.model_sha256 != manifest.files[MODEL_FILE]:
        raise _refused(folder / CARD_FILE, "it is the card of another model")
    signature = _signature_state(folder / SIGNATURE_FILE, manifest)
    _check_versions(manifest.versions, folder / MODEL_FILE)
    return Verified(manifest, held, signature)


def verify_kept(folder: Path) -> Verified:
    """`verify_release` of a release that is kept under its id, which must be the one that its manifest has."""
    verified = verify_release(folder)
    if verified.manifest.release_id != Path(folder).name:
        raise _refused(Path(folder), f"it holds release {verified.manifest.release_id}")
    return verified


def read_manifest(path: Path) -> Manifest:
    """Read a manifest whose id agrees with its content; any other is a `ModelRefusedError`."""
    content = _content(path, LARGEST_MANIFEST)
    try:
        raw = parsed_json(content)
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        raise _refused(path, f"it is no manifest ({_first(error)})") from error
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"it is not JSON ({error})") from error
    if manifest.release_id != release_id_of(raw):
        raise _refused(path, f"its content does not give its release_id {manifest.release_id}")
    if {*manifest.files} != {MODEL_FILE, CARD_FILE} or {*manifest.sizes} != {*manifest.files}:
        raise _refused(path, f"it must name {MODEL_FILE} and {CARD_FILE}, each with its size, and nothing else")
    if max(manifest.sizes.values()) > LARGEST_FILE:
        raise _refused(path, f"it names a file of more than {LARGEST_FILE} bytes", TRAIN_AGAIN)
    if manifest_bytes(manifest) != content:
        raise _refused(path, "it is not written as model_deploy writes it")
    return manifest


def _signature_state(path: Path, manifest: Manifest) -> State:
    """What is known of a release's signature; one that will not do here is a `ModelRefusedError`."""
    try:
        # The manifest's own bytes, which were found to be these: the file might be another one by now.
        return check_signature(_content(path, LARGEST_SIGNATURE), manifest_bytes(manifest), release_key())
    except WrongSignatureError as error:
        raise _refused(path, str(error), SIGN_AGAIN) from error


def _require_recorded(ledger: Path | None, model_sha256: str, path: Path) -> None:
    if ledger is None or release_key() is None:
        return
    recorded = (entry for entry in Ledger(ledger).genuine_entries() if entry.event == "trained")
    if model_sha256 not in (entry.details.get("model_sha256") for entry in recorded):
        raise _refused(
            path, f"no line of {ledger} that was written with the release key says it was trained", SIGN_AGAIN
        )


def _read_card(content: bytes, path: Path) -> ModelCard:
    """A model card from its JSON; `path` stands in the error, a `ModelRefusedError`."""
    try:
        return ModelCard.model_validate(parsed_json(content))
    except ValidationError as error:
        raise _refused(path, f"it is no model card ({_first(error)})", TRAIN_AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"it is not JSON ({error})", TRAIN_AGAIN) from error


def _check_versions(made_with: dict[str, str], path: Path) -> None:
    """Refuse a model made by another major.minor of python, numpy or scikit-learn than those installed here.

    A pickle holds the inside of those libraries' objects: another version may fail to load it or, worse, load it
    and price otherwise.
    """
    here = {
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scikit-learn": version("scikit-learn"),
    }
    other = [
        f"{name} {made_with.get(name, '(not said)')}, installed is {installed}"
        for name, installed in here.items()
        if made_with.get(name, "").split(".")[:2] != installed.split(".")[:2]
    ]
    if other:
        raise _refused(path, f"it was made with {'; '.join(other)}", TRAIN_AGAIN)


def _unpickled(content: bytes, path: Path) -> "PricingModel":
    """The model in bytes whose SHA-256 the caller has checked; `path` stands in the error."""
    from options_pricing.models.bundle import PricingModel

    try:
        # The bytes are checked first: the module's docstring.
        model = pickle.loads(content)  # noqa: S301  # nosec B301
    except Exception as error:
        raise _refused(path, f"it cannot be unpickled ({type(error).__name__}: {error})", TRAIN_AGAIN) from error
    if not isinstance(model, PricingModel):
        raise _refused(path, f"it holds a {type(model).__name__}, not a PricingModel", TRAIN_AGAIN)
    return model


def _named_content(path: Path, manifest: Manifest) -> bytes:
    """A file's bytes, once their number and SHA-256 are those of the manifest."""
    size, digest = manifest.sizes[path.name], manifest.files[path.name]
    content = _content(path, size)
    if len(content) != size:
        raise _refused(path, f"it has {len(content)} bytes, its manifest says {size}")
    if hashlib.sha256(content).hexdigest() != digest:
        raise _refused(path, "its SHA-256 is not the one in its manifest")
    return content


def _content(path: Path, largest: int) -> bytes:
    """Read a regular file of at most `largest` bytes."""
    if not path.is_file():
        raise _refused(path, "it is missing from the release")
    size = path.stat().st_size
    if size > largest:
        raise _refused(path, f"it has {size} bytes, at most {largest} are expected")
    with path.open("rb") as handle:
        return handle.read(largest + 1)


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"


def _refused(path: Path, why: str, fix: str = STAGE_AGAIN) -> ModelRefusedError:
    return ModelRefusedError(f"{path} is refused; it was not loaded", why=why, fix=fix)
