"""Around the workflow: ``sync``, ``today``, ``backfill`` and ``alerts``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from options_pricing.run.checkout import require_checkout
from options_pricing.run.errors import ExitCode, TaskError

if TYPE_CHECKING:
    import pandas as pd


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    sync = commands.add_parser("sync", help="reconcile Snakemake and DVC after either of them ran")
    sync.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")
    sync.add_argument("--params", type=Path, help="as in `snakemake --config params=...`; params.yaml unless given")
    sync.set_defaults(do=_sync)

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


def _add_at(command: argparse.ArgumentParser) -> None:
    command.add_argument("--at", help="another moment than now: 2026-11-20T18:00 in New York, or with an offset")


def _sync(args: argparse.Namespace) -> int:
    from options_pricing.run.sync import reconcile

    reconcile(args.folder, args.params)
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
