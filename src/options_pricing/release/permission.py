"""Whether somebody may make a release live now."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from options_pricing.release.approvals import in_force, manifest_of, stagers
from options_pricing.release.ledger import LEDGER_FILE, Ledger
from options_pricing.release.ledger_faults import person
from options_pricing.release.staging import Check
from options_pricing.run.files import sha256_of
from options_pricing.run.params import Params


@dataclass(frozen=True)
class Permission:
    """The answer, what it rests on in one sentence, and every check that was made."""

    allowed: bool
    because: str
    checks: list[Check]


def permission(releases: Path, release_id: str, requester: str, params: Params, now: datetime) -> Permission:
    """Whether `requester` may make a release live at `now`: an approval by somebody else is in force.

    Parameters
    ----------
    releases : Path
        The folder of releases, with the ledger.
    release_id : str
        The release, kept there or staged.
    requester : str
        Who asks. Neither they nor who staged the release can have approved it.
    params : Params
    now : datetime
        With its offset from UTC.

    Raises
    ------
    MissingInputError, ModelRefusedError
        There is no such release (`approvals.manifest_of`).
    """
    sha256 = sha256_of(manifest_of(releases, release_id))
    ledger = Ledger(releases / LEDGER_FILE)
    faults = ledger.faults()
    sound = Check("ledger", not faults, faults[0] if faults else f"{ledger.head().count} lines, as they were written")
    approved = approval_check(ledger, release_id, sha256, requester, now)
    checks = [sound, approved]
    if faults:
        return Permission(False, f"the ledger is not as it was written: {faults[0]}", checks)
    return Permission(approved.passed, approved.detail, checks)


def approval_check(ledger: Ledger, release_id: str, manifest_sha256: str, requester: str, now: datetime) -> Check:
    """Whether somebody else than requester and stager has approved this very manifest."""
    entries = ledger.genuine_entries()
    given = in_force(entries, manifest_sha256, now)
    barred = stagers(ledger.entries(), release_id) | {person(requester)}
    counted = [approval for approval in given if person(approval.by) not in barred]
    if not person(requester):
        return Check("approval", False, "nobody is named as who asks")
    if counted:
        told = counted[-1]
        until = f"{told.expires:%Y-%m-%d %H:%M} UTC"
        return Check("approval", True, f"approved by {told.by} (line {told.sequence}) until {until}: {told.reason}")
    if given:
        return Check("approval", False, f"approved only by {given[-1].by}, who asks for it or staged it")
    return Check("approval", False, "no approval of it is in force")
