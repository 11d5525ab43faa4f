"""Forward, discount factor and yield of each expiration of a chain, for the rules that compare expirations."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from options_pricing.validation.parity import Codes, Floats, Mask

if TYPE_CHECKING:
    from options_pricing.surface.zero_curve import ZeroCurve
    from options_pricing.validation.chain import Chain

# Premia are needed of these alone, and each costs as much as fifty prices.
NEAREST_PAIRS, FEWEST_NEAREST = 8, 3
RATE_WITHOUT_CURVE = 0.04


class Carry(NamedTuple):
    """One entry per expiry number of the chain, NaN where there is none; `noise` is of the forward, in the currency."""

    forward: Floats
    discount_factor: Floats
    dividend_yield: Floats
    noise: Floats


def carry_of(chain: "Chain") -> Carry:
    """European expirations by their parity line, American ones by de-Americanised parity of the pairs nearest to it.

    The discount factors of American options are those that the day's European options imply, else those of the
    risk-free curve that came with the chain, else of `RATE_WITHOUT_CURVE`. `noise` is the least sum of half-spreads
    of a pair of the expiration over its discount factor.
    """
    lines, years = chain.parity, _years(chain)
    forward, discount = lines.forward.copy(), lines.discount_factor.copy()
    noise, low, high = np.full((3, len(forward)), np.inf)
    for least, values in ((noise, lines.pairs.half_spreads), (low, lines.pairs.strike), (high, -lines.pairs.strike)):
        np.minimum.at(least, lines.pairs.expiry, values)
    american = _american(chain)
    forward[american], dividend = np.nan, np.full(len(forward), np.nan)
    european = ~american & np.isfinite(forward) & (years > 0)
    dividend[european] = 0.0
    if american.any():
        with np.errstate(divide="ignore", invalid="ignore"):
            error = noise / (-high - low)  # A slope is off by about what its ends are.
        curve = _curve(chain, years[european], discount[european], error[european])
        _add_american(chain, american, forward, discount, dividend, curve)
    with np.errstate(invalid="ignore"):
        return Carry(forward, discount, dividend, noise / discount)


def _years(chain: "Chain") -> Floats:
    years = np.full(int(chain.expiry.max(initial=-1)) + 1, np.nan)
    years[chain.expiry] = chain.year_fraction
    return years


def _american(chain: "Chain") -> Mask:
    american = np.zeros(int(chain.expiry.max(initial=-1)) + 1, dtype=bool)
    american[chain.expiry[(chain.table["exercise_style"] == "american").to_numpy(dtype=bool)]] = True
    return american


def _curve(chain: "Chain", years: Floats, discount: Floats, error: Floats) -> "ZeroCurve":
    from options_pricing.surface.zero_curve import ZeroCurve

    fallback = ZeroCurve.flat(RATE_WITHOUT_CURVE)
    if chain.rates is not None and chain.rates["par_yield"].notna().any():
        fallback = ZeroCurve.from_par_yields(chain.rates["maturity_years"], chain.rates["par_yield"])
    return ZeroCurve.from_options(years, discount, error, fallback)


def _add_american(
    chain: "Chain", american: Mask, forward: Floats, discount: Floats, dividend: Floats, curve: "ZeroCurve"
) -> None:
    from options_pricing.surface.forwards import chain_forwards, expiration_numbers

    rows = _near_rows(chain, american)
    if not len(rows):
        return
    near = chain.table.iloc[rows].assign(year_fraction=chain.year_fraction[rows]).reset_index(drop=True)
    found = chain_forwards(near, curve=curve, min_pairs=FEWEST_NEAREST, near_share=1.0)
    number = expiration_numbers(near)
    expiry = np.zeros(len(found), dtype=np.int64)
    expiry[number] = chain.expiry[rows]
    forward[expiry] = found["forward"].to_numpy()
    discount[expiry] = found["discount_factor"].to_numpy()
    dividend[expiry] = found["dividend_yield"].to_numpy()


def _near_rows(chain: "Chain", american: Mask) -> Codes:
    """Both legs of each American expiration's usable pairs that are struck nearest to its parity line's forward."""
    pairs, forward = chain.parity.pairs, chain.parity.forward
    fit = (
        american[pairs.expiry] & chain.usable[pairs.call] & chain.usable[pairs.put] & np.isfinite(forward[pairs.expiry])
    )
    fit &= chain.year_fraction[pairs.call] > 0
    chosen = np.flatnonzero(fit)
    expiry, distance = pairs.expiry[chosen], np.abs(pairs.strike[chosen] - forward[pairs.expiry[chosen]])
    order = np.lexsort((distance, expiry))
    count = np.bincount(expiry, minlength=len(forward))
    rank = np.arange(len(order)) - (np.cumsum(count) - count)[expiry[order]]
    chosen = chosen[np.sort(order[rank < NEAREST_PAIRS])]
    return np.concatenate([pairs.call[chosen], pairs.put[chosen]])
