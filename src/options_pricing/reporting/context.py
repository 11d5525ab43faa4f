"""The report's content, built out of its input files and nothing else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import matplotlib

from options_pricing.reporting.answer import answer, main_protocol
from options_pricing.reporting.evidence import evidence
from options_pricing.reporting.governance import Governance
from options_pricing.reporting.in_use import in_use
from options_pricing.reporting.inputs import Card, InputFile, Inputs, Status
from options_pricing.reporting.judgement import judged, seed_section
from options_pricing.reporting.notices import check_days, notices, simulated_banner, without_later
from options_pricing.reporting.pictures import pictures
from options_pricing.reporting.quality import quality_of, trend_of
from options_pricing.reporting.watching import live_picture, watching
from options_pricing.reporting.wording import (
    as_day,
    check_words,
    counted,
    in_words,
    model_words,
    percent,
    protocol_words,
    span,
    typeset,
    whole,
)

FEW_DAYS = 60


@dataclass(frozen=True)
class Release:
    """The staged release."""

    release_id: str
    live: bool
    passed: str
    checks: list[tuple[str, bool, str]]
    model_sha256: str


def build_context(
    inputs: Inputs,
    *,
    date: str,
    title: str,
    smiles: int,
    governance: Governance | None = None,
    drift: dict[str, Any] | None = None,
    live: Sequence[dict[str, Any]] = (),
    files: Sequence[InputFile] = (),
) -> dict[str, Any]:
    """Everything that the templates print.

    Parameters
    ----------
    inputs : Inputs
        The files' content.
    date : str
        The report's day, YYYYMMDD: the last day of the data.
    title : str
        The heading.
    smiles : int
        Most expirations whose smile is drawn.
    governance : Governance, optional
        The gate and the ledger (`governance.governance`).
    drift : dict, optional
        ``drift.json``; without it the report says nothing of the release in use.
    live : sequence of dict
        The records of its days.
    files : sequence of InputFile
        What was read besides the inputs (`also_read.also_read`).

    Raises
    ------
    BadDataError
        The inputs are not about that day (`notices.check_days`).
    """
    check_days(inputs, date)
    inputs, left_out = without_later(inputs, date)
    metrics = inputs.metrics
    return {
        "title": title,
        "simulated": simulated_banner(inputs),
        "notices": [*left_out, *notices(inputs, date)],
        "day": in_words(date),
        "covered": _covered(inputs),
        "answer": answer(inputs, in_use(inputs, drift, live)),
        "judged": judged(metrics) if metrics else [],
        "skipped": [(protocol_words(name)[0], why) for name, why in (metrics.skipped if metrics else {}).items()],
        "seed": seed_section(metrics),
        "evidence": evidence(metrics),
        "chosen": model_words(metrics.chosen_model, main_protocol(metrics)) if metrics else "",
        "charts": pictures(inputs, smiles) | ({} if drift is None else {"live_by_day": live_picture(drift, live)}),
        "watching": None if drift is None else watching(drift, live),
        "quality": quality_of(inputs.validation),
        "trend": trend_of(inputs.validation),
        "release": _release(inputs.status, (drift or {}).get("release")),
        "governance": governance,
        "limits": _limits(inputs),
        "raw_days": [
            (as_day(day.trade_date), day.source, day.captured_at or "not said", whole(day.rows), day.sha256)
            for day in reversed(inputs.meta)
        ],
        "files": [*inputs.files, *files],
        "parameters": _parameters(inputs, title, smiles),
        "versions": _versions(inputs.card),
    }


def _covered(inputs: Inputs) -> dict[str, str]:
    days = [day.date for day in inputs.validation]
    return {
        "last": as_day(days[-1]),
        "days": span(days, "trading day"),
        "underlyings": ", ".join(dict.fromkeys(name for day in inputs.meta for name in day.underlyings)),
        "sources": ", ".join(dict.fromkeys(day.source for day in inputs.meta)),
    }


def _release(status: Status | None, in_use: dict[str, Any] | None) -> Release | None:
    """The release that was staged last; it is live where the one that is watched is, and is this one."""
    if status is None:
        return None
    promoted = in_use is not None and in_use["live"] and in_use["release_id"] == status.release_id
    passed = sum(check.passed for check in status.checks)
    return Release(
        release_id=status.release_id,
        live=status.live or promoted,
        passed=f"{passed} of {counted(len(status.checks), 'check')} passed",
        checks=[(check_words(check.name), check.passed, typeset(check.detail or "")) for check in status.checks],
        model_sha256=status.model_sha256,
    )


def _limits(inputs: Inputs) -> list[str]:
    said = [typeset(limit) for limit in inputs.card.limits] if inputs.card else []
    if simulated_banner(inputs) and not any("simulated" in limit.lower() for limit in said):
        said.append("It cannot say how the models do on real quotes: the market behind these figures is simulated.")
    if inputs.metrics:
        days = max(len(protocol.days) for protocol in inputs.metrics.protocols.values())
        if days < FEW_DAYS:
            said.append(f"It rests on {counted(days, 'day')} of predictions: few kinds of market, and rough intervals.")
    else:
        said.append("It says nothing about how well any model prices these options: none was evaluated.")
    said.append("It cannot tell a fair price from a quoted one: every figure holds the model against quotes.")
    return said


def _parameters(inputs: Inputs, title: str, smiles: int) -> list[tuple[str, str]]:
    shown: list[tuple[str, Any]] = [("report.title", title), ("report.smiles", smiles)]
    if inputs.metrics:
        shown += [("chosen model", inputs.metrics.chosen_model), ("confidence", percent(inputs.metrics.confidence, 0))]
    if inputs.card:
        shown += [
            ("model", inputs.card.model),
            ("model as of", as_day(inputs.card.as_of)),
            ("rows read", whole(inputs.card.rows)),
            *inputs.card.hyperparameters.items(),
        ]
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) for name, value in shown]


def _versions(card: Card | None) -> list[tuple[str, str]]:
    """What made the model, as its card says, and what drew this report."""
    of_model = [(f"{name} (model)", version) for name, version in card.versions.items()] if card else []
    return [*of_model, ("jinja2 (report)", jinja2.__version__), ("matplotlib (report)", matplotlib.__version__)]
