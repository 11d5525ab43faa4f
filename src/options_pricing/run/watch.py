"""The dead man's switch: whether a session has its checked chain by the time that it is due."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from options_pricing.run.alerts import Alert
from options_pricing.run.calendar import ANNOUNCED_UNTIL, horizon_warning
from options_pricing.run.clock import day_in_new_york, session_due
from options_pricing.run.errors import ExitCode, TaskError
from options_pricing.run.files import read_json
from options_pricing.run.notify import FOLDER, wanted
from options_pricing.run.outbox import Outbox
from options_pricing.run.params import Params
from options_pricing.run.targets import Message, Targets

LONGEST = 4.0
STAGES = (
    ("data_fetch", "data/raw/options_data_{day}.meta.json"),
    ("data_validate", "reports/validation/validation_{day}.json"),
    ("feature_engineer", "data/processed/features_{day}.csv"),
)


class Watched(NamedTuple):
    """What a check found: the session that is due, if any, what is missing of it, and one line for a person."""

    due: str | None
    missing: str | None
    said: str


def missing_of(folder: Path, day: str) -> str | None:
    """The first task whose file of that day is not there, in a clause; None where all are, or the day was halted."""
    for task, file in STAGES:
        path = folder / file.format(day=day)
        if not path.is_file():
            return f"{task} has not ended: there is no {file.format(day=day)}"
        if task == "data_validate" and _halted(path):
            return None  # it ran, and the halt was told
    return None


def _halted(report: Path) -> bool:
    try:
        found = read_json(report)
    except TaskError:
        return False
    return isinstance(found, dict) and found.get("status") == "halted"


def look(folder: Path, params: Params, at: pd.Timestamp) -> Watched:
    """Whether the session that is due at `at` has its files; quiet before that and on days without a session."""
    due = session_due(at, params.alerts.deadline)
    if due is None or due in params.run.without:
        return Watched(None, None, f"no run is due: {at:%Y-%m-%d %H:%M} UTC")
    missing = missing_of(folder, due)
    return Watched(due, missing, f"no run of {due}: {missing}" if missing else f"{due} has run")


def check(folder: Path, params: Params, at: pd.Timestamp, targets: Targets, tell: Callable[[str], None]) -> Watched:
    """`look`, tell the targets what it finds or what has recovered since, and send what waits.

    Parameters
    ----------
    folder : Path
        The checkout.
    params : Params
    at : Timestamp
        The time, in UTC.
    targets : Targets
        Whom to tell.
    tell : callable
        Gets a line where an alert could not be queued or sent.
    """
    watched = look(folder, params, at)
    alerts = [_no_run(watched.due, watched.missing, params.alerts.deadline)] if watched.due and watched.missing else []
    warning = horizon_warning(day_in_new_york(at))
    if warning is not None:
        alerts.append(_calendar_ends(warning))
    if targets.ids:
        outbox = Outbox(folder / "logs" / FOLDER, targets, now=lambda: at)
        try:
            outbox.note(wanted(alerts, params.alerts), _mended(folder, outbox))
            outbox.send(LONGEST, at_once=True)
        except (OSError, TaskError) as error:
            tell(f"the alert could not be queued: {error}")
    return watched


def _mended(folder: Path, outbox: Outbox) -> list[str]:
    days = [key.split("/")[1] for key in outbox.open_keys() if key.startswith("no_run/")]
    return [f"no_run/{day}/" for day in days if missing_of(folder, day) is None]


def _no_run(day: str, missing: str, deadline: str) -> Alert:
    return Alert(
        ("no_run",),
        day,
        f"the session {day} has no checked chain at {deadline} in New York",
        missing,
        f"read logs/ of that task, and whether the scheduler ran; then `make daily DATE={day}` "
        f"or `options-pricing backfill --from {day} --to {day}`",
    )


def _calendar_ends(warning: str) -> Alert:
    return Alert(
        ("calendar",),
        ANNOUNCED_UNTIL,
        "the calendar of trading days needs a look",
        warning,
        "upgrade to a newer version of options-pricing, or of exchange-calendars and compare it with the holidays "
        "that the exchange has announced",
    )


def send_test(targets: Targets, tell: Callable[[str], None]) -> int:
    """Send every target a test and `tell` in a line each whether it took it; the exit code.

    Raises
    ------
    BadParamsError
        There is no target, or one that is no address.
    """
    targets.require()
    message = Message(
        "options-pricing: test", "this is a test\nwhy: someone asked for it\nfix: nothing is left to do", good=True
    )
    taken = targets.deliver({id: [message] for id in targets.ids}, LONGEST)
    for place, id in enumerate(targets.ids, 1):
        said = "took the test" if taken[id] else f"did not take it within {LONGEST:g} seconds"
        tell(f"target {place} of {len(targets.ids)} {said}")
    return ExitCode.OK if all(taken.values()) else ExitCode.UPSTREAM
