"""What every model is: fitted on days of quotes, asked about options it is told nothing of but their terms."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.models.columns import Table, numbers, places_of
from options_pricing.models.prices import greeks_at, prices_at
from options_pricing.models.vol_surface import Interpolations, VolSurface, digest
from options_pricing.pricing.black import PriceAndGreeks
from options_pricing.quotes.schema import FEATURES
from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Train
from options_pricing.run.threads import one_thread
from options_pricing.surface.surface import Surface

Array = NDArray[np.float64]

ASKED = (
    "underlying",
    "root",
    "contract_symbol",
    "trade_date",
    "expiration",
    "strike",
    "option_type",
    "exercise_style",
    "settlement",
    "underlying_price",
    "forward",
    "discount_factor",
    "dividend_yield",
    "year_fraction",
)

QUOTED = (*ASKED, "bid", "ask", "mid", "implied_vol", "early_exercise_premium")
NUMBERS = tuple(column.name for column in FEATURES if column.name in QUOTED and column.kind == "number")
COUNTED = ("strike", "bid", "ask", "mid", "implied_vol", "forward", "discount_factor", "year_fraction")
# Between them lies every number of a market; squares and quotients of what lies outside overflow.
LEAST, MOST = 1e-9, 1e9


class Model(ABC):
    """A way to price options from the days known so far; one object serves all underlyings of its tables.

    Parameters
    ----------
    train : Train
        Which quotes are fitted, and how.
    interpolations : Interpolations, optional
        What surfaces said before, shared between models that are judged on the same days.
    """

    name: ClassVar[str]
    # Whether predictions only read columns by name, so that `Columns` do as well as a DataFrame.
    reads_columns: ClassVar[bool] = False

    def __init__(self, train: Train, *, interpolations: Interpolations | None = None) -> None:
        self.days_to_expiry = (train.min_days_to_expiry, train.max_days_to_expiry)
        self._interpolations: Interpolations | None = interpolations or Interpolations()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_interpolations": None}

    def fit(self, features: pd.DataFrame) -> Self:
        """Learn from all known days; an underlying's last day in the table is the surface in force.

        Parameters
        ----------
        features : DataFrame
            FEATURES of the schema, of one or more days and underlyings.

        Raises
        ------
        BadDataError
            No quote of the table can be fitted.
        """
        quotes = eligible_quotes(features, *self.days_to_expiry)
        if quotes.empty:
            raise BadDataError(
                f"no quote of {len(features)} can be fitted",
                why="none is two-sided, out of the money, with a forward and an implied vol, "
                f"{self.days_to_expiry[0]} to {self.days_to_expiry[1]} days before its expiration",
                fix="look at the validation reports of these days, or widen train.*_days_to_expiry",
            )
        # The order in which threads add up would show in the last bits.
        with one_thread():
            self._fit(quotes)
        return self

    @abstractmethod
    def _fit(self, quotes: pd.DataFrame) -> None:
        """Learn from eligible quotes, at least one."""

    @abstractmethod
    def predict(self, quotes: pd.DataFrame) -> Array:
        """Implied vols (Black, decimal per year) of options given by their ASKED columns; NaN where it has none."""

    def price(self, quotes: pd.DataFrame) -> Array:
        """Prices of options given by their ASKED columns, American exercise included; NaN where it has none."""
        return self.predict_with_prices(quotes)[1]

    def predict_with_prices(self, quotes: pd.DataFrame) -> tuple[Array, Array]:
        """Implied vols and prices, for the price of one."""
        vols = self.predict(quotes)
        return vols, prices_at(quotes, vols)

    def predict_with_greeks(self, quotes: pd.DataFrame) -> tuple[Array, PriceAndGreeks]:
        """Implied vols, and those same prices with their greeks."""
        vols = self.predict(quotes)
        return vols, greeks_at(quotes, vols)

    def diagnostics(self) -> dict[str, Any]:
        """What the fit found out about itself, for the model card."""
        return {}

    def _interpolated(self, surface: VolSurface, quotes: Table) -> Array:
        """Vols of `surface` at the maturity and moneyness of `quotes`."""
        return self._vols_at(surface, numbers(quotes, "year_fraction"), standardised_moneyness(quotes))

    def _surface(self, day: pd.DataFrame) -> Surface:
        """The surface without arbitrage through the quotes of one underlying on one day."""
        if self._interpolations is None:
            return Surface.fit(day)
        return self._interpolations.remembered(b"surface" + content_of(day), lambda: Surface.fit(day))

    def _vols_at(self, surface: VolSurface | Surface, year_fraction: Array, moneyness: Array) -> Array:
        remembered, at = self._interpolations, (year_fraction, moneyness)
        if remembered is None or isinstance(surface, Surface):
            return surface.vols_at(*at)
        return remembered.vols_at(surface, *at)


def content_of(quotes: pd.DataFrame) -> bytes:
    """A fingerprint of all that a surface through a day's quotes, and its moves, depend on."""
    dates = quotes[["trade_date", "expiration"]].to_numpy(dtype="datetime64[D]").astype(float)
    roots = pd.util.hash_array(quotes["root"].fillna("").to_numpy(dtype=object))
    calls = np.asarray(quotes["option_type"] == "C", dtype=float)
    return digest(dates, calls, quotes[list(NUMBERS)].to_numpy(dtype=float)) + hashlib.sha256(roots.tobytes()).digest()


def asked(features: pd.DataFrame) -> pd.DataFrame:
    """Of a table of features, what is known without the answer: an option's terms and the day's forwards."""
    return features[list(ASKED)]


def eligible_quotes(features: pd.DataFrame, min_days: int, max_days: int) -> pd.DataFrame:
    """The quotes that models are fitted on and judged by.

    Two-sided, out of the money against the forward (a call struck at it or above, a put below), with an implied
    vol, and `min_days` to `max_days` calendar days from their expiration, both included.
    """
    numbers = features[list(COUNTED)]
    call_side = features["strike"] >= features["forward"]
    kept = (
        ((numbers > LEAST) & (numbers < MOST)).all(axis=1)
        & (call_side == (features["option_type"] == "C"))
        & days_to_expiration(features).between(min_days, max_days)
    )
    return features[kept]


def days_to_expiration(quotes: pd.DataFrame) -> pd.Series:
    """Calendar days from the trading day to the expiration."""
    return (quotes["expiration"] - quotes["trade_date"]).dt.days


def day_names(quotes: pd.DataFrame) -> pd.Series:
    """The trading day of each row as ``YYYYMMDD``."""
    return quotes["trade_date"].dt.strftime("%Y%m%d")


def standardised_moneyness(quotes: Table) -> Array:
    """``log(strike / forward) / sqrt(year_fraction)``; NaN where the forward is."""
    strike, forward, years = (numbers(quotes, c) for c in ("strike", "forward", "year_fraction"))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.log(strike / forward) / np.sqrt(years))


def by_underlying(quotes: Table) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Each underlying of a table with the places of its rows, in alphabetical order."""
    for underlying, places in sorted(places_of(quotes, "underlying").items()):
        yield str(underlying), np.asarray(places)


def last_days(quotes: pd.DataFrame) -> pd.DataFrame:
    """The rows of each underlying's last day in the table."""
    return quotes[quotes["trade_date"] == quotes.groupby("underlying")["trade_date"].transform("max")]
