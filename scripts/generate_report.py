"""generate_report: write the stakeholder report out of what the other tasks left, as Markdown, HTML and pictures."""

import argparse
import sys
from pathlib import Path

import _checkout  # noqa: F401  (this checkout's src/ first)

from options_pricing.run.log import TaskLog
from options_pricing.run.params import Params
from options_pricing.run.task import run_task, task_parser


def work(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    """Read the inputs, build the report, write it."""
    from options_pricing.reporting.context import build_context
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
    context = build_context(inputs, date=args.date, title=params.report.title, smiles=params.report.smiles)
    if context["simulated"]:
        log.info("simulated")
    for notice in context["notices"]:
        log.warn("notice", says=notice)
    written = write_report(context, markdown=args.markdown, html=args.html, figures=args.figures, trend=args.trend)
    log.info(
        "report_written", files=[path.name for path in written], protocols=[part.name for part in context["judged"]]
    )


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
    parser.add_argument("--markdown", type=Path, required=True, help="the report as Markdown")
    parser.add_argument("--html", type=Path, required=True, help="the report as one HTML page")
    parser.add_argument("--figures", type=Path, required=True, help="folder of the pictures")
    parser.add_argument("--trend", type=Path, help="where the trend of the validation reports goes (JSON)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the task."""
    return run_task("generate_report", parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
