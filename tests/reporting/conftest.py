"""What the report's tests share: one set of made files, and the report of it."""

from pathlib import Path
from typing import Any

import pytest

from options_pricing.reporting.context import build_context
from options_pricing.reporting.inputs import Inputs, ReportFiles, read_inputs
from tests.reporting.made_files import MadeFiles


@pytest.fixture
def made(tmp_path: Path) -> MadeFiles:
    """A folder of inputs that a test may change."""
    return MadeFiles(tmp_path)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> ReportFiles:
    """A folder of inputs that nobody changes."""
    return MadeFiles(tmp_path_factory.mktemp("report")).files


@pytest.fixture(scope="session")
def inputs(files: ReportFiles) -> Inputs:
    """Its content."""
    return read_inputs(files)


@pytest.fixture(scope="session")
def context(inputs: Inputs) -> dict[str, Any]:
    """What the templates print of it."""
    return build_context(inputs, date="20261120", title="Option pricing report", smiles=2)
