"""The least change of a day's usable prices that leaves no static arbitrage among them, inside bid and ask.

Cohen, Reisinger and Wang (2020): least absolute change, a linear programme. It repairs nothing in place: raw,
validated and quarantined quotes stay what they are, and every repaired price stands beside its original.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from options_pricing.quotes.schema import REPAIRED, names
from options_pricing.quotes.tables import conform
from options_pricing.run.errors import BadDataError
from options_pricing.surface.arbitrage import find_violations
from options_pricing.validation.arbitrage import NONE, breaches
from options_pricing.validation.chain import Chain, Codes, Floats
from options_pricing.validation.market import Points

# What leaving bid and ask costs, against moving a price inside them.
OUTSIDE = 100.0
# Constraints hold by this much, per unit of forward: more than the solver's own tolerance.
MARGIN, SOLVER_TOLERANCE = 1e-9, 1e-10
ROUNDS = 20
# A change that is told of: a hundredth of the finest tick.
CHANGED = 1e-4


class Cuts(NamedTuple):
    """Constraints ``x[sold] <= (1 - weight) x[left] + weight x[right] + constant``; `NONE` for a leg there is not."""

    sold: Codes
    left: Codes
    right: Codes
    weight: Floats
    constant: Floats


def repair(chain: Chain) -> pd.DataFrame:
    """Repaired prices of the usable out-of-the-money quotes of a day.

    Each underlying is one programme: the prices, as European calls over ``D F``, must be decreasing and convex in the
    strike and not above those of the next expiration (`arbitrage.breaches`); then `surface.arbitrage.find_violations`,
    which knows all expirations, looks for what is still violated, and that is demanded as well, until it finds nothing.
    A quote leaves bid and ask only where no prices inside them are free of arbitrage.

    Parameters
    ----------
    chain : Chain
        After the rules: its usable rows are repaired.

    Returns
    -------
    DataFrame
        REPAIRED of the schema, in the order of the raw rows.
    """
    if not chain.usable.any():
        return conform(pd.DataFrame(columns=names(REPAIRED)), REPAIRED)
    points = chain.market.points
    kept = chain.usable[points.row] & np.isfinite(points.low) & np.isfinite(points.high)
    points = points.take(kept)
    middle = (points.low + points.high) / 2
    repaired = middle.copy()
    for first, last in _blocks(points):
        block = slice(first, last)
        repaired[block] = _repaired(points.take(np.arange(first, last)), middle[block])
    return _table(chain, points, (repaired - middle) * points.unit)


def summary(repaired: pd.DataFrame) -> dict[str, float | int]:
    """What a repair did, for the report: quotes, how many changed and by how much, how many left bid and ask."""
    change = repaired["change"].abs()
    return {
        "quotes": len(repaired),
        "changed": int((change > CHANGED).sum()),
        "outside": int((~repaired["inside"]).sum()),
        "largest_change": float(change.max()) if len(change) else 0.0,
    }


def _blocks(points: Points) -> list[tuple[int, int]]:
    """Where each underlying's points begin and end."""
    if not len(points.row):
        return []
    starts = np.flatnonzero(np.diff(points.last_expiry, prepend=-1) != 0)
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(points.row)], strict=True))


def _repaired(points: Points, middle: Floats) -> Floats:
    points = points._replace(expiry=points.expiry - points.expiry[0], last_expiry=points.last_expiry - points.expiry[0])
    found = breaches(points, 0.0)
    cuts = [Cuts(b.sold, b.left, b.right, b.weight, b.constant) for kind, b in found.items() if kind != "outright"]
    more: Cuts | None = None
    for _ in range(ROUNDS):
        prices = _least_change(points, middle, cuts)
        more = _violated(points, prices)
        if more is None:
            return prices
        cuts.append(more)
    raise _no_repair(len(middle), f"{0 if more is None else len(more.sold)} violations are left after {ROUNDS} rounds")


def _least_change(points: Points, middle: Floats, cuts: list[Cuts]) -> Floats:
    r"""Least :math:`\sum |x - m| / h + M \sum` (outside bid and ask) / h subject to the cuts, h being half the spread.

    ``x = m + up - down + over - under``: the first two stay inside the spread, the others cost more and do not take a
    price below what it is worth at least.
    """
    from scipy.optimize import linprog

    half = np.maximum((points.high - points.low) / 2, points.tick / points.unit / 2)
    floor = np.maximum(1 - points.k, 0.0) + MARGIN
    low, unlimited = np.maximum(points.low, floor), np.full(len(middle), np.inf)
    room = np.concatenate([points.high - middle, middle - low, unlimited, low - floor])
    cost = np.concatenate([1 / half, 1 / half, OUTSIDE / half, OUTSIDE / half])
    matrix, right = _rows(cuts, middle)
    # In units of the median half-spread, for the solver's tolerances are absolute.
    unit = float(np.median(half))
    told: Any = linprog(
        cost * unit,
        A_ub=matrix,
        b_ub=right / unit,
        bounds=np.column_stack([np.zeros(len(room)), np.maximum(room, 0.0) / unit]),
        method="highs",
        options={"primal_feasibility_tolerance": SOLVER_TOLERANCE, "dual_feasibility_tolerance": SOLVER_TOLERANCE},
    )
    if told.x is None:
        raise _no_repair(len(middle), f"the linear programme has no solution ({told.message})")
    up, down, over, under = np.split(told.x * unit, 4)
    return middle + up - down + over - under


def _no_repair(quotes: int, why: str) -> BadDataError:
    return BadDataError(
        f"the prices of {quotes} quotes cannot be repaired",
        why=why,
        fix="set validation.repair to none, and look at what the rules on arbitrage (A01 to A07) said of the day",
    )


def _rows(cuts: list[Cuts], middle: Floats) -> tuple[Any, Floats]:
    """The cuts as a sparse matrix of the four parts of each price's change, and their right-hand sides."""
    from scipy.sparse import coo_array, hstack

    joined = Cuts(*(np.concatenate(parts) for parts in zip(*cuts, strict=True)))
    number = np.arange(len(joined.sold))
    rows, columns, values = [number], [joined.sold], [np.ones(len(number))]
    right = joined.constant - MARGIN - middle[joined.sold]
    for leg, share in ((joined.left, 1 - joined.weight), (joined.right, joined.weight)):
        there = leg != NONE
        rows.append(number[there])
        columns.append(leg[there])
        values.append(-share[there])
        right = right + np.where(there, share * middle[leg], 0.0)
    shape = (len(number), len(middle))
    change = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape).tocsr()
    return hstack([change, -change, change, -change], format="csr"), right


def _violated(points: Points, prices: Floats) -> Cuts | None:
    """What the independent checker still finds, as cuts; None where it finds nothing."""
    strike = points.k * points.forward
    parity = np.where(points.call, 0.0, 1 - points.k)
    table = pd.DataFrame(
        {
            "year_fraction": points.years,
            "strike": strike,
            "option_type": np.where(points.call, "C", "P"),
            "forward": points.forward,
            "discount_factor": points.unit / points.forward,
            "price": (prices - parity) * points.unit,
        }
    )
    found = find_violations(table, price="price")
    found = found[~found["constraint"].isin(["parity", "outright"])]
    if not len(found):
        return None
    place = _Places(points.years, strike)
    sold = place.of(found["year_fraction"], found["strike"])
    left, right = (place.of(found[f"{side}_year_fraction"], found[f"{side}_strike"]) for side in ("left", "right"))
    return _cuts(points, sold, left, right)


class _Places:
    """Numbers of points by their time and strike."""

    def __init__(self, years: Floats, strike: Floats) -> None:
        self._times = np.unique(years)
        key = self._key(years, strike)
        self._order = np.argsort(key, kind="stable")
        self._sorted = key[self._order]

    def _key(self, years: Floats, strike: Floats) -> Floats:
        return np.searchsorted(self._times, years) * 1e9 + np.round(strike, 4)

    def of(self, years: pd.Series, strike: pd.Series) -> Codes:
        known = strike.notna().to_numpy()
        key = self._key(years.fillna(self._times[0]).to_numpy(), strike.fillna(0.0).to_numpy())
        at = np.clip(np.searchsorted(self._sorted, key - 1e-3), 0, len(self._sorted) - 1)
        return np.where(known, self._order[at], NONE)


def _cuts(points: Points, sold: Codes, left: Codes, right: Codes) -> Cuts:
    """Cuts of portfolios given by their legs: the chord where there is one on the right, else what the left is worth.

    Where there is none on the left, the forward is it, of strike 0: ``c(0) = 1``.
    """
    k_left = np.where(left == NONE, 0.0, points.k[left])
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (points.k[sold] - k_left) / (points.k[right] - k_left)
    weight = np.where(right != NONE, share, 0.0)
    return Cuts(sold, left, right, weight, np.where(left == NONE, 1 - weight, 0.0))


def _table(chain: Chain, points: Points, change: Floats) -> pd.DataFrame:
    order = np.argsort(points.row)
    row, change = points.row[order], change[order]
    low, high = chain.bid[row], chain.ask[row]
    mid = (low + high) / 2
    repaired = mid + change
    rounding = 1e-9 * np.maximum(chain.strike[row], 1.0)
    inside = (repaired >= low - rounding) & (repaired <= high + rounding)
    told = chain.table.iloc[row].assign(raw_row=row, mid=mid, repaired_mid=repaired, change=change, inside=inside)
    return conform(told.reset_index(drop=True), REPAIRED)
