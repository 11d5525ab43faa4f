"""Chains of a made-up market whose forwards, discount factors and vols are known, as validated tables."""

import numpy as np
import pandas as pd

from options_pricing.pricing.american import american_price
from options_pricing.pricing.black import black_price
from options_pricing.quotes.osi import build_symbols
from options_pricing.quotes.schema import VALIDATED
from options_pricing.quotes.tables import conform
from options_pricing.run.calendar import session_close, year_fractions

DAY = "20260520"
RATE = 0.043


def made_chain(
    underlying: str,
    *,
    spot: float,
    dividend_yield: float = 0.012,
    style: str = "european",
    days: tuple[int, ...] = (2, 9, 30, 93, 184, 275),
    settlement: str = "pm",
    root: str | None = None,
    strikes: int = 31,
    width: float = 0.18,
    half_spread: float = 0.0,
) -> pd.DataFrame:
    """VALIDATED of one underlying on `DAY`; true_vol, true_forward and true_discount beside the columns."""
    chain = pd.MultiIndex.from_product(
        [
            [pd.Timestamp(DAY) + pd.Timedelta(days=d) for d in days],
            np.round(spot * np.exp(np.linspace(-width, width, strikes)), 1),
            ["C", "P"],
        ],
        names=["expiration", "strike", "option_type"],
    ).to_frame(index=False)
    chain = chain.assign(
        source="made_up",
        underlying=underlying,
        root=root or underlying,
        trade_date=pd.Timestamp(DAY),
        exercise_style=style,
        settlement=settlement,
        underlying_price=spot * 1.004,
        quote_time=session_close(DAY) + pd.Timedelta(hours=6),
        raw_row=np.arange(len(chain)),
    )
    years = year_fractions(chain["expiration"], chain["settlement"], session_close(DAY)).to_numpy()
    strike, call = chain["strike"].to_numpy(), (chain["option_type"] == "C").to_numpy()
    forward, discount = spot * np.exp((RATE - dividend_yield) * years), np.exp(-RATE * years)
    vol = 0.2 - 0.1 * np.log(strike / forward) + 0.3 * np.log(strike / forward) ** 2
    if style == "american":
        price = american_price(spot, strike, years, RATE, dividend_yield, vol, call)
    else:
        price = black_price(forward, strike, years, discount, vol, call)
    chain = chain.assign(bid=price - half_spread, ask=price + half_spread)
    chain["contract_symbol"] = build_symbols(chain["root"], chain["expiration"], chain["option_type"], chain["strike"])
    return conform(chain, VALIDATED).assign(true_vol=vol, true_forward=forward, true_discount=discount)


def with_years(chain: pd.DataFrame) -> pd.DataFrame:
    """The chain with year_fraction, from the close of the day."""
    return chain.assign(year_fraction=year_fractions(chain["expiration"], chain["settlement"], session_close(DAY)))
