"""Who answers for a release, and whether the record of it is whole: ``approve``, ``revoke``, ``verify``."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from options_pricing.run.errors import BadParamsError, ExitCode, ModelRefusedError, TaskError

if TYPE_CHECKING:
    from options_pricing.release.ledger import Ledger

RELEASES = Path("releases")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    approve = commands.add_parser("approve", help="answer for a release being made live while the gate is closed")
    _add_act(approve)
    approve.add_argument(
        "--expires",
        required=True,
        metavar="YYYY-MM-DD",
        help="until when, 90 days ahead at most: the beginning of this day, UTC, or a time with its offset",
    )
    approve.set_defaults(do=_approve)

    revoke = commands.add_parser("revoke", help="take back all approvals of a release")
    _add_act(revoke)
    revoke.set_defaults(do=_revoke)

    verify = commands.add_parser("verify", help="check that the ledger and every release are as they were written")
    _add_folder(verify)
    verify.set_defaults(do=_verify)


def _add_act(command: argparse.ArgumentParser) -> None:
    command.add_argument("release", help="its id, as `options-pricing status` tells it")
    command.add_argument("--by", required=True, help="who says so; for an approval neither who promotes nor who staged")
    command.add_argument("--reason", required=True, help="why; it goes into the ledger")
    _add_folder(command)


def _add_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")


def _approve(args: argparse.Namespace) -> int:
    from options_pricing.release.approvals import approve

    releases, ledger = _records(args)
    told = {"by": args.by, "reason": args.reason, "expires": _until(args.expires), "now": datetime.now(UTC)}
    approval = approve(releases, ledger, args.release, **told)
    until = f"{approval.expires:%Y-%m-%d %H:%M} UTC"
    print(f"line {approval.sequence}: {approval.by} approves {approval.release_id} until {until}")
    print(f"  of exactly this manifest: sha256 {approval.manifest_sha256}")
    return ExitCode.OK


def _revoke(args: argparse.Namespace) -> int:
    from options_pricing.release.approvals import revoke

    releases, ledger = _records(args)
    for approval in revoke(releases, ledger, args.release, by=args.by, reason=args.reason, now=datetime.now(UTC)):
        print(f"revoked: the approval of {approval.release_id} by {approval.by} (line {approval.sequence})")
    return ExitCode.OK


def _verify(args: argparse.Namespace) -> int:
    releases, ledger = _records(args)
    faults, head = ledger.faults(), ledger.head()
    for fault in faults:
        print(f"FAULT {fault}")
    for note in ledger.notes():
        print(f"note  {note}")
    print(f"{ledger.path}: {head.count} lines, {_as_written(faults)}; head {head.sha256}")
    refused = _verify_releases(releases)
    return ExitCode.ALTERED if faults or refused else ExitCode.OK


def _as_written(faults: list[str]) -> str:
    return f"NOT as they were written: {faults[0]}" if faults else "as they were written"


def _verify_releases(releases: Path) -> list[str]:
    """Say of each release whether it is what its manifest names; those that are not."""
    from options_pricing.release.store import Store
    from options_pricing.release.verify import verify_release

    store, refused = Store(releases), []
    folders = [store.staged] if store.staged.is_dir() else []
    for folder in [*folders, *map(store.folder_of, store.ids())]:
        try:
            found = verify_release(folder)
            if folder != store.staged and found.manifest.release_id != folder.name:
                raise ModelRefusedError(f"{folder} holds release {found.manifest.release_id}", why="", fix="")
            print(f"ok    {folder}: {found.manifest.release_id}, {found.signature}")
        except TaskError as error:
            refused.append(folder.name)
            print(f"FAULT {error.what}: {error.why}")
    return refused


def _records(args: argparse.Namespace) -> "tuple[Path, Ledger]":
    from options_pricing.release.ledger import LEDGER_FILE, Ledger
    from options_pricing.run.checkout import require_checkout

    releases: Path = args.folder / RELEASES
    if not releases.is_dir():
        require_checkout(args.folder)
    return releases, Ledger(releases / LEDGER_FILE)


def _until(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None and len(text) > len("YYYY-MM-DD"):
            raise ValueError("a time needs its offset from UTC")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadParamsError(
            f"{text!r} is no day or time", why=str(error), fix="write it as 2027-01-31, or as 2027-01-31T18:00+00:00"
        ) from error
