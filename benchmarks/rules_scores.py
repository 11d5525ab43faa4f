"""What the rules find and what they put aside by mistake: ``python benchmarks/rules_scores.py [--seeds 3]``.

On simulated days the truth is known: of the planted defects, how many are put aside; of sound rows that have a bid, how
many are put aside by mistake. On the real chains beside the checkout it is not: rows that are put aside by a judgement
(bounds, parity, arbitrage, smile), and not for what they plainly are (expired, without bid or ask, duplicated, wide),
are counted as an upper bound of the mistakes. There, quotes of a day are also moved by a number of half-spreads, 300 at
a time (out of the money, 7 to 400 days, a bid of 0.50 or more): how many are found, and how many others go with them.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
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
DAY_MOVED, MOVED, LEAST_BID = "20260806", 300, 0.5


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


def moved() -> Iterator[list[str]]:
    """Quotes of a real day moved up or down, a bid by no more than nine tenths of itself."""
    for ticker in ("_SPX", "SPY"):
        quotes = CboeEod(ARCHIVE, [ticker]).chain(DAY_MOVED).quotes
        clean = validate(quotes, [], DAY_MOVED, Validation())
        points = clean.chain.market.points
        fit = clean.chain.usable[points.row] & (clean.chain.bid[points.row] >= LEAST_BID)
        fit &= (points.years > 7 / 365) & (points.years < 400 / 365)
        for times in (2, 4, 8, 16):
            random = np.random.default_rng(1)
            rows = random.choice(points.row[fit], MOVED, replace=False)
            spoilt = with_moved(quotes, rows, times, random.random(MOVED) < 0.5)
            result = validate(spoilt, [], DAY_MOVED, Validation())
            out = set(result.quarantine["raw_row"]) - set(clean.quarantine["raw_row"])
            found = len(out & set(rows.tolist()))
            yield [f"{ticker}, {times} half-spreads", f"{found / MOVED:.1%}", f"{len(out) - found}", says(result.halts)]


def with_moved(quotes: pd.DataFrame, rows: np.ndarray, times: float, up: np.ndarray) -> pd.DataFrame:
    """Both sides of some quotes moved by a number of half-spreads, to the cent."""
    table = quotes.copy()
    bid, ask = table["bid"].to_numpy(copy=True), table["ask"].to_numpy(copy=True)
    by = times * (ask - bid)[rows] / 2
    by = np.round(np.where(up, by, -np.minimum(by, 0.9 * bid[rows])), 2)
    bid[rows], ask[rows] = np.round(bid[rows] + by, 2), np.round(ask[rows] + by, 2)
    return table.assign(bid=bid, ask=ask)


def says(halts: list[dict[str, str]]) -> str:
    """Which rules halt the day."""
    return ", ".join(halt["id"] for halt in halts)


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
        show([f"{MOVED} quotes of {DAY_MOVED} moved by", "found", "others put aside", "day halted by"], moved())


def show(heads: list[str], lines: Iterator[list[str]]) -> None:
    """A table in Markdown."""
    print(f"\n| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}")
    for line in lines:
        print(f"| {' | '.join(line)} |", flush=True)


if __name__ == "__main__":
    main()
