"""Whether the release may be made live on the evidence of this report, who has approved it, and the ledger's head."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from options_pricing.release.approvals import all_in_force
from options_pricing.release.entries import Entry
from options_pricing.release.evidence import PROTOCOL, UNKNOWN, Evaluation, Evidence
from options_pricing.release.gate import Check, gate_state
from options_pricing.release.ledger import Ledger
from options_pricing.reporting.inputs import Inputs
from options_pricing.run.calendar import parse_day
from options_pricing.run.governance import Gate


@dataclass(frozen=True)
class Record:
    """The ledger as it stood: its head, when its last line was written, its first fault or nothing, and the approvals
    in force at a moment: the end of the report's day, or the last line where that is later."""

    moment: str
    last: str
    lines: int
    head: str
    fault: str
    approvals: list[str]


@dataclass(frozen=True)
class Governance:
    """The gate, its checks, and the ledger where the report was given one."""

    open: bool
    checks: list[Check]
    record: Record | None


def governance(
    inputs: Inputs, gate: Gate, date: str, *, drift: str = UNKNOWN, why: str = "", ledger: Path | None = None
) -> Governance | None:
    """What the report says of them; None without a staged release.

    The ledger holds times, so that a report which is to come out the same from the same data is given none. The gate is
    then judged on the report's own inputs, and `options-pricing gate` also asks whether the ledger vouches for them.

    Parameters
    ----------
    inputs : Inputs
    gate : Gate
        The section of the parameters.
    date : str
        The report's day: approvals are those in force when it ends (UTC), or at the ledger's last line if it is later.
    drift, why : str
        The state of drift, and the reason for it.
    ledger : Path, optional
    """
    if inputs.status is None:
        return None
    day = inputs.validation[-1]
    unknown = f"not known yet: {why or 'it was not looked at'}"
    said = f"the state of drift is {drift}" if drift != UNKNOWN else unknown
    evidence = Evidence(_evaluation(inputs), drift, said, day.date, day.status)
    state = gate_state(evidence, inputs.status.model_sha256, gate)
    return Governance(state.open, state.checks, _record(ledger, date))


def _evaluation(inputs: Inputs) -> Evaluation:
    metrics, told = inputs.metrics, inputs.predictions
    if metrics is None or told is None:
        return Evaluation(trouble="there is no evaluation")
    told = told[(told["protocol"] == PROTOCOL) & (told["model"] == metrics.chosen_model) & told["held_out"]]
    trouble = None if len(told) else f"it has no predictions under {PROTOCOL}"
    return Evaluation(metrics.chosen_model, metrics.model_sha256, told, trouble)


def _record(path: Path | None, date: str) -> Record | None:
    if path is None:
        return None
    ledger = Ledger(path)
    head, faults = ledger.head(), ledger.faults()
    entries = ledger.genuine_entries()
    last = _last(entries)
    moment = max(filter(None, [(parse_day(date) + timedelta(days=1)).replace(tzinfo=UTC), last]))
    approvals = [
        f"{given.release_id} by {given.by} until {given.expires:%Y-%m-%d %H:%M} UTC: {given.reason}"
        for given in all_in_force(entries, moment)
    ]
    shown = _shown(last) if last else ""
    return Record(_shown(moment), shown, head.count, head.sha256, faults[0] if faults else "", approvals)


def _last(entries: Sequence[Entry]) -> datetime | None:
    """When the last line was written: an act is told, whenever the report's day was."""
    for entry in reversed(entries):
        try:
            at = datetime.fromisoformat(entry.at)
        except ValueError:
            continue
        if at.utcoffset() is not None:
            return at.astimezone(UTC)
    return None


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
