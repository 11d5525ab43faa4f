"""What is pickled, staged and served: a fitted model with the day it stands on."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.models.base import (
    ASKED,
    QUOTED,
    Model,
    by_underlying,
    eligible_quotes,
    last_days,
    standardised_moneyness,
)
from options_pricing.models.listing import (
    LISTED,
    complaints,
    listed_series,
    read_asked,
    spots_behind,
    time_complaints,
    with_terms,
)
from options_pricing.models.prices import greeks_at
from options_pricing.models.random_walk import surface_of

PRICED = [
    "predicted_price",
    "predicted_implied_vol",
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
    "forward",
    "discount_factor",
    "year_fraction",
    "spot",
    "exercise_style",
    "series_root",
    "listed",
    "extrapolated",
    "reason",
]
NO_VOL = "the model has no vol for this option"
Table = dict[str, NDArray[Any]]


class PricingModel:
    """A fitted model that prices any option on its underlyings as of the close of its last day.

    Parameters
    ----------
    model : Model
        Fitted on `features`.
    features : DataFrame
        FEATURES of all days it was fitted on; per underlying the last of them is listed and quoted.
    train : dict
        The params it was made with.

    Attributes
    ----------
    as_of : str
        The last day, YYYYMMDD.
    sources : list of str
        Who gave the quotes.
    reference : dict
        How days lay that the model had not seen, as arrays by name, for other days to be held against; empty where
        there were none. What the arrays are, `evaluation.reference` knows.
    """

    # Of releases that were made before there was one, too.
    reference: Mapping[str, NDArray[Any]] = MappingProxyType({})

    def __init__(self, model: Model, features: pd.DataFrame, train: dict[str, Any]) -> None:
        newest = last_days(features)
        self.model = model
        self.as_of = f"{features['trade_date'].max():%Y%m%d}"
        self.sources = sorted(str(source) for source in features["source"].unique())
        self.train = train
        self._listed = _packed(listed_series(newest), LISTED)
        self._quotes = _packed(eligible_quotes(newest, *model.days_to_expiry), QUOTED)

    def listed(self) -> pd.DataFrame:
        """The series that were listed: their names, forwards, discount factors, dividend yields and times."""
        return pd.DataFrame(self._listed)

    def quotes(self) -> pd.DataFrame:
        """The last day's quotes that the model was fitted on."""
        return pd.DataFrame(self._quotes)

    def price_options(self, asked: pd.DataFrame) -> pd.DataFrame:
        """Price options as of the close of `as_of`.

        Parameters
        ----------
        asked : DataFrame
            underlying, expiration, strike, option_type (C or P); perhaps root, null where any will do.

        Returns
        -------
        DataFrame
            The columns `PRICED`, a row for each asked one, on its index; NaN and a `reason` where there is no
            price. `series_root` is the series that was priced, `listed` whether an option of it expires then;
            `extrapolated` says that maturity or moneyness lies outside the fitted quotes. `spot` is what the
            underlying is worth by the forward. Greeks are in the units of `price_and_greeks`.
        """
        plain, listed = read_asked(asked), self.listed()
        reasons = complaints(plain, listed)
        sound = plain[reasons == ""]
        told = self._priced(with_terms(sound, listed)) if len(sound) else pd.DataFrame(columns=PRICED)
        told = told.reindex(plain.index)
        told["reason"] = told["reason"].where(reasons == "", reasons)
        told["exercise_style"] = told["exercise_style"].fillna("")
        told["series_root"] = told["series_root"].fillna(plain["root"])
        told["listed"] = told["listed"].eq(True)
        told["extrapolated"] = told["extrapolated"].eq(True)
        numbers = dict.fromkeys(PRICED[: PRICED.index("exercise_style")], float)
        return told[PRICED].astype(numbers).set_axis(asked.index)

    def _priced(self, terms: pd.DataFrame) -> pd.DataFrame:
        """`PRICED` of options of known terms."""
        quotes = terms.assign(contract_symbol="", trade_date=pd.Timestamp(self.as_of))
        reasons = time_complaints(quotes, self.as_of)
        quotes.loc[reasons != "", "forward"] = np.nan
        quotes["spot"] = spots_behind(quotes)
        vols, prices = self.model.predict_with_prices(quotes[list(ASKED)])
        found = greeks_at(quotes, vols)._asdict()
        made = {**found, "predicted_price": prices, "predicted_implied_vol": vols}
        nothing = ~np.isfinite(prices)
        numbers = {name: np.where(nothing, np.nan, values) for name, values in made.items()}
        return quotes.assign(
            **numbers,
            series_root=quotes["root"],
            extrapolated=self._beyond_quotes(quotes) & ~nothing,
            reason=reasons.mask((reasons == "") & nothing, NO_VOL),
        )

    def _beyond_quotes(self, terms: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether each option's maturity or moneyness lies outside the fitted quotes of its underlying."""
        fitted = dict(list(self.quotes().groupby("underlying")))
        beyond = np.ones(len(terms), dtype=bool)
        for underlying, rows in by_underlying(terms):
            if underlying in fitted:
                years = terms["year_fraction"].to_numpy(dtype=float)[rows]
                moneyness = standardised_moneyness(terms)[rows]
                beyond[rows] = ~surface_of(fitted[underlying]).covers(years, moneyness)
        return beyond


def _packed(frame: pd.DataFrame, columns: Sequence[str]) -> Table:
    """A table as plain arrays, whose pickle depends on nothing but their values."""
    return {name: _plain(frame[name]) for name in columns}


def _plain(values: pd.Series) -> NDArray[Any]:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values.to_numpy(dtype="datetime64[s]").copy()
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=float).copy()
    return np.array([str(value) for value in values.fillna("")], dtype="U")
