"""A made-up market whose vols are known: prices off a smooth surface, for tests of models and evaluation."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from options_pricing.models.prices import early_exercise, greeks_at
from options_pricing.quotes.osi import build_symbols
from options_pricing.quotes.schema import FEATURES
from options_pricing.quotes.tables import conform
from options_pricing.run.calendar import sessions_ending

RATE, DIVIDENDS = 0.04, 0.01


@dataclass(frozen=True)
class Market:
    """What is made: `american` of the `underlyings` may be exercised early; vol answers to returns by `beta`."""

    days: int = 5
    last: str = "20261120"
    underlyings: tuple[str, ...] = ("IDX",)
    american: tuple[str, ...] = ()
    expirations: tuple[int, ...] = (10, 20, 41, 69, 104, 195, 398, 460)
    strikes: int = 21
    beta: float = -4.0
    noise: float = 0.001
    half_spread: float = 0.01
    seed: int = 3
    returns: tuple[float, ...] = ()


def smile(level, moneyness, years):
    """Vol at standardised moneyness: skewed, convex, positive everywhere."""
    x = np.asarray(moneyness) / level
    return level * (1 + 0.1 * np.sqrt(years)) * np.exp(-0.12 * x + 0.02 * np.minimum(x**2, 16))


def make_features(market: Market = Market()) -> pd.DataFrame:
    """FEATURES of all days: calls and puts on every strike, two-sided, of roots named like their underlyings."""
    random = np.random.default_rng(market.seed)
    tables = []
    for number, underlying in enumerate(market.underlyings):
        spot, level = 100.0 * (number + 1), 0.2 + 0.05 * number
        for place, day in enumerate(sessions_ending(market.last, market.days)):
            if place:
                made = market.returns[place - 1] if market.returns else 0.01 * random.standard_normal()
                spot, level = spot * np.exp(made), level * np.exp(market.beta * made)
            tables.append(_chain(market, underlying, 100.0 * (number + 1), pd.Timestamp(day), spot, level, random))
    table = pd.concat(tables).sort_values(["trade_date", "underlying"], kind="stable", ignore_index=True)
    table["raw_row"] = table.groupby("trade_date").cumcount()
    return conform(table, FEATURES)


def _chain(market, underlying, middle, day, spot, level, random):
    first = pd.Timestamp(sessions_ending(market.last, market.days)[0])
    terms = pd.MultiIndex.from_product(
        [
            [first + pd.Timedelta(days=d) for d in market.expirations],
            np.round(middle * np.exp(np.linspace(-0.3, 0.3, market.strikes)), 1),
            ["C", "P"],
        ],
        names=["expiration", "strike", "option_type"],
    )
    chain = terms.to_frame(index=False)
    chain["expiration"] = chain["expiration"].astype("datetime64[s]")
    years = (chain["expiration"] - day).dt.days / 365
    chain = chain.assign(
        source="made_up",
        underlying=underlying,
        root=underlying,
        trade_date=pd.Series(day, index=chain.index).astype("datetime64[s]"),
        exercise_style="american" if underlying in market.american else "european",
        settlement="pm",
        underlying_price=spot,
        year_fraction=years,
        forward=spot * np.exp((RATE - DIVIDENDS) * years),
        discount_factor=np.exp(-RATE * years),
        dividend_yield=DIVIDENDS,
        volume=1.0,
        open_interest=1.0,
    )
    chain["contract_symbol"] = build_symbols(chain["root"], chain["expiration"], chain["option_type"], chain["strike"])
    return _priced(chain, level, market, random)


def _priced(chain, level, market, random):
    log_moneyness = np.log(chain["strike"] / chain["forward"])
    moneyness = log_moneyness / np.sqrt(chain["year_fraction"])
    vol = smile(level, moneyness, chain["year_fraction"]).to_numpy()
    # A call and a put on one strike share their vol, as they do in a market without arbitrage.
    vol = vol * np.exp(market.noise * np.repeat(random.standard_normal(len(chain) // 2), 2))
    found = greeks_at(chain, vol)
    return chain.assign(
        mid=found.price,
        bid=found.price * (1 - market.half_spread),
        ask=found.price * (1 + market.half_spread),
        moneyness=chain["strike"] / chain["forward"],
        log_moneyness=log_moneyness,
        standardised_moneyness=moneyness,
        early_exercise_premium=early_exercise(chain, vol),
        implied_vol=vol,
        total_variance=vol**2 * chain["year_fraction"],
        vol_time=vol * np.sqrt(chain["year_fraction"]),
        vendor_implied_vol=vol,
        vendor_price=found.price,
        **{name: getattr(found, name) for name in ("delta", "gamma", "vega", "theta", "rho")},
        out_of_the_money=(chain["option_type"] == "C") == (chain["strike"] >= chain["forward"]),
    )
