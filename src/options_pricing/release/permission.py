"""Whether somebody may make a release live now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from options_pricing.release.approvals import BEGIN_ANEW, in_force, manifest_of, stagers
from options_pricing.release.evidence import Evidence, GateFiles, read_evidence
from options_pricing.release.gate import Check, GateState, gate_state, open_days
from options_pricing.release.ledger import LEDGER_FILE, Ledger
from options_pricing.release.ledger_faults import person
from options_pricing.release.manifest import MODEL_FILE
from options_pricing.release.verify import read_manifest
from options_pricing.run.files import sha256_of
from options_pricing.run.params import Params

# Who asks when nobody does: no approval is for it.
AUTOMATION = "automation"
APPROVE = "have somebody else approve it: `options-pricing approve`"


@dataclass(frozen=True)
class Permission:
    """The answer, what it rests on in one sentence, every check that was made, and what to do where it is no.

    `evidence` holds the SHA-256 of the files that the gate looked at, by their names.
    """

    allowed: bool
    because: str
    checks: list[Check]
    fix: str = APPROVE
    evidence: Mapping[str, str] = field(default_factory=dict)


def permission(
    releases: Path,
    release_id: str,
    requester: str,
    params: Params,
    now: datetime,
    *,
    files: GateFiles | None = None,
) -> Permission:
    """Whether `requester` may make a release live at `now`: the gate is open, or somebody else answers for it.

    Parameters
    ----------
    releases : Path
        The folder of releases, with the ledger.
    release_id : str
        The release, kept there or staged.
    requester : str
        Who asks; `AUTOMATION` where it is nobody, which needs an open gate and ``automation.promote: auto``.
    params : Params
        Its sections ``gate`` and ``automation``.
    now : datetime
        With its offset from UTC.
    files : GateFiles, optional
        The gate's evidence; the reports beside `releases` unless given.

    Raises
    ------
    MissingInputError, ModelRefusedError
        There is no such release (`approvals.manifest_of`).
    """
    manifest = manifest_of(releases, release_id)
    ledger = Ledger(releases / LEDGER_FILE)
    sound = ledger_check(ledger)
    evidence = read_evidence(files or GateFiles.beside(releases), ledger.genuine_entries())
    state = gate_state(evidence, read_manifest(manifest).files[MODEL_FILE], params.gate)
    approved = approval_check(ledger, release_id, sha256_of(manifest), requester, now)
    automatic = person(requester) == AUTOMATION
    last = automation_check(evidence, state, params) if automatic else approved
    checks = [sound, *state.checks, last]
    if not sound.passed:
        return Permission(False, f"the ledger is not as it was written: {sound.detail}", checks, BEGIN_ANEW)
    if automatic:
        return Permission(last.passed, last.detail, checks, "ask for it in your own name: --by", evidence.sha256)
    if not person(requester):
        return Permission(False, "nobody is named as who asks", checks, "say who asks: --by")
    if state.open:
        return Permission(True, "the gate is open", checks, evidence=evidence.sha256)
    if approved.passed:
        return Permission(True, approved.detail, checks, evidence=evidence.sha256)
    return Permission(False, f"the gate is closed ({state.because}) and {approved.detail}", checks)


def ledger_check(ledger: Ledger) -> Check:
    """Whether the ledger is as it was written."""
    faults, head = ledger.faults(), ledger.head()
    said = faults[0] if faults else f"{head.count} lines, as they were written"
    return Check("ledger", not faults, said, {"count": head.count, "sha256": head.sha256})


def approval_check(ledger: Ledger, release_id: str, manifest_sha256: str, requester: str, now: datetime) -> Check:
    """Whether somebody else than requester and stager has approved this very manifest."""
    given = in_force(ledger.genuine_entries(), manifest_sha256, now)
    barred = stagers(ledger.entries(), release_id) | {person(requester)}
    counted = [approval for approval in given if person(approval.by) not in barred]
    if counted:
        told = counted[-1]
        until = f"{told.expires:%Y-%m-%d %H:%M} UTC"
        return Check("approval", True, f"approved by {told.by} (line {told.sequence}) until {until}: {told.reason}")
    if given:
        return Check("approval", False, f"it is approved only by {given[-1].by}, who asks for it or staged it")
    return Check("approval", False, "no approval of it is in force")


def automation_check(evidence: Evidence, state: GateState, params: Params) -> Check:
    """Whether a release may be made live with nobody asking for it."""
    needed = params.automation.days
    if params.automation.promote != "auto":
        return Check("automation", False, "automation.promote is manual: a person must ask")
    if not state.open:
        return Check("automation", False, f"the gate is closed ({state.because})")
    days = open_days(evidence, params.gate, needed)
    said = f"the gate has been open for {days} of {needed} days in a row"
    return Check("automation", days >= needed, said, {"days": days, "needed": needed})
