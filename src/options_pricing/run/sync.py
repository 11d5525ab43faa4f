"""Keep what Snakemake knows and what DVC knows the same, after either of them ran.

Each tool notes for itself what it has made. After a run of one, the other would make everything again, or, worse,
take a stale file for a fresh one. One of them is right at any time: the one that has nothing left to do.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from options_pricing.run.checkout import require_checkout
from options_pricing.run.errors import BadDataError, ExitCode, TaskError


def reconcile(folder: Path, params: Path | None = None, *, tell: Callable[[str], None] = print) -> None:
    """Make DVC and Snakemake agree, and `tell` in a line each what was done.

    First dvc.yaml is written anew where it is not what the Snakefile gives for these parameters: of a window that it
    does not speak of, DVC would say that nothing is left to do. Then, if Snakemake has nothing to do, its files are
    committed to DVC. If DVC's files are the ones of dvc.lock (after ``dvc repro``, ``dvc exp run``, ``dvc checkout``,
    ``dvc pull``), Snakemake is told that all is up to date.

    Parameters
    ----------
    folder : Path
        The checkout.
    params : Path, optional
        The parameter file, as Snakemake is told it by ``--config params=...``.
    tell : callable
        Gets each line.

    Raises
    ------
    MissingInputError
        The folder is no checkout.
    BadDataError
        Both have work left, so neither can vouch for the files; none of them, and nothing noted of them, is changed.
    """
    require_checkout(folder)
    config = ("--config", f"params={params}") if params else ()
    if _renew_dvc_yaml(folder, config):
        tell("dvc.yaml was rewritten: it was not what the Snakefile gives for these parameters")
    snakemake_done, dvc_done = snakemake_has_nothing_to_do(folder, config), dvc_has_nothing_to_do(folder)
    if snakemake_done and dvc_done:
        tell("Snakemake and DVC agree already")
    elif snakemake_done:
        _run(folder, "dvc", "commit", "--force")
        _agreed(dvc_has_nothing_to_do(folder), "dvc status")
        tell("committed to DVC what Snakemake made")
    elif dvc_done:
        _touch(folder, config)
        _agreed(snakemake_has_nothing_to_do(folder, config), "snakemake --dry-run")
        tell("told Snakemake that what DVC has is up to date")
    else:
        raise BadDataError(
            "Snakemake and DVC both have work left",
            why="neither can vouch for the files as they are",
            fix="run `snakemake --cores 4` or `dvc repro` to its end, then `options-pricing sync` again",
        )


def snakemake_has_nothing_to_do(folder: Path, config: tuple[str, ...] = ()) -> bool:
    """Whether ``snakemake --dry-run`` finds all files of the default target up to date."""
    done = _run(folder, "snakemake", "--dry-run", "--nolock", "--cores", "1", *config)
    return "Nothing to be done" in done.stdout + done.stderr


def dvc_has_nothing_to_do(folder: Path) -> bool:
    """Whether ``dvc status`` finds every stage as dvc.lock says, with all its outputs in place."""
    return json.loads(_run(folder, "dvc", "status", "--json").stdout or "{}") == {}


def _renew_dvc_yaml(folder: Path, config: tuple[str, ...]) -> bool:
    """Whether dvc.yaml had to be written anew."""
    file = folder / "dvc.yaml"
    before = file.read_bytes() if file.is_file() else None
    _run(folder, "snakemake", "--nolock", "--cores", "1", "--quiet", "all", *config, "--", "dvc_yaml")
    return file.read_bytes() != before


def _touch(folder: Path, config: tuple[str, ...]) -> None:
    quiet = ("--cores", "1", "--quiet", "all", *config)
    # Without --forceall some jobs get no record, and a later change of their parameters would go unnoticed.
    _run(folder, "snakemake", "--touch", "--forceall", *quiet)
    _run(folder, "snakemake", *quiet, "--", "newest_validated")  # a link DVC can't hold


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
        _raise_as_told(done)
        said = (done.stderr.strip() or done.stdout.strip()).split("\n")
        raise TaskError(f"`{tool} {' '.join(args)}` failed", why=said[-1], fix=f"run it by hand in {folder.resolve()}")
    return done


def _raise_as_told(done: subprocess.CompletedProcess[str]) -> None:
    """What the Snakefile says of a wrong parameter file is said again in its own words, with its own exit code."""
    told = re.search(r"^snakemake: (.+)\n  why: (.+)\n  fix: (.+)$", done.stderr, flags=re.MULTILINE)
    if told:
        error = TaskError(told[1], why=told[2], fix=told[3])
        error.exit_code = ExitCode(done.returncode)
        raise error
