"""Tomorrow's vols on 831 days of last trades, through the crisis of 2008: ``python benchmarks/long_history.py``.

The file has prices with a rate and a dividend yield, no bid or ask. Every third day from the 400th is predicted from
the 120 days before it and the day's own index, rate and yield; days after a gap of more than five are left out.
"""

import sys
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from frame import OURS, Result, Row, market_folder

from options_pricing.models.ad_hoc_black_scholes import AdHocBlackScholes
from options_pricing.models.base import asked
from options_pricing.models.hybrid import Hybrid
from options_pricing.models.random_walk import RandomWalk
from options_pricing.models.vol_surface import Interpolations
from options_pricing.pricing.implied_vol import implied_vol
from options_pricing.run.params import Train

TITLE = "Tomorrow on 2008-2012, day by day"
NOTE = (
    "The hybrid model against yesterday's ad-hoc Black-Scholes surface (vol a parabola in strike and maturity, Dumas, "
    "Fleming and Whaley 1998), against the same in moneyness, against the random walk, and against each contract's "
    "own vol of yesterday. The error is R2 of implied vol, with a 95 % interval from resampling whole days. Speeds "
    "are days fitted and predicted."
)
FIRST, STEP, WINDOW, LARGEST_GAP, SESSIONS = 400, 3, 120, 5, 252
DRAWS = 2000
TRAIN = Train(min_days_to_expiry=0, max_days_to_expiry=400)
PEERS = ("ad_hoc_black_scholes", "ad_hoc_in_moneyness", "random_walk", "own_vol")


def quotes() -> pd.DataFrame:
    """Out-of-the-money options with a vol, in the columns that models read; a last trade is its own bid and ask."""
    raw = pd.read_csv(market_folder() / "long_history/spx_prices_2008_2012.csv.gz")
    years = raw["maturity"] / SESSIONS
    call = raw["type"] == "call"
    table = pd.DataFrame(
        {
            "underlying": "SPX",
            "root": "SPX",
            "contract_symbol": raw["option_symbol"],
            "trade_date": pd.to_datetime(raw["date"]).astype("datetime64[s]"),
            "expiration": pd.to_datetime(raw["option_symbol"].str.extract(r"^[A-Z]+(\d{6})")[0], format="%y%m%d"),
            "strike": raw["strike_price"],
            "option_type": np.where(call, "C", "P"),
            "exercise_style": "european",
            "settlement": "am",
            "underlying_price": raw["underlying_price"],
            "forward": raw["underlying_price"] * np.exp((raw["rf_rate"] - raw["dividend_yield"]) * years),
            "discount_factor": np.exp(-raw["rf_rate"] * years),
            "dividend_yield": raw["dividend_yield"],
            "year_fraction": years,
            **dict.fromkeys(("bid", "ask", "mid"), raw["market_price"]),
            "early_exercise_premium": 0.0,
        }
    )
    table["expiration"] = table["expiration"].astype("datetime64[s]")
    terms = (table[name].to_numpy(dtype=float) for name in ("mid", "forward", "strike", "year_fraction"))
    table["implied_vol"] = implied_vol(*terms, table["discount_factor"].to_numpy(dtype=float), call.to_numpy())
    out = call == (table["strike"] >= table["forward"])
    again = table.duplicated(["trade_date", "expiration", "strike", "option_type"])
    return table[out & table["implied_vol"].notna() & ~again].reset_index(drop=True)


def predictions(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """What each contender says of each day, beside the vol that came."""
    days, shared = sorted(table["trade_date"].unique()), Interpolations()
    chains = dict(list(table.groupby("trade_date")))
    for place in range(FIRST, len(days), STEP):
        if (days[place] - days[place - 1]).days > LARGEST_GAP:
            continue
        today, yesterday = chains[days[place]], chains[days[place - 1]]
        known = pd.concat([chains[day] for day in days[max(0, place - WINDOW) : place]])
        own = yesterday.drop_duplicates("contract_symbol").set_index("contract_symbol")["implied_vol"]
        told = {kind.name: kind(TRAIN, interpolations=shared) for kind in (Hybrid, AdHocBlackScholes, RandomWalk)}
        started = time.process_time()
        hybrid = told.pop("hybrid").fit(known).predict(asked(today))
        spent = time.process_time() - started
        yield pd.DataFrame(
            {
                "date": days[place],
                "vol": today["implied_vol"].to_numpy(),
                "hybrid": hybrid,
                **{name: model.fit(yesterday).predict(asked(today)) for name, model in told.items()},
                "ad_hoc_in_moneyness": in_moneyness(yesterday, today),
                "own_vol": own.reindex(today["contract_symbol"]).to_numpy(),
                "seconds": spent,
            }
        )
        if place % 30 == 0:
            print(f"day {place} of {len(days)}", file=sys.stderr, flush=True)


def in_moneyness(yesterday: pd.DataFrame, today: pd.DataFrame) -> np.ndarray:
    """The ad-hoc parabola with ``K / F`` in the place of K."""
    relative = [day.assign(strike=day["strike"] / day["forward"], forward=1.0) for day in (yesterday, today)]
    return AdHocBlackScholes(TRAIN).fit(relative[0]).predict(asked(relative[1]))


def r2(told: pd.DataFrame, peer: str) -> str:
    """R2 of the hybrid against a peer on the quotes that both price, with its interval."""
    known = told.dropna(subset=["hybrid", peer])
    errors = [((known[name] - known["vol"]) ** 2).groupby(known["date"]).sum().to_numpy() for name in ("hybrid", peer)]
    drawn = np.random.default_rng(0).integers(0, len(errors[0]), (DRAWS, len(errors[0])))
    ours, its = (error[drawn].sum(axis=1) for error in errors)
    low, high = np.quantile(1 - ours / its, [0.025, 0.975])
    value = 1 - errors[0].sum() / errors[1].sum()
    return f"{value:.3f} ({low:.3f} to {high:.3f}) against {peer}, {len(known)} quotes of {len(errors[0])} days"


def rows() -> list[Row]:
    """One row for each peer."""
    told = pd.concat(predictions(quotes()), ignore_index=True)
    seconds = float(told.groupby("date")["seconds"].first().mean())
    return [Row(f"against {peer}", "days", [Result(OURS, seconds, seconds, r2(told, peer))]) for peer in PEERS]


if __name__ == "__main__":
    for row in rows():
        print(row.ours.error, f"{row.ours.cpu:.2f} CPU-s a day")
