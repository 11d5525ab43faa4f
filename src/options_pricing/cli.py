"""What a person does beside the workflow: ``options-pricing sync``, ``serve``, ``today`` and others."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from options_pricing.run.checkout import require_checkout
from options_pricing.run.errors import ExitCode, TaskError

if TYPE_CHECKING:
    import pandas as pd


def _sync(args: argparse.Namespace) -> int:
    from options_pricing.run.sync import reconcile

    reconcile(args.folder, args.params)
    return ExitCode.OK


def _serve(args: argparse.Namespace) -> int:
    from options_pricing.serving.commands import serve_api, serve_app

    if not args.release.is_absolute() and not args.release.exists():
        require_checkout(Path())
    serve = serve_app if args.app else serve_api
    return serve(args.release, args.host, args.port or (8501 if args.app else 8000))


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


def _today(args: argparse.Namespace) -> int:
    from options_pricing.run.clock import newest_closed_session

    print(newest_closed_session(_at(args)))
    return ExitCode.OK


def _backfill(args: argparse.Namespace) -> int:
    from options_pricing.run.backfill import backfill
    from options_pricing.run.clock import newest_closed_session, utc_now
    from options_pricing.run.params import load_params

    require_checkout(args.folder)
    params = load_params(args.folder / (args.params or "params.yaml"))
    last = args.to or newest_closed_session(utc_now())
    backfill(args.folder, params, args.first, last, file=args.params)
    return ExitCode.OK


def _alerts(args: argparse.Namespace) -> int:
    from options_pricing.run.targets import Targets
    from options_pricing.run.watch import send_test

    if args.action == "check":
        return _check(args)
    return send_test(Targets.from_environment(), tell=print)


def _check(args: argparse.Namespace) -> int:
    from options_pricing.run.params import Params, load_params
    from options_pricing.run.targets import Targets
    from options_pricing.run.watch import check

    require_checkout(args.folder)
    wrong: TaskError | None = None
    try:
        params = load_params(args.folder / (args.params or "params.yaml"))
    except TaskError as error:  # then least of all does anything run: look, and say so afterwards
        params, wrong = Params(), error
    watched = check(args.folder, params, _at(args), Targets.from_environment(), tell=_warn)
    print(watched.said)
    if watched.missing:
        return ExitCode.NO_RUN
    if wrong is not None:
        raise wrong
    return ExitCode.OK


def _at(args: argparse.Namespace) -> "pd.Timestamp":
    from options_pricing.run.clock import moment, utc_now

    return moment(args.at) if args.at else utc_now()


def _warn(line: str) -> None:
    print(f"options-pricing: {line}", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="options-pricing", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    sync = commands.add_parser("sync", help="reconcile Snakemake and DVC after either of them ran")
    sync.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")
    sync.add_argument("--params", type=Path, help="as in `snakemake --config params=...`; params.yaml unless given")
    sync.set_defaults(do=_sync)

    serve = commands.add_parser("serve", help="serve a release: the API, or with --app the app")
    serve.add_argument(
        "--release", type=Path, default=Path("releases/staged"), help="its folder (default: %(default)s)"
    )
    serve.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (default: %(default)s, this machine alone; 0.0.0.0: every machine that reaches "
        "it, without a password)",
    )
    serve.add_argument("--port", type=int, help="the port to listen on (default: 8000 for the API, 8501 for the app)")
    serve.add_argument("--app", action="store_true", help="the Streamlit app instead of the API")
    serve.set_defaults(do=_serve)

    status = commands.add_parser("status", help="what is staged and how its checks ended")
    status.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")
    status.set_defaults(do=_status)

    today = commands.add_parser("today", help="the newest session that has closed, YYYYMMDD: the day of a daily run")
    _add_at(today)
    today.set_defaults(do=_today)

    missed = commands.add_parser("backfill", help="fetch, validate and make the features of sessions that were missed")
    missed.add_argument("--from", dest="first", required=True, metavar="YYYYMMDD", help="the first day")
    missed.add_argument("--to", metavar="YYYYMMDD", help="the last day (default: the newest session that has closed)")
    missed.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")
    missed.add_argument("--params", type=Path, help="the parameter file; params.yaml unless given")
    missed.set_defaults(do=_backfill)

    alerts = commands.add_parser("alerts", help="check that today's session has run, or send a test")
    alerts.add_argument("action", choices=["check", "test"], help="see docs/operations.md")
    alerts.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")
    alerts.add_argument("--params", type=Path, help="the parameter file; params.yaml unless given")
    _add_at(alerts)
    alerts.set_defaults(do=_alerts)
    return top


def _add_at(command: argparse.ArgumentParser) -> None:
    command.add_argument("--at", help="another moment than now: 2026-11-20T18:00 in New York, or with an offset")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what a person can mend ends in a few lines and the exit code of its class."""
    args = parser().parse_args(argv)
    try:
        return int(args.do(args))
    except TaskError as error:
        print(f"options-pricing {args.command}: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
