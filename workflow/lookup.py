"""What the rules ask: the checked parameters, the code behind a script, the trading days as a pattern."""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from options_pricing.run.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    is_session,
    require_day,
    sessions_between,
    sessions_ending,
    why_no_session,
)
from options_pricing.run.errors import BadParamsError, ExitCode, MissingInputError, TaskError
from options_pricing.run.files import read_json, sha256_of
from options_pricing.run.notify import notify_of_silent_end
from options_pricing.run.params import Alerts, Params, check_params, load_params

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "options_pricing"
META = "options_data_{}.meta.json"
SCHEDULED = frozenset({"daily", "fetch"})
CONFIG = ("params", "date", "dvc_yaml")


def open_params(path: str, *, date: object = None, targets: Callable[[], set[str]] = set) -> Params:
    """Check the parameter file before any job; `date` (YYYYMMDD) stands in for ``run.date``.

    What is wrong with it ends Snakemake at once, in a few lines and with the exit code of its class. A `date` of
    no session, or of ``run.without``, asked for by a scheduler's targets alone, ends it well: there is nothing to do.
    """
    try:
        params = _load_params(path)
        if date is None:
            return params
        reason = _nothing_to_do(str(date), params)
        if reason is not None and targets() and targets() <= SCHEDULED:
            print(f"nothing to do: {reason}", file=sys.stderr)
            sys.exit(ExitCode.OK)
        changed = params.model_dump() | {"run": params.run.model_dump() | {"date": str(date)}}
        return check_params(changed, f"{path} with date={date}")
    except TaskError as error:
        print(f"snakemake: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def refuse_unknown(config: Mapping[str, object]) -> None:
    """End Snakemake where ``--config`` names what nothing reads: a slip of the finger would run something else."""
    unknown = [name for name in config if name not in CONFIG]
    if unknown:
        error = BadParamsError(
            f"--config {unknown[0]}= is not known",
            why=f"what it takes is {', '.join(CONFIG)}",
            fix="set keys of the parameter file in a copy of it, and name that: --config params=my_params.yaml",
        )
        print(f"snakemake: {error}", file=sys.stderr)
        sys.exit(ExitCode.USAGE)


def _load_params(path: str) -> Params:
    try:
        return load_params(Path(path))
    except MissingInputError as error:
        raise MissingInputError(
            error.what, why=error.why, fix="name another one with --config params=..., or go to the checkout"
        ) from error


def _nothing_to_do(day: str, params: Params) -> str | None:
    """Why there is nothing to do on a date of the years that the calendar covers; None where there is, or no date."""
    try:
        require_day(day)
    except BadParamsError:
        return None
    if day in params.run.without:
        return f"{day} is listed under run.without"
    return None if is_session(day) else why_no_session(day)


def days_at_hand(params: Params, raw: Path = Path("data/raw")) -> list[str]:
    """The days of the window that can be had, oldest first.

    A live source shows the newest day only: a day before it of which there is neither a file nor a kept answer is left
    out, and said, rather than asked for.
    """
    window = params.run.window
    if not params.source.live:
        return window
    there = {params.run.date, *_days_kept(params)} | {day for day in window if (raw / META.format(day)).is_file()}
    gone = [day for day in window if day not in there]
    if gone:
        print(f"left out, as {params.source.kind} shows the newest day only: {', '.join(gone)}", file=sys.stderr)
    return [day for day in window if day in there]


def _days_kept(params: Params) -> list[str]:
    """The days whose answers a live source has kept; what is wrong with it, data_fetch says."""
    from options_pricing.sources import Network, make_source

    network = Network(limits=params.http)
    try:
        return network.store().days(make_source(params.source, network).request(params.run.date))
    except TaskError:
        return []


def day_before(day: str, window: list[str], params: Params, raw: Path | None = Path("data/raw")) -> str | None:
    """The day that `day` is compared with: the one before it in the window, or for its first day on disk.

    Else a day would be judged anew, and with less to compare it with, when the window has moved on to begin with it.
    What is on disk (in `raw`) counts only if it was asked for as the window is now.
    """
    earlier = [known for known in window if known < day]
    if earlier or raw is None:
        return earlier[-1] if earlier else None
    (before, _) = sessions_ending(day, 2)
    return before if before not in params.run.without and _asked_alike(raw / META.format(before), params) else None


def _asked_alike(meta: Path, params: Params) -> bool:
    """Whether a day on disk is from the source of the parameters, and was asked for in the same words."""
    try:
        found = read_json(meta)
    except TaskError:
        return False
    asked, request = params.source.model_dump(mode="json"), found.get("request") if isinstance(found, dict) else None
    if not isinstance(request, dict) or found.get("source") != asked["kind"]:
        return False
    return all(request[key] == asked[key] for key in request.keys() & asked.keys())


def asked_targets() -> set[str]:
    """The targets on Snakemake's command line, which it does not tell a Snakefile that it is still reading."""
    from snakemake.cli import get_argument_parser

    return set(get_argument_parser().parse_known_args(sys.argv[1:])[0].targets)


def section_of(params: Params, keys: Iterable[str]) -> dict[str, Any]:
    """``{"train": {...}, "run.date": "20261120"}`` for the given dotted keys, defaults filled in."""
    found = {}
    for key in keys:
        value: Any = params.model_dump(mode="json")
        for part in key.split("."):
            value = value[part]
        found[key] = value
    return found


def date_pattern(window: list[str]) -> str:
    """Eight digits that are a trading day of the exchange, from a year before the window to a year after it.

    Snakemake compiles the pattern anew for every kind of file, so it is kept short: month by month, three years.
    """
    years = range(int(window[0][:4]) - 1, int(window[-1][:4]) + 2)
    first, last = max(years[0], FIRST_YEAR), min(years[-1], LAST_YEAR)
    months: dict[str, list[str]] = {}
    for session in sessions_between(pd.Timestamp(first, 1, 1), pd.Timestamp(last, 12, 31)):
        months.setdefault(f"{session:%Y%m}", []).append(f"{session:%d}")
    return "|".join(f"{month}(?:{'|'.join(days)})" for month, days in months.items())


def code_of(*scripts: str) -> list[str]:
    """The scripts and every module of the library that they import, directly or through others.

    Found by reading import statements (those inside functions too), so that a change of code reruns what it touches
    and nothing else, and nobody has to keep a list.
    """
    found, todo = set(), [ROOT / script for script in scripts]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.add(path)
        todo.extend(_imported_by(path))
    return sorted(str(path.relative_to(ROOT)) for path in found)


@cache
def _imported_by(path: Path) -> frozenset[Path]:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    wanted: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            wanted.add(node.module)
            wanted.update(f"{node.module}.{alias.name}" for alias in node.names)
    files = {_module_file(name) for name in wanted if re.match(rf"({PACKAGE}|_checkout)\b", name)}
    return frozenset(file for file in files if file is not None)


def _module_file(name: str) -> Path | None:
    base = ROOT / ("scripts" if name.startswith("_") else "src") / Path(*name.split("."))
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        # An empty __init__ says nothing, so a change of it can change nothing.
        if file.is_file() and file.stat().st_size:
            return file
    return None


def standing(*paths: str) -> dict[str, str]:
    """The SHA-256 of those files that are there: what a daily report shows without asking for it to be remade."""
    return {path: sha256_of(Path(path)) for path in paths if Path(path).is_file()}


def tell_of_killed(rule: str, logs: list[Path], settings: Alerts) -> None:
    """Send an alert about the job of a rule that failed, unless its task has told the cause itself."""
    task = "generate_report" if rule == "generate_daily_report" else rule
    for log in logs:
        notify_of_silent_end(task, log, settings, lambda event, **said: print(f"{event}: {said}", file=sys.stderr))


def templates() -> list[str]:
    """The report's templates, inputs like the code."""
    folder = ROOT / "src" / PACKAGE / "reporting" / "templates"
    return sorted(str(path.relative_to(ROOT)) for path in folder.glob("*.j2"))
