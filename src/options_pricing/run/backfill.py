"""Catch up with sessions that were missed: each as its own daily run would have made it, oldest first."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from options_pricing.run.calendar import parse_day, require_day, sessions_between
from options_pricing.run.checkout import require_checkout
from options_pricing.run.errors import BadParamsError, ExitCode, TaskError
from options_pricing.run.files import write_text
from options_pricing.run.params import Params

FEATURES = "data/processed/features_{day}.csv"
NAMED = 20
TOLD = re.compile(r"^\w+: (?P<what>.+)\n  why: (?P<why>.+)\n  fix: .+$", re.MULTILINE)
EXIT_CODE = re.compile(r" event=failed .*?\bexit_code=(\d+)")


class Outcome(NamedTuple):
    """How one session ended: the exit code of its task, and what was said."""

    day: str
    exit_code: int
    said: str


def sessions_missed(folder: Path, params: Params, first: str, last: str) -> list[str]:
    """The sessions from `first` to `last` (``YYYYMMDD``, both included) that have no features, oldest first.

    Raises
    ------
    BadParamsError
        One is no date of the years that the calendar covers, or they are in the wrong order.
    """
    for day in (first, last):
        require_day(day)
    if first > last:
        raise BadParamsError(
            f"there is no day from {first} to {last}", why="the first is the later one", fix="swap --from and --to"
        )
    days = [f"{session:%Y%m%d}" for session in sessions_between(parse_day(first), parse_day(last))]
    wanted = [day for day in days if day not in params.run.without]
    return [day for day in wanted if not (folder / FEATURES.format(day=day)).is_file()]


def backfill(
    folder: Path,
    params: Params,
    first: str,
    last: str,
    *,
    file: Path | None = None,
    tell: Callable[[str], None] = print,
) -> int:
    """Fetch, validate and make the features of the sessions that were missed, and `tell` in a line how each ended.

    Each session is run by itself with ``date=`` that session, as its daily run was to be, so that the same quotes give
    the same bytes. A session that cannot be made does not keep the others from it.

    Parameters
    ----------
    folder : Path
        The checkout.
    params : Params
    first, last : str
        ``YYYYMMDD``, both included.
    file : Path, optional
        The parameter file, as Snakemake is told it by ``--config params=...``.
    tell : callable
        Gets each line.

    Returns
    -------
    int
        How many sessions were made.

    Raises
    ------
    TaskError
        Some could not be made; all of them are named. Its exit code is that of their tasks where they agree, else
        `ExitCode.UPSTREAM`.
    """
    require_checkout(folder)
    missed = sessions_missed(folder, params, first, last)
    if not missed:
        tell(f"nothing to do: no session from {first} to {last} is missing")
        return 0
    outcomes = []
    for day in missed:
        outcomes.append(_run(folder, day, file))
        tell(f"{day} {outcomes[-1].said}")
    failed = [outcome for outcome in outcomes if outcome.exit_code]
    if failed:
        raise _not_all(failed, len(missed))
    return len(missed)


def _run(folder: Path, day: str, file: Path | None) -> Outcome:
    config = [f"date={day}", *([f"params={file}"] if file else [])]
    command = [sys.executable, "-m", "snakemake", FEATURES.format(day=day), "--config", *config]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    write_text(folder / "logs" / f"backfill_{day}.log", done.stdout)
    if "cannot be locked" in done.stdout:
        raise _busy(folder)
    if done.returncode == 0:
        return Outcome(day, ExitCode.OK, "made")
    told = list(TOLD.finditer(done.stdout))
    said = f"{told[-1]['what']} ({told[-1]['why']})" if told else f"Snakemake ended with {done.returncode}"
    codes = EXIT_CODE.findall(done.stdout)
    return Outcome(day, int(codes[-1]) if codes else done.returncode, f"not made: {said}")


def _busy(folder: Path) -> TaskError:
    error = TaskError(
        f"another run is at work in {folder.resolve()}",
        why="Snakemake holds its lock",
        fix="wait for it to end; after a crash, `snakemake --unlock`",
    )
    error.exit_code = ExitCode.BUSY
    return error


def _not_all(failed: list[Outcome], asked: int) -> TaskError:
    days = [outcome.day for outcome in failed]
    more = f" and {len(days) - NAMED} more" if len(days) > NAMED else ""
    error = TaskError(
        f"{len(failed)} of {asked} sessions could not be made: {', '.join(days[:NAMED])}{more}",
        why=failed[0].said.removeprefix("not made: "),
        fix="read logs/backfill_<day>.log; run it again where the cause has passed, or list the days under run.without",
    )
    codes = {outcome.exit_code for outcome in failed} & set(ExitCode)
    error.exit_code = ExitCode(codes.pop()) if len(codes) == 1 else ExitCode.UPSTREAM
    return error
