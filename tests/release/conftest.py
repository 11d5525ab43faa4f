"""Staged releases of a small real model."""

import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest

MADE = runpy.run_path(str(Path(__file__).parents[1] / "made_release.py"))


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that nobody changes."""
    folder: Path = MADE["write_staged"](tmp_path_factory.mktemp("staged"))
    return folder


@pytest.fixture
def staged_copy(staged: Path, tmp_path: Path) -> Path:
    """A release that a test may change."""
    return Path(shutil.copytree(staged, tmp_path / "staged"))


@pytest.fixture
def staged_with(staged_copy: Path) -> Any:
    """Gives a release whose manifest says something else, and has the id that belongs to that."""

    def make(**changes: Any) -> Path:
        MADE["edit_manifest"](staged_copy, **changes)
        return staged_copy

    return make


@pytest.fixture
def made() -> dict[str, Any]:
    """The functions of made_release.py by name."""
    return MADE


@pytest.fixture(scope="session")
def manifest(staged: Path) -> dict[str, Any]:
    """What the manifest of `staged` says."""
    held: dict[str, Any] = json.loads((staged / "manifest.json").read_text())
    return held
