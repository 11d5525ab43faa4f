"""Predictions of made-up days whose log vols move as told: for tests of sketches and drift."""

import numpy as np
import pandas as pd

UNDERLYINGS, EXPIRATIONS = ("IDX", "STK"), (20, 60, 150, 300)


def made_days(moves, *, seed=1, first="20260105", spread=0.02):
    """PREDICTIONS of one day for each of `moves`, the log move of all vols; cells have some noise of their own."""
    random = np.random.default_rng(seed)
    rows = []
    for date, move in zip(pd.bdate_range(first, periods=len(moves)).strftime("%Y%m%d"), moves, strict=True):
        for underlying in UNDERLYINGS:
            for days in EXPIRATIONS:
                own = 0.004 * random.standard_normal()
                for x in np.linspace(-0.35, 0.35, 8):
                    rows.append((date, underlying, days / 365, x, move + own + 0.002 * random.standard_normal()))
    table = pd.DataFrame(rows, columns=["date", "underlying", "year_fraction", "x", "moved"])
    return table.assign(
        strike=100 * np.exp(table["x"] * np.sqrt(table["year_fraction"])),
        forward=100.0,
        random_walk_implied_vol=0.2,
        predicted_implied_vol=0.2,
        implied_vol=0.2 * np.exp(table["moved"]),
        mid=1.0,
        market_price=1.0,
        predicted_price=1.0,
        bid=1 - spread / 2,
        ask=1 + spread / 2 * np.exp(0.1 * random.standard_normal(len(table))),
    )
