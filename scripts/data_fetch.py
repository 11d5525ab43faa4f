"""data_fetch: get one trading day's option chains and risk-free curve and keep them as they came."""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import _checkout  # noqa: F401  (this checkout's src/ first)
import pandas as pd

from options_pricing.quotes.schema import RATES
from options_pricing.quotes.tables import read_csv, write_csv
from options_pricing.run.calendar import horizon_warning, is_session, why_no_session
from options_pricing.run.clock import require_closed, utc_now
from options_pricing.run.errors import TaskError
from options_pricing.run.leaving import leave
from options_pricing.run.log import TaskLog
from options_pricing.run.params import Params
from options_pricing.run.task import run_task, task_parser
from options_pricing.sources import Network, Source, make_rates, make_source
from options_pricing.sources.rates import RateSource
from options_pricing.sources.store import RawFiles, fetched_before, raw_files, store


def work(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    if not is_session(args.date):
        log.info("no_session", status="no session", reason=why_no_session(args.date))
        return
    if (warning := horizon_warning(args.date)) is not None:
        log.warn("calendar_horizon", reason=warning)
    network = Network(params.retry.data_fetch, params.http, again=args.again, tell=log.warn)
    source, files = make_source(params.source, network), raw_files(args.out)
    if params.source.live:
        require_closed(args.date, utc_now())
    fetch_chain(source, files, args.date, log)
    # After the chain: a live one is gone tomorrow, while yields stay.
    fetch_rates(make_rates(params.rates, network), args, log)


def fetch_chain(source: Source, files: RawFiles, day: str, log: TaskLog) -> None:
    """Fetch and keep the chain of a day, unless it is there as it is asked for now."""
    known = fetched_before(source, day, files)
    if known is not None:
        log.info("already_fetched", out=files.table, rows=known.get("rows"), sha256=known["sha256"])
        return
    chain = source.chain(day)
    meta = store(source, day, chain, files)
    told = ("source", "simulated", "underlyings", "rows", "captured_at", "unreadable", "sha256")
    log.info(
        "fetched", out=files.table, **{key: meta[key] for key in told}, response_codes=Counter(meta["response_codes"])
    )
    if chain.notes:
        log.info("notes", **chain.notes)


def fetch_rates(source: RateSource, args: argparse.Namespace, log: TaskLog) -> None:
    """Keep the risk-free curve of a day beside its chain; one from the network is never asked for again."""
    out = args.rates or args.out.with_name(f"rates_{args.date}.csv")
    there = rates_there(out)
    if source.live and not args.again and there is not None and set(there["source"]) == {source.name}:
        log.info("rates_already_fetched", out=out, source=source.name)
        return
    table = source.rates(args.date)
    if there is None or not table.equals(there):
        write_csv(table, out, RATES)
    newest = f"{table['curve_date'].iloc[0]:%Y%m%d}"
    log.info("rates", out=out, source=source.name, maturities=len(table), curve_date=newest)


def rates_there(out: Path) -> pd.DataFrame | None:
    """The curve that is on disk, or None where there is none that can be read."""
    try:
        table = read_csv(out, RATES)
    except TaskError:
        return None
    return table if len(table) else None


def parser() -> argparse.ArgumentParser:
    parser = task_parser("data_fetch", __doc__)
    parser.add_argument("--out", type=Path, required=True, help="the raw table, options_data_YYYYMMDD.csv")
    parser.add_argument("--rates", type=Path, help="the risk-free curve; by default rates_YYYYMMDD.csv beside --out")
    parser.add_argument(
        "--again", action="store_true", help="ask a source on the network even where its answers of that day are kept"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    return run_task("data_fetch", parser(), work, argv)


if __name__ == "__main__":
    leave(main())
