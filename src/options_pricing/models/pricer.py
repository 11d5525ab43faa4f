"""What `PricingModel.price_options` says, to the last bit, fast enough to be asked one option at a time."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.models.base import by_underlying, standardised_moneyness
from options_pricing.models.bundle import NO_VOL, PRICED, PricingModel
from options_pricing.models.columns import Columns
from options_pricing.models.forward_curve import CARRY
from options_pricing.models.listing import (
    HIGHEST_STRIKE,
    LOWEST_STRIKE,
    complaints,
    read_asked,
    spots_behind,
    time_complaints,
    with_terms,
)
from options_pricing.models.random_walk import surface_of

NUMBERS = PRICED[: PRICED.index("exercise_style")]
FOUND = NUMBERS[: NUMBERS.index("forward")]
KEY = ["underlying", "root", "expiration"]
NAMES = ["root", "expiration", "exercise_style", "settlement", "listed"]
TERMS = [*CARRY, "year_fraction", "underlying_price", "spot"]
# An expiration is asked for again and again at other strikes; so many of them are remembered.
MOST_REMEMBERED = 20_000


class Terms(NamedTuple):
    """What all options of one underlying, root and expiration share."""

    known: bool
    reason: str
    names: tuple[Any, ...]
    numbers: tuple[float, ...]


class Pricer:
    """Prices options of a `PricingModel` given as plain arrays.

    What depends on neither strike nor type is asked of the plain path, once for each expiration, and remembered. The
    rest is done by the same functions on the same numbers, without pandas between them.
    """

    def __init__(self, bundle: PricingModel) -> None:
        self.bundle = bundle
        self._listed = bundle.listed()
        self._trade_date = np.datetime64(pd.Timestamp(bundle.as_of), "s")
        self._fitted = {u: surface_of(rows) for u, rows in bundle.quotes().groupby("underlying")}
        self._terms: dict[tuple[Hashable, ...], Terms] = {}

    def priced(self, asked: Columns) -> dict[str, NDArray[Any]]:
        """Price options as of the close of the model's day.

        Parameters
        ----------
        asked : Columns
            ``underlying``, ``root``, ``expiration``, ``strike`` (floats) and ``option_type`` (C or P).

        Returns
        -------
        dict of ndarray
            The columns `PRICED`, bit for bit as `PricingModel.price_options` gives them.
        """
        terms, place = self._terms_of(list(zip(*(asked[name].tolist() for name in KEY), strict=True)))
        names = {name: _texts([t.names[at] for t in terms])[place] for at, name in enumerate(NAMES)}
        numbers = np.array([t.numbers for t in terms]).T.take(place, axis=1)
        reason = _texts([t.reason for t in terms])[place]
        whole = Columns({**asked.held, **names, **dict(zip(TERMS, numbers, strict=True)), "reason": reason})
        usual = (asked["strike"] >= LOWEST_STRIKE) & (asked["strike"] <= HIGHEST_STRIKE)
        priceable = np.array([t.known for t in terms])[place] & usual
        if priceable.all():
            return self._found(whole)
        told: dict[str, NDArray[Any]] = {
            **{name: np.full(len(asked), np.nan) for name in NUMBERS},
            "exercise_style": names["exercise_style"],
            "series_root": names["root"],
            "listed": names["listed"].astype(bool),
            "extrapolated": np.zeros(len(asked), dtype=bool),
            "reason": reason,
        }
        rows = np.flatnonzero(priceable)
        if len(rows):
            for name, values in self._found(whole.take(rows)).items():
                told[name][rows] = values
        if not usual.all():
            self._put_plain(told, asked, np.flatnonzero(~usual))
        return told

    def _found(self, terms: Columns) -> dict[str, NDArray[Any]]:
        """`PRICED` of options of known terms."""
        same = {"contract_symbol": "", "trade_date": self._trade_date}
        quotes = Columns({**terms.held, **{name: np.full(len(terms), value) for name, value in same.items()}})
        model: Any = self.bundle.model
        vols, greeks = model.predict_with_greeks(quotes if model.reads_columns else pd.DataFrame(quotes.held))
        made = {**greeks._asdict(), "predicted_price": greeks.price, "predicted_implied_vol": vols}
        found = {name: made[name] if name in FOUND else terms[name] for name in NUMBERS}
        found |= {"exercise_style": terms["exercise_style"], "series_root": terms["root"]}
        found |= {"listed": terms["listed"].astype(bool), "extrapolated": self._beyond_quotes(quotes)}
        nothing = ~np.isfinite(greeks.price)
        if not nothing.any():
            return found | {"reason": terms["reason"]}
        return {
            **found,
            **{name: np.where(nothing, np.nan, found[name]) for name in FOUND},
            "extrapolated": found["extrapolated"] & ~nothing,
            "reason": np.where((terms["reason"] == "") & nothing, NO_VOL, terms["reason"]),
        }

    def _beyond_quotes(self, quotes: Columns) -> NDArray[np.bool_]:
        beyond, moneyness = np.ones(len(quotes), dtype=bool), standardised_moneyness(quotes)
        for underlying, rows in by_underlying(quotes):
            if underlying in self._fitted:
                years = quotes["year_fraction"][rows]
                beyond[rows] = ~self._fitted[underlying].covers(years, moneyness[rows])
        return beyond

    def _terms_of(self, keys: list[tuple[Hashable, ...]]) -> tuple[list[Terms], NDArray[np.intp]]:
        """The terms of each different key, and for each row which of them are its own."""
        place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        rows = np.fromiter(map(place.__getitem__, keys), dtype=np.intp, count=len(keys))
        # One dictionary throughout: another thread may forget what this one has found.
        remembered = self._terms if len(self._terms) < MOST_REMEMBERED else {}
        new = [key for key in place if key not in remembered]
        if new:
            remembered.update(zip(new, self._looked_up(new), strict=True))
            self._terms = remembered
        return [remembered[key] for key in place], rows

    def _looked_up(self, keys: list[tuple[Hashable, ...]]) -> list[Terms]:
        """Terms by the plain path, for any strike and type."""
        plain = read_asked(pd.DataFrame(keys, columns=KEY, dtype=object).assign(strike=1.0, option_type="C"))
        refused = complaints(plain, self._listed)
        roots, unknown = plain["root"].to_dict(), [""] * (len(NAMES) - 1)
        nowhere = (np.nan,) * len(TERMS)
        found = {at: Terms(False, reason, (roots[at], *unknown), nowhere) for at, reason in refused.items()}
        sound = plain[refused == ""]
        if len(sound):
            terms = with_terms(sound, self._listed)
            late = time_complaints(terms, self.bundle.as_of)
            terms.loc[late != "", "forward"] = np.nan
            terms["spot"] = spots_behind(terms)
            names, numbers = (terms[columns].itertuples(index=False, name=None) for columns in (NAMES, TERMS))
            rows = zip(terms.index, late, names, numbers, strict=True)
            found |= {at: Terms(True, reason, texts, values) for at, reason, texts, values in rows}
        return [found[at] for at in plain.index]

    def _put_plain(self, told: dict[str, NDArray[Any]], asked: Columns, rows: NDArray[np.intp]) -> None:
        """Strikes that nobody lists are left to the plain path, which refuses them in words."""
        priced = self.bundle.price_options(pd.DataFrame(asked.take(rows).held))
        for name in PRICED:
            told[name][rows] = priced[name].to_numpy()


def _texts(values: list[Any]) -> NDArray[Any]:
    return np.array(values, dtype=object)
