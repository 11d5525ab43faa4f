"""Judging one day's raw table by all rules in force: what is used, what is put aside and why, and a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from options_pricing.quotes.schema import QUARANTINE, RAW, VALIDATED
from options_pricing.quotes.tables import conform
from options_pricing.run.params import Validation
from options_pricing.validation.catalogue import VERSION, AppliedRule, rules_in_force
from options_pricing.validation.chain import Chain, Mask
from options_pricing.validation.rule import STAGES, Finding

EXAMPLES = 3
SENTENCES = 5
PUTS_ASIDE = ("quarantine", "halt")
JUDGE_AN_EMPTY_CHAIN = ("F02", "F03")


@dataclass(frozen=True)
class Validated:
    """A judged day.

    Parameters
    ----------
    validated : DataFrame
        The rows that may be used (schema `VALIDATED`), with the ids of the rules that warn of them.
    quarantine : DataFrame
        All other rows (schema `QUARANTINE`), with the ids of every rule they fail.
    report : dict
        What ``validation_{date}.json`` holds, but for ``source`` and ``simulated``, which the caller knows.
    chain : Chain, optional
        The judged chain, which knows its usable rows; where ``validation.repair`` asks for a repair.
    """

    validated: pd.DataFrame
    quarantine: pd.DataFrame
    report: dict[str, Any]
    chain: Chain | None = None

    @property
    def halts(self) -> list[dict[str, str]]:
        """Why the day stops, if it does: ``{"id", "message"}`` each."""
        return list(self.report["halts"])


@dataclass(frozen=True)
class Judgement:
    """What one rule in force found."""

    applied: AppliedRule
    finding: Finding
    failed: Mask
    warned: Mask

    @property
    def aside(self) -> Mask:
        """The rows that this rule puts into quarantine."""
        rows_matter = self.applied.rule.scope == "rows" and self.applied.severity in PUTS_ASIDE
        return self.failed if rows_matter else np.zeros_like(self.failed)

    @property
    def message(self) -> str | None:
        """What the rule has to say in words."""
        said = [*self.finding.halting, *self.finding.grave, *self.finding.mild]
        if self.warned.any():
            said.append(f"{self.warned.sum()} more rows only deserve a warning")
        return _in_short(said) or None

    @property
    def outcome(self) -> str:
        """``passed``, ``warn``, ``quarantine``, ``halt`` or ``off``."""
        severity = self.applied.severity
        if self.finding.halting and severity in PUTS_ASIDE:
            return "halt"
        if severity == "off" or self.finding.grave or (self.applied.rule.scope == "rows" and self.failed.any()):
            return severity
        return "warn" if self.finding.mild or self.finding.halting or self.warned.any() else "passed"


def validate(
    raw: pd.DataFrame,
    previous: Sequence[pd.DataFrame],
    day: str,
    validation: Validation,
    *,
    rates: pd.DataFrame | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Validated:
    """Judge every row of a day, and the day, by the rules in force. Nothing is repaired and nothing is dropped.

    Parameters
    ----------
    raw : DataFrame
        The day's raw table (schema `RAW`); its rows are numbered from 0 in the order they come.
    previous : sequence of DataFrame
        Raw tables of earlier days; rules that compare days use what there is.
    day : str
        The trading day, ``YYYYMMDD``.
    validation : Validation
        Section ``validation`` of the parameters.
    rates : DataFrame, optional
        The risk-free curve of the day: ``maturity_years``, ``par_yield``, ``curve_date``.
    meta : mapping, optional
        What data_fetch wrote beside the raw file: ``response_codes`` and ``inputs`` (``path``, ``sha256``).

    Raises
    ------
    BadParamsError
        ``validation.rules`` names a rule or threshold that there is not.
    BadDataError
        The table lacks a column that may not be null, or a column holds what it must not.
    """
    in_force = rules_in_force(validation)
    chain = Chain(
        conform(raw, RAW),
        day,
        [conform(frame, RAW) for frame in previous],
        given_columns=list(raw.columns),
        rates=rates,
        meta=meta,
    )
    judgements = _judge(chain, in_force)
    aside = ~chain.usable
    warnings = _rule_ids([(j.applied.rule.id, (j.failed | j.warned) & ~aside) for j in judgements], len(chain))
    failures = _rule_ids([(j.applied.rule.id, j.failed | j.warned) for j in judgements], len(chain))
    report = _report(chain, judgements, aside, validation.halt_if_usable_below)
    numbered = chain.table.assign(raw_row=np.arange(len(chain)))
    # What the rules worked out is as large as the table; only a repair needs it again.
    kept = chain if validation.repair != "none" else None
    del chain, judgements
    return Validated(
        validated=conform(numbered.assign(warnings=warnings)[~aside].reset_index(drop=True), VALIDATED),
        quarantine=conform(numbered.assign(rule_ids=failures)[aside].reset_index(drop=True), QUARANTINE),
        report=report,
        chain=kept,
    )


def _judge(chain: Chain, in_force: Sequence[AppliedRule]) -> list[Judgement]:
    """Ask every rule, stage by stage; after each stage the chain knows what is put aside."""
    found: dict[str, Judgement] = {}
    for stage in STAGES:
        judgements = [_judged(chain, applied) for applied in in_force if applied.rule.stage == stage]
        for judgement in judgements:
            chain.put_aside(judgement.aside)
            found[judgement.applied.rule.id] = judgement
    return [found[applied.rule.id] for applied in in_force]


def _judged(chain: Chain, applied: AppliedRule) -> Judgement:
    idle = applied.severity == "off" or (not len(chain) and applied.rule.id not in JUDGE_AN_EMPTY_CHAIN)
    # A raw number may be anything; what overflows on the way to a comparison is no reason to stop.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        finding = Finding() if idle else applied.rule.judge(chain, applied.thresholds)
    nothing = np.broadcast_to(np.False_, len(chain))  # most rules have no mild rows, and a mask of millions adds up
    failed = nothing if finding.rows is None else finding.rows
    warned = nothing if finding.mild_rows is None else finding.mild_rows & ~failed
    return Judgement(applied, finding, failed, warned)


def _rule_ids(masks: Sequence[tuple[str, Mask]], rows: int) -> pd.Series:
    """For each row the ids whose mask is true, ``;`` between them, null where there is none.

    Rows share few patterns of failures, so the text is made once per pattern.
    """
    patterns = np.zeros(rows, dtype=np.uint64)
    for bit, (_, mask) in enumerate(masks):
        patterns |= mask.astype(np.uint64) << np.uint64(bit)
    found, which = np.unique(patterns, return_inverse=True)
    texts = [";".join(id for bit, (id, _) in enumerate(masks) if int(pattern) >> bit & 1) or None for pattern in found]
    return pd.Series(np.array(texts, dtype=object)[which] if rows else [], dtype="str")


def _report(chain: Chain, judgements: Sequence[Judgement], aside: Mask, usable_below: float) -> dict[str, Any]:
    rows, quarantined = len(chain), int(aside.sum())
    usable = (rows - quarantined) / rows if rows else 0.0
    halts = [{"id": j.applied.rule.id, "message": _why_halted(j)} for j in judgements if j.outcome == "halt"]
    if rows and usable < usable_below:
        message = f"{usable:.1%} of the rows are usable, less than {usable_below:.1%}"
        halts.append({"id": "halt_if_usable_below", "message": message})
    return {
        "date": chain.day,
        "status": "halted" if halts else "passed",
        "rows": {"raw": rows, "validated": rows - quarantined, "quarantined": quarantined},
        "usable_share": usable,
        "rules": [_entry(judgement, rows) for judgement in judgements],
        "waterfall": _waterfall(judgements, rows),
        "null_rates": {name: float(share) for name, share in chain.table.isna().mean().items()} if rows else {},
        "halts": halts,
        "catalogue_version": VERSION,
    }


def _why_halted(judgement: Judgement) -> str:
    if judgement.finding.grave or judgement.finding.halting:
        return _in_short([*judgement.finding.halting, *judgement.finding.grave])
    return f"{judgement.failed.sum()} rows fail: {judgement.applied.rule.title}"


def _in_short(sentences: Sequence[str]) -> str:
    more = [f"and {len(sentences) - SENTENCES} more"] if len(sentences) > SENTENCES else []
    return "; ".join([*sentences[:SENTENCES], *more])


def _entry(judgement: Judgement, rows: int) -> dict[str, Any]:
    """One rule in the report. A rule on the whole day counts as one failure that concerns every row."""
    rule = judgement.applied.rule
    failed, share = int(judgement.failed.sum()), float(judgement.failed.sum() / max(rows, 1))
    if rule.scope == "day":
        failed = int(judgement.outcome not in ("passed", "off"))
        share = float(failed)
    return {
        "id": rule.id,
        "title": rule.title,
        "scope": rule.scope,
        "severity": judgement.applied.severity,
        "outcome": judgement.outcome,
        "failed": failed,
        "share": share,
        "warned": int(judgement.warned.sum()),
        "thresholds": dict(judgement.applied.thresholds),
        "examples": np.flatnonzero(judgement.failed)[:EXAMPLES].tolist(),
        "message": judgement.message,
    }


def _waterfall(judgements: Sequence[Judgement], rows: int) -> list[dict[str, Any]]:
    """From raw to validated: what each rule removes of what the rules before it left."""
    left, steps = np.ones(rows, dtype=bool), []
    for judgement in judgements:
        if judgement.applied.rule.scope == "rows" and judgement.applied.severity in PUTS_ASIDE:
            removed = int((left & judgement.aside).sum())
            left &= ~judgement.aside
            rule = judgement.applied.rule
            steps.append({"id": rule.id, "title": rule.title, "removed": removed, "remaining": int(left.sum())})
    return steps
