"""data_validate: judge a day's raw chain; what is usable goes on, the rest is put aside with the reasons."""

import argparse
from pathlib import Path
from typing import Any

import _checkout  # noqa: F401  (this checkout's src/ first)
import pandas as pd

from options_pricing.quotes.schema import QUARANTINE, RATES, RAW, REPAIRED, VALIDATED
from options_pricing.quotes.tables import read_csv, write_csv
from options_pricing.run.alerts import alerts_of_report
from options_pricing.run.errors import BadDataError, BadParamsError, HaltedDayError
from options_pricing.run.files import read_json, sha256_of, whole_files, write_json, writing
from options_pricing.run.leaving import leave
from options_pricing.run.log import TaskLog
from options_pricing.run.notify import notify_of_report
from options_pricing.run.params import Params
from options_pricing.run.task import run_task, task_parser
from options_pricing.validation.catalogue import rules_in_force
from options_pricing.validation.engine import Validated, validate
from options_pricing.validation.repair import repair, summary
from options_pricing.validation.rules_file import SESSIONS_COMPARED


def work(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    rules_in_force(params.validation)  # a wrong parameter is said before any file is read
    if params.validation.repair != "none" and args.repaired is None:
        raise BadParamsError(
            f"validation.repair is {params.validation.repair}, and no file is named for the repaired prices",
            why="they are written beside the validated quotes, never in their place",
            fix="give --repaired a path, or set validation.repair to none",
        )
    meta = _meta_of(args.raw)
    raw = read_csv(args.raw, RAW, judged_later=True)
    previous = [read_csv(path, RAW, judged_later=True) for path in sorted(args.previous)[-SESSIONS_COMPARED:]]
    rates = None if args.rates is None else read_csv(args.rates, RATES)
    if rates is not None:
        log.info("rates", rates=args.rates, curve_date=f"{rates['curve_date'].max():%Y%m%d}")
    log.info("read", raw=args.raw, rows=len(raw), previous_days=len(previous), source=meta["source"])
    judged = validate(raw, previous, args.date, params.validation, rates=rates, meta=meta)
    report = _with_origin(judged.report, meta)
    _tell(report, log)
    notify_of_report(args.date, args.log, params.alerts, alerts_of_report(report, params.alerts), log.warn)
    if judged.halts:
        write_json(args.report, report)
        raise _halted(judged.halts, args)
    repaired = _repaired(judged, args, params)
    if repaired is not None:
        report["repair"] = summary(repaired)
        log.info("repaired", out=args.repaired, **report["repair"])
    files = [args.out, args.quarantine, args.report, *([] if repaired is None else [args.repaired])]
    with whole_files(*files) as (validated, quarantine, told, *prices):
        write_csv(judged.validated, validated, VALIDATED)
        write_csv(judged.quarantine, quarantine, QUARANTINE)
        write_json(told, report)
        if repaired is not None:
            write_csv(repaired, prices[0], REPAIRED)
    log.info("wrote", validated=args.out, quarantine=args.quarantine, report=args.report)


def _repaired(judged: Validated, args: argparse.Namespace, params: Params) -> pd.DataFrame | None:
    """The repaired prices where params.yaml asks for them; else none, and none of an earlier run stay behind."""
    if judged.chain is not None:
        return repair(judged.chain)
    if args.repaired is not None:
        with writing(args.repaired):
            args.repaired.unlink(missing_ok=True)
    return None


def _meta_of(raw: Path) -> dict[str, Any]:
    """What data_fetch wrote beside the raw file, once it is sure that it is about this very file."""
    path = raw.with_suffix(".meta.json")
    meta = read_json(path)
    kinds = {"source": str, "simulated": bool, "sha256": str}
    known = isinstance(meta, dict) and all(isinstance(meta.get(name), kind) for name, kind in kinds.items())
    if not known or not _of_numbers(meta.get("response_codes", [])) or not _of_objects(meta.get("inputs", [])):
        raise BadDataError(
            f"{path} does not describe a raw file",
            why="it must name source and sha256 in words, say true or false of simulated, and list codes and inputs",
            fix="remove both files and run data_fetch again",
        )
    if sha256_of(raw) != meta["sha256"]:
        raise BadDataError(
            f"{raw} is not the file that was fetched",
            why=f"its sha256 is not the one in {path.name}: it was changed or cut short since",
            fix="remove both files and run data_fetch again",
        )
    return meta


def _of_numbers(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(item, int) for item in given)


def _of_objects(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(item, dict) for item in given)


def _with_origin(report: dict[str, Any], meta: dict[str, Any]) -> dict[str, Any]:
    return {"date": report["date"], "source": meta["source"], "simulated": meta["simulated"], **report}


def _tell(report: dict[str, Any], log: TaskLog) -> None:
    by_outcome: dict[str, list[str]] = {}
    for rule in report["rules"]:
        by_outcome.setdefault(rule["outcome"], []).append(rule["id"])
        if rule["outcome"] not in ("passed", "off"):
            told = {key: rule[key] for key in ("id", "title", "outcome", "failed", "share", "warned")}
            log.info("rule_failed", **told, **({"message": rule["message"]} if rule["message"] else {}))
    log.info("rules", **{outcome: ",".join(ids) for outcome, ids in sorted(by_outcome.items())})
    log.info("null_rates", **report["null_rates"])
    log.info("rows", **report["rows"], usable_share=report["usable_share"], status=report["status"])


def _halted(halts: list[dict[str, str]], args: argparse.Namespace) -> HaltedDayError:
    return HaltedDayError(
        f"the chain of {args.date} is not fit for use and stops here",
        why="; ".join(f"{halt['id']}: {halt['message']}" for halt in halts),
        fix=f"read {args.log or args.report}; fetch the day again, or leave it out: run.without: ['{args.date}']",
    )


def parser() -> argparse.ArgumentParser:
    p = task_parser("data_validate", __doc__)
    p.add_argument("--raw", type=Path, required=True, help="the day's raw table; its .meta.json lies beside it")
    p.add_argument("--previous", type=Path, nargs="*", default=[], help="raw tables of earlier days of the window")
    p.add_argument("--rates", type=Path, help="the day's risk-free curve, as data_fetch wrote it")
    p.add_argument("--out", type=Path, required=True, help="where the usable rows go")
    p.add_argument("--quarantine", type=Path, required=True, help="where all other rows go, with the rules they fail")
    p.add_argument("--repaired", type=Path, help="where repaired prices go, if validation.repair asks for them")
    p.add_argument("--report", type=Path, required=True, help="where the report goes (JSON); written in any case")
    return p


def main(argv: list[str] | None = None) -> int:
    return run_task("data_validate", parser(), work, argv)


if __name__ == "__main__":
    leave(main())
