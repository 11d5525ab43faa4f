"""Staged releases of a small real model: the same fixtures as the tests of release/ have."""

from tests.release.conftest import manifest, no_release_key, staged, staged_copy, staged_with

__all__ = ["manifest", "no_release_key", "staged", "staged_copy", "staged_with"]
