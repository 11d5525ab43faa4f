"""Staged releases of a small real model, as the tests of release/ have them, and a checkout around one."""

import pytest

from tests.release.conftest import manifest, staged, staged_copy, staged_with
from tests.serving.made_checkout import made_checkout

__all__ = ["checkout", "manifest", "staged", "staged_copy", "staged_with"]


@pytest.fixture(scope="session")
def checkout(staged, tmp_path_factory):
    """A checkout that nobody changes: two releases, two days, an evaluation and a quarantine."""
    return made_checkout(tmp_path_factory.mktemp("checkout"), staged)
