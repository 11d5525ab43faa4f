"""generate_report: write the stakeholder report out of what the other tasks left, as Markdown, HTML and pictures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _checkout  # noqa: F401  (this checkout's src/ first)

if TYPE_CHECKING:
    import pandas as pd

    from options_pricing.release.watch import Seen

from options_pricing.run.errors import TaskError
from options_pricing.run.files import read_json
from options_pricing.run.leaving import leave
from options_pricing.run.log import TaskLog
from options_pricing.run.notify import notify_of_drift
from options_pricing.run.params import Params
from options_pricing.run.task import run_task, task_parser


def work(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    """Read the inputs, build the report, write it."""
    from options_pricing.reporting.also_read import also_read
    from options_pricing.reporting.context import build_context
    from options_pricing.reporting.governance import governance
    from options_pricing.reporting.inputs import ReportFiles, read_inputs
    from options_pricing.reporting.render import write_report

    inputs = read_inputs(
        ReportFiles(
            validation=tuple(args.validation),
            meta=tuple(args.meta),
            features=args.features,
            card=args.card,
            metrics=args.metrics,
            predictions=args.predictions,
            plots=args.plots,
            status=args.status,
        )
    )
    log.info("inputs_read", files=len(inputs.files), days=len(inputs.validation), model=inputs.metrics is not None)
    seen = _look(args, params, inputs.features, log)
    context = build_context(
        inputs,
        date=args.date,
        title=params.report.title,
        smiles=params.report.smiles,
        governance=governance(
            inputs,
            params.gate,
            args.date,
            ledger=args.ledger,
            **({"drift": seen.drift["status"], "why": seen.drift["why"]} if seen else {}),
        ),
        drift=seen and seen.drift,
        live=seen.records if seen else (),
        files=also_read(seen, releases=args.releases, live=args.live, before=args.before, ledger=args.ledger),
    )
    if context["simulated"]:
        log.info("simulated")
    for notice in context["notices"]:
        log.warn("notice", says=notice)
    beside = {args.live: seen.record} | _newest(args.drift, seen.drift) if seen else {}
    written = write_report(
        context, markdown=args.markdown, html=args.html, figures=args.figures, trend=args.trend, beside=beside
    )
    _demote(args, params, log)
    log.info(
        "report_written", files=[path.name for path in written], protocols=[part.name for part in context["judged"]]
    )


def _newest(path: Path, drift: dict[str, Any]) -> dict[Path, dict[str, Any]]:
    """The state of drift as a file to write, unless one of a later day is there."""
    try:
        later = path.is_file() and read_json(path)["date"] > drift["date"]
    except (TaskError, TypeError, KeyError):
        later = False
    return {} if later else {path: drift}


def _look(args: argparse.Namespace, params: Params, features: "pd.DataFrame", log: TaskLog) -> "Seen | None":
    """Judge the day with the release in use, where the files that tell of it are asked for."""
    from options_pricing.release.watch import look

    if not (args.live and args.drift and args.releases):
        return None
    seen = look(
        args.date,
        features,
        before=next(iter(args.before), None),
        releases=args.releases,
        live=args.live.parent,
        settings=params.drift,
        tell=log.warn,
    )
    log.info("drift", status=seen.drift["status"], why=seen.drift["why"], judged=seen.record["judged"])
    log.info("retraining", **seen.drift["retraining"])
    notify_of_drift(args.log, params.alerts, seen.drift, log.warn)
    return seen


def _demote(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    """Take a live release in trouble back, and tell people of it; done by the daily report alone."""
    from options_pricing.release.demotion import demote_if_needed
    from options_pricing.run.alerts import Alert
    from options_pricing.run.notify import notify

    if args.demote is None:
        return
    found = demote_if_needed(args.demote, args.demote.absolute().parent / "reports", log.warn)
    if found is None:
        return
    log.warn("demoted", release_id=found.release_id, to=found.to, why=found.why)
    what = f"release {found.release_id} was taken back by itself; live is {found.to or 'nothing'}"
    alert = Alert(("rolled_back",), found.release_id, what, found.why, "look at reports/drift.json, then train again")
    notify((args.log or Path("logs/x")).parent, [alert], (), params.alerts, log.warn)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = task_parser("generate_report", __doc__)
    parser.add_argument("--validation", type=Path, nargs="+", required=True, help="validation reports of the window")
    parser.add_argument("--meta", type=Path, nargs="+", required=True, help="meta files of the same days")
    parser.add_argument("--features", type=Path, required=True, help="features of the last day")
    parser.add_argument("--card", type=Path, help="model card (without these five the report is about data only)")
    parser.add_argument("--metrics", type=Path, help="evaluation metrics")
    parser.add_argument("--predictions", type=Path, help="evaluation predictions")
    parser.add_argument("--plots", type=Path, help="folder with r2_by_day.csv and error_by_bucket.csv")
    parser.add_argument("--status", type=Path, help="deployment status")
    parser.add_argument("--ledger", type=Path, help="the ledger, whose head and approvals are told as they stand")
    parser.add_argument("--demote", type=Path, help="folder of releases: one that is live and in trouble is taken back")
    parser.add_argument("--markdown", type=Path, required=True, help="the report as Markdown")
    parser.add_argument("--html", type=Path, required=True, help="the report as one HTML page")
    parser.add_argument("--figures", type=Path, required=True, help="folder of the pictures")
    parser.add_argument("--releases", type=Path, help="the folder of releases, for the three files below")
    parser.add_argument(
        "--before", type=Path, nargs="*", default=[], help="features of the session before the last day"
    )
    parser.add_argument("--live", type=Path, help="the record of the last day, among those of earlier days (JSON)")
    parser.add_argument("--drift", type=Path, help="what the records so far say of drift and retraining (JSON)")
    parser.add_argument("--trend", type=Path, help="where the trend of the validation reports goes (JSON)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the task."""
    return run_task("generate_report", parser(), work, argv)


if __name__ == "__main__":
    leave(main())
