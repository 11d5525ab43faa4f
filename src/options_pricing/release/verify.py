"""Loading a model only when every byte of it is the one its manifest names.

A pickle is a program. This module holds the project's only call that runs one, and it is reached with bytes that
have already passed SHA-256 and version, never with a path.
"""

import hashlib
import json
import pickle
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from options_pricing.models.bundle import PricingModel
from options_pricing.release.manifest import (
    CARD_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    Manifest,
    ModelCard,
    release_id_of,
)
from options_pricing.run.errors import MissingInputError, ModelRefusedError
from options_pricing.run.files import parsed_json, read_bytes

LARGEST_MANIFEST = 1 << 20
STAGE_AGAIN = "stage it again: `snakemake --cores 4 --forcerun model_deploy`"
TRAIN_AGAIN = "train it again with what is installed here: `snakemake --cores 4 --forcerun model_train`"


@dataclass(frozen=True)
class Release:
    """A release that passed every check: its model, its manifest, its card."""

    model: PricingModel
    manifest: Manifest
    card: dict[str, Any]

    @property
    def model_sha256(self) -> str:
        """The SHA-256 of the model's file."""
        return self.manifest.files[MODEL_FILE]


@dataclass(frozen=True)
class Trained:
    """What model_train made: the model, its card, and the bytes of both by the names they have in a release."""

    model: PricingModel
    card: ModelCard
    files: dict[str, bytes]


def load_trained(model_path: Path, card_path: Path) -> Trained:
    """Read a model and its card as model_train left them; the model is unpickled only if its card names it.

    Raises
    ------
    MissingInputError
        The model or its card is not there.
    ModelRefusedError
        They do not belong together, or other versions of the libraries made the model.
    """
    files = {MODEL_FILE: read_bytes(model_path), CARD_FILE: read_bytes(card_path)}
    card = _read_card(files[CARD_FILE], card_path)
    if hashlib.sha256(files[MODEL_FILE]).hexdigest() != card.model_sha256:
        raise _refused(model_path, f"its SHA-256 is not the model_sha256 of {card_path}", TRAIN_AGAIN)
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
    manifest, held = verify_release(folder)
    model = _unpickled(held[MODEL_FILE], Path(folder) / MODEL_FILE)
    if model.as_of != manifest.as_of:
        raise _refused(Path(folder) / MODEL_FILE, f"it is of {model.as_of}, its manifest of {manifest.as_of}")
    return Release(model, manifest, json.loads(held[CARD_FILE]))


def verify_release(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Check sizes, SHA-256 and versions of a release; give its manifest and its files' contents.

    Nothing is unpickled. Errors as in `load_release`.
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
    _check_versions(manifest.versions, folder / MODEL_FILE)
    return manifest, held


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
    return manifest


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


def _unpickled(content: bytes, path: Path) -> PricingModel:
    """The model in bytes whose SHA-256 the caller has checked; `path` stands in the error."""
    try:
        model = pickle.loads(content)  # noqa: S301 (bytes are checked first: the module's docstring)
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
