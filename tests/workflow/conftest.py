"""One tiny workflow, run once and looked at by many tests; those that change it take a copy."""

import shutil

import pytest

from tests.made_hook import hook  # noqa: F401
from tests.workflow.checkout import Checkout


@pytest.fixture(scope="session")
def tiny(root, tmp_path_factory):
    """A checkout with a tiny market, nothing run yet."""
    return Checkout.copied(root, tmp_path_factory.mktemp("tiny") / "repo")


@pytest.fixture(scope="session")
def ran(tiny, tmp_path_factory):
    """The same after `snakemake --cores 2`; not to be changed."""
    checkout = tiny.clone(tmp_path_factory.mktemp("ran") / "repo")
    checkout.snakemake()
    return checkout


@pytest.fixture
def copy_of_ran(ran, tmp_path):
    """A copy of the run, with its times and Snakemake's records, to be changed at will."""
    shutil.copytree(ran.folder, tmp_path / "repo", symlinks=True)
    return Checkout(tmp_path / "repo")
