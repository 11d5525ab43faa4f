"""The simulated market as a source of chains."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from options_pricing.quotes.schema import RAW, TRUTH, names
from options_pricing.run.calendar import is_session, parse_day, why_no_session
from options_pricing.run.errors import UpstreamError
from options_pricing.sources.base import RawChain
from options_pricing.sources.simulated.contracts import Contracts, listed_contracts, true_values
from options_pricing.sources.simulated.defects import Rows, plant
from options_pricing.sources.simulated.instruments import INSTRUMENTS, Density
from options_pricing.sources.simulated.listing import expirations
from options_pricing.sources.simulated.process import market_path
from options_pricing.sources.simulated.quoting import Market, quote, quote_time

OPENS, ENDS = "20010102", "20321231"
TRUE = ["true_implied_vol", "true_forward", "true_discount_factor", "true_price"]
DECIMALS = 10


class SimulatedMarket:
    """Chains of a market that exists only in the seed.

    Parameters
    ----------
    seed : int
        Another seed is another market.
    underlyings : sequence of str
        Among ``XIDX`` (an index), ``XETF`` (a fund on it), ``XTEC`` and ``XOIL`` (stocks), in the order of the table.
    density : str
        How many expirations and strikes are listed: ``tiny``, ``normal`` or ``full``.
    defects : float
        Share of rows with a planted defect.
    """

    name = "simulated"
    simulated = True

    def __init__(self, seed: int, underlyings: Sequence[str], density: Density, defects: float) -> None:
        self._seed, self._underlyings, self._density, self._defects = seed, tuple(underlyings), density, defects

    def request(self, day: str) -> dict[str, Any]:
        """What is asked for `day`."""
        return {
            "source": self.name,
            "day": day,
            "seed": self._seed,
            "underlyings": list(self._underlyings),
            "density": self._density,
            "defects": self._defects,
        }

    def chain(self, day: str) -> RawChain:
        """The chain of one trading day with its truth; the same bytes whatever was asked before.

        Raises
        ------
        UpstreamError
            The market does not trade on that day.
        """
        if not OPENS <= day <= ENDS:
            raise UpstreamError(
                f"the simulated market has no {day}", why=f"it runs from {OPENS} to {ENDS}", fix="ask for a day within"
            )
        if not is_session(day):
            raise UpstreamError(
                f"the simulated market has no {day}", why=why_no_session(day), fix="ask for a trading day"
            )
        date = np.datetime64(parse_day(day), "D")
        markets = [
            Market(INSTRUMENTS[name], self._seed, market_path(name, self._seed), date) for name in self._underlyings
        ]
        listed = [listed_contracts(m.instrument, self._density, m.path, m.day) for m in markets]
        clean = pd.concat([_rows(m, c) for m, c in zip(markets, listed, strict=True)], ignore_index=True)
        memory = _Memory(markets, listed, self._density)
        planted = plant(clean, self._defects, f"{self._seed}/{day}/defects", memory)
        table = _sorted(planted, self._underlyings)
        return RawChain(
            quotes=table[[n for n in names(RAW) if n in table]],
            request=self.request(day),
            captured_at=f"{quote_time(date):%Y-%m-%dT%H:%M:%SZ}",
            truth=table[names(TRUTH)],
        )


class _Memory:
    """Quotes of other days, for the defects that copy them."""

    def __init__(self, markets: list[Market], listed: list[Contracts], density: Density) -> None:
        self._markets, self._listed, self._density = markets, listed, density

    def yesterday(self, rows: Rows) -> pd.DataFrame:
        """The clean quotes of these rows' contracts a session ago; a null bid where one was not listed then."""
        parts, start = [], 0
        for market, contracts in zip(self._markets, self._listed, strict=True):
            here = (rows >= start) & (rows < start + len(contracts))
            before = _on(market, market.path.sessions[market.path.at(market.day) - 1])
            wanted = contracts.take(rows[here] - start)
            part = _rows(before, wanted)
            known = listed_contracts(market.instrument, self._density, market.path, before.day)
            part["bid"] = part["bid"].where(np.isin(wanted.codes, known.codes))
            parts.append(part.set_index(np.flatnonzero(here)))
            start += len(contracts)
        return pd.concat(parts).sort_index()

    def expired(self) -> pd.DataFrame:
        """Each underlying's latest expired expiration as it was quoted a session before its end, under today's date."""
        return pd.concat([self._expired(market) for market in self._markets], ignore_index=True)

    def _expired(self, market: Market) -> pd.DataFrame:
        sessions = market.path.sessions
        rules = market.instrument.rules[self._density]
        last = market.path.at(market.day) - 1
        while all(expiration.date != sessions[last] for expiration in expirations(rules, sessions[last - 1], sessions)):
            last -= 1
        before = _on(market, sessions[last - 1])
        contracts = listed_contracts(market.instrument, self._density, market.path, before.day)
        rows = _rows(before, contracts.take(contracts.dates == sessions[last]))
        rows["trade_date"], rows["quote_time"] = pd.Timestamp(market.day), quote_time(market.day)
        rows["underlying_price"], rows[TRUE] = market.spot, np.nan
        return rows[rows["bid"] > 0]


def _on(market: Market, day: np.datetime64) -> Market:
    return market._replace(day=day)


def _rows(market: Market, contracts: Contracts) -> pd.DataFrame:
    """The clean raw rows of `contracts` with their truth."""
    truth = true_values(market.instrument, market.path, market.day, contracts)
    values = [truth.implied_vol, truth.forward, truth.discount_factor, truth.price]
    rounded = {name: np.round(value, DECIMALS) for name, value in zip(TRUE, values, strict=True)}
    return quote(market, contracts, truth).assign(**rounded)


def _sorted(table: pd.DataFrame, underlyings: Sequence[str]) -> pd.DataFrame:
    """By contract; a duplicate follows its original."""
    rank = table["underlying"].map({name: i for i, name in enumerate(underlyings)})
    keys = ["rank", "root", "expiration", "strike", "option_type"]
    ordered = table.assign(rank=rank).sort_values(keys, kind="stable", ignore_index=True)
    return ordered.assign(raw_row=np.arange(len(ordered)))
