"""What every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples every time, so that a change fails for what it is; how long one takes says how busy the machine is.
# `pytest --hypothesis-profile explore` looks for others.
settings.register_profile("explore", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --fix` rewrites generated files that a test found out of date; `--chains` and `--cases` are of fuzzes."""
    parser.addoption("--fix", action="store_true", help="rewrite generated files instead of failing on them")
    parser.addoption(
        "--screenshots", metavar="FOLDER", help="where tests/serving/test_app_in_browser.py keeps pictures"
    )
    parser.addoption("--chains", type=int, default=200, help="how many chains tests/test_fuzz.py makes")
    parser.addoption("--cases", type=int, default=300, help="how many requests tests/serving/test_openapi.py makes")
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
