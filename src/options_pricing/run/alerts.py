"""What people are told of when nobody watches: a failed task, a halted day, a feed that is thin, holed or old."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from options_pricing.run.errors import ExitCode, TaskError
from options_pricing.run.params import Alerts

HEADLINES = {
    "failed": "task failed",
    "halted": "day halted",
    "null_rates": "null rates are high",
    "missing_expirations": "chain incomplete",
    "stale_feed": "feed is stale",
    "no_run": "no run",
    "calendar": "calendar ends soon",
    "rolled_back": "release taken back by itself",
    "drift": "market has drifted from the release",
}
# Which rules of validation stand behind which event.
EVENT_OF_RULE = {
    "F03": "missing_expirations",
    "F04": "missing_expirations",
    "F05": "stale_feed",
    "F07": "stale_feed",
    "F08": "null_rates",
}
REPORTED = ("null_rates", "missing_expirations", "stale_feed")
# A quote without one of these is none.
NEEDED = ("expiration", "strike", "option_type", "bid", "ask", "underlying_price")


@dataclass(frozen=True)
class Alert:
    """One thing that went wrong, as people are told it.

    Parameters
    ----------
    events : tuple of str
        What kind of thing, the main one first; params.yaml says which ones are told.
    subject : str
        What it is about: a day, or a task and a day.
    what, why, fix : str
        What happened, the cause as far as it is known, and what to do.
    detail : str
        What else tells it from another alert of the same kind and subject.
    """

    events: tuple[str, ...]
    subject: str
    what: str
    why: str
    fix: str
    detail: str = ""

    @property
    def key(self) -> str:
        """The same for what need not be told twice."""
        return f"{self.events[0]}/{self.subject}/{self.detail}"

    @property
    def title(self) -> str:
        """One line for the head of a message."""
        first, *causes = (HEADLINES[event] for event in self.events)
        said = f"{first} ({', '.join(causes)})" if causes else first
        return f"options-pricing: {said}: {self.subject}"

    @property
    def body(self) -> str:
        """What, why and what to do, a line each."""
        return f"{self.what}\nwhy: {self.why}\nfix: {self.fix}"


def subject_of(task: str, day: str) -> str:
    """What an alert about a task is about."""
    return f"{task} {day}"


def alert_of_failure(task: str, day: str, error: Exception) -> Alert:
    """The alert for a task that ended with an error; a `TaskError` brings its own cause and remedy."""
    if not isinstance(error, TaskError):
        return Alert(
            ("failed",),
            subject_of(task, day),
            f"{task} of {day} stopped at a bug",
            f"{type(error).__name__}: {error}"[:500],
            f"read the traceback in the log of {task}, and report it",
            str(int(ExitCode.BUG)),
        )
    halted = error.exit_code == ExitCode.HALTED_DAY
    rules = re.findall(r"\b[A-Z]\d\d\b", error.why) if halted else []
    causes = sorted({EVENT_OF_RULE[rule] for rule in rules if rule in EVENT_OF_RULE})
    events = ("halted", *causes) if halted else ("failed",)
    return Alert(events, subject_of(task, day), error.what, error.why, error.fix, str(int(error.exit_code)))


def alerts_of_report(report: dict[str, Any], settings: Alerts) -> list[Alert]:
    """The alerts that a validation report gives cause to, beside a halt of the day, which tells its own causes."""
    day = str(report["date"])
    said: dict[str, list[str]] = {}
    for rule in report["rules"]:
        event = EVENT_OF_RULE.get(rule["id"])
        if event in ("missing_expirations", "stale_feed") and rule["scope"] == "day" and rule["outcome"] == "warn":
            said.setdefault(event, []).append(f"{rule['id']}: {rule['message'] or rule['title']}")
    nulls = {name: share for name, share in report["null_rates"].items() if name in NEEDED}
    high = [f"{share:.1%} of {name}" for name, share in nulls.items() if share > settings.null_rate]
    if high:
        said["null_rates"] = [f"{', '.join(high)} is null, more than {settings.null_rate:.1%}"]
    return [_found_in_report(event, day, sentences) for event, sentences in sorted(said.items())]


def _found_in_report(event: str, day: str, sentences: Iterable[str]) -> Alert:
    return Alert(
        (event,),
        day,
        f"the chain of {day} was taken, but {HEADLINES[event]}",
        "; ".join(sentences),
        f"look at reports/validation/validation_{day}.json and at the source; to fetch the day again, move "
        f"data/raw/options_data_{day}.csv and its .meta.json away and run the same command",
    )


def alerts_of_drift(drift: dict[str, Any]) -> list[Alert]:
    """The alert that ``drift.json`` gives cause to: one for each day on which an alarm was raised and still stands."""
    if drift["status"] != "red":
        return []
    release, since = drift["release"], max(alarm["date"] for alarm in drift["alarms"] if alarm["status"] == "red")
    return [
        Alert(
            ("drift",),
            since,
            f"the market of {since} lies otherwise than the days that release {release['release_id']} was judged on",
            drift["why"],
            "look at reports/drift.json and at the quotes; where it is the market that has changed, train on days "
            "after the change and promote that release",
        )
    ]
