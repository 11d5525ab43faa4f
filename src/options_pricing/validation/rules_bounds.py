"""Rules on what an option may cost, whatever the model."""

import numpy as np
import pandas as pd

from options_pricing.run.calendar import DAYS_A_YEAR
from options_pricing.validation.chain import Chain, Floats, Mask
from options_pricing.validation.parity import blame
from options_pricing.validation.rule import Finding, Thresholds, rule

UNDERLYING_SHARE = 0.005


def _intrinsic(chain: Chain, level: Floats) -> Floats:
    return np.maximum(np.where(chain.call, level - chain.strike, chain.strike - level), 0.0)


def _on_the_line(chain: Chain) -> Mask:
    lines = chain.parity
    return (chain.strike >= lines.lowest[chain.expiry]) & (chain.strike <= lines.highest[chain.expiry])


@rule("B01", "offered below its lower bound", source="Merton 1973", severity="quarantine", share_of_forward=0.0025)
def lower_bound(chain: Chain, limits: Thresholds) -> Finding:
    """European: fails with ``ask < D max(F - K, 0) - tol`` for a call, ``D max(K - F, 0) - tol`` for a put.

    `F` and `D` are those of the expiration's parity line, and ``tol = max(tick, share_of_forward * F)``. Strikes
    beyond those that the line was found from are not judged: an error of `D` grows with the distance.
    """
    forward, discount = chain.parity_by_row
    tolerance = np.maximum(chain.tick_at(chain.ask), limits["share_of_forward"] * forward)
    with np.errstate(invalid="ignore"):
        below = chain.ask < discount * _intrinsic(chain, forward) - tolerance
    return Finding(rows=chain.european & _on_the_line(chain) & (chain.ask > 0) & below)


@rule(
    "B02",
    "offered below its exercise value",
    source="Bates (Heston repository)",
    severity="quarantine",
    share_of_underlying=UNDERLYING_SHARE,
)
def exercise_value(chain: Chain, limits: Thresholds) -> Finding:
    """American: fails with ``ask < max(S - K, 0) - tol`` for a call, ``max(K - S, 0) - tol`` for a put.

    ``tol = max(tick, share_of_underlying * S)``: the price of the underlying is not simultaneous with the quotes. After
    hours SPY's was up to 0.4 % away from the close that its options were quoted at.
    """
    tolerance = np.maximum(chain.tick_at(chain.ask), limits["share_of_underlying"] * chain.underlying_price)
    american = (chain.table["exercise_style"] == "american").to_numpy(dtype=bool)
    with np.errstate(invalid="ignore"):
        below = chain.ask < _intrinsic(chain, chain.underlying_price) - tolerance
    return Finding(rows=american & (chain.ask > 0) & below)


@rule(
    "B03",
    "bid above its upper bound",
    source="Visagie 2025, eq. 1-2",
    severity="quarantine",
    share_of_underlying=UNDERLYING_SHARE,
)
def upper_bound(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with ``bid > S (1 + share_of_underlying)`` for a call, ``bid > K`` for a put, ``bid > K D`` if European.

    The share is there as in B02; `D` is that of the expiration's parity line, 1 where it has none.
    """
    discount = np.where(chain.european, chain.parity_by_row[1], 1.0)
    most_put = chain.strike * np.where(np.isfinite(discount), np.minimum(discount, 1.0), 1.0) + chain.tick_at(chain.bid)
    most_call = chain.underlying_price * (1 + limits["share_of_underlying"])
    with np.errstate(invalid="ignore"):
        return Finding(rows=(chain.call & (chain.bid > most_call)) | (chain.put & (chain.bid > most_put)))


@rule("B04", "mid below its lower bound, so without implied vol", source="OptionMetrics", severity="warn")
def no_implied_vol(chain: Chain, limits: Thresholds) -> Finding:
    """European: fails with ``(bid + ask) / 2 < D max(F - K, 0)`` for a call, ``D max(K - F, 0)`` for a put.

    Deep in the money half a spread is worth more than all the time that is left; such quotes are right, and they still
    say where the forward is, but they have no implied vol. Strikes are judged as in B01. American mids are not judged:
    their bound needs a price of the underlying from the same moment.
    """
    forward, discount = chain.parity_by_row
    with np.errstate(invalid="ignore"):
        below = chain.mid < discount * _intrinsic(chain, forward)
    return Finding(rows=chain.european & _on_the_line(chain) & chain.sound & below)


@rule(
    "B05",
    "breaks put-call parity",
    source="CJS 2013; VIX white paper; Merton 1973 for American options",
    severity="quarantine",
    share_of_forward=0.0025,
    share_of_underlying=UNDERLYING_SHARE,
    highest_rate=0.10,
    highest_yield=0.10,
)
def parity(chain: Chain, limits: Thresholds) -> Finding:
    """Fails where a call and a put of one strike do not belong together.

    European: the pair's forward ``K + (C - P) / D`` is off its expiration's median by more than
    ``max(h / D, share_of_forward * F)``, with `h` the sum of both half-spreads. American: outside of
    ``S e^(-y T) - K - h - tol <= C - P <= S - K e^(-r T) + h + tol`` with the highest rate `r` and yield `y` (dividends
    and borrowing cost) thought possible and ``tol = share_of_underlying * S``. Of a pair, the leg that is far from its
    neighbours fails; both do where that does not tell them apart.
    """
    pairs = chain.parity.pairs
    european = chain.european[pairs.call] & chain.european[pairs.put]
    with np.errstate(invalid="ignore"):
        wrong = np.where(european, _off_the_line(chain, limits), _outside_the_band(chain, limits))
    call, put = blame(pairs, wrong, chain.mid)
    failed = chain.nothing()
    failed[pairs.call[call]] = True
    failed[pairs.put[put]] = True
    return Finding(rows=failed)


def _off_the_line(chain: Chain, limits: Thresholds) -> Mask:
    lines = chain.parity
    pairs, forward = lines.pairs, lines.forward[lines.pairs.expiry]
    noise = pairs.half_spreads / lines.discount_factor[pairs.expiry]
    return np.abs(lines.implied - forward) > np.maximum(noise, limits["share_of_forward"] * forward)


def _outside_the_band(chain: Chain, limits: Thresholds) -> Mask:
    pairs = chain.parity.pairs
    spot, years = chain.underlying_price[pairs.call], np.maximum(chain.year_fraction[pairs.call], 0.0)
    slack = pairs.half_spreads + limits["share_of_underlying"] * spot
    least = spot * np.exp(-limits["highest_yield"] * years) - pairs.strike - slack
    most = spot - pairs.strike * np.exp(-limits["highest_rate"] * years) + slack
    return (pairs.gap < least) | (pairs.gap > most)


@rule(
    "B06",
    "implied rate out of range",
    source="CJS 2013 (below 0)",
    severity="quarantine",
    lowest=0.0,
    highest=0.25,
    fewest_days=7,
)
def implied_rate(chain: Chain, limits: Thresholds) -> Finding:
    """Fails where ``r = -log(D) / T`` of an expiration's parity line is outside of ``[lowest - e, highest + e]``.

    `e` is what the spreads leave open of the rate: the median sum of half-spreads of a pair over half the range of
    strikes and `T`. European expirations of at least `fewest_days`, for over a shorter time the line tells no rate.
    Once it only warns; rows fail where the same expiration was out of range on the session before as well.
    """
    wrong = _rate_out_of_range(chain, limits)
    again: set[tuple[str, str, pd.Timestamp]] = set()
    if wrong.any() and chain.yesterday is not None:
        again = _names_of(chain.yesterday, _rate_out_of_range(chain.yesterday, limits))
    repeated = np.zeros(len(wrong), dtype=bool)
    for number, name in _names(chain, wrong):
        repeated[number] = name in again
    rows = chain.european & wrong[chain.expiry]
    return Finding(rows=rows & repeated[chain.expiry], mild_rows=rows)


def _rate_out_of_range(chain: Chain, limits: Thresholds) -> Mask:
    """Which expirations, by number, have a parity line whose rate cannot be."""
    lines, pairs = chain.parity, chain.parity.pairs
    years, half = np.full(len(lines.forward), np.nan), np.full(len(lines.forward), np.nan)
    years[chain.expiry] = np.where(chain.european, chain.year_fraction, np.nan)
    found = pd.Series(pairs.half_spreads).groupby(pairs.expiry).median()
    half[found.index] = found.to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = -np.log(lines.discount_factor) / years
        error = 2 * half / (lines.highest - lines.lowest) / years
        out = (rate < limits["lowest"] - error) | (rate > limits["highest"] + error)
    return out & (years * DAYS_A_YEAR >= limits["fewest_days"])


def _names(chain: Chain, expirations: Mask) -> list[tuple[int, tuple[str, str, pd.Timestamp]]]:
    if not expirations.any():
        return []
    number, first = np.unique(chain.expiry, return_index=True)
    wanted = first[expirations[number]]
    table = chain.table.iloc[wanted][["underlying", "root", "expiration"]]
    return list(zip(chain.expiry[wanted].tolist(), table.itertuples(index=False, name=None), strict=True))


def _names_of(chain: Chain, expirations: Mask) -> set[tuple[str, str, pd.Timestamp]]:
    return {name for _, name in _names(chain, expirations)}
