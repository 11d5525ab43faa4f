"""Rules on the quote itself: is it one, and is it tight and lively enough to mean something."""

import numpy as np

from options_pricing.validation.chain import Chain, Mask, off_grid
from options_pricing.validation.rule import Finding, Thresholds, rule


@rule("P01", "no price", source="all", severity="quarantine")
def priced(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with ``bid < 0``, ``ask <= 0``, or either of them null or infinite."""
    finite = np.isfinite(chain.bid) & np.isfinite(chain.ask)
    return Finding(rows=~finite | (chain.bid < 0) | (chain.ask <= 0))


@rule("P02", "no bid", source="CJS 2013; VIX white paper; Goyal-Saretto 2009", severity="quarantine")
def zero_bid(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with ``bid = 0``: nobody buys, so the mid is half of what a seller hopes for."""
    return Finding(rows=chain.bid == 0)


@rule("P03", "crossed (locked only warns)", source="Goyal-Saretto 2009", severity="quarantine")
def crossed(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with ``0 < ask < bid``; ``ask = bid`` only warns. Without an ask a row is not crossed but P01's."""
    return Finding(rows=(chain.ask < chain.bid) & (chain.ask > 0), mild_rows=(chain.ask == chain.bid) & (chain.bid > 0))


@rule("P04", "spread too wide", source="OWN", severity="quarantine", ticks=10, share_of_mid=1.0, times_bid=10)
def spread(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with ``ask - bid > max(ticks * tick, share_of_mid * mid)``, and with ``ask > times_bid * bid > 0``.

    The tick is the one that the root's own prices show (`Chain.ticks`). The literature's 5 ticks, half of mid and five
    times the bid put most two-sided quotes of the far wings into quarantine. A surface without them extrapolates there,
    and is then too easy a benchmark for the models held against it.
    """
    rounding = 1e-9
    allowed = np.maximum(limits["ticks"] * chain.tick_at(chain.mid), limits["share_of_mid"] * chain.mid)
    wide = chain.ask - chain.bid > allowed + rounding
    return Finding(rows=wide | ((chain.bid > 0) & (chain.ask > limits["times_bid"] * chain.bid + rounding)))


@rule("P05", "too cheap to fit", source="Bakshi-Cao-Chen 1997", severity="warn", least_mid=0.375)
def cheap(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with ``mid < least_mid``.

    The three eighths were six ticks of the market of 1988-91. Where options trade in pennies they would put a fifth
    of a fund's good quotes into quarantine; that is why the rule only warns unless it is told otherwise.
    """
    return Finding(rows=(chain.mid < limits["least_mid"]) & (chain.ask > 0))


@rule("P06", "price off the tick grid", source="OWN", severity="warn")
def tick_grid(chain: Chain, limits: Thresholds) -> Finding:
    """Fails where bid or ask is no whole number of the root's ticks (`Chain.ticks`). Premiums that were converted from
    a coin to dollars (settlement utc08) lie on no grid and are not judged."""
    failed = chain.nothing()
    for price in (chain.bid, chain.ask):
        failed |= np.isfinite(price) & off_grid(price, chain.tick_at(price))
    return Finding(rows=failed & (chain.table["settlement"] != "utc08").to_numpy(dtype=bool))


@rule("P07", "further out than two strikes without a bid", source="VIX white paper", severity="warn", run=2)
def beyond_the_bids(chain: Chain, limits: Thresholds) -> Finding:
    """Walking out from the money, strike by strike, fails all that lies beyond `run` consecutive zero bids.

    Puts are walked down and calls up from the expiration's parity forward (the underlying's price where it has none).
    A strike that is quoted more than once counts as bid for if one of its quotes has a bid. It only warns unless told
    otherwise: a variance swap's strip ends there, but a two-sided quote further out still says where the wing is.
    """
    forward = chain.parity_by_row[0]
    centre = np.where(np.isfinite(forward), forward, chain.underlying_price)
    failed = chain.nothing()
    with np.errstate(invalid="ignore"):
        for wing, outwards in (
            (chain.call & (chain.strike >= centre), 1.0),
            (chain.put & (chain.strike < centre), -1.0),
        ):
            failed |= _beyond_run(chain, wing, outwards, int(limits["run"]))
    return Finding(rows=failed)


def _beyond_run(chain: Chain, wing: Mask, outwards: float, run: int) -> Mask:
    rows = np.flatnonzero(wing)
    rows = rows[np.lexsort((outwards * chain.strike[rows], chain.expiry[rows]))]
    failed = chain.nothing()
    if not len(rows):
        return failed
    new_expiry = np.diff(chain.expiry[rows], prepend=-1) != 0
    new_strike = new_expiry | (np.diff(chain.strike[rows], prepend=0.0) != 0)
    strike_of = np.cumsum(new_strike) - 1
    zero = np.logical_and.reduceat(chain.bid[rows] == 0, np.flatnonzero(new_strike))
    starts = new_expiry[new_strike]
    ended = _run_lengths(zero, starts) >= run
    # Beyond means after the run's last strike: shift by one, then keep it for the rest of the expiration.
    before = np.concatenate([[False], ended[:-1]]) & ~starts
    expiry = np.cumsum(starts) - 1
    passed = np.cumsum(before)
    first = passed[np.flatnonzero(starts)] - before[np.flatnonzero(starts)]
    failed[rows[(passed > first[expiry])[strike_of]]] = True
    return failed


def _run_lengths(zero: Mask, starts: Mask) -> np.ndarray:
    """How many of the last entries, this one included, are true in a row; a start begins anew."""
    index = np.arange(len(zero))
    broken = np.maximum.accumulate(np.where(~zero, index, np.where(starts, index - 1, -1)))
    return index - broken


@rule("P08", "neither traded nor held", source="CJS 2013; Goyal-Saretto 2009", severity="warn")
def idle(chain: Chain, limits: Thresholds) -> Finding:
    """Fails with volume and open interest both zero."""
    return Finding(rows=(chain.column("volume") == 0) & (chain.column("open_interest") == 0))
