"""data_fetch: get one trading day's option chains from the source and keep them as they came."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import _checkout  # noqa: F401  (this checkout's src/ first)

from options_pricing.run.calendar import horizon_warning, is_session, why_no_session
from options_pricing.run.clock import require_closed, utc_now
from options_pricing.run.log import TaskLog
from options_pricing.run.params import Params
from options_pricing.run.task import run_task, task_parser
from options_pricing.sources import Network, make_source
from options_pricing.sources.store import fetched_before, raw_files, store


def work(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    if not is_session(args.date):
        log.info("no_session", status="no session", reason=why_no_session(args.date))
        return
    if (warning := horizon_warning(args.date)) is not None:
        log.warn("calendar_horizon", reason=warning)
    network = Network(params.retry.data_fetch, params.http, again=args.again, tell=log.warn)
    source, files = make_source(params.source, network), raw_files(args.out)
    known = fetched_before(source, args.date, files)
    if known is not None:
        log.info("already_fetched", out=files.table, rows=known.get("rows"), sha256=known["sha256"])
        return
    if params.source.live:
        require_closed(args.date, utc_now())
    chain = source.chain(args.date)
    meta = store(source, args.date, chain, files)
    told = ("source", "simulated", "underlyings", "rows", "response_codes", "captured_at", "unreadable", "sha256")
    log.info("fetched", out=files.table, **{key: meta[key] for key in told})
    if chain.notes:
        log.warn("notes", **chain.notes)


def parser() -> argparse.ArgumentParser:
    parser = task_parser("data_fetch", __doc__)
    parser.add_argument("--out", type=Path, required=True, help="the raw table, options_data_YYYYMMDD.csv")
    parser.add_argument(
        "--again", action="store_true", help="ask a source on the network even where its answers of that day are kept"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    return run_task("data_fetch", parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
