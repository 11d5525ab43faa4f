"""A made-up surface of vols that is free of arbitrage, and quotes of it, as rows of features."""

import numpy as np
import pandas as pd

from options_pricing.pricing.black import black_price
from options_pricing.pricing.implied_vol import implied_vol
from options_pricing.surface.essvi import Essvi, essvi_vols

YEARS = np.array([0.02, 0.05, 0.1, 0.25, 0.5, 1.0])
TRUE = Essvi(
    YEARS,
    theta=0.04 * YEARS,
    rho=np.full(6, -0.6),
    psi=np.minimum(1.1 * np.sqrt(0.04 * YEARS), 4 / 1.6),
)
FORWARD, RATE = 4000.0, 0.03


def made_quotes(
    *, half_spread: float = 0.01, noise: float = 0.0, seed: int = 0, surface: Essvi = TRUE, strikes: int = 41
) -> pd.DataFrame:
    """Quotes of calls and puts at strikes within four standard deviations; half a spread is 0.02 and a share."""
    rows = []
    for years, theta in zip(surface.year_fraction, surface.theta, strict=True):
        forward = FORWARD * np.exp(0.02 * years)
        strike = np.unique(np.round(forward * np.exp(np.linspace(-4, 3, strikes) * np.sqrt(theta)) / 5) * 5)
        for option_type in "CP":
            rows.append(
                pd.DataFrame({"year_fraction": years, "strike": strike, "option_type": option_type, "forward": forward})
            )
    quotes = pd.concat(rows, ignore_index=True)
    return requoted(quotes, half_spread=half_spread, noise=noise, seed=seed, surface=surface)


def requoted(quotes: pd.DataFrame, *, half_spread: float, noise: float, seed: int, surface: Essvi) -> pd.DataFrame:
    quotes = quotes.assign(discount_factor=np.exp(-RATE * quotes["year_fraction"]))
    years, forward, strike = (quotes[c].to_numpy() for c in ("year_fraction", "forward", "strike"))
    discount, call = quotes["discount_factor"].to_numpy(), (quotes["option_type"] == "C").to_numpy()
    vol = essvi_vols(surface, years, np.log(strike / forward))
    price = black_price(forward, strike, years, discount, vol, call)
    otm = black_price(forward, strike, years, discount, vol, strike >= forward)
    half = 0.02 + half_spread * otm
    mid = price + noise * half * np.random.default_rng(seed).standard_normal(len(price))
    quotes = quotes.assign(bid=mid - half, ask=mid + half, mid=mid, true_price=price, true_vol=vol)
    quotes = quotes[quotes["bid"] > 0].reset_index(drop=True)
    columns = (quotes[c].to_numpy() for c in ("mid", "forward", "strike", "year_fraction", "discount_factor"))
    return quotes.assign(implied_vol=implied_vol(*columns, (quotes["option_type"] == "C").to_numpy()))
