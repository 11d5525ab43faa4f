"""The smiles of the last day: which expirations are drawn, the quotes' bid and ask as vols, the model's line."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.pricing.implied_vol import implied_vol
from options_pricing.run.calendar import DAYS_A_YEAR

Array: TypeAlias = NDArray[np.float64]

CHAIN = ["underlying", "root", "expiration", "settlement"]
FEWEST_QUOTES = 5
MOST_BARS = 45
# In standard deviations of the forward's log to the expiry: further out, vols say little and flatten the picture.
LOWEST, HIGHEST = -5.0, 3.0
# Likewise: a line over a wider stretch without a quote would show what nobody quoted.
WIDEST_GAP = 1.0


@dataclass(frozen=True)
class Smile:
    """One expiration: vols are decimals per year, moneyness is strike / forward.

    A bid below the intrinsic value has no vol and counts as 0; an ask that no vol reaches counts as infinity.
    Predictions of one `piece` have no stretch without quotes between them that is wider than `WIDEST_GAP`.
    """

    underlying: str
    root: str
    expiration: str
    days: int
    quotes: int
    moneyness: Array
    bid_vol: Array
    ask_vol: Array
    predicted_moneyness: Array
    predicted_vol: Array
    piece: NDArray[np.int64]


def smiles_of(
    features: pd.DataFrame, predictions: pd.DataFrame | None, *, model: str | None, protocol: str | None, count: int
) -> list[Smile]:
    """The smiles worth drawing: `count` expirations spread over the underlyings and their maturities.

    Parameters
    ----------
    features : DataFrame
        FEATURES of one day.
    predictions : DataFrame or None
        PREDICTIONS; those of `model` under `protocol` on that same day are the line. Expirations that have a
        prediction go before those without.
    model, protocol : str or None
        Whose line is drawn.
    count : int
        Most smiles wanted.
    """
    quotes = _drawable(features)
    quotes["predicted_implied_vol"] = _predicted(quotes, predictions, model, protocol)
    if quotes["predicted_implied_vol"].notna().any():
        told = quotes.groupby(CHAIN, dropna=False)["predicted_implied_vol"].transform("count")
        quotes = quotes[told >= FEWEST_QUOTES]
    near = (_near_the_forward(chain) for _, chain in quotes.groupby(CHAIN, dropna=False))
    chains = [chain for chain in near if len(chain) >= FEWEST_QUOTES]
    return [_smile(chain) for chain in _spread(chains, count)]


def _drawable(features: pd.DataFrame) -> pd.DataFrame:
    wanted = features["out_of_the_money"] & features["implied_vol"].notna() & features["forward"].notna()
    return features[wanted & (features["year_fraction"] > 0)].sort_values(
        [*CHAIN, "strike", "option_type"], ignore_index=True
    )


def _near_the_forward(chain: pd.DataFrame) -> pd.DataFrame:
    """The quotes of one expiration between `LOWEST` and `HIGHEST`, by the vol of the strike nearest the forward."""
    return chain[_deviations(chain).between(LOWEST, HIGHEST)]


def _deviations(chain: pd.DataFrame) -> pd.Series:
    nearest = chain["log_moneyness"].abs().to_numpy().argmin()
    return chain["standardised_moneyness"] / chain["implied_vol"].to_numpy()[nearest]


def _predicted(
    quotes: pd.DataFrame, predictions: pd.DataFrame | None, model: str | None, protocol: str | None
) -> pd.Series:
    if predictions is None or quotes.empty:
        return pd.Series(np.nan, index=quotes.index)
    day = f"{quotes['trade_date'].max():%Y%m%d}"
    wanted = (predictions["model"] == model) & (predictions["protocol"] == protocol) & (predictions["date"] == day)
    told = predictions[wanted & predictions["held_out"]].drop_duplicates("contract_symbol").set_index("contract_symbol")
    return quotes["contract_symbol"].map(told["predicted_implied_vol"])


def _spread(chains: list[pd.DataFrame], count: int) -> list[pd.DataFrame]:
    """Share `count` among the underlyings, and spread each one's share over its maturities, both ends included."""
    by_underlying: dict[str, list[pd.DataFrame]] = {}
    for chain in sorted(chains, key=lambda c: (c["underlying"].iloc[0], c["year_fraction"].iloc[0])):
        by_underlying.setdefault(chain["underlying"].iloc[0], []).append(chain)
    shares = dict.fromkeys(by_underlying, 0)
    while sum(shares.values()) < min(count, len(chains)):
        for underlying, owned in by_underlying.items():
            if shares[underlying] < len(owned) and sum(shares.values()) < count:
                shares[underlying] += 1
    return [owned[at] for name, owned in by_underlying.items() for at in _evenly(len(owned), shares[name])]


def _evenly(length: int, count: int) -> list[int]:
    """`count` of the places 0 to length - 1, evenly; one alone is the middle."""
    if count == 1:
        return [(length - 1) // 2]
    return [round(place) for place in np.linspace(0, length - 1, count)]


def _smile(chain: pd.DataFrame) -> Smile:
    bars = chain.iloc[_evenly(len(chain), min(len(chain), MOST_BARS))]
    told = chain["predicted_implied_vol"].notna()
    gaps = np.diff(_deviations(chain).to_numpy(dtype=float), prepend=np.nan) > WIDEST_GAP
    line, piece = chain[told], np.cumsum(gaps, dtype=np.int64)[told]
    first = chain.iloc[0]
    return Smile(
        underlying=str(first["underlying"]),
        root=str(first["root"]) if pd.notna(first["root"]) else "",
        expiration=f"{first['expiration']:%Y-%m-%d}",
        days=round(first["year_fraction"] * DAYS_A_YEAR),
        quotes=len(chain),
        moneyness=_moneyness(bars),
        bid_vol=np.nan_to_num(_vol_at(bars, "bid"), nan=0.0),
        ask_vol=np.nan_to_num(_vol_at(bars, "ask"), nan=np.inf, posinf=np.inf),
        predicted_moneyness=_moneyness(line),
        predicted_vol=line["predicted_implied_vol"].to_numpy(dtype=float),
        piece=piece,
    )


def _moneyness(chain: pd.DataFrame) -> Array:
    return (chain["strike"] / chain["forward"]).to_numpy(dtype=float)


def _vol_at(chain: pd.DataFrame, side: str) -> Array:
    # An American quote's vol is that of the European option: its early exercise premium comes off on both sides.
    price = chain[side] - chain["early_exercise_premium"].fillna(0.0)
    forward, strike, year_fraction, discount_factor = (
        chain[name].to_numpy(dtype="float64") for name in ("forward", "strike", "year_fraction", "discount_factor")
    )
    kind = chain["option_type"].to_numpy(dtype=str)
    return implied_vol(price.to_numpy(dtype="float64"), forward, strike, year_fraction, discount_factor, kind)
