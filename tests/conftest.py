"""What every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --fix` rewrites generated files that a test found out of date; `--chains` is of the fuzz."""
    parser.addoption("--fix", action="store_true", help="rewrite generated files instead of failing on them")
    parser.addoption("--chains", type=int, default=200, help="how many chains tests/test_fuzz.py makes")
    parser.addoption("--first-chain", type=int, default=0, help="seed of the first of them")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout under test."""
    return ROOT


@pytest.fixture(scope="session")
def market() -> Path:
    """The folder of real chains, which is not part of the product."""
    folder = Path(os.environ.get("OPTIONS_PRICING_MARKET", ROOT.parent / "shared" / "market"))
    if not folder.is_dir():
        pytest.skip("the real chains (../shared/market) are not beside this checkout")
    return folder
