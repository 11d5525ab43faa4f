"""Files that are written by the project itself are what it would write now; `pytest --fix` rewrites them."""

import re
import subprocess
import sys

import pytest


def environment_yml(lock: str) -> str:
    """The conda environment that holds exactly what requirements.lock pins."""
    pins = [line.rstrip(" \\") for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    lines = [
        "# Written from requirements.lock by `pytest --fix tests/test_generated.py`.",
        "name: options-pricing",
        "channels: [conda-forge]",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
        "  - pip:",
        *(f'      - "{pin}"' for pin in pins),
    ]
    return "\n".join(lines) + "\n"


def compare(path, fresh, fix):
    if fix:
        path.write_text(fresh)
    assert path.read_text() == fresh, f"{path.name} is out of date: run `make fix`"


def test_dvc_yaml_is_what_the_rules_say(root, tmp_path, request):
    fresh = tmp_path / "dvc.yaml"
    command = ["snakemake", "--force", "dvc_yaml", "--nolock", "--cores", "1", "--config", f"dvc_yaml={fresh}"]
    subprocess.run([sys.executable, "-m", *command], cwd=root, check=True, capture_output=True)
    compare(root / "dvc.yaml", fresh.read_text(), request.config.getoption("--fix"))


def test_environment_yml_is_what_the_lock_says(root, request):
    lock = (root / "requirements.lock").read_text()
    fresh = environment_yml(lock)
    assert all(re.match(r'      - "[\w.\-\[\]]+==[^"]+"$', pin) for pin in fresh.splitlines()[7:])
    compare(root / "environment.yml", fresh, request.config.getoption("--fix"))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-uv.lock", "benchmarks/requirements.lock"])
def test_every_pin_has_its_hash_and_no_index_is_named(root, lock):
    text = (root / lock).read_text()
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links", text)
    for block in re.split(r"\n(?=[A-Za-z0-9])", text)[1:]:
        assert "--hash=sha256:" in block, block.split("\n")[0]
