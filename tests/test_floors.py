"""Each room of the library imports only from the floors below it, inside functions too, as CONTRIBUTING.md says."""

import ast
import re
from itertools import chain
from pathlib import Path

import pytest

PACKAGE = "options_pricing"
FLOORS = (
    ("run", "pricing"),
    ("quotes",),
    ("surface",),
    ("models", "validation", "sources"),
    ("evaluation",),
    ("release",),
    ("serving", "reporting"),
    ("commands",),
    ("cli",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def room_of(path: Path, package: Path) -> str:
    return path.relative_to(package).with_suffix("").parts[0]


def modules(node: ast.AST) -> list[str]:
    """What an import statement names, or a string that is a module of ours (`import_module` takes one)."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert not node.level, "write imports in full: a relative one hides which room it is from"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value] if re.fullmatch(rf"{PACKAGE}(\.\w+)+", node.value) else []
    return []


def upward(path: Path, package: Path) -> list[str]:
    """The imports of a file that are from its own floor or one above, another room than its own."""
    own = room_of(path, package)
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    named = [name.split(".") for node in ast.walk(tree) for name in modules(node)]
    rooms = {parts[1] for parts in named if parts[0] == PACKAGE and len(parts) > 1} - {own}
    return sorted(f"{own} imports {room}" for room in rooms if FLOOR_OF[room] >= FLOOR_OF[own])


def test_every_room_is_on_one_floor(root):
    files = [path for path in (root / "src" / PACKAGE).rglob("*.py") if path.stem != "__init__"]
    assert {room_of(path, root / "src" / PACKAGE) for path in files} == set(FLOOR_OF)
    assert len(FLOOR_OF) == len(list(chain(*FLOORS)))


@pytest.mark.parametrize("room", FLOOR_OF)
def test_imports_go_down(root, room):
    package = root / "src" / PACKAGE
    files = [path for path in package.rglob("*.py") if room_of(path, package) == room]
    assert files
    assert {str(path.relative_to(root)): upward(path, package) for path in files if upward(path, package)} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import options_pricing.models.base",
        "from options_pricing.evaluation import metrics",
        "from options_pricing import sources",
        "def f():\n    from options_pricing.release.verify import load_release",
        "import_module('options_pricing.models.base')",
    ],
)
def test_an_import_that_does_not_is_found(tmp_path, line):
    file = tmp_path / "models" / "new.py" if "models" not in line else tmp_path / "surface" / "new.py"
    file.parent.mkdir()
    file.write_text(f"from options_pricing.run import files\n{line}\n")
    assert len(upward(file, tmp_path)) == 1


def test_contributing_names_these_floors(root):
    said = "; then ".join(", ".join(f"`{room}`" for room in rooms) for rooms in FLOORS)
    assert said in " ".join((root / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
