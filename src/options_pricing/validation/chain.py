"""A raw chain with what several rules ask of it, each computed once and with medians, so that one bad row stays one."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.run.calendar import (
    NEW_YORK,
    PM_SETTLEMENT_TIME,
    is_session,
    parse_day,
    session_close,
    year_fractions,
)
from options_pricing.validation.parity import ParityLines, fit_parity_lines

if TYPE_CHECKING:
    from options_pricing.validation.market import Market

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

# Ticks below and from $3: pennies throughout, the penny programme's, and those of the other classes.
TICK_REGIMES = ((0.01, 0.01), (0.01, 0.05), (0.05, 0.1))
TICK_CHANGES_AT = 3.0
ON_GRID_SHARE = 0.95
PRICES_FOR_A_REGIME = 20


class Contracts(NamedTuple):
    """The rows that name a contract, sorted by it: row numbers, and for each the number of its contract."""

    rows: Codes
    contract: Codes


class Chain:
    """One day's raw table as the rules see it.

    Parameters
    ----------
    table : DataFrame
        Schema `RAW`.
    day : str
        The trading day it should be of, ``YYYYMMDD``.
    previous : sequence of DataFrame
        Raw tables of earlier days, in any order; empty ones are left out.
    given_columns : sequence of str, optional
        The columns that the table had before it was brought into its schema.
    rates : DataFrame, optional
        The risk-free curve of the day: ``maturity_years``, ``par_yield``, ``curve_date``.
    meta : mapping, optional
        What is known of the fetch: ``response_codes``, and ``inputs`` with ``path`` and ``sha256`` each.

    Attributes
    ----------
    usable : ndarray of bool
        The rows that no rule has put aside so far.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        day: str,
        previous: Sequence[pd.DataFrame] = (),
        *,
        given_columns: Sequence[str] | None = None,
        rates: pd.DataFrame | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        self.table = table.reset_index(drop=True)
        self.given_columns = list(table.columns) if given_columns is None else list(given_columns)
        self.day = day
        self.date = parse_day(day)
        earlier = [frame for frame in previous if len(frame) and frame["trade_date"].max() < self.date]
        self.previous = sorted(earlier, key=lambda frame: frame["trade_date"].max())
        self.rates, self.meta = rates, meta or {}
        self.usable: Mask = np.ones(len(self.table), dtype=bool)

    def __len__(self) -> int:
        return len(self.table)

    def put_aside(self, rows: Mask) -> None:
        """Take rows out of `usable`."""
        self.usable = self.usable & ~rows

    @cached_property
    def yesterday(self) -> "Chain | None":
        """The session before, None where it is not known."""
        if not self.previous:
            return None
        table = self.previous[-1]
        return Chain(table, f"{table['trade_date'].max():%Y%m%d}")

    @cached_property
    def market(self) -> "Market":
        """The usable quotes as European out-of-the-money options; made when it is first asked for, then kept."""
        from options_pricing.validation.market import build_market

        return build_market(self)

    def column(self, name: str) -> Floats:
        """A numeric column as an array."""
        return self.table[name].to_numpy(dtype=float)

    def nothing(self) -> Mask:
        """A mask without any row."""
        return np.zeros(len(self), dtype=bool)

    @cached_property
    def bid(self) -> Floats:
        """Best bids."""
        return self.column("bid")

    @cached_property
    def ask(self) -> Floats:
        """Best asks."""
        return self.column("ask")

    @cached_property
    def mid(self) -> Floats:
        """``(bid + ask) / 2``."""
        return (self.bid + self.ask) / 2

    @cached_property
    def strike(self) -> Floats:
        """Strikes."""
        return self.column("strike")

    @cached_property
    def call(self) -> Mask:
        """Which rows are calls."""
        return (self.table["option_type"] == "C").to_numpy(dtype=bool)

    @cached_property
    def put(self) -> Mask:
        """Which rows are puts."""
        return (self.table["option_type"] == "P").to_numpy(dtype=bool)

    @cached_property
    def european(self) -> Mask:
        """Which rows can be exercised on their last day only."""
        return (self.table["exercise_style"] == "european").to_numpy(dtype=bool)

    @cached_property
    def sound(self) -> Mask:
        """Which rows have a bid and an ask that are prices, the one not above the other."""
        return np.isfinite(self.bid) & np.isfinite(self.ask) & (self.bid >= 0) & (self.ask > 0) & (self.bid <= self.ask)

    @cached_property
    def underlying_price(self) -> Floats:
        """For each row the median price of its underlying in the chain; NaN where none is positive."""
        given = self.table["underlying_price"].where(
            self.table["underlying_price"].between(0, np.inf, inclusive="neither")
        )
        return given.groupby(self.table["underlying"], dropna=False).transform("median").to_numpy(dtype=float)

    @cached_property
    def expiry(self) -> Codes:
        """For each row the number of its (underlying, root, expiration); roots are never merged."""
        columns = [self.table[name] for name in ("underlying", "root", "expiration")]
        codes = np.zeros(len(self), dtype=np.int64)
        for values in columns:
            found, kinds = pd.factorize(values, use_na_sentinel=False)
            codes = pd.factorize(codes * len(kinds) + found)[0].astype(np.int64)
        return codes

    @cached_property
    def year_fraction(self) -> Floats:
        """Years from the session's close to each row's expiry; NaN without an expiration."""
        settlement = self.table["settlement"].fillna("pm")
        both = self.expiry * 2 + (settlement == "am").to_numpy()
        _, first, code = np.unique(both, return_index=True, return_inverse=True)
        years = year_fractions(self.table["expiration"].iloc[first], settlement.iloc[first], self.close)
        return years.to_numpy(dtype=np.float64)[code]

    @cached_property
    def close(self) -> pd.Timestamp:
        """When the session closed, in UTC; 16:00 in New York where the day is no session."""
        if is_session(self.day):
            return session_close(self.day)
        return pd.Timestamp(f"{self.date:%Y-%m-%d} {PM_SETTLEMENT_TIME}", tz=NEW_YORK).tz_convert("UTC")

    @cached_property
    def contracts(self) -> Contracts:
        """Rows that name a contract, sorted by underlying, root, expiration, strike and type, then by row."""
        whole = np.isfinite(self.strike) & (self.call | self.put) & self.table["expiration"].notna().to_numpy()
        rows = np.flatnonzero(whole)
        keys = (self.call[rows], self.strike[rows], self.expiry[rows])
        rows = rows[np.lexsort((rows, *keys))]
        sorted_keys = np.column_stack([self.call[rows], self.strike[rows], self.expiry[rows]])
        new = np.any(np.diff(sorted_keys, axis=0, prepend=-1.0) != 0, axis=1)
        return Contracts(rows, np.cumsum(new) - 1)

    @cached_property
    def ticks(self) -> tuple[Floats, Floats]:
        """For each row the tick of its root below and from $3, as the root's prices show it.

        Of the three regimes there are it is the coarsest whose grid holds 95 % of the root's prices; pennies where
        there are fewer than 20.
        """
        root = pd.factorize(self.table["root"], use_na_sentinel=False)[0]
        prices, of = np.concatenate([self.bid, self.ask]), np.concatenate([root, root])
        real = np.isfinite(prices) & (prices > 0)
        prices, of, roots = prices[real], of[real], int(root.max(initial=-1)) + 1
        counted = np.bincount(of, minlength=roots)
        regime = np.zeros(roots, dtype=np.int64)
        for number, (below, above) in enumerate(TICK_REGIMES):
            on = ~off_grid(prices, np.where(prices < TICK_CHANGES_AT, below, above))
            fits = np.bincount(of[on], minlength=roots) >= ON_GRID_SHARE * counted
            regime[fits & (counted >= PRICES_FOR_A_REGIME)] = number
        ticks = np.array(TICK_REGIMES)[regime[root]]
        return ticks[:, 0], ticks[:, 1]

    def tick_at(self, price: Floats) -> Floats:
        """Each row's tick at a price."""
        below, above = self.ticks
        return np.where(price < TICK_CHANGES_AT, below, above)

    @cached_property
    def parity(self) -> ParityLines:
        """The parity line of each (underlying, root, expiration)."""
        two_sided = self.sound & (self.bid > 0)
        rows, contract = self.contracts
        rows, contract = rows[two_sided[rows]], contract[two_sided[rows]]
        once = rows[np.diff(contract, prepend=-1) != 0]
        with np.errstate(invalid="ignore"):
            half = (self.ask - self.bid) / 2
        return fit_parity_lines(once, self.expiry, self.strike, self.call, self.mid, half)

    @cached_property
    def parity_by_row(self) -> tuple[Floats, Floats]:
        """For each row the forward and the discount factor of its parity line, NaN where there is none."""
        return self.parity.forward[self.expiry], self.parity.discount_factor[self.expiry]


def off_grid(price: Floats, tick: Floats | float) -> Mask:
    """Which prices are no whole number of ticks."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        steps = price / tick
        return np.abs(steps - np.round(steps)) > 1e-4
