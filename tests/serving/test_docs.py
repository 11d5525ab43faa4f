"""docs/api.md names every path there is, and docs/security.md only tests that there are."""

import ast
import re

from options_pricing.serving.access import RATE_VARIABLE, USUAL_RATE
from options_pricing.serving.api import create_app
from options_pricing.serving.asked import DEEPEST, LARGEST_BODY, MOST_ROWS
from options_pricing.serving.keys import FILE_VARIABLE, VARIABLE
from options_pricing.serving.worker import SECONDS_VARIABLE, USUAL_SECONDS


def test_every_path_is_in_the_documentation(root, staged):
    told = (root / "docs" / "api.md").read_text()
    for rule in create_app(staged).url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            assert f"`{method} {rule.rule}`" in told


def test_limits_and_settings_are_those_of_the_code(root):
    told = (root / "docs" / "api.md").read_text()
    for name in (VARIABLE, FILE_VARIABLE, RATE_VARIABLE, SECONDS_VARIABLE):
        assert f"`{name}`" in told
    assert (LARGEST_BODY, f"{MOST_ROWS:,}" in told, f"{DEEPEST} levels" in told) == (1 << 20, True, True)
    assert f"(`{USUAL_RATE}`)" in told
    assert f"({USUAL_SECONDS:.0f})" in told


def test_every_threat_has_tests_that_there_are(root):
    told = (root / "docs" / "security.md").read_text()
    rows = [line for line in told.splitlines() if line.startswith("| API")]
    assert [row.split()[1] for row in rows if "OWASP" not in row] == [f"API{n}" for n in range(1, 11)]
    assert all("tests/" in row for row in rows)
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", told):
        tree = ast.parse((root / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (file, name)
