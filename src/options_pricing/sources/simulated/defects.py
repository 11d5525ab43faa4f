"""Planted defects: wrong rows at a known rate, at most one defect a row, each with its name in the truth."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.sources.simulated.draws import Array, uniforms
from options_pricing.sources.simulated.instruments import INSTRUMENTS
from options_pricing.sources.simulated.quoting import tick_down, tick_up

ADDED = ("duplicate", "expired")
# "null_quote", for readers of CSV take "null" for an empty field.
KINDS = ("broken_parity", "stale", "crossed", "negative", "null_quote", *ADDED)
STALE_COLUMNS = [
    "bid", "ask", "bid_size", "ask_size", "last_price", "volume", "open_interest", "last_trade_time",
    "vendor_implied_vol",
]  # fmt: skip
SMALLEST_SHIFT, LARGEST_SHIFT = 0.004, 0.012
CANDIDATES = 4

Rows = NDArray[np.intp]


class Memory(Protocol):
    """Quotes of other days, which some defects copy."""

    def yesterday(self, rows: Rows) -> pd.DataFrame:
        """The clean quotes of these rows' contracts a session ago; a null bid where one was not listed then."""

    def expired(self) -> pd.DataFrame:
        """Rows of contracts that have expired, with the last quotes they had, under today's date."""


def plant(clean: pd.DataFrame, share: float, name: str, memory: Memory) -> pd.DataFrame:
    """Plant defects in a chain.

    Parameters
    ----------
    clean : DataFrame
        The columns of `RAW` and of the truth; call and put of one contract on neighbouring rows, 0 and 1, 2 and 3...
    share : float
        Defective rows over all rows of the result, in equal parts for the kinds that are possible: ``duplicate``
        and ``expired`` add a row, the others change one. Where a kind finds too few rows, the result has fewer.
    name : str
        Of the stream of draws.
    memory : Memory
        Where stale and expired quotes come from.

    Returns
    -------
    DataFrame
        With a column ``defect``, null in sound rows; unsorted, index 0...
    """
    rows = clean.assign(defect=None)
    if not len(rows):
        return rows
    planting = _Planting(rows, name)
    counts = _counts(share, planting, name)
    planting.change("broken_parity", counts, planting.may_break_parity(), _break_parity)
    planting.copy_yesterday(counts["stale"], memory)
    two_sided = planting.two_sided()
    planting.change("crossed", counts, two_sided & (rows["ask"] > rows["bid"]).to_numpy(), _cross)
    planting.change("negative", counts, two_sided, _negate)
    planting.change("null_quote", counts, two_sided, _drop)
    copies = planting.pick(counts["duplicate"], two_sided)
    added = [planting.rows.iloc[copies].assign(defect="duplicate")]
    if counts["expired"]:
        leftovers = memory.expired()
        order = np.argsort(uniforms(f"{name}/expired", np.arange(len(leftovers))), kind="stable")
        added.append(leftovers.iloc[order[: counts["expired"]]].assign(defect="expired"))
    return pd.concat([planting.rows, *added], ignore_index=True)


def _counts(share: float, planting: "_Planting", name: str) -> dict[str, int]:
    """How many rows of each kind; what does not divide evenly goes to kinds that take turns from day to day."""
    kinds = [kind for kind in KINDS if kind != "broken_parity" or planting.may_break_parity().any()]
    total = round(share * len(planting.rows) / (1 - share * len(ADDED) / len(kinds)))
    each, left = divmod(total, len(kinds))
    first = int(uniforms(f"{name}/turn", np.zeros(1, dtype=np.int64))[0] * len(kinds))
    counts = {kind: each + ((i - first) % len(kinds) < left) for i, kind in enumerate(kinds)}
    return {kind: counts.get(kind, 0) for kind in KINDS}


class _Planting:
    """The rows of a chain and which of them a defect may still be planted in."""

    def __init__(self, rows: pd.DataFrame, name: str) -> None:
        self.rows = rows
        self._name = name
        self._free = np.ones(len(rows), dtype=bool)
        self._order = np.argsort(uniforms(f"{name}/order", np.arange(len(rows))), kind="stable")

    def two_sided(self) -> NDArray[np.bool_]:
        """Rows with a bid, where a defect can be seen."""
        return (self.rows["bid"] > 0).to_numpy()

    def may_break_parity(self) -> NDArray[np.bool_]:
        """European rows with a bid whose counterpart has one too."""
        two_sided = self.two_sided() & (self.rows["exercise_style"] == "european").to_numpy()
        return two_sided & two_sided[_counterpart(np.arange(len(two_sided)))]

    def pick(self, count: int, eligible: NDArray[np.bool_]) -> Rows:
        """Take up to `count` free and eligible rows; they and their counterparts are not free any more."""
        taken: list[int] = []
        for row in self._order[(eligible & self._free)[self._order]]:
            if len(taken) == count:
                break
            if self._free[row]:
                taken.append(int(row))
                self._free[[row, _counterpart(row)]] = False
        return np.array(taken, dtype=np.intp)

    def change(
        self,
        kind: str,
        counts: dict[str, int],
        eligible: NDArray[np.bool_],
        defect: Callable[[pd.DataFrame, Array], pd.DataFrame],
    ) -> None:
        """Plant a kind of defect that changes bid and ask."""
        rows = self.pick(counts[kind], eligible)
        changed = defect(self.rows.iloc[rows], uniforms(f"{self._name}/{kind}", rows))
        self._write(kind, rows, changed[["bid", "ask"]])

    def copy_yesterday(self, count: int, memory: Memory) -> None:
        """Plant yesterday's quotes, where they differ from today's."""
        order = self._order[(self._free & self.two_sided())[self._order]][: CANDIDATES * count]
        old = memory.yesterday(order)
        today = self.rows.iloc[order]
        differ = (old["bid"].to_numpy() != today["bid"].to_numpy()) | (old["ask"].to_numpy() != today["ask"].to_numpy())
        eligible = np.zeros(len(self.rows), dtype=bool)
        eligible[order[old["bid"].notna().to_numpy() & differ]] = True
        rows = self.pick(count, eligible)
        self._write("stale", rows, old.set_index(order).loc[rows, STALE_COLUMNS])

    def _write(self, kind: str, rows: Rows, values: pd.DataFrame) -> None:
        labels = self.rows.index[rows]
        for column in values:
            self.rows.loc[labels, column] = values[column].to_numpy()
        self.rows.loc[labels, "defect"] = kind


def _counterpart(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of the same expiration and strike and the other type."""
    return rows ^ 1


def _break_parity(rows: pd.DataFrame, draws: Array) -> pd.DataFrame:
    """Both sides of the quote moved by 0.4 to 1.2 % of the forward and a few spreads more."""
    spread = (rows["ask"] - rows["bid"]).to_numpy()
    shift = rows["true_forward"].to_numpy() * (SMALLEST_SHIFT + (LARGEST_SHIFT - SMALLEST_SHIFT) * draws) + 3 * spread
    down = (rows["bid"].to_numpy() > 2 * shift) & (draws * 1000 % 2 < 1)
    shift = np.where(down, -shift, shift)
    bid, ask = rows["bid"].to_numpy() + shift, rows["ask"].to_numpy() + shift
    for underlying in rows["underlying"].unique():
        of, spreads = (rows["underlying"] == underlying).to_numpy(), INSTRUMENTS[underlying].spreads
        bid[of], ask[of] = tick_down(bid[of], spreads), tick_up(ask[of], spreads)
    return rows.assign(bid=bid, ask=ask)


def _cross(rows: pd.DataFrame, draws: Array) -> pd.DataFrame:
    """Bid and ask exchanged."""
    return rows.assign(bid=rows["ask"], ask=rows["bid"])


def _negate(rows: pd.DataFrame, draws: Array) -> pd.DataFrame:
    """The sign of the bid or of the ask turned."""
    on_bid = draws < 0.5
    return rows.assign(bid=rows["bid"] * np.where(on_bid, -1, 1), ask=rows["ask"] * np.where(on_bid, 1, -1))


def _drop(rows: pd.DataFrame, draws: Array) -> pd.DataFrame:
    """Bid, ask or both left out."""
    return rows.assign(bid=rows["bid"].where(draws > 2 / 3), ask=rows["ask"].where(draws < 1 / 3))
