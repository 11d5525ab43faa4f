"""Keep what Snakemake knows and what DVC knows the same, after either of them ran.

Each tool notes for itself what it has made. After a run of one, the other would make everything again, or, worse,
take a stale file for a fresh one. One of them is right at any time: the one that has nothing left to do.
"""

import json
import subprocess
import sys
from pathlib import Path

from options_pricing.run.errors import BadDataError, TaskError


def reconcile(folder: Path) -> str:
    """Make DVC and Snakemake agree and say in one line what was done.

    Snakemake has nothing to do: its files are committed to DVC. DVC's files are the ones of dvc.lock (after
    ``dvc repro``, ``dvc exp run``, ``dvc checkout``, ``dvc pull``): Snakemake is told that all is up to date.

    Raises
    ------
    BadDataError
        Both have work left, so neither can vouch for the files; nothing is changed.
    """
    if not (folder / "dvc.yaml").is_file():
        raise BadDataError(
            f"{folder.resolve()} is no checkout of the project", why="it has no dvc.yaml", fix="go there"
        )
    snakemake_done, dvc_done = snakemake_has_nothing_to_do(folder), dvc_has_nothing_to_do(folder)
    if snakemake_done and dvc_done:
        return "Snakemake and DVC agree already"
    if snakemake_done:
        _run(folder, "dvc", "commit", "--force")
        _agreed(dvc_has_nothing_to_do(folder), "dvc status")
        return "committed to DVC what Snakemake made"
    if dvc_done:
        # Without --forceall some jobs get no record, and a later change of their parameters would go unnoticed.
        _run(folder, "snakemake", "--touch", "--forceall", "--cores", "1", "--quiet", "all")
        _run(folder, "snakemake", "--cores", "1", "--quiet", "all", "--", "newest_validated")  # a link DVC can't hold
        _agreed(snakemake_has_nothing_to_do(folder), "snakemake --dry-run")
        return "told Snakemake that what DVC has is up to date"
    raise BadDataError(
        "Snakemake and DVC both have work left",
        why="neither can vouch for the files as they are",
        fix="run `snakemake --cores 4` or `dvc repro` to its end, then `options-pricing sync` again",
    )


def snakemake_has_nothing_to_do(folder: Path) -> bool:
    """Whether ``snakemake --dry-run`` finds all files of the default target up to date."""
    done = _run(folder, "snakemake", "--dry-run", "--nolock", "--cores", "1")
    return "Nothing to be done" in done.stdout + done.stderr


def dvc_has_nothing_to_do(folder: Path) -> bool:
    """Whether ``dvc status`` finds every stage as dvc.lock says, with all its outputs in place."""
    return json.loads(_run(folder, "dvc", "status", "--json").stdout or "{}") == {}


def _agreed(done: bool, asked: str) -> None:
    if not done:
        raise BadDataError(
            "Snakemake and DVC still differ",
            why=f"`{asked}` still finds work",
            fix="run `snakemake --cores 4` to its end",
        )


def _run(folder: Path, tool: str, *args: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", tool, *args], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).split("\n")
        raise TaskError(f"`{tool} {' '.join(args)}` failed", why=said[-1], fix=f"run it by hand in {folder.resolve()}")
    return done
