"""How much each validation rule changes the result: ``python benchmarks/rules_ablation.py [--days 5] [--simulated]``.

Rules are switched off one by one. Without the rule, days are validated, features made and yesterday's surface built;
it is asked about the next day's quotes that pass all rules, with the forwards that it then has, and held against their
mids. So the rows that a rule lets in are never judged by themselves: what counts is the harm that they do to others.
The days are the SPX chains beside the checkout, or simulated ones with more defects than usual where those are absent.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from options_pricing.evaluation.metrics import figures_of
from options_pricing.models.base import ASKED, Model, day_names, eligible_quotes
from options_pricing.models.random_walk import RandomWalk
from options_pricing.run.calendar import sessions_ending
from options_pricing.run.errors import TaskError
from options_pricing.run.params import Features, Rule, SimulatedSource, Train, Validation
from options_pricing.sources import make_source
from options_pricing.sources.base import Source
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.surface.features import build_features
from options_pricing.validation.catalogue import RULES
from options_pricing.validation.engine import validate
from options_pricing.validation.rules_file import SESSIONS_COMPARED

ARCHIVE = Path(__file__).resolve().parents[2] / "shared/market/cboe_eod"
SPX_DAYS = ("2026-08-03", "2026-08-11")
DEFECTS = 0.05
TRAIN = Train()
MADE = ["forward", "discount_factor", "dividend_yield", "year_fraction"]


def chains(days: int, simulated: bool) -> dict[str, pd.DataFrame]:
    """Raw chains by day."""
    source: Source
    if simulated or not ARCHIVE.is_dir():
        source = make_source(SimulatedSource(defects=DEFECTS, underlyings=("XIDX",)))
        return {day: source.chain(day).quotes for day in sessions_ending("20261120", days)}
    source = CboeEod(ARCHIVE, ["_SPX"])
    there = source.trading_days("_SPX", *(pd.Timestamp(day).date() for day in SPX_DAYS))
    return {day: source.chain(day).quotes for day in there[-days:]}


def features(raw: dict[str, pd.DataFrame], off: tuple[str, ...]) -> pd.DataFrame:
    """Features of all days with some rules switched off; nothing halts a day."""
    rules = {rule.id: Rule(severity="off") for rule in RULES if rule.id in off or rule.scope == "day"}
    validation, tables = Validation(rules=rules, halt_if_usable_below=0.0), []
    for number, (day, quotes) in enumerate(raw.items()):
        previous = list(raw.values())[max(0, number - SESSIONS_COMPARED) : number]
        tables.append(build_features(validate(quotes, previous, day, validation).validated, Features()))
    return pd.concat(tables, ignore_index=True)


def eligible(table: pd.DataFrame) -> pd.DataFrame:
    """The quotes that are fitted and judged."""
    return eligible_quotes(table, TRAIN.min_days_to_expiry, TRAIN.max_days_to_expiry)


def predictions(model: Model, table: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """What a model fitted on `table` says of the quotes of `judged` on every day after the first."""
    parts = []
    fitted = eligible(table)
    for before, day in pairwise(sorted(judged["trade_date"].unique())):
        today = judged[judged["trade_date"] == day]
        made = table[table["trade_date"] == day].set_index("raw_row")[MADE].reindex(today["raw_row"])
        vols, prices = model.fit(fitted[fitted["trade_date"] == before]).predict_with_prices(
            today[list(ASKED)].assign(**{name: made[name].to_numpy() for name in MADE})
        )
        shift = 1e4 * np.abs(made["forward"].to_numpy() / today["forward"].to_numpy() - 1)
        parts.append(
            today.assign(
                predicted_implied_vol=vols,
                predicted_price=prices,
                market_price=today["mid"],
                date=day_names(today),
                shift=shift,
            )
        )
    return pd.concat(parts, ignore_index=True)


def ablation(raw: dict[str, pd.DataFrame]) -> Iterator[dict[str, str | float | int | None]]:
    """One row with all rules in force, one for each rule that takes out a row, one without any of these."""
    in_force = features(raw, ())
    judged = eligible(in_force)
    model = RandomWalk(TRAIN)
    benchmark = predictions(model, in_force, judged)["predicted_implied_vol"].to_numpy()
    ids = [rule.id for rule in RULES if rule.scope == "rows" and rule.severity == "quarantine"]
    titles = {rule.id: rule.title for rule in RULES}
    cases = [("all in force", ()), *((f"{id} {titles[id]}", (id,)) for id in ids), ("none of these", tuple(ids))]
    for name, off in cases:
        try:
            table = features(raw, off) if off else in_force
        except (TaskError, ValueError) as error:
            yield {"rule switched off": name, "rows let in": None, "why not": str(error).split("\n")[0]}
            continue
        if off and len(table) == len(in_force):
            continue
        told = predictions(model, table, judged).assign(random_walk_implied_vol=benchmark)
        figures = figures_of(told)
        yield {
            "rule switched off": name,
            "rows let in": len(table) - len(in_force),
            "of them fitted": len(eligible(table)) - len(judged),
            "forward moved, 99 % bp": float(np.nanquantile(told["shift"], 0.99)),
            "vol RMSE, points": figures["iv_rmse_vol_points"],
            "R2 against all in force": figures["r2_implied_vol_vs_random_walk"],
            "median error, half-spreads": figures["median_error_half_spreads"],
            "inside bid-ask": figures["inside_bid_ask"],
            "priced": figures["coverage"],
        }


def shown(value: object) -> str:
    """A cell of the table."""
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def main() -> None:
    """Print the table row by row."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--days", type=int, default=5, help="the last so many days")
    parser.add_argument("--simulated", action="store_true", help="the simulated market even where the archive is there")
    args = parser.parse_args()
    raw = chains(args.days, args.simulated)
    print(f"{len(raw)} days, {min(raw)} to {max(raw)}, {sum(map(len, raw.values()))} raw rows\n")
    heads: list[str] = []
    for row in ablation(raw):
        if not heads:
            heads = list(row)
            print(f"| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}")
        cells = [shown(row.get(head)) for head in heads]
        print(f"| {' | '.join(cells)} |{'  ' + str(row['why not']) if 'why not' in row else ''}", flush=True)


if __name__ == "__main__":
    main()
