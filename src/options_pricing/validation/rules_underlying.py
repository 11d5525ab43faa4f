"""Rules on what the options are on: the underlying's price, and the risk-free curve."""

import numpy as np
import pandas as pd

from options_pricing.run.calendar import sessions_between
from options_pricing.validation.chain import Chain
from options_pricing.validation.rule import Finding, Thresholds, rule
from options_pricing.validation.rules_file import day_of, underlyings


@rule("U01", "the underlying has no price, or it jumped", source="OWN", severity="halt", scope="day", jump=0.25)
def underlying_price(chain: Chain, limits: Thresholds) -> Finding:
    """Each underlying needs a positive price, and ``|log(price / price of the session before)|`` at most `jump`.

    The price is the median over its rows; a split or a dividend of that size has to be allowed by hand.
    """
    today = _prices(chain.table)
    before = _prices(chain.previous[-1]) if chain.previous else pd.Series(dtype=float)
    grave = [f"{name} has no positive price" for name, price in today.items() if not price > 0]
    for name in today.index.intersection(before.index):
        moved = np.log(today[name] / before[name]) if today[name] > 0 and before[name] > 0 else 0.0
        if abs(moved) > limits["jump"]:
            grave.append(f"{name} went from {before[name]:g} to {today[name]:g} since {day_of(chain.previous[-1])}")
    return Finding(grave=tuple(grave))


@rule(
    "U02",
    "the underlying's price is not of the moment of the quotes",
    source="OWN",
    severity="warn",
    scope="day",
    share=0.005,
    highest_rate=0.10,
)
def simultaneous(chain: Chain, limits: Thresholds) -> Finding:
    """``|F / S - 1| <= share + highest_rate * T`` for each underlying's nearest expiration with a parity line.

    Where it is more, B02, B03 and the American side of B05 put good quotes into quarantine for a price of the
    underlying that is late, or not adjusted for a split.
    """
    table = pd.DataFrame(
        {
            "underlying": underlyings(chain),
            "spot": chain.underlying_price,
            "forward": chain.parity_by_row[0],
            "years": chain.year_fraction,
        }
    )
    alive = table[(table["years"] > 0) & table["forward"].notna() & table["spot"].notna()]
    nearest = alive.loc[alive.groupby("underlying")["years"].idxmin()]
    allowed = limits["share"] + limits["highest_rate"] * nearest["years"]
    off = nearest[(nearest["forward"] / nearest["spot"] - 1).abs() > allowed]
    return Finding(
        grave=tuple(
            f"{row.underlying} is at {row.spot:g}, its options at {row.forward:.6g}" for row in off.itertuples()
        )
    )


@rule(
    "U03",
    "the risk-free curve is missing or old",
    source="OptionMetrics (zero curve)",
    severity="halt",
    scope="day",
    warn_after=5,
    halt_after=20,
)
def rate_curve(chain: Chain, limits: Thresholds) -> Finding:
    """Sessions from the date of the curve to the day: mild over `warn_after` and without any yield, grave over
    `halt_after` and where the curve is of a later day. Not judged where the chain came without a table of rates."""
    if chain.rates is None:
        return Finding()
    known = chain.rates[chain.rates["par_yield"].notna()]
    if not len(known):
        return Finding(mild=("there is no risk-free yield",))
    newest = pd.Timestamp(pd.to_datetime(known["curve_date"]).max())
    said = f"the risk-free curve is of {newest:%Y%m%d}"
    if newest > chain.date:
        return Finding(grave=(f"{said}, after the day",))
    age = len(sessions_between(newest, chain.date)) - 1
    aged = (f"{said}, {age} sessions old",)
    if age > limits["halt_after"]:
        return Finding(grave=aged)
    return Finding(mild=aged if age > limits["warn_after"] else ())


def _prices(table: pd.DataFrame) -> pd.Series:
    return table["underlying_price"].groupby(table["underlying"]).median()
