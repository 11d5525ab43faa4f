"""What the rules find and what they put aside by mistake: ``python benchmarks/rules_scores.py [--seeds 3]``.

On simulated days the truth is known: of the planted defects, how many are put aside; of sound rows that have a bid, how
many are put aside by mistake. On the real chains beside the checkout it is not: rows that are put aside by a judgement
(bounds, parity, arbitrage, smile), and not for what they plainly are (expired, without bid or ask, duplicated, wide),
are counted as an upper bound of the mistakes.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from options_pricing.run.params import Validation
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.sources.simulated import SimulatedMarket
from options_pricing.sources.simulated.instruments import Density
from options_pricing.validation.engine import validate

ARCHIVE = Path(__file__).resolve().parents[2] / "shared/market/cboe_eod"
UNDERLYINGS = ("XIDX", "XETF", "XTEC", "XOIL")
DAYS = ("20261116", "20261117", "20261118")
DENSITIES: tuple[Density, ...] = ("tiny", "normal", "full")
PLAIN = "I0|P0[1-4]"
COMPARED = 5


def judged(market: SimulatedMarket) -> pd.DataFrame:
    """Rows of some days with the defect planted in them and the ids of the rules that put them aside."""
    tables: list[pd.DataFrame] = []
    previous: list[pd.DataFrame] = []
    for day in DAYS:
        chain = market.chain(day)
        assert chain.truth is not None
        tables.append(aside(chain.quotes, previous, day).assign(defect=chain.truth["defect"].to_numpy()))
        previous.append(chain.quotes)
    return pd.concat(tables, ignore_index=True)


def aside(quotes: pd.DataFrame, previous: list[pd.DataFrame], day: str) -> pd.DataFrame:
    """Bid and rule ids of every row; the ids are empty where a row is usable."""
    result = validate(quotes, previous, day, Validation())
    ids = result.quarantine.set_index("raw_row")["rule_ids"].reindex(range(len(quotes))).fillna("")
    return pd.DataFrame({"bid": quotes["bid"].to_numpy(), "ids": ids.to_numpy()})


def simulated(seeds: int) -> Iterator[list[str]]:
    """Recall by density and defect, and the share of sound rows put aside."""
    for density in DENSITIES:
        for share in (0.0, 0.05):
            rows = pd.concat([judged(SimulatedMarket(seed, UNDERLYINGS, density, share)) for seed in range(seeds)])
            sound, planted = rows[rows["defect"].isna()], rows[rows["defect"].notna() & (rows["defect"] != "stale")]
            stale = rows[rows["defect"] == "stale"]
            mistakes = (sound["ids"] != "") & ~sound["ids"].str.contains("P02")
            yield [
                f"{density}, {share:.0%} defects",
                f"{len(rows):,}",
                f"{(planted['ids'] != '').sum():,} of {len(planted):,}" if share else "",
                f"{(stale['ids'] != '').sum():,} of {len(stale):,}" if share else "",
                f"{mistakes.sum()} ({mistakes.mean():.3%})",
            ]


def real() -> Iterator[list[str]]:
    """Rows put aside on all days of the archive, by ticker: plainly so, and by a judgement."""
    for ticker in ("_SPX", "SPY"):
        source = CboeEod(ARCHIVE, [ticker])
        days = source.trading_days(ticker, pd.Timestamp("2000-01-01").date(), pd.Timestamp("2099-12-31").date())
        tables: list[pd.DataFrame] = []
        previous: list[pd.DataFrame] = []
        for day in days:
            quotes = source.chain(day).quotes
            tables.append(aside(quotes, previous[-COMPARED:], day))
            previous.append(quotes)
        rows = pd.concat(tables)
        out = rows["ids"] != ""
        judgement = out & ~rows["ids"].str.contains(PLAIN)
        yield [f"{ticker}, {len(days)} days", f"{len(rows):,}", f"{out.mean():.2%}", f"{judgement.sum()}"]


def main() -> None:
    """Print both tables row by row."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="simulated markets of each density")
    args = parser.parse_args()
    show(
        ["simulated", "rows", "defects put aside", "stale rows put aside", "sound rows put aside"],
        simulated(args.seeds),
    )
    if ARCHIVE.is_dir():
        show(["real", "rows", "put aside", "by a judgement alone"], real())


def show(heads: list[str], lines: Iterator[list[str]]) -> None:
    """A table in Markdown."""
    print(f"\n| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}")
    for line in lines:
        print(f"| {' | '.join(line)} |", flush=True)


if __name__ == "__main__":
    main()
