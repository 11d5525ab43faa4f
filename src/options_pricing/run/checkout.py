"""The folder that the commands of a person work in: a checkout of the project."""

from pathlib import Path

from options_pricing.run.errors import MissingInputError

SNAKEFILE = Path("workflow", "Snakefile")


def is_checkout(folder: Path) -> bool:
    """Whether the workflow lies in this folder."""
    return (folder / SNAKEFILE).is_file()


def require_checkout(folder: Path) -> None:
    """Raise a `MissingInputError` that says where to go unless the folder is a checkout."""
    if is_checkout(folder):
        return
    here = folder.resolve()
    above = next((parent for parent in here.parents if is_checkout(parent)), None)
    raise MissingInputError(
        f"{here} is no checkout of the project",
        why=f"it has no {SNAKEFILE.as_posix()}",
        fix="go to the checkout" + (f": cd {above}" if above else ""),
    )
