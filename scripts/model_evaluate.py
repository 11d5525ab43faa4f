"""model_evaluate: judge every model on days it has not seen; give the figures, the predictions and plot data."""

import argparse
from pathlib import Path
from typing import Any

import _checkout  # noqa: F401  (this checkout's src/ first)

from options_pricing.evaluation.evaluate import evaluation_metrics, judge
from options_pricing.evaluation.hedging import hedge_report
from options_pricing.evaluation.protocols import Setting
from options_pricing.evaluation.tables import error_by_bucket, r2_by_day
from options_pricing.models.feature_files import read_features
from options_pricing.quotes.schema import ERROR_BY_BUCKET, PREDICTIONS, R2_BY_DAY
from options_pricing.quotes.tables import write_csv, write_parquet
from options_pricing.release.acts import record
from options_pricing.release.verify import Trained, load_trained
from options_pricing.run.files import sha256_of, whole_files, write_json
from options_pricing.run.leaving import leave
from options_pricing.run.log import TaskLog
from options_pricing.run.params import Evaluate, Params, Train
from options_pricing.run.task import add_ledger, run_task, task_parser

# What one looks at first when runs are compared; all figures of all models are in the metrics.
CHOSEN_FIGURES = ("r2_implied_vol_vs_random_walk", "iv_rmse_vol_points", "inside_bid_ask")


def work(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    setting, trained = _as_trained(args, params.evaluate)
    chosen, simulated = setting.train.model, trained.card.simulated
    features = read_features(args.features, until=args.date)
    log.info("read", model=args.model, chosen_model=chosen, files=len(args.features), rows=len(features))
    judged = judge(features, params.evaluate.protocols, setting)
    metrics = evaluation_metrics(
        judged,
        features,
        params.evaluate,
        chosen_model=chosen,
        simulated=simulated,
        model_sha256=trained.card.model_sha256,
        hedging=hedge_report(features, setting, params.evaluate),
    )
    _tell(metrics, log)
    plots = args.plots / "r2_by_day.csv", args.plots / "error_by_bucket.csv"
    with whole_files(args.predictions, *plots, args.chosen, args.metrics) as (
        predictions,
        by_day,
        by_bucket,
        of_chosen,
        told,
    ):
        write_parquet(judged.predictions, predictions, PREDICTIONS)
        write_csv(r2_by_day(judged, chosen), by_day, R2_BY_DAY)
        write_csv(error_by_bucket(judged), by_bucket, ERROR_BY_BUCKET)
        write_json(of_chosen, chosen_figures(metrics))
        write_json(told, metrics)
    record(args.ledger, "evaluated", details=evaluated(metrics, args.metrics, args.predictions))
    log.info("wrote", metrics=args.metrics, chosen=args.chosen, predictions=args.predictions, plots=args.plots)


def evaluated(metrics: dict[str, Any], metrics_file: Path, predictions: Path) -> dict[str, Any]:
    """What the ledger keeps of an evaluation: of which model, by which files, and the R2 of each protocol."""
    figures = chosen_figures(metrics)
    return {
        "model_sha256": metrics["model_sha256"],
        "metrics_sha256": sha256_of(metrics_file),
        "predictions_sha256": sha256_of(predictions),
        "r2_implied_vol_vs_random_walk": {name: held[CHOSEN_FIGURES[0]] for name, held in figures.items()},
    }


def chosen_figures(metrics: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """A few figures of the chosen model, protocol -> figure -> value: few enough for a table of many runs."""
    return {
        protocol: {name: found["models"][metrics["chosen_model"]][name]["value"] for name in CHOSEN_FIGURES}
        for protocol, found in metrics["protocols"].items()
    }


def _as_trained(args: argparse.Namespace, evaluate: Evaluate) -> tuple[Setting, Trained]:
    """How the model was trained, from the pickle that its card names, and both of them."""
    trained = load_trained(args.model, args.card, args.ledger)
    train = Train.model_validate(trained.model.train)
    return Setting(train, evaluate.held_out, evaluate.seed), trained


def _tell(metrics: dict[str, Any], log: TaskLog) -> None:
    for protocol, reason in metrics["skipped"].items():
        log.warn("protocol_skipped", protocol=protocol, reason=reason)
    for protocol, found in metrics["protocols"].items():
        log.info("judged", protocol=protocol, days=len(found["days"]), quotes=found["quotes"])
        for model, figures in found["models"].items():
            log.info("metrics", protocol=protocol, model=model, **{n: f["value"] for n, f in figures.items()})
        for model, tested in found["comparison"]["models"].items():
            log.info("compared", protocol=protocol, model=model, **tested)
        intervals = {name: value for name, value in found["intervals"].items() if name != "by_bucket"}
        log.info("intervals", protocol=protocol, model=metrics["chosen_model"], **intervals)
        for model, counts in found["arbitrage"].items():
            log.info("arbitrage", protocol=protocol, model=model, **counts)
    if metrics["hedging"]:
        for delta, figures in metrics["hedging"]["deltas"].items():
            log.info("hedging", delta=delta, **figures | {"variance_reduction": figures["variance_reduction"]["value"]})


def parser() -> argparse.ArgumentParser:
    p = task_parser("model_evaluate", __doc__)
    p.add_argument("--features", type=Path, nargs="+", required=True, help="features of the days of the window")
    p.add_argument("--model", type=Path, required=True, help="the model that model_train made")
    p.add_argument("--card", type=Path, required=True, help="its model card")
    p.add_argument("--metrics", type=Path, required=True, help="the figures to write, JSON")
    p.add_argument("--chosen", type=Path, required=True, help="a few figures of the chosen model to write, JSON")
    p.add_argument("--predictions", type=Path, required=True, help="the predictions to write, parquet")
    p.add_argument("--plots", type=Path, required=True, help="the folder of the plot data to write")
    add_ledger(p)
    return p


def main(argv: list[str] | None = None) -> int:
    return run_task("model_evaluate", parser(), work, argv)


if __name__ == "__main__":
    leave(main())
