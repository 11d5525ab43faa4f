"""From a trained model and its card to a release folder and the status that is told of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from options_pricing.release.golden import golden_rows
from options_pricing.release.manifest import (
    CARD_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    Manifest,
    ModelCard,
    make_manifest,
    manifest_bytes,
)
from options_pricing.release.verify import TRAIN_AGAIN, check_versions, read_card, unpickled
from options_pricing.run.errors import ModelRefusedError, UnhealthyError
from options_pricing.run.files import read_bytes


@dataclass(frozen=True)
class Check:
    """One thing that was asked of a release and what came of it."""

    name: str
    passed: bool
    detail: str


def release_files(model_path: Path, card_path: Path, *, golden_count: int) -> dict[str, bytes]:
    """The content of every file of a release of this model, by name.

    The model is unpickled, to price the golden rows, only if it is the one its card names.

    Raises
    ------
    MissingInputError
        The model or its card is not there.
    ModelRefusedError
        They do not belong together, or other versions of the libraries made the model.
    UnhealthyError
        The model gives one of its own quotes no price.
    """
    files = {MODEL_FILE: read_bytes(model_path), CARD_FILE: read_bytes(card_path)}
    card = read_card(files[CARD_FILE], card_path)
    _check_pair(files[MODEL_FILE], card, model_path, card_path)
    model = unpickled(files[MODEL_FILE], model_path)
    manifest = make_manifest(card, files, golden_rows(model, golden_count))
    return {**files, MANIFEST_FILE: manifest_bytes(manifest)}


def _check_pair(content: bytes, card: ModelCard, model_path: Path, card_path: Path) -> None:
    if hashlib.sha256(content).hexdigest() != card.model_sha256:
        raise ModelRefusedError(
            f"{model_path} is refused; it was not loaded",
            why=f"its SHA-256 is not the model_sha256 of {card_path}",
            fix=TRAIN_AGAIN,
        )
    check_versions(card.versions, model_path)


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files of a release into an empty folder."""
    for name, content in files.items():
        (folder / name).write_bytes(content)


def require_passed(checks: Sequence[Check]) -> None:
    """Raise an `UnhealthyError` that names every check that failed, if one did."""
    failed = [check for check in checks if not check.passed]
    if failed:
        raise UnhealthyError(
            f"the staged release failed {len(failed)} of {len(checks)} checks; the one before it stays",
            why="; ".join(f"{check.name}: {check.detail}" for check in failed),
            fix="look at the log of model_deploy, then train or stage again",
        )


def deployment_status(manifest: Manifest, files: dict[str, bytes], checks: Sequence[Check]) -> dict[str, Any]:
    """``deployment_status.json``: what was staged and how it answered; no port, time or process id.

    Making a release live is a person's act, so a staged release says that it is not.
    """
    return {
        "release_id": manifest.release_id,
        "status": "staged",
        "live": False,
        "simulated": manifest.simulated,
        "as_of": manifest.as_of,
        "model": manifest.model,
        "model_sha256": manifest.files[MODEL_FILE],
        "checks": [{"name": c.name, "passed": c.passed, "detail": c.detail} for c in checks],
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
