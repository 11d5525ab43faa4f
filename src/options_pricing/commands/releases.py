"""What is staged, what is live, what the gate says and who has approved: ``status``."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from options_pricing.run.checkout import require_checkout
from options_pricing.run.errors import ExitCode, MissingInputError, TaskError

if TYPE_CHECKING:
    from options_pricing.release.gate import Check
    from options_pricing.release.store import Store


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    status = commands.add_parser("status", help="what is staged and live, the gate with its evidence, the ledger")
    status.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")
    status.add_argument("--params", type=Path, help="the parameter file; params.yaml unless given")
    status.set_defaults(do=_status)


def _status(args: argparse.Namespace) -> int:
    from options_pricing.release.approvals import NOTHING_STAGED, STAGE
    from options_pricing.release.signing import release_key
    from options_pricing.run.files import read_json

    file = args.folder / "reports" / "deployment_status.json"
    if not file.is_file():
        require_checkout(args.folder)
        raise MissingInputError(NOTHING_STAGED, why=f"there is no {file}", fix=STAGE)
    release_key()  # One that cannot be a key is told once, and not by each part below.
    _show_staged(read_json(file), args.folder / "releases")
    _show_governance(args.folder / "releases", args.folder / (args.params or "params.yaml"))
    return ExitCode.OK


def _live_id(releases: Path) -> str | None:
    """What is live; None too where nobody can tell, which is said below."""
    from options_pricing.release.store import Store

    try:
        live = Store(releases).live()
    except TaskError:
        return None
    return live.live if live else None


def _staged_id(releases: Path) -> str | None:
    """What lies in the folder of the staged release; None where that is none, which is said below."""
    from options_pricing.release.manifest import MANIFEST_FILE
    from options_pricing.release.store import Store
    from options_pricing.release.verify import read_manifest

    try:
        return read_manifest(Store(releases).staged / MANIFEST_FILE).release_id
    except TaskError:
        return None


def _show_staged(status: dict[str, Any], releases: Path) -> None:
    passed = sum(check["passed"] for check in status["checks"])
    market = "SIMULATED market" if status["simulated"] else "real market"
    # What the task wrote of it is from before anybody could make it live.
    standing = "live" if status["release_id"] == _live_id(releases) else "not live"
    print(f"release {status['release_id']}  {status['status']}, {standing}")
    print(f"  model {status['model']} as of {status['as_of']} ({market}), sha256 {status['model_sha256']}")
    print(f"  checks {passed} of {len(status['checks'])} passed")
    for check in status["checks"]:
        print(f"    {'ok  ' if check['passed'] else 'FAIL'} {check['name']}: {check['detail']}")
    staged = _staged_id(releases)
    if staged not in (None, status["release_id"]):
        print(f"    FAULT {releases / 'staged'} holds release {staged}, of which none of this is said")


def _show_governance(releases: Path, params_file: Path) -> None:
    """What is live, the gate, approvals, the ledger; trouble with one of them hides no other."""
    for show in (_show_live, _show_gate, _show_approvals, _show_ledger):
        try:
            show(releases, params_file)
        except TaskError as error:
            print(f"{error.what}: {error.why}")


def _show_live(releases: Path, _: Path) -> None:
    from options_pricing.release.ledger import LEDGER_FILE, Ledger
    from options_pricing.release.standing import standing
    from options_pricing.release.store import Store

    live = Store(releases).live()
    said = f"{live.live} since {live.since}, before it {live.previous or 'nothing'}" if live else "nothing"
    print(f"live    {said}")
    fault, note = standing(Ledger(releases / LEDGER_FILE).genuine_entries(), live.live if live else None)
    if fault or note:
        print(f"    {'FAULT' if fault else 'note'} {fault or note}")
    if live:
        print(f"    {_kept(Store(releases), live.live)}")


def _kept(store: "Store", release_id: str) -> str:
    """How a kept release is signed, or why it would be refused."""
    from options_pricing.release.verify import verify_kept

    try:
        return f"ok   {verify_kept(store.folder_of(release_id)).signature}"
    except TaskError as error:
        return f"FAULT {error.what}: {error.why}"


def _show_gate(releases: Path, params_file: Path) -> None:
    from options_pricing.release.evidence import GateFiles, read_evidence
    from options_pricing.release.gate import GateState, gate_state
    from options_pricing.release.ledger import LEDGER_FILE, Ledger
    from options_pricing.release.manifest import MANIFEST_FILE, MODEL_FILE
    from options_pricing.release.permission import ledger_check
    from options_pricing.release.store import Store
    from options_pricing.release.verify import read_manifest
    from options_pricing.run.params import load_params

    gate = load_params(params_file).gate
    manifest = read_manifest(Store(releases).staged / MANIFEST_FILE)
    ledger = Ledger(releases / LEDGER_FILE)
    evidence = read_evidence(GateFiles.beside(releases), ledger.genuine_entries())
    state = GateState([ledger_check(ledger), *gate_state(evidence, manifest.files[MODEL_FILE], gate).checks])
    print(f"gate    {'open' if state.open else 'CLOSED'} for the staged release {manifest.release_id}")
    show_checks(state.checks)


def show_checks(checks: "list[Check]") -> None:
    """Print each check with what it rests on."""
    for check in checks:
        print(f"    {'ok  ' if check.passed else 'FAIL'} {check.name}: {check.detail}")


def _show_approvals(releases: Path, _: Path) -> None:
    from options_pricing.release.approvals import all_in_force
    from options_pricing.release.ledger import LEDGER_FILE, Ledger

    found = all_in_force(Ledger(releases / LEDGER_FILE).genuine_entries(), datetime.now(UTC))
    print(f"approvals in force: {len(found) or 'none'}")
    for given in found:
        print(f"    {given.release_id} by {given.by} until {given.expires:%Y-%m-%d %H:%M} UTC: {given.reason}")


def _show_ledger(releases: Path, _: Path) -> None:
    from options_pricing.release.ledger import LEDGER_FILE, Ledger

    ledger = Ledger(releases / LEDGER_FILE)
    faults, head = ledger.faults(), ledger.head()
    said = f"NOT as it was written: {faults[0]}" if faults else "as it was written"
    print(f"ledger  {head.count} lines, {said}; head {head.sha256}")
