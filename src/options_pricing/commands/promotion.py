"""Which release is live: ``promote`` and ``rollback``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from options_pricing.run.errors import ExitCode

if TYPE_CHECKING:
    from options_pricing.release.promotion import Releases

RELEASES = Path("releases")
API = "http://127.0.0.1:8000"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    promote = commands.add_parser("promote", help="make a release live, if the gate or an approval lets it")
    promote.add_argument("release", help="its id, or `staged`")
    _add_act(promote)
    promote.add_argument("--params", type=Path, help="the parameter file; params.yaml unless given")
    promote.set_defaults(do=_promote)

    rollback = commands.add_parser("rollback", help="make live what was live before; nobody's permission is needed")
    _add_act(rollback)
    rollback.set_defaults(do=_rollback)


def _add_act(command: argparse.ArgumentParser) -> None:
    command.add_argument("--by", required=True, type=_said, help="who does it")
    command.add_argument("--reason", required=True, type=_said, help="why; it goes into the ledger")
    command.add_argument("--api", default=API, help="where the API runs that serves it (default: %(default)s)")
    command.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")


def _said(text: str) -> str:
    from options_pricing.release.ledger_faults import readable

    if not readable(text):
        raise argparse.ArgumentTypeError(
            "it goes into the ledger, and is blank or holds what does not show on one line"
        )
    return text


def _promote(args: argparse.Namespace) -> int:
    from options_pricing.release.promotion import Act
    from options_pricing.run.alerts import Alert
    from options_pricing.run.notify import notify
    from options_pricing.run.params import load_params

    releases = _releases(args)
    params = load_params(args.folder / (args.params or "params.yaml"))

    def alert(release_id: str, what: str, why: str) -> None:
        said = Alert(("rolled_back",), release_id, what, why, "look at the log of the API and at the ledger")
        notify(args.folder / "logs", [said], (), params.alerts, _warn)

    promoted = releases.promote(args.release, Act(args.by, args.reason), params, alert=alert)
    notify(args.folder / "logs", [], [f"rolled_back/{promoted.live.live}/"], params.alerts, _warn)
    print(f"live: {promoted.live.live} (before it {promoted.live.previous or 'nothing'}); {promoted.because}")
    if promoted.watched:
        print(f"  the API at {args.api} serves it, ready and with its golden prices")
    else:
        print(f"  no API that follows these releases answers at {args.api}: what starts next serves it")
    return ExitCode.OK


def _rollback(args: argparse.Namespace) -> int:
    from options_pricing.release.promotion import Act

    live, seen = _releases(args).roll_back(Act(args.by, args.reason))
    print(f"live: {live.live} again")
    print(f"  the API at {args.api} {'serves it' if seen else 'was not seen to serve it yet'}")
    return ExitCode.OK


def _releases(args: argparse.Namespace) -> "Releases":
    from options_pricing.release.health import Api
    from options_pricing.release.promotion import Releases
    from options_pricing.run.checkout import require_checkout

    folder: Path = args.folder / RELEASES
    if not folder.is_dir():
        require_checkout(args.folder)
    return Releases(folder, Api(args.api))


def _warn(event: str, **said: object) -> None:
    print(f"options-pricing: {event}: {said}", file=sys.stderr)
