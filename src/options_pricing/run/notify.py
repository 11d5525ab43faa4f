"""Tell people of what a task or a check found, within five seconds and without ever being a reason to fail."""

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from options_pricing.run.alerts import REPORTED, Alert, alert_of_failure, alerts_of_drift, subject_of
from options_pricing.run.outbox import Outbox
from options_pricing.run.outgoing import outgoing
from options_pricing.run.params import Alerts
from options_pricing.run.targets import VARIABLE, Message, Targets

LONGEST = 4.0
FOLDER = "alerts"

Tell = Callable[..., None]


def wanted(alerts: Iterable[Alert], settings: Alerts) -> list[Alert]:
    """Those that params.yaml wants told."""
    return [alert for alert in alerts if set(alert.events) & set(settings.events)]


def notify(logs: Path, alerts: Iterable[Alert], mended: Iterable[str], settings: Alerts, tell: Tell) -> None:
    """Queue alerts and recoveries in ``<logs>/alerts`` and send what waits.

    Without targets in the environment nothing happens. No error leaves this function: `tell` (a log) hears of it.

    Parameters
    ----------
    logs : Path
        The folder of the logs.
    alerts : iterable of Alert
    mended : iterable of str
        Beginnings of the keys of what is in order now, unless it is one of `alerts`.
    settings : Alerts
        Section ``alerts`` of the parameters.
    tell : callable
        Called as ``tell(event, **fields)`` where an alert could not be sent.
    """
    if not os.environ.get(VARIABLE, "").strip():
        return
    try:
        told, mended = wanted(alerts, settings), tuple(mended)
        outbox = Outbox(logs / FOLDER, Targets.from_environment())
        if not told and outbox.idle:
            return
        try:
            outbox.note(told, mended)
        except OSError as error:
            # A full disk is what people most need to hear of.
            tell("alert_not_spooled", reason=type(error).__name__)
            _send_unspooled(told, outbox.targets)
            return
        outbox.send(LONGEST)
    except Exception as error:
        tell("alert_not_sent", reason=outgoing(f"{type(error).__name__}: {error}"))


def _send_unspooled(alerts: list[Alert], targets: Targets) -> None:
    letters = [Message(outgoing(alert.title), outgoing(alert.body)) for alert in alerts]
    if letters:
        targets.deliver(dict.fromkeys(targets.ids, letters), LONGEST)


def notify_of_task(
    task: str, day: str, log: Path | None, settings: Alerts, error: Exception | None, tell: Tell
) -> None:
    """Tell that a task failed, or, where it ended well after a failure, that it has recovered."""
    if log is None:
        return  # run by hand, before somebody's eyes
    subject = subject_of(task, day)
    mended = [f"failed/{subject}/", f"halted/{subject}/"] if error is None else []
    if error is None and task == "feature_engineer":
        mended.append(f"no_run/{day}/")
    notify(log.parent, [alert_of_failure(task, day, error)] if error else [], mended, settings, tell)


def notify_of_silent_end(task: str, log: Path, settings: Alerts, tell: Tell) -> None:
    """Tell that a task ended without a word in its log, which is named after its day: it was killed from outside."""
    day = re.search(r"\d{8}(?=\.log$)", log.name)
    with suppress(OSError):
        if day is None or re.search(r" (ERROR|INFO) \w+ event=(failed|bug|end)\b", log.read_text(errors="replace")):
            return
    subject = subject_of(task, day[0]) if day else task
    killed = Alert(
        ("failed",),
        subject,
        f"{subject} ended without a word",
        "it was killed: by the kernel for want of memory, by a limit of the machine, or by a person",
        "look into the log of the kernel (`dmesg`), give it more memory or fewer cores, and run the same command again",
        "killed",
    )
    notify(log.parent, [killed], (), settings, tell)


def notify_of_report(day: str, log: Path | None, settings: Alerts, alerts: Iterable[Alert], tell: Tell) -> None:
    """Tell what a validation report gives cause to, and that what it found on the day before is mended."""
    if log is not None:
        notify(log.parent, alerts, [f"{event}/{day}/" for event in REPORTED], settings, tell)


def notify_of_drift(log: Path | None, settings: Alerts, drift: dict[str, Any], tell: Tell) -> None:
    """Tell what ``drift.json`` gives cause to; an alarm is over once a known status is red no more."""
    if log is not None and drift["status"] != "unknown":
        notify(log.parent, alerts_of_drift(drift), ["drift/"], settings, tell)
