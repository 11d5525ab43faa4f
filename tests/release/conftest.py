"""Staged releases of a small real model."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from options_pricing.release.signing import KEY, KEY_FILE
from tests.made_release import edit_manifest, write_staged


@pytest.fixture(autouse=True)
def no_release_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of the machine plays a part."""
    monkeypatch.delenv(KEY, raising=False)
    monkeypatch.delenv(KEY_FILE, raising=False)


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that nobody changes."""
    return write_staged(tmp_path_factory.mktemp("staged"))


@pytest.fixture
def staged_copy(staged: Path, tmp_path: Path) -> Path:
    """A release that a test may change."""
    return Path(shutil.copytree(staged, tmp_path / "staged"))


@pytest.fixture
def staged_with(staged_copy: Path) -> Any:
    """Gives a release whose manifest says something else, and has the id that belongs to that."""

    def make(**changes: Any) -> Path:
        edit_manifest(staged_copy, **changes)
        return staged_copy

    return make


@pytest.fixture(scope="session")
def manifest(staged: Path) -> dict[str, Any]:
    """What the manifest of `staged` says."""
    held: dict[str, Any] = json.loads((staged / "manifest.json").read_text())
    return held
