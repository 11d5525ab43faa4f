"""What `import options_pricing` offers, and that it costs nothing."""

import subprocess
import sys

import pytest

import options_pricing


def test_importing_the_package_loads_nothing_heavy(root):
    code = "import sys, options_pricing; print({'numpy', 'scipy', 'pandas'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(root / "src")}
    )
    assert done.stdout.strip() == "set()"


def test_its_functions_are_there_on_first_use():
    assert float(options_pricing.implied_vol(5.0, 100, 100, 1.0, 1.0, "C")) == pytest.approx(0.12541, abs=1e-5)
    assert float(options_pricing.american_price(100, 110, 0, 0.05, 0, 0.2, "P")) == 10.0
    for name in options_pricing.__all__:
        assert callable(getattr(options_pricing, name))


def test_other_names_are_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = options_pricing.nonsense


def test_make_run_ends_with_the_file_to_open(root):
    said = subprocess.check_output(
        ["make", "--no-print-directory", "--dry-run", "--assume-old", ".venv/ready", "run"], cwd=root, text=True
    )
    assert f"{root}/reports/stakeholder_report.html" in said.splitlines()[-1]
