"""How contracts are quoted and traded: markets around the truth, on ticks; volume, open interest, the vendor's vol.

The truth always lies between bid and ask: noise in the mid is smaller than half the spread, and prices are rounded
outwards.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from options_pricing.quotes.osi import build_symbols
from options_pricing.run.calendar import exchange
from options_pricing.sources.base import STANDARD_MULTIPLIER
from options_pricing.sources.simulated.contracts import Contracts, Truth
from options_pricing.sources.simulated.draws import Array, normals, uniforms
from options_pricing.sources.simulated.instruments import Instrument, Spreads
from options_pricing.sources.simulated.process import Path

TICK_CHANGES_AT = 3.0
CENTS = 100
CAPTURED_AFTER = pd.Timedelta(minutes=15)
LAZY_SHARE = 0.08
NO_BID_SHARE = 0.35
VENDOR_FAILS = 0.03
OLDEST_TRADE = 30
LEAST_DEMAND = -30.0
NANOSECONDS = 1_000_000_000


class Activity(NamedTuple):
    """Volume of the day, open interest, and how much a contract is in demand (log scale, 0 being typical)."""

    volume: Array
    open_interest: Array
    demand: Array


class Market(NamedTuple):
    """One underlying at one close: everything that quoting needs beside the contracts."""

    instrument: Instrument
    seed: int
    path: Path
    day: np.datetime64

    @property
    def spot(self) -> float:
        """The closing price."""
        return float(self.path.spot[self.path.at(self.day)])

    @property
    def today(self) -> str:
        """Name of the streams of draws that belong to this day."""
        return f"{self.seed}/{self.instrument.name}/{self.day}"

    @property
    def ever(self) -> str:
        """Name of the streams of draws that a contract keeps for life."""
        return f"{self.seed}/{self.instrument.name}"


def quote(market: Market, contracts: Contracts, truth: Truth) -> pd.DataFrame:
    """The raw rows of `contracts` at the close, in their order, without any defect."""
    activity = _activity(market, contracts, truth)
    bid, ask = _bid_ask(market, contracts, truth, activity)
    last_price, last_time = _last_trade(market, contracts, truth, activity, bid, ask)
    rows = len(contracts)
    expiration = pd.Series(contracts.dates.astype("datetime64[s]"))
    option_type = np.where(contracts.call, "C", "P")
    symbols = build_symbols(pd.Series(contracts.roots), expiration, pd.Series(option_type), pd.Series(contracts.strike))
    return pd.DataFrame(
        {
            "source": np.full(rows, "simulated", dtype=object),
            "underlying": np.full(rows, market.instrument.name, dtype=object),
            "root": contracts.roots,
            "contract_symbol": symbols,
            "trade_date": np.full(rows, market.day.astype("datetime64[s]")),
            "expiration": expiration,
            "strike": contracts.strike,
            "option_type": option_type,
            "exercise_style": np.full(rows, market.instrument.exercise_style, dtype=object),
            "settlement": contracts.settlements,
            "multiplier": np.full(rows, STANDARD_MULTIPLIER),
            "bid": bid,
            "ask": ask,
            "bid_size": np.where(bid > 0, _sizes(market, contracts, activity, "bid_size"), 0.0),
            "ask_size": _sizes(market, contracts, activity, "ask_size"),
            "last_price": last_price,
            "volume": activity.volume,
            "open_interest": activity.open_interest,
            "underlying_price": np.full(rows, market.spot),
            "quote_time": pd.Series([quote_time(market.day)] * rows, dtype="datetime64[s, UTC]"),
            "last_trade_time": last_time,
            "vendor_implied_vol": _vendor_vol(market, contracts, truth, bid),
        }
    )


def quote_time(day: np.datetime64) -> pd.Timestamp:
    """When the chain of a session is captured, in UTC."""
    return exchange().session_close(pd.Timestamp(day)) + CAPTURED_AFTER


def tick_down(price: Array, spreads: Spreads) -> Array:
    """The tick at or below each price."""
    return _on_ticks(price, spreads, np.floor, 1e-9)


def tick_up(price: Array, spreads: Spreads) -> Array:
    """The tick at or above each price."""
    return _on_ticks(price, spreads, np.ceil, -1e-9)


def _on_ticks(price: Array, spreads: Spreads, rounding: np.ufunc, slack: float) -> Array:
    low, high = round(spreads.low_tick * CENTS), round(spreads.high_tick * CENTS)
    cents = np.where(price < TICK_CHANGES_AT, low, high)
    # Whole cents over 100 is the double nearest to the decimal price, so that files show 1.35 and not 1.3500000001.
    return rounding(price * CENTS / cents + slack) * cents / CENTS


def _depth(market: Market, contracts: Contracts, truth: Truth) -> Array:
    """How far in the money, in deviations of the underlying until the expiry (negative out of the money)."""
    distance = np.log(truth.forward / contracts.strike) / truth.deviation
    return np.where(contracts.call, distance, -distance)


def _activity(market: Market, contracts: Contracts, truth: Truth) -> Activity:
    """Volume and open interest: mostly nothing, now and then a great deal, most of it a little out of the money."""
    depth, codes = _depth(market, contracts, truth), contracts.codes
    place = np.where(depth < 0, -0.5 * ((depth + 0.4) / 1.2) ** 2, -0.5 * (depth / 0.6) ** 2 - 0.3)
    place = np.maximum(place, LEAST_DEMAND)
    step = market.instrument.ladder[0]
    roundness = 1.0 * (contracts.strike % (5 * step) == 0) + 0.9 * (contracts.strike % (20 * step) == 0)
    time = -0.6 * np.log(truth.year_fraction + 0.03)
    demand = place + roundness + time + np.log(market.instrument.activity)
    lasting = normals(f"{market.ever}/demand", codes)
    age = (market.day - contracts.listed).astype(np.int64)
    grown = np.log(np.clip(age / 30, 0.02, 1.0))
    open_interest = np.exp(0.2 + 1.6 * demand - 0.8 * time + grown + 2.9 * lasting)
    open_interest *= 1 + 0.02 * normals(f"{market.today}/open_interest", codes)
    volume = np.exp(-2.2 + 1.7 * demand + 1.2 * lasting + 2.4 * normals(f"{market.today}/volume", codes))
    return Activity(np.floor(volume), np.floor(open_interest), demand)


def _bid_ask(market: Market, contracts: Contracts, truth: Truth, activity: Activity) -> tuple[Array, Array]:
    """Bid and ask around the truth, rounded outwards to ticks; a hopeless bid is no bid."""
    spreads, codes = market.instrument.spreads, contracts.codes
    lazy = (uniforms(f"{market.today}/lazy", codes) < LAZY_SHARE) & (activity.volume == 0)
    half = _widths(market, contracts, truth, lazy) / 2
    centre = truth.price + half * _mid_noise(market, contracts, truth, lazy)
    bid = tick_down(np.maximum(centre - half, 0.0), spreads)
    ask = np.maximum(tick_up(centre + half, spreads), spreads.low_tick)
    unwanted = uniforms(f"{market.today}/no_bid", codes) < NO_BID_SHARE
    bid[(bid <= spreads.low_tick) & unwanted] = 0.0
    return bid, ask


def _widths(market: Market, contracts: Contracts, truth: Truth, lazy: Array) -> Array:
    """Width of each market in currency, before ticks: wide in percent out of the money, in currency in the money."""
    spreads = market.instrument.spreads
    parity = truth.discount_factor * (truth.forward - contracts.strike)
    inner = np.maximum(np.where(contracts.call, parity, -parity), 0.0)
    outer_price = np.maximum(truth.price - inner, 0.0)
    far = 1 + 0.5 * np.sqrt(truth.year_fraction)
    deep = np.clip((_depth(market, contracts, truth) - 0.2) / 2.0, 0.0, 1.0)
    width = (spreads.floor + spreads.slope * outer_price**0.4) * far
    width += spreads.deep * market.spot * deep**2 * (3 - 2 * deep)
    width *= np.exp(0.25 * normals(f"{market.today}/width", contracts.codes))
    return width * np.where(lazy, 2.5, 1.0)


def _mid_noise(market: Market, contracts: Contracts, truth: Truth, lazy: Array) -> Array:
    """Where the truth lies in the market, in half-spreads within (-1, 1): an expiration's lean and each quote's own.

    A lazy quote was not moved for a while and is further off.
    """
    by_expiration = contracts.dates.astype(np.int64) * 2 + (contracts.settlements == "am")
    lean = normals(f"{market.today}/lean", by_expiration)
    tilt = normals(f"{market.today}/tilt", by_expiration) * np.tanh(_depth(market, contracts, truth) / 2)
    own = 2 * uniforms(f"{market.today}/mid", contracts.codes) - 1
    return 0.25 * np.tanh(lean) + 0.1 * np.tanh(tilt) + np.where(lazy, 0.6, 0.35) * own


def _last_trade(
    market: Market, contracts: Contracts, truth: Truth, activity: Activity, bid: Array, ask: Array
) -> tuple[Array, pd.Series]:
    """Price and time of each contract's last trade: today between bid and ask, or days ago, or never."""
    codes, sessions = contracts.codes, market.path.sessions
    traded = activity.volume > 0
    oldest = market.path.at(market.day) - np.searchsorted(sessions, contracts.listed)
    known = traded | ((activity.open_interest > 0) & (oldest > 0))
    draws = uniforms(f"{market.today}/trade", codes)
    ever = uniforms(f"{market.ever}/trade", codes)
    age = np.where(traded, 0, 1 + np.floor(-np.log(ever) * np.exp(1.5 - 0.5 * activity.demand)))
    age = np.clip(age, 0, np.clip(oldest, 0, OLDEST_TRADE)).astype(np.int64)
    drifted = truth.price * np.exp(0.25 * np.sqrt(age / 20) * normals(f"{market.today}/drift", codes))
    price = np.where(traded, bid + draws * (ask - bid), drifted)
    price = np.maximum(tick_down(price, market.instrument.spreads), market.instrument.spreads.low_tick)
    position = market.path.at(market.day) - age
    opens, closes = exchange().opens_nanos[position], exchange().closes_nanos[position]
    seconds = (opens + draws * (closes - opens)) // NANOSECONDS
    times = pd.Series(seconds.astype("datetime64[s]")).dt.tz_localize("UTC")
    return np.where(known, price, np.nan), times.where(known)


def _sizes(market: Market, contracts: Contracts, activity: Activity, side: str) -> Array:
    """Contracts bid for or offered: tens near the money, hundreds now and then."""
    return np.ceil(np.exp(2.0 + 0.4 * activity.demand + normals(f"{market.today}/{side}", contracts.codes)))


def _vendor_vol(market: Market, contracts: Contracts, truth: Truth, bid: Array) -> Array:
    """The vendor's vol: noisy, worse far from the money, and 0 where his solver gives up."""
    noise = normals(f"{market.today}/vendor", contracts.codes)
    depth = _depth(market, contracts, truth)
    vol = truth.implied_vol * (1 + (0.006 + 0.006 * np.abs(depth)) * noise)
    parity = truth.discount_factor * (truth.forward - contracts.strike)
    time_value = truth.price - np.maximum(np.where(contracts.call, parity, -parity), 0.0)
    fails = uniforms(f"{market.today}/vendor_fails", contracts.codes) < VENDOR_FAILS
    return np.where((bid <= 0) | (time_value < market.instrument.spreads.low_tick / 2) | fails, 0.0, np.round(vol, 4))
