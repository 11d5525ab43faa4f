"""What the report's tests share: one set of made files, and the report of it."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from options_pricing.reporting.context import build_context
from options_pricing.reporting.inputs import Inputs, ReportFiles, read_inputs

MADE = runpy.run_path(str(Path(__file__).with_name("made_files.py")))


@pytest.fixture(scope="session")
def shapes() -> dict[str, Any]:
    """The functions of made_files.py by name."""
    return MADE


@pytest.fixture
def made(tmp_path: Path) -> Any:
    """A folder of inputs that a test may change."""
    return MADE["MadeFiles"](tmp_path)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> ReportFiles:
    """A folder of inputs that nobody changes."""
    return MADE["MadeFiles"](tmp_path_factory.mktemp("report")).files


@pytest.fixture(scope="session")
def inputs(files: ReportFiles) -> Inputs:
    """Its content."""
    return read_inputs(files)


@pytest.fixture(scope="session")
def context(inputs: Inputs) -> dict[str, Any]:
    """What the templates print of it."""
    return build_context(inputs, date="20261120", title="Option pricing report", smiles=2)
