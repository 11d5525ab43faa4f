"""Who may make a release live, and whether the record of it is whole: ``approve``, ``revoke``, ``gate``, ``verify``."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from options_pricing.run.errors import ExitCode, MissingInputError, TaskError

if TYPE_CHECKING:
    import pandas as pd

    from options_pricing.release.ledger import Ledger
    from options_pricing.run.governance import Gate

RELEASES = Path("releases")
FEWEST_DAYS_FOR_A_CURVE = 5


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    approve = commands.add_parser("approve", help="answer for a release being made live while the gate is closed")
    _add_act(approve)
    approve.add_argument(
        "--expires",
        required=True,
        type=_until,
        metavar="YYYY-MM-DD",
        help="until when, 90 days ahead at most: the beginning of this day, UTC, or a time with its offset",
    )
    approve.set_defaults(do=_approve)

    revoke = commands.add_parser("revoke", help="take back all approvals of a release")
    _add_act(revoke)
    revoke.set_defaults(do=_revoke)

    gate = commands.add_parser("gate", help="whether the evidence is there to make the staged release live")
    gate.add_argument("release", nargs="?", default="staged", help="the id of another release than the staged one")
    gate.add_argument(
        "--operating-curve",
        action="store_true",
        help="how often it would open within a year for models of a known R2, by the evaluated days (takes minutes)",
    )
    gate.add_argument("--params", type=Path, help="the parameter file; params.yaml unless given")
    _add_folder(gate)
    gate.set_defaults(do=_gate)

    verify = commands.add_parser("verify", help="check the ledger, what is live by it, and every release")
    _add_folder(verify)
    verify.set_defaults(do=_verify)


def _add_act(command: argparse.ArgumentParser) -> None:
    command.add_argument("release", help="its id, as `options-pricing status` tells it, or `staged`")
    command.add_argument("--by", required=True, help="who says so; for an approval neither who promotes nor who staged")
    command.add_argument("--reason", required=True, help="why; it goes into the ledger")
    _add_folder(command)


def _add_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")


def _approve(args: argparse.Namespace) -> int:
    from options_pricing.release.approvals import approve

    releases, ledger = _records(args)
    told = {"by": args.by, "reason": args.reason, "expires": args.expires, "now": datetime.now(UTC)}
    approval = approve(releases, ledger, _id(releases, args.release), **told)
    until = f"{approval.expires:%Y-%m-%d %H:%M} UTC"
    print(f"line {approval.sequence}: {approval.by} approves {approval.release_id} until {until}")
    print(f"  of exactly this manifest: sha256 {approval.manifest_sha256}")
    return ExitCode.OK


def _revoke(args: argparse.Namespace) -> int:
    from options_pricing.release.approvals import revoke

    releases, ledger = _records(args)
    for approval in revoke(
        releases, ledger, _id(releases, args.release), by=args.by, reason=args.reason, now=datetime.now(UTC)
    ):
        print(f"revoked: the approval of {approval.release_id} by {approval.by} (line {approval.sequence})")
    return ExitCode.OK


def _gate(args: argparse.Namespace) -> int:
    from options_pricing.commands.releases import show_checks
    from options_pricing.release.approvals import manifest_of
    from options_pricing.release.evidence import GateFiles, read_evidence
    from options_pricing.release.gate import GateState, gate_state
    from options_pricing.release.manifest import MODEL_FILE
    from options_pricing.release.permission import ledger_check
    from options_pricing.release.verify import read_manifest
    from options_pricing.run.params import load_params

    releases, ledger = _records(args)
    gate = load_params(args.folder / (args.params or "params.yaml")).gate
    evidence = read_evidence(GateFiles.beside(releases), ledger.genuine_entries())
    if args.operating_curve:
        return _operating_curve(evidence.evaluation.told, gate)
    manifest = read_manifest(manifest_of(releases, _id(releases, args.release)))
    state = GateState([ledger_check(ledger), *gate_state(evidence, manifest.files[MODEL_FILE], gate).checks])
    print(f"gate {'open' if state.open else 'CLOSED'} for release {manifest.release_id}")
    show_checks(state.checks)
    return ExitCode.OK if state.open else ExitCode.NOT_PERMITTED


def _operating_curve(told: "pd.DataFrame", gate: "Gate") -> int:
    from options_pricing.evaluation.operating_curve import operating_curve
    from options_pricing.evaluation.sequential import DayErrors
    from options_pricing.release.gate import rule_of

    days = DayErrors.of(told) if len(told) else None
    if days is None or days.days < FEWEST_DAYS_FOR_A_CURVE:
        raise MissingInputError(
            f"there are {days.days if days else 0} evaluated days",
            why=f"a year cannot be drawn from fewer than {FEWEST_DAYS_FOR_A_CURVE}",
            fix="evaluate more days (run.days), or see docs/governance.md for the curves of other days",
        )
    if days.days < gate.days:
        print(f"caution: drawn from {days.days} evaluated days, fewer than the {gate.days} that the gate looks at")
    print(f"{gate.looks} daily looks at the last {gate.days} days, drawn from {days.days} evaluated days")
    print("   R2  first look  within a year | five days in a row  R2 above, no bound  bound for one look")
    for p in operating_curve(days, rule_of(gate)):
        print(
            f"{p.r2:5.2f} {p.first_look:11.1%} {p.within_a_year:14.1%} | "
            f"{p.five_days:18.1%} {p.any_window:19.1%} {p.one_look:19.1%}"
        )
    return ExitCode.OK


def _verify(args: argparse.Namespace) -> int:
    releases, ledger = _records(args)
    faults, head = ledger.faults(), ledger.head()
    for fault in faults:
        print(f"FAULT {fault}")
    for note in ledger.notes():
        print(f"note  {note}")
    print(f"{ledger.path}: {head.count} lines, {_as_written(faults)}; head {head.sha256}")
    as_recorded, refused = _verify_live(releases, ledger), _verify_releases(releases)
    return ExitCode.OK if as_recorded and not faults and not refused else ExitCode.ALTERED


def _as_written(faults: list[str]) -> str:
    return f"NOT as they were written: {faults[0]}" if faults else "as they were written"


def _verify_live(releases: Path, ledger: "Ledger") -> bool:
    """Say whether what is live is what the ledger says; false where it is not."""
    from options_pricing.release.standing import standing
    from options_pricing.release.store import Store

    store = Store(releases)
    try:
        live = store.live()
    except TaskError as error:
        print(f"FAULT {error.what}: {error.why}")
        return False
    fault, note = standing(ledger.genuine_entries(), live.live if live else None)
    if fault or note:
        print(f"FAULT {fault}" if fault else f"note  {note}")
    gone = store.gone()
    for name in gone:
        print(f"FAULT release {name}, which live.json names, is not kept in {releases}")
    return fault is None and not gone


def _verify_releases(releases: Path) -> list[str]:
    """Say of each release whether it is what its manifest names; those that are not."""
    from options_pricing.release.store import Store
    from options_pricing.release.verify import verify_kept, verify_release

    store, refused = Store(releases), []
    folders = [store.staged] if store.staged.is_dir() else []
    for folder in [*folders, *map(store.folder_of, store.ids())]:
        try:
            found = verify_release(folder) if folder == store.staged else verify_kept(folder)
            print(f"ok    {folder}: {found.manifest.release_id}, {found.signature}")
        except TaskError as error:
            refused.append(folder.name)
            print(f"FAULT {error.what}: {error.why}")
    return refused


def _id(releases: Path, name: str) -> str:
    """The id of a release that is named by it, in letters of any case, or as the staged one."""
    from options_pricing.release.approvals import staged_id
    from options_pricing.release.store import STAGED

    return staged_id(releases) if name.lower() == STAGED else name.lower()


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
        raise argparse.ArgumentTypeError(
            f"{text!r} is no day or time ({error}): write it as 2027-01-31, or as 2027-01-31T18:00+00:00"
        ) from error
