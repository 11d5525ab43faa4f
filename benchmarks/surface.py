"""How many held-out quotes surfaces price inside bid and ask, with how many violations, in what time.

``python benchmarks/surface.py`` on three real SPX days, ``--all`` on all there are. The chains are looked for where the
tests look for them; without them there is nothing to measure.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
import pandas as pd
from frame import OURS, Result, Row, market_folder
from scipy.interpolate import PchipInterpolator, UnivariateSpline
from scipy.optimize import least_squares

from options_pricing import Surface
from options_pricing.pricing.black import black_price
from options_pricing.run.errors import TaskError
from options_pricing.run.params import Features, Validation
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.surface.arbitrage import find_violations
from options_pricing.surface.features import build_features
from options_pricing.surface.svi import svi_variance
from options_pricing.validation.engine import validate

TITLE = "A surface through an SPX day"
NOTE = (
    "Quotes out of the money, 7 to 400 days; strikes held out at random within each expiration, never its first or "
    "last. The error is the share of held-out quotes whose bid and ask enclose the price, and the violations of "
    "no-arbitrage (butterfly and calendar, 1e-12) on quoted and held-out strikes together. Three days; "
    "`python benchmarks/surface.py --all` takes all there are. Speeds are fits of whole days."
)
FIRST, LAST = "2026-07-22", "2026-08-11"
SHARES = (0.2, 0.8, 0.9)
REPEATS, SEED = 3, 1
Fitted = Callable[[pd.DataFrame], np.ndarray]
Slice = Callable[[np.ndarray], np.ndarray]
Smile = Callable[[np.ndarray, np.ndarray, np.ndarray, float], Slice]


def chains() -> Iterator[tuple[str, pd.DataFrame]]:
    """The days there are, and their validated quotes."""
    source = CboeEod(market_folder() / "cboe_eod", ["_SPX"])
    for day in pd.bdate_range(FIRST, LAST).strftime("%Y%m%d"):
        try:
            raw = source.chain(day).quotes
        except TaskError:  # Some trading days were not captured.
            continue
        yield day, validate(raw, [], day, Validation()).validated


def eligible(features: pd.DataFrame) -> pd.DataFrame:
    """Two-sided quotes out of the money, 7 to 400 days, sorted."""
    days = (features["expiration"] - features["trade_date"]).dt.days
    kept = features[features["out_of_the_money"] & features["implied_vol"].notna() & days.between(7, 400)]
    return kept.sort_values(["root", "expiration", "strike"])


def held_out(quotes: pd.DataFrame, share: float) -> np.ndarray:
    """Which quotes to hold out: at random within each expiration, never its first or last."""
    groups = quotes.groupby(["root", "expiration"])["strike"]
    place, size = groups.cumcount(), groups.transform("size")
    drawn = np.random.default_rng(SEED).random(len(quotes)) < share
    return (drawn & (place > 0) & (place < size - 1)).to_numpy()


def ours(method: str) -> Callable[[pd.DataFrame], Fitted]:
    def fit(quotes: pd.DataFrame) -> Fitted:
        surface = Surface.fit(quotes, method)
        names = ["year_fraction", "strike", "forward", "discount_factor"]
        return lambda asked: surface.prices(*(asked[c] for c in names), asked["option_type"].to_numpy().astype(str))

    return fit


def by_expiration(
    smile: Callable[[np.ndarray, np.ndarray, np.ndarray, float], Slice],
) -> Callable[[pd.DataFrame], Fitted]:
    """A surface of smiles, each fitted to log-moneyness, vols and their errors of one expiration."""

    def fit(quotes: pd.DataFrame) -> Fitted:
        smiles = {}
        for years, own in quotes.sort_values("strike").groupby("year_fraction"):
            error = np.maximum((own["ask"] - own["bid"]) / 2 / own["vega"], 1e-5)
            columns = (own["log_moneyness"], own["implied_vol"], error)
            smiles[years] = smile(*(column.to_numpy() for column in columns), years)

        def prices(asked: pd.DataFrame) -> np.ndarray:
            vol = np.empty(len(asked))
            for years, rows in asked.groupby("year_fraction").indices.items():
                vol[rows] = smiles[years](asked["log_moneyness"].to_numpy()[rows])
            terms = (asked[c] for c in ("forward", "strike", "year_fraction", "discount_factor"))
            return black_price(*terms, vol, asked["option_type"].to_numpy().astype(str))

        return prices

    return fit


def pchip(y: np.ndarray, vol: np.ndarray, error: np.ndarray, years: float) -> Slice:
    return PchipInterpolator(y, vol)


def spline(y: np.ndarray, vol: np.ndarray, error: np.ndarray, years: float) -> Slice:
    # A tenth of half a spread is the best of 1, 0.3, 0.1 and 0.03 on four days with a fifth held out.
    return UnivariateSpline(y, vol, 10 / error, k=min(3, len(y) - 1), s=len(y))


def scipy_svi(y: np.ndarray, vol: np.ndarray, error: np.ndarray, years: float) -> Slice:
    """Raw SVI by SciPy's least_squares, as it is usually done."""
    theta = float(np.interp(0, y, vol)) ** 2 * years
    start = [theta / 2, np.sqrt(theta) / 2, -0.5, 0.0, np.sqrt(theta)]
    bounds = ([-1, 0, -0.999, -2, 1e-4], [2, 5, 0.999, 2, 5])

    def off(p: np.ndarray) -> np.ndarray:
        return (np.sqrt(np.maximum(svi_variance(*p, y), 1e-12) / years) - vol) / error

    found = least_squares(off, start, bounds=bounds, x_scale=np.maximum(np.abs(start), 0.05), max_nfev=200).x
    return lambda at: np.sqrt(np.maximum(svi_variance(*found, at), 1e-12) / years)


METHODS: dict[str, Callable[[pd.DataFrame], Fitted]] = {
    "constrained": ours("constrained"),
    "essvi": ours("essvi"),
    "svi": ours("svi"),
    "pchip": by_expiration(pchip),
    "smoothing spline": by_expiration(spline),
    "SVI by least_squares": by_expiration(scipy_svi),
}


def measured(days: list[pd.DataFrame], share: float) -> dict[str, dict[str, float]]:
    """Per method the share inside, violations and median CPU-seconds a day; the methods take turns."""
    told: dict[str, list[tuple[float, float, int, float]]] = {name: [] for name in METHODS}
    for quotes in days:
        held = held_out(quotes, share)
        for name, fit in METHODS.items():
            started = time.process_time()
            prices = fit(quotes[~held])
            spent = time.process_time() - started
            price = prices(quotes)
            inside = (price >= quotes["bid"] - 1e-9) & (price <= quotes["ask"] + 1e-9)
            found = find_violations(quotes.assign(model=price), price="model")
            told[name].append((inside[held].sum(), held.sum(), len(found), spent))
    return {name: _summary(np.array(rows)) for name, rows in told.items()}


def _summary(rows: np.ndarray) -> dict[str, float]:
    inside, asked, violations, seconds = rows.T
    return {
        "inside": inside.sum() / asked.sum(),
        "least": (inside / asked).min(),
        "violations": violations.sum(),
        "seconds": float(np.median(seconds)),
    }


def rows() -> list[Row]:
    """The table's rows, of three days."""
    return rows_of(every=False)


def rows_of(*, every: bool) -> list[Row]:
    """The table's rows, of three days or of all there are."""
    market_folder()
    found = list(chains())
    chosen = found if every else [found[i] for i in (0, len(found) // 2, len(found) - 1)]
    validated = [quotes for _, quotes in chosen]
    params = Features()
    days = [eligible(build_features(quotes, params)) for quotes in validated]
    shares = [Row(f"{share:.0%} of the strikes held out", "days", results(measured(days, share))) for share in SHARES]
    return [*shares, whole_day(validated, params)]


def results(told: dict[str, dict[str, float]]) -> list[Result]:
    """Ours first; a peer whose prices allow arbitrage is listed as broken."""
    ordered = sorted(told.items(), key=lambda item: item[0] != "constrained")
    return [
        Result(
            OURS if name == "constrained" else name,
            its["seconds"],
            its["seconds"],
            f"inside {its['inside']:.2%} (worst day {its['least']:.2%}), {its['violations']:.0f} violations",
            "arbitrage" if its["violations"] else "",
        )
        for name, its in ordered
    ]


def whole_day(days: list[pd.DataFrame], params: Features) -> Row:
    """Seconds from validated rows to a surface, features included."""
    spent = []
    for quotes in days * REPEATS:
        wall, cpu = time.perf_counter(), time.process_time()
        Surface.fit(build_features(quotes, params))
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = (median(column) for column in zip(*spent, strict=True))
    count = median(len(quotes) for quotes in days)
    told = f"{count:.0f} validated rows: {cpu:.2f} CPU-s, {wall:.2f} s wall"
    return Row("a whole day, validated rows to surface", "days", [Result(OURS, cpu, wall, told)])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--all", action="store_true", help="all days, not three")
    for row in rows_of(every=arguments.parse_args().all):
        for result in row.results:
            print(f"{row.work:<42} {result.name:<20} {result.cpu:6.2f} CPU-s  {result.error}")


if __name__ == "__main__":
    main()
