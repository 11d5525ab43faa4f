"""model_train: fit the chosen model on the days of the window; give the model and a card that says what it is."""

import argparse
import hashlib
import pickle
from pathlib import Path

import _checkout  # noqa: F401  (this checkout's src/ first)

from options_pricing.evaluation.reference import reference_of
from options_pricing.evaluation.unseen import unseen_days
from options_pricing.models.feature_files import read_features
from options_pricing.models.training import model_card, train_model
from options_pricing.release.acts import record
from options_pricing.run.files import sha256_of, whole_files, write_bytes, write_json
from options_pricing.run.leaving import leave
from options_pricing.run.log import TaskLog
from options_pricing.run.params import Params
from options_pricing.run.task import add_ledger, run_task, task_parser

PICKLE_PROTOCOL = 5


def work(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    features = read_features(args.features, until=args.date)
    log.info("read", files=len(args.features), rows=len(features))
    log.info("hyperparameters", **params.train.model_dump(exclude={"boosted"}), **params.train.boosted.model_dump())
    trained = train_model(features, params.train)
    for underlying, reason in trained.left_out.items():
        log.warn("underlying_left_out", underlying=underlying, reason=reason)
    tried = unseen_days(features[~features["underlying"].isin(trained.left_out)], params.train)
    unseen = tried.metrics
    trained.pricing.reference = reference_of(tried.told)
    content = pickle.dumps(trained.pricing, protocol=PICKLE_PROTOCOL)
    files = [{"path": path.as_posix(), "sha256": sha256_of(path)} for path in args.features]
    card = model_card(trained, features, files, hashlib.sha256(content).hexdigest(), unseen)
    log.info("trained", model=card["model"], as_of=card["as_of"], **card["training_metrics"])
    figures = {name: found["value"] for name, found in unseen.get("figures", {}).items()}
    log.info(
        "out_of_sample", **{name: unseen[name] for name in ("protocol", "not_possible") if name in unseen}, **figures
    )
    with whole_files(args.model, args.card) as (model, told):
        write_bytes(model, content)
        write_json(told, card)
    details = {"model_sha256": card["model_sha256"], "model": card["model"], "as_of": card["as_of"]}
    record(args.ledger, "trained", details=details)
    log.info("wrote", model=args.model, card=args.card, sha256=card["model_sha256"])


def parser() -> argparse.ArgumentParser:
    p = task_parser("model_train", __doc__)
    p.add_argument("--features", type=Path, nargs="+", required=True, help="features of the days of the window")
    p.add_argument("--model", type=Path, required=True, help="the model, a pickle, to write")
    p.add_argument("--card", type=Path, required=True, help="the model card to write")
    add_ledger(p)
    return p


def main(argv: list[str] | None = None) -> int:
    return run_task("model_train", parser(), work, argv)


if __name__ == "__main__":
    leave(main())
