"""Staged releases of a small real model: the same fixtures as the tests of release/ have."""

import runpy
from pathlib import Path

SHARED = runpy.run_path(str(Path(__file__).parents[1] / "release" / "conftest.py"))
staged, staged_copy, staged_with, manifest = (
    SHARED[name] for name in ("staged", "staged_copy", "staged_with", "manifest")
)
