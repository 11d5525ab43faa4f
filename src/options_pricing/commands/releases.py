"""Which release is staged: ``status``."""

import argparse
from pathlib import Path

from options_pricing.run.checkout import require_checkout
from options_pricing.run.errors import ExitCode


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    status = commands.add_parser("status", help="what is staged and how its checks ended")
    status.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")
    status.set_defaults(do=_status)


def _status(args: argparse.Namespace) -> int:
    from options_pricing.run.files import read_json

    file = args.folder / "reports" / "deployment_status.json"
    if not file.is_file():
        require_checkout(args.folder)
    status = read_json(file)
    passed = sum(check["passed"] for check in status["checks"])
    market = "SIMULATED market" if status["simulated"] else "real market"
    print(f"release {status['release_id']}  {status['status']}, {'live' if status['live'] else 'not live'}")
    print(f"  model {status['model']} as of {status['as_of']} ({market}), sha256 {status['model_sha256']}")
    print(f"  checks {passed} of {len(status['checks'])} passed")
    for check in status["checks"]:
        print(f"    {'ok  ' if check['passed'] else 'FAIL'} {check['name']}: {check['detail']}")
    return ExitCode.OK
