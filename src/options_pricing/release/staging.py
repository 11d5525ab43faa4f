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
    make_manifest,
    manifest_bytes,
)
from options_pricing.release.signing import SIGNATURE_FILE, Signature, release_key, sign, signature_bytes
from options_pricing.release.verify import load_trained
from options_pricing.run.errors import CannotWriteError, UnhealthyError
from options_pricing.run.files import writing


@dataclass(frozen=True)
class Check:
    """One thing that was asked of a release and what came of it."""

    name: str
    passed: bool
    detail: str


def release_files(
    model_path: Path, card_path: Path, *, golden_count: int, ledger: Path | None = None
) -> dict[str, bytes]:
    """The content of every file of a release of this model, by name; `ledger` as for `load_trained`.

    Raises
    ------
    MissingInputError, ModelRefusedError
        As `load_trained`.
    UnhealthyError
        The model gives one of its own quotes no price.
    BadParamsError
        The environment names a release key that cannot be one.
    """
    trained = load_trained(model_path, card_path, ledger)
    params = {"train": trained.model.train}
    manifest = manifest_bytes(
        make_manifest(trained.card, trained.files, params, golden_rows(trained.model, golden_count))
    )
    signature = signature_bytes(sign(manifest, release_key()))
    return {**trained.files, MANIFEST_FILE: manifest, SIGNATURE_FILE: signature}


def require_replaceable(folder: Path) -> None:
    """Refuse to put a release in the place of anything but a release: what the folder holds would be gone.

    Raises
    ------
    CannotWriteError
        It is a file, or a folder that holds something and no manifest, or folders.
    """
    with writing(folder):
        held = {path.name: path.is_dir() for path in folder.iterdir()} if folder.exists() else {}
    known = MANIFEST_FILE in held or held.keys() <= {MODEL_FILE, CARD_FILE}
    if not known or any(held.values()):
        raise CannotWriteError(
            f"{folder} is no place for a release",
            why=f"it holds {', '.join(sorted(held)[:3])}, which is no release and would be gone",
            fix="name a folder for releases with --release, or empty this one",
        )


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files of a release into an empty folder."""
    for name, content in files.items():
        with writing(folder / name):
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
    signature = Signature.model_validate_json(files[SIGNATURE_FILE])
    return {
        "release_id": manifest.release_id,
        "status": "staged",
        "live": False,
        "simulated": manifest.simulated,
        "as_of": manifest.as_of,
        "model": manifest.model,
        "model_sha256": manifest.files[MODEL_FILE],
        "signature": "unsigned" if signature.scheme == "unsigned" else "signed",
        "key_id": signature.key_id,
        "checks": [{"name": c.name, "passed": c.passed, "detail": c.detail} for c in checks],
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
