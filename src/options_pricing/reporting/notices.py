"""What must stand in red above everything else: simulated data, figures older than the report, halts, mismatches."""

import dataclasses
from pathlib import PurePath
from typing import Any

import pandas as pd

from options_pricing.reporting.inputs import Inputs
from options_pricing.reporting.wording import as_day, counted
from options_pricing.run.calendar import is_session, parse_day, sessions_between
from options_pricing.run.errors import BadDataError

NO_DAY = "00000000"


def simulated_banner(inputs: Inputs) -> str | None:
    """The words of the banner if any input says simulated, else None."""
    days = [day.simulated for day in inputs.meta] + [day.simulated for day in inputs.validation]
    later = [part.simulated for part in (inputs.card, inputs.metrics, inputs.status) if part is not None]
    rows = (inputs.features["source"] == "simulated").tolist()
    said = [*days, *later, *rows]
    if not any(said):
        return None
    if all(said):
        return "SIMULATED: every quote in this report comes from a simulated market, none from an exchange."
    return (
        "SIMULATED in part: some of the quotes behind this report come from a simulated market, not from an exchange."
    )


def check_days(inputs: Inputs, date: str) -> None:
    """Refuse inputs that are not about the report's days.

    Raises
    ------
    BadParamsError
        `date` is no date.
    BadDataError
        The data do not end on `date`, meta and validation are about different days, or the features are of no
        trading day or a later one.
    """
    parse_day(date)
    days = [day.date for day in inputs.validation]
    fix = "give the files of the days up to the report's day"
    if days[-1] != date:
        raise BadDataError(
            f"the data end on {as_day(days[-1])}, the report is of {as_day(date)}",
            why="old data must not stand under a new date, nor new data under an old one",
            fix=fix,
        )
    if days != [day.trade_date for day in inputs.meta]:
        raise BadDataError(
            "the meta files and the validation reports are not about the same days",
            why=f"only one kind has {', '.join(sorted(set(days) ^ {day.trade_date for day in inputs.meta}))}",
            fix=fix,
        )
    newest = inputs.features["trade_date"].max()
    if pd.notna(newest) and not is_session(newest.date().isoformat().replace("-", "")):
        raise BadDataError(f"the features are of {newest.date()}, no trading day", why="no quote can be of it", fix=fix)
    if pd.notna(newest) and f"{newest:%Y%m%d}" > date:
        raise BadDataError(
            f"the features are of {newest:%Y-%m-%d}, after the report's day {as_day(date)}",
            why="they know what the report must not know",
            fix=fix,
        )


def without_later(inputs: Inputs, date: str) -> tuple[Inputs, list[str]]:
    """Leave out what knows days after the report's own, and say so.

    A report of a past day may find the model of a later one standing; its figures are not of that day.

    Returns
    -------
    (Inputs, list of str)
        The inputs without those parts, and one sentence for each.
    """
    parts = {
        "model_train": ("The model", inputs.card and inputs.card.as_of, ["card"]),
        "model_evaluate": (
            "The evaluation",
            _last_judged(inputs),
            ["metrics", "predictions", "r2_by_day", "error_by_bucket"],
        ),
        "model_deploy": ("The staged release", inputs.status and inputs.status.as_of, ["status"]),
    }
    said = []
    for task, (what, day, names) in parts.items():
        if day and day > date:
            files = [file for file in inputs.files if file.made_by != task]
            without: dict[str, Any] = {"files": files, **dict.fromkeys(names)}
            inputs = dataclasses.replace(inputs, **without)
            said.append(
                f"{what} is left out: it is of {as_day(day)} and knows days after this report's, {as_day(date)}."
            )
    return inputs, said


def _last_judged(inputs: Inputs) -> str | None:
    """The last day that any figure is of."""
    if inputs.metrics is None:
        return None
    days = [day for protocol in inputs.metrics.protocols.values() for day in protocol.days]
    return max([*inputs.metrics.days, *days], default=None)


def notices(inputs: Inputs, date: str) -> list[str]:
    """One sentence for each thing that a reader must know before reading on; an empty list is the good case."""
    return [*_stale(inputs, date), *_halted(inputs), *_failed_checks(inputs), *_mismatches(inputs)]


def _ages(inputs: Inputs) -> list[tuple[str, str]]:
    """What could be old, and the day that it is of."""
    found = [("The feature table", f"{day:%Y%m%d}") for day in [inputs.features["trade_date"].max()] if pd.notna(day)]
    if inputs.card:
        found.append(("The model", inputs.card.as_of))
    if inputs.metrics:
        judged = max(inputs.metrics.days, default=NO_DAY)
        under = {name: max(protocol.days, default=NO_DAY) for name, protocol in inputs.metrics.protocols.items()}
        found.append(("The evaluation", judged))
        found += [(f"The evaluation under {name}", day) for name, day in under.items() if day != judged]
    if inputs.status:
        found.append(("The staged release", inputs.status.as_of))
    return found


def _stale(inputs: Inputs, date: str) -> list[str]:
    found = []
    for what, day in _ages(inputs):
        if day == NO_DAY:
            found.append(f"{what} names no day: how old its figures are is not known.")
        elif day < date:
            age = len(sessions_between(pd.Timestamp(day), pd.Timestamp(date))) - 1
            found.append(
                f"{what} is {counted(age, 'trading day')} old: it is of {as_day(day)}, this report of {as_day(date)}."
            )
    return found


def _halted(inputs: Inputs) -> list[str]:
    return [
        f"{as_day(day.date)} was halted and none of its quotes is used: "
        + ("; ".join(f"{halt.id} {halt.message}" for halt in day.halts) or "its validation report gives no reason")
        for day in inputs.validation
        if day.status == "halted"
    ]


def _failed_checks(inputs: Inputs) -> list[str]:
    if inputs.status is None:
        return []
    failed = [check.name for check in inputs.status.checks if not check.passed]
    return [f"The staged release {inputs.status.release_id} failed its checks: {', '.join(failed)}."] if failed else []


def _mismatches(inputs: Inputs) -> list[str]:
    card, metrics, status = inputs.card, inputs.metrics, inputs.status
    found = []
    if card and metrics and card.model != metrics.chosen_model:
        found.append(f"The figures are of {metrics.chosen_model}, the trained model is {card.model}.")
    if card and status and card.model_sha256 != status.model_sha256:
        found.append("The staged release is not the model of this model card (their SHA-256 differ).")
    if card:
        trained = {PurePath(str(f.get("path", ""))).name: f.get("sha256") for f in card.features}
        found += [
            f"{file.path} has changed since the model was trained on it."
            for file in inputs.files
            if file.made_by == "feature_engineer" and trained.get(PurePath(file.path).name, file.sha256) != file.sha256
        ]
    return found
