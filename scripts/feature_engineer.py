"""feature_engineer: forwards, implied vols and greeks of one day's validated quotes."""

import argparse
from pathlib import Path

import _checkout  # noqa: F401  (this checkout's src/ first)
import pandas as pd

from options_pricing.quotes.schema import FEATURES, RATES, VALIDATED
from options_pricing.quotes.tables import read_csv, require_contracts, write_csv
from options_pricing.run.errors import BadDataError, MissingInputError
from options_pricing.run.leaving import leave
from options_pricing.run.log import TaskLog
from options_pricing.run.params import Features, FlatRate, Params
from options_pricing.run.task import run_task, task_parser
from options_pricing.surface.features import build_features, describe
from options_pricing.surface.zero_curve import ZeroCurve

TASK = "feature_engineer"


def work(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    """Read the validated quotes, make the features, write them and log what they are like."""
    validated = read_csv(args.validated, VALIDATED)
    check_day(validated, args)
    require_contracts(validated, args.validated)
    features = build_features(validated, params.features, curve=curve_of(args.rates, params))
    write_csv(features, args.out, FEATURES)
    log_expirations(features, params.features, log)
    described = describe(features)
    for name, figures in described.iterrows():
        log.info("feature", name=name, **figures)
    log.info("features", validated=args.validated, out=args.out, rows=len(features), made=len(described))


def curve_of(rates: Path | None, params: Params) -> ZeroCurve:
    """The risk-free curve of the file that data_fetch wrote; without one, the flat rate of the parameters."""
    if rates is None:
        if not isinstance(params.rates, FlatRate):
            raise MissingInputError(
                "no risk-free curve is given",
                why=f"`rates.kind` is {params.rates.kind}, whose curve data_fetch writes to a file",
                fix="name that file: --rates data/raw/rates_YYYYMMDD.csv",
            )
        return ZeroCurve.flat(params.rates.rate)
    table = read_csv(rates, RATES)
    try:
        return ZeroCurve.from_par_yields(table["maturity_years"], table["par_yield"])
    except ValueError as error:
        raise BadDataError(
            f"{rates} is no risk-free curve", why=str(error), fix="remove it and run data_fetch again"
        ) from error


def check_day(validated: pd.DataFrame, args: argparse.Namespace) -> None:
    """Refuse quotes of another day than the one that was asked for."""
    days = sorted({f"{day:%Y%m%d}" for day in validated["trade_date"].unique()} - {args.date})
    if days:
        raise BadDataError(
            f"{args.validated} is not about {args.date}",
            why=f"it has quotes of {', '.join(days[:3])}",
            fix="give the file of that day, or run data_validate for it again",
        )


def log_expirations(features: pd.DataFrame, params: Features, log: TaskLog) -> None:
    """Log how many expirations have a forward, and name those that have none."""
    first = features.groupby(["underlying", "root", "expiration"], dropna=False)["forward"].first().reset_index()
    without = first[first["forward"].isna()]
    named = [f"{row.root} {row.expiration:%Y-%m-%d}" for row in without.itertuples()]
    log.info("expirations", found=len(first), with_forward=len(first) - len(without))
    if named:
        log.warn(
            "expirations_without_forward", count=len(named), rows=int(features["forward"].isna().sum()), which=named
        )
    if len(named) == len(first):
        log.warn(
            "nothing_to_fit",
            why=f"no expiration has features.min_pairs = {params.min_pairs} call-put pairs with sound bids and asks",
            fix="see the validation report; a model that needs this day will not be trained",
        )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    arguments = task_parser(TASK, __doc__)
    arguments.add_argument("--validated", type=Path, required=True, help="CSV of the quotes that passed validation")
    arguments.add_argument("--rates", type=Path, help="CSV of the day's risk-free curve, as data_fetch wrote it")
    arguments.add_argument("--out", type=Path, required=True, help="CSV that gets the features")
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Run the task."""
    return run_task(TASK, parser(), work, argv)


if __name__ == "__main__":
    leave(main())
