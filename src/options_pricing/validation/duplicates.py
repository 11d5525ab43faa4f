"""Contracts that a chain names more than once: which of their quotes stays."""

import numpy as np

from options_pricing.pricing.implied_vol import implied_vol
from options_pricing.validation.chain import Chain, Codes, Floats, Mask

NO_PRICE = -np.inf


def repeated_quotes(chain: Chain) -> Mask:
    """Rows that repeat the contract, bid and ask of a row before them."""
    rows, contract, bid, ask = _sorted_by_price(chain)
    again = _same_as_before(contract) & _same_as_before(bid) & _same_as_before(ask)
    found = chain.nothing()
    found[rows[again]] = True
    return found


def worse_quotes(chain: Chain) -> Mask:
    """Rows of contracts with several quotes, but for the quote that stays.

    It is the one whose implied vol is nearest to that of the neighbouring strikes; unsound quotes come last, and
    what is equally good is decided by the order of the rows.
    """
    rows, contract, bid, ask = _sorted_by_price(chain)
    changes = _same_as_before(contract) & ~(_same_as_before(bid) & _same_as_before(ask))
    rivals = np.isin(contract, contract[changes])
    found = chain.nothing()
    if not rivals.any():
        return found
    rows, contract, bid, ask = rows[rivals], contract[rivals], bid[rivals], ask[rivals]
    distance = _distance_from_neighbours(chain, rows)
    order = np.lexsort((rows, distance, ~chain.sound[rows], contract))
    first = order[~_same_as_before(contract[order])]
    best = first[np.searchsorted(contract[first], contract)]
    found[rows[(bid != bid[best]) | (ask != ask[best])]] = True
    return found


def _sorted_by_price(chain: Chain) -> tuple[Codes, Codes, Floats, Floats]:
    rows, contract = chain.contracts
    bid, ask = (np.where(np.isfinite(price), price, NO_PRICE)[rows] for price in (chain.bid, chain.ask))
    order = np.lexsort((rows, ask, bid, contract))
    return rows[order], contract[order], bid[order], ask[order]


def _same_as_before(values: np.ndarray) -> Mask:
    same = np.zeros(len(values), dtype=bool)
    same[1:] = values[1:] == values[:-1]
    return same


def _distance_from_neighbours(chain: Chain, rivals: Codes) -> Floats:
    """How far each rival's implied vol is from the line between its nearest neighbours'; infinite where unknown."""
    rows, contract = chain.contracts
    alone = np.bincount(contract)[contract] == 1
    neighbours = rows[
        alone & np.isin(chain.expiry[rows], chain.expiry[rivals]) & chain.sound[rows] & (chain.bid[rows] > 0)
    ]
    vol = _vols(chain, neighbours)
    neighbours, vol = neighbours[np.isfinite(vol)], vol[np.isfinite(vol)]
    own = _vols(chain, rivals)
    expected = np.full(len(rivals), np.nan)
    smile, of = chain.expiry[neighbours] * 2 + chain.call[neighbours], chain.expiry[rivals] * 2 + chain.call[rivals]
    for code in np.unique(of):  # one turn per expiration and type, never per row
        there, asked = smile == code, of == code
        if there.any():
            expected[asked] = np.interp(chain.strike[rivals[asked]], chain.strike[neighbours[there]], vol[there])
    distance = np.abs(own - expected)
    return np.where(np.isfinite(distance), distance, np.inf)


def _vols(chain: Chain, rows: Codes) -> Floats:
    expiry, lines = chain.expiry[rows], chain.parity
    return implied_vol(
        chain.mid[rows],
        lines.forward[expiry],
        chain.strike[rows],
        chain.year_fraction[rows],
        lines.discount_factor[expiry],
        chain.call[rows],
    )
