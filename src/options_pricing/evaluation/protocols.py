"""Ways to judge models: what each may know, and which quotes it is then asked about.

A model is asked with the columns of `ASKED` alone; the day's prices and all that is made of them stay here.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from options_pricing.models.base import QUOTED, Array, Model, asked, by_underlying, day_names, eligible_quotes
from options_pricing.models.forward_curve import with_forwards
from options_pricing.models.prices import early_exercise, vols_of_prices
from options_pricing.models.random_walk import RandomWalk
from options_pricing.models.registry import MODELS, make_model
from options_pricing.models.seed_linear import LinearPrice, SeedLinear
from options_pricing.models.vol_surface import Interpolations
from options_pricing.pricing.black import price_and_greeks
from options_pricing.quotes.schema import PREDICTIONS, names
from options_pricing.run.errors import BadDataError
from options_pricing.run.log import progress
from options_pricing.run.params import Train

RANDOM_ROWS_TEST_SHARE = 0.2
FEWEST_RANDOM_ROWS = 10
# The middles of the thirds of the logs of 7 to 400 days, and what is marked of an expiration near each.
MARKED_YEARS = tuple(7 / 365 * (400 / 7) ** (place / 6) for place in (1, 3, 5))
MARKED_DELTAS = np.array([0.25, 0.5, 0.75])
LEAST_MARKED = 5
ANY_EXPIRATION = {"min_days_to_expiry": 0, "max_days_to_expiry": 100_000}


class NotPossibleError(Exception):
    """A protocol cannot be carried out on these days; the message is why."""


@dataclass(frozen=True)
class Setting:
    """How models are made and judged.

    Parameters
    ----------
    train : Train
        The params of the models, and which quotes are eligible.
    held_out : float
        Share of strikes held out in `same_day`.
    seed : int
        Of what is held out.
    names : tuple of str
        The models that are judged, the random walk among them.
    """

    train: Train
    held_out: float
    seed: int
    names: tuple[str, ...] = tuple(MODELS)
    interpolations: Interpolations = field(default_factory=Interpolations, init=False, repr=False, compare=False)

    def models(self, *, any_expiration: bool = False) -> dict[str, Model]:
        """Unfitted models, which share what surfaces say."""
        train = self.train.model_copy(update=ANY_EXPIRATION) if any_expiration else self.train
        return {n: make_model(n, train, interpolations=self.interpolations) for n in self.names}

    def eligible(self, features: pd.DataFrame) -> pd.DataFrame:
        """The quotes that are fitted and judged in all protocols but `random_rows`."""
        return eligible_quotes(features, self.train.min_days_to_expiry, self.train.max_days_to_expiry)[list(QUOTED)]


def next_day(features: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Each day after the first, from all days before it and the day's own forwards.

    Returns
    -------
    DataFrame
        PREDICTIONS of every model.

    Raises
    ------
    NotPossibleError
        Fewer than two days have eligible quotes.
    """
    return _walked("next_day", features, setting, lambda today, _: np.zeros(len(today), dtype=bool))


def same_day(features: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Strikes held out of a day, from its other strikes and all days before it.

    The days are those of `next_day`, or the only one. All quotes of a day are predicted and `held_out` says which
    ones the models had not seen. The benchmark stays the surface of the day before, null where there is none, so
    that its figure shows what the day's other strikes are worth. Returns as `next_day`.

    Raises
    ------
    NotPossibleError
        No day has eligible quotes, or none can be held out.
    """
    quotes, models = setting.eligible(features), setting.models()
    days = _days(quotes)
    parts = []
    for day in progress(days[1:] or days, what="same_day"):
        earlier, today = quotes[quotes["trade_date"] < day], quotes[quotes["trade_date"] == day]
        held = held_out(today, setting.held_out, setting.seed)
        benchmark = np.full(len(today), np.nan)
        if len(earlier):
            benchmark = models[RandomWalk.name].fit(earlier).predict(asked(today))
        known = pd.concat([earlier, today[~held]])
        for name, model in models.items():
            told = model.fit(known).predict_with_prices(asked(today))
            parts.append(predictions_of("same_day", name, today, told, benchmark, held))
    if not any(part["held_out"].any() for part in parts):
        raise NotPossibleError("no expiration has strikes enough to hold one out")
    return pd.concat(parts, ignore_index=True)


def few_quotes(features: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """A day's chain, from nine of its quotes an underlying, all days before it and the day's own forwards.

    This is how an illiquid name or a fast market is marked. The nine are those of `marks`; they are predicted too,
    with `held_out` false. Returns as `next_day`.

    Raises
    ------
    NotPossibleError
        Fewer than two days have eligible quotes.
    """
    return _walked("few_quotes", features, setting, marks)


def _walked(
    protocol: str,
    features: pd.DataFrame,
    setting: Setting,
    shown: Callable[[pd.DataFrame, Array], NDArray[np.bool_]],
) -> pd.DataFrame:
    """Each day after the first, from all days before it and those of its quotes that are `shown` beforehand.

    Which these are may depend on the day's quotes and the benchmark's vols of them.
    """
    quotes, models = setting.eligible(features), setting.models()
    days = _days(quotes)
    if len(days) < 2:
        raise NotPossibleError(f"it needs two days with eligible quotes and has {len(days)}")
    parts = []
    for day in progress(days[1:], what=protocol):
        earlier, today = quotes[quotes["trade_date"] < day], quotes[quotes["trade_date"] == day]
        benchmark = models[RandomWalk.name].fit(earlier).predict(asked(today))
        seen = shown(today, benchmark)
        known = pd.concat([earlier, today[seen]])
        for name, model in models.items():
            told = model.fit(known).predict_with_prices(asked(today))
            parts.append(predictions_of(protocol, name, today, told, benchmark, ~seen))
    return pd.concat(parts, ignore_index=True)


def random_rows(features: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """A random fifth of the rows of a single day, from the others: the way the seed of this project was judged.

    Rows in the money and one-sided ones take part. The seed's regression is told the vendor's implied vol of the
    very rows it prices, as it was; the other models are told no vol, and learn from the usable quotes among the
    other rows. A row whose expiration has no forward is given one of the curve through the others. Returns as
    `next_day`.

    Raises
    ------
    NotPossibleError
        There are several days, or too few rows.
    """
    days = _days(features)
    if len(days) != 1:
        raise NotPossibleError(f"it needs a single day and has {len(days)}")
    rows = with_forwards(features.sort_values("raw_row", kind="stable").reset_index(drop=True))
    if len(rows) < FEWEST_RANDOM_ROWS:
        raise NotPossibleError(f"it needs {FEWEST_RANDOM_ROWS} rows and has {len(rows)}")
    places = train_test_split(np.arange(len(rows)), test_size=RANDOM_ROWS_TEST_SHARE, random_state=setting.seed)
    rest, test = (rows.iloc[np.sort(chosen)] for chosen in places)
    no_benchmark = np.full(len(test), np.nan)
    parts = []
    for name, model in setting.models(any_expiration=True).items():
        told = _as_published(rest, test, setting) if name == SeedLinear.name else _fitted_or_nothing(model, rest, test)
        part = predictions_of("random_rows", name, test, told, no_benchmark)
        parts.append(part.assign(market_price=_vendor_price(test)))
    return pd.concat(parts, ignore_index=True)


PROTOCOLS: dict[str, Callable[[pd.DataFrame, Setting], pd.DataFrame]] = {
    "next_day": next_day,
    "same_day": same_day,
    "few_quotes": few_quotes,
    "random_rows": random_rows,
}


def marks(quotes: pd.DataFrame, vols: Array) -> NDArray[np.bool_]:
    """Which nine quotes of each underlying mark its surface: three of each of three expirations.

    The expirations are those nearest, in the log of time, to the middles of the thirds of 7 to 400 days; the quotes
    those whose call delta, at yesterday's `vols`, is nearest to 0.25, 0.5 and 0.75: the 25-delta call, the money, the
    25-delta put. The day's own vols have no say in what is chosen.
    """
    chosen = np.zeros(len(quotes), dtype=bool)
    forward, strike, years = (quotes[name].to_numpy(dtype=float) for name in ("forward", "strike", "year_fraction"))
    delta = price_and_greeks(forward, strike, years, 1.0, vols, np.ones(len(quotes), dtype=bool)).delta
    labels = quotes["underlying"] + " " + quotes["root"].fillna("") + quotes["expiration"].dt.strftime(" %Y%m%d")
    for _, rows in by_underlying(quotes):
        series = labels.iloc[rows]
        known = pd.Series(years[rows]).groupby(series.to_numpy()).median()
        known = known[series.value_counts().reindex(known.index) >= LEAST_MARKED]
        for target in MARKED_YEARS:
            if known.empty:
                break
            expiration = str(np.abs(np.log(known / target)).idxmin())
            of_it = rows[(series == expiration).to_numpy()]
            away = np.abs(delta[of_it][:, None] - MARKED_DELTAS)
            chosen[of_it[np.where(np.isnan(away), np.inf, away).argmin(axis=0)]] = True
            known = known.drop(expiration)
    return chosen


def held_out(quotes: pd.DataFrame, share: float, seed: int) -> NDArray[np.bool_]:
    """Which quotes of one day to hold out: a share of the strikes of each expiration, never its first or last.

    What is drawn of an expiration depends on its name, its strikes and the seed only.
    """
    held = np.zeros(len(quotes), dtype=bool)
    series = day_names(quotes) + " " + quotes["underlying"] + " " + quotes["root"].fillna("")
    series += quotes["expiration"].dt.strftime(" %Y%m%d")
    strikes = quotes["strike"].to_numpy()
    for name, rows in quotes.groupby(series).indices.items():
        known = np.unique(strikes[rows])
        count = min(round(share * len(known)), max(0, len(known) - 2))
        random = np.random.default_rng([seed, zlib.crc32(str(name).encode())])
        drawn = random.choice(known[1:-1], size=count, replace=False) if count else known[:0]
        held[rows] = np.isin(strikes[rows], drawn)
    return held


def _days(quotes: pd.DataFrame) -> list[pd.Timestamp]:
    return sorted(quotes["trade_date"].unique())


def predictions_of(
    protocol: str,
    model: str,
    quotes: pd.DataFrame,
    told: tuple[Array, Array],
    benchmark: Array,
    held: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """PREDICTIONS of one model about some quotes; all of them held out where `held` is not given."""
    vols, prices = told
    made = quotes.assign(
        protocol=protocol,
        model=model,
        date=day_names(quotes),
        held_out=True if held is None else held,
        predicted_price=prices,
        predicted_implied_vol=vols,
        market_price=quotes["mid"],
        random_walk_implied_vol=benchmark,
    )
    return made[names(PREDICTIONS)]


def _as_published(rest: pd.DataFrame, test: pd.DataFrame, setting: Setting) -> tuple[Array, Array]:
    line = LinearPrice.fitted(rest, _vendor_vol(rest), _vendor_price(rest))
    prices = line.prices(test, _vendor_vol(test))
    premium = early_exercise(test, _vendor_vol(test))
    return vols_of_prices(test, prices - premium), prices


def _fitted_or_nothing(model: Model, rest: pd.DataFrame, test: pd.DataFrame) -> tuple[Array, Array]:
    """Predictions, all NaN where no row of `rest` can be fitted: the seed's regression needs none of that."""
    try:
        return model.fit(rest).predict_with_prices(asked(test))
    except BadDataError:
        return np.full(len(test), np.nan), np.full(len(test), np.nan)


def _vendor_vol(rows: pd.DataFrame) -> Array:
    return rows["vendor_implied_vol"].to_numpy(dtype=float)


def _vendor_price(rows: pd.DataFrame) -> Array:
    return rows["vendor_price"].fillna(rows["mid"]).to_numpy(dtype=float)
