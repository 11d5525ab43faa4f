"""Approvals: a person's word, in the ledger, that a release may be made live while the gate is closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from options_pricing.release.entries import Entry
from options_pricing.release.ledger import Ledger
from options_pricing.release.ledger_faults import person, readable
from options_pricing.release.manifest import MANIFEST_FILE
from options_pricing.release.store import STAGED, Store
from options_pricing.release.verify import read_manifest
from options_pricing.run.errors import BadDataError, MissingInputError, NotPermittedError
from options_pricing.run.files import sha256_of

LONGEST = timedelta(days=90)
BEGIN_ANEW = "find out who changed it, keep it under another name and begin anew (docs/governance.md)"
NAMED = "name a person and a reason: --by, --reason"
NOTHING_STAGED, STAGE = "nothing is staged yet", "run the workflow: `snakemake --cores 4`"
UNREADABLE = "--by or --reason is blank, or holds what does not show on one line"


@dataclass(frozen=True)
class Approval:
    """One approval: of exactly one manifest, by one person, up to a moment."""

    sequence: int
    release_id: str
    manifest_sha256: str
    by: str
    reason: str
    at: datetime
    expires: datetime

    @classmethod
    def of(cls, entry: Entry) -> "Approval | None":
        """The approval that an entry records; None where it records none, or one that may not be given."""
        said = entry.details
        try:
            at, expires = datetime.fromisoformat(entry.at), datetime.fromisoformat(str(said["expires"]))
            manifest, reason = str(said["manifest_sha256"]), str(said["reason"])
            found = cls(entry.sequence, entry.release_id or "", manifest, entry.by or "", reason, at, expires)
            allowed = at.utcoffset() is not None and timedelta(0) < expires - at <= LONGEST
        except (KeyError, ValueError, TypeError):
            return None
        return found if entry.event == "approved" and person(entry.by) and allowed else None


def manifest_of(releases: Path, release_id: str) -> Path:
    """The manifest of a release that is kept under its id, or staged.

    Raises
    ------
    MissingInputError
        There is no such release.
    ModelRefusedError
        Its manifest is not the one of this id.
    """
    for folder in (releases / release_id, releases / STAGED):
        path = folder / MANIFEST_FILE
        if folder.parent == releases and path.is_file() and read_manifest(path).release_id == release_id:
            return path
    raise MissingInputError(
        f"there is no release {release_id!r} in {releases}",
        why=f"kept are {', '.join(Store(releases).ids()) or 'none'}",
        fix="name one of these, or `staged`",
    )


def staged_id(releases: Path) -> str:
    """The id of the staged release; a `MissingInputError` where nothing is staged."""
    path = Store(releases).staged / MANIFEST_FILE
    if not path.is_file():
        raise MissingInputError(NOTHING_STAGED, why=f"there is no {path}", fix=STAGE)
    return read_manifest(path).release_id


def in_force(entries: Sequence[Entry], manifest_sha256: str, now: datetime) -> list[Approval]:
    """The approvals of one manifest that are neither revoked nor expired at `now`."""
    return [found for found in all_in_force(entries, now) if found.manifest_sha256 == manifest_sha256]


def all_in_force(entries: Sequence[Entry], now: datetime) -> list[Approval]:
    """The approvals of any manifest that are neither revoked nor expired at `now`."""
    revoked = [entry.details.get("approval") for entry in entries if entry.event == "revoked"]
    given = (Approval.of(entry) for entry in entries if entry.sequence not in revoked)
    return [found for found in given if found and found.at <= now < found.expires]


def stagers(entries: Sequence[Entry], release_id: str) -> set[str]:
    """Who staged a release, as names are compared."""
    return {person(entry.by) for entry in entries if entry.event == "staged" and entry.release_id == release_id} - {""}


def approve(
    releases: Path, ledger: Ledger, release_id: str, *, by: str, reason: str, expires: datetime, now: datetime
) -> Approval:
    """Record that `by` answers for a release being made live until `expires`.

    Raises
    ------
    MissingInputError, ModelRefusedError
        There is no such release (`manifest_of`).
    NotPermittedError
        The same person staged it or has approved it already, the time is past or more than 90 days ahead, name or
        reason is not `readable`, or the ledger is not as it was written.
    """
    _require(readable(by) and readable(reason), "an approval says who gives it and why", UNREADABLE, NAMED)
    _require_term(expires, now)
    sha256 = sha256_of(manifest_of(releases, release_id))
    require_sound(ledger)

    def check(entries: Sequence[Entry]) -> None:
        mine = [found for found in in_force(entries, sha256, now) if person(found.by) == person(by)]
        _require(
            not mine,
            f"{by} has approved {release_id} already",
            f"line {mine[0].sequence if mine else 0} of the ledger is in force; a second approval is a second person's",
            "nothing is to be done; to change its term, `options-pricing revoke` it and approve anew",
        )
        _require(
            person(by) not in stagers(entries, release_id),
            f"{by} cannot approve {release_id}",
            "the same person staged it, and nobody approves their own work",
            "have somebody else approve it",
        )

    entry = ledger.append(
        "approved",
        release_id=release_id,
        by=by,
        details={"manifest_sha256": sha256, "reason": reason, "expires": _shown(expires)},
        at=now,
        check=check,
    )
    found = Approval.of(entry)
    if found is None:
        raise BadDataError(
            f"line {entry.sequence} of the ledger is no approval", why="its times do not fit", fix="report it"
        )
    return found


def revoke(releases: Path, ledger: Ledger, release_id: str, *, by: str, reason: str, now: datetime) -> list[Approval]:
    """Take back all approvals of a release that are in force; anyone may, and each is a line of its own.

    Raises
    ------
    MissingInputError, ModelRefusedError
        There is no such release, or no approval of it is in force.
    NotPermittedError
        Name or reason is not `readable`.
    """
    _require(readable(by) and readable(reason), "a revocation says who and why", UNREADABLE, NAMED)
    found = in_force(ledger.entries(), sha256_of(manifest_of(releases, release_id)), now)
    if not found:
        raise MissingInputError(
            f"no approval of {release_id} is in force",
            why="none was given, or all are over",
            fix="nothing is to be done",
        )
    for approval in found:
        ledger.append(
            "revoked",
            release_id=release_id,
            by=by,
            details={"approval": approval.sequence, "manifest_sha256": approval.manifest_sha256, "reason": reason},
            at=now,
        )
    return found


def require_sound(ledger: Ledger) -> None:
    """Raise a `NotPermittedError` that names the first fault of a ledger, if it has one."""
    faults = ledger.faults()
    _require(
        not faults,
        f"{ledger.path} is not as it was written",
        faults[0] if faults else "",
        BEGIN_ANEW,
    )


def _require_term(expires: datetime, now: datetime) -> None:
    """Raise a `NotPermittedError` unless an approval that ends then is neither over nor too long."""
    what = f"an approval until {expires.astimezone(UTC):%Y-%m-%d %H:%M} UTC is"
    last = now + LONGEST
    fix = (
        f"give a day from {now + timedelta(days=1):%Y-%m-%d} to {last:%Y-%m-%d}, which it lasts until the beginning of"
    )
    _require(now < expires, f"{what} over already", f"it is {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC", fix)
    _require(expires <= last, f"{what} too long", f"it may last {LONGEST.days} days at most", fix)


def _require(holds: bool, what: str, why: str, fix: str) -> None:
    if not holds:
        raise NotPermittedError(what, why=why, fix=fix)


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
