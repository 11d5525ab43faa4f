"""What a fitted day lists, and the terms of any option asked of it: series, time to expiry, forward, discount."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.typing import NaTType

from options_pricing.models.forward_curve import CARRY, ForwardCurve
from options_pricing.pricing.american import spot_and_rate
from options_pricing.run.calendar import SECONDS_A_YEAR, expiry_instants, year_fractions

SERIES = ["underlying", "root", "expiration", "settlement", "exercise_style"]
LISTED = [*SERIES, *CARRY, "year_fraction", "underlying_price"]
LONGEST_YEARS = 10.0
LOWEST_STRIKE, HIGHEST_STRIKE = 0.0001, 1e9
FIRST_DATE, LAST_DATE = pd.Timestamp("1990-01-01"), pd.Timestamp("2200-01-01")


def listed_series(features: pd.DataFrame) -> pd.DataFrame:
    """Every series of one day's features that has a forward: `LISTED` columns, sorted, one row each."""
    whole = np.isfinite(features[CARRY].to_numpy()).all(axis=1) & (features["year_fraction"] > 0)
    series = features.loc[whole, LISTED].assign(root=features["root"].fillna(""))
    return series.drop_duplicates(SERIES[:3]).sort_values(SERIES[:3], ignore_index=True)


def read_asked(asked: pd.DataFrame) -> pd.DataFrame:
    """What was asked, made plain: text, dates and numbers, null where a value is not one; `root` may be absent."""
    root = asked["root"] if "root" in asked else pd.Series(None, index=asked.index, dtype="object")
    return pd.DataFrame(
        {
            "underlying": _text(asked["underlying"]),
            "root": _text(root),
            "expiration": [_date(value) for value in asked["expiration"]],
            "strike": pd.to_numeric(asked["strike"], errors="coerce").to_numpy(dtype=float, na_value=np.nan),
            "option_type": _text(asked["option_type"]),
        }
    ).astype({"expiration": "datetime64[s]"})


def complaints(asked: pd.DataFrame, listed: pd.DataFrame) -> pd.Series:
    """Why a row cannot be priced, in the words a client reads; empty where it can.

    Parameters
    ----------
    asked : DataFrame
        As `read_asked` gives it.
    listed : DataFrame
        As `listed_series` gives it.
    """
    underlyings = listed["underlying"].unique().tolist()
    roots = {u: set(rows["root"]) for u, rows in listed.groupby("underlying")}
    known = asked["underlying"].isin(underlyings)
    named = asked["root"] != ""
    own_root = [root in roots.get(u, ()) for u, root in zip(asked["underlying"], asked["root"], strict=True)]
    found = [
        (~known, f"the model does not know this underlying; it knows {', '.join(underlyings)}"),
        (known & named & ~np.array(own_root, dtype=bool), "the underlying has no options of this root"),
        (~asked["option_type"].isin(["C", "P"]), "option_type must be C or P"),
        (
            ~asked["strike"].between(LOWEST_STRIKE, HIGHEST_STRIKE),
            f"the strike must be a number from {LOWEST_STRIKE} to {HIGHEST_STRIKE:.0f}",
        ),
        (asked["expiration"].isna(), "the expiration is not a date"),
    ]
    reason = pd.Series("", index=asked.index, dtype="str")
    for wrong, words in found:
        reason = reason.mask((reason == "") & wrong, words)
    return reason


def time_complaints(terms: pd.DataFrame, as_of: str) -> pd.Series:
    """Why options of known terms cannot be priced on the day `as_of`; empty where they can."""
    years = terms["year_fraction"]
    reason = pd.Series("", index=terms.index, dtype="str").mask(years <= 0, f"it has expired by the close of {as_of}")
    return reason.mask(years > LONGEST_YEARS, f"it expires more than {LONGEST_YEARS:.0f} years after {as_of}")


def with_terms(asked: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """Give each option its series and the terms of that; every underlying and root must be listed.

    Where no root is named, it is that of the first series with this expiration, those settled at the close before
    those settled at the opening. An expiration that is not listed takes settlement and exercise of its root, its
    time by the calendar, and forward and discount factor of the `ForwardCurve` through all of the underlying's.
    `listed` tells them apart.
    """
    parts = [_with_terms(rows, listed[listed["underlying"] == u]) for u, rows in asked.groupby("underlying")]
    return pd.concat(parts).loc[asked.index]


def spots_behind(terms: pd.DataFrame) -> NDArray[np.float64]:
    """The price of the underlying that each option is priced with: its forward, discounted, dividends put back.

    Early exercise is measured against it; the price that was quoted at the close may differ.
    """
    forward, years, discount, dividends = (
        terms[name].to_numpy(dtype=float) for name in ("forward", "year_fraction", "discount_factor", "dividend_yield")
    )
    return spot_and_rate(forward, years, discount, dividends)[0]


def _with_terms(asked: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    ordered = listed.assign(opening=listed["settlement"] != "pm").sort_values(["opening", "root", "expiration"])
    by_root = {(r, e): place for place, r, e in _named(ordered)}
    first_with = {e: place for place, _, e in reversed(list(_named(ordered)))}
    first_of = {r: place for place, r, _ in reversed(list(_named(ordered)))}
    exact = [
        by_root.get((root, at), -1) if root else first_with.get(at, -1)
        for root, at in zip(asked["root"], asked["expiration"], strict=True)
    ]
    like = [first_of[root] if root else 0 for root in asked["root"]]
    on_list = np.array(exact) >= 0
    series = ordered.iloc[np.where(on_list, exact, like)].set_index(asked.index)
    terms = asked.assign(**{name: series[name] for name in LISTED if name not in {"underlying", "expiration"}})
    terms["listed"] = on_list
    return _off_list(terms, ~on_list, ordered) if not on_list.all() else terms


def _off_list(terms: pd.DataFrame, unlisted: NDArray[np.bool_], listed: pd.DataFrame) -> pd.DataFrame:
    """Terms of expirations that are not listed, by the clock that the listed ones were timed with."""
    clock = _as_of(listed)
    rows = terms.index[unlisted]
    years = year_fractions(terms.loc[rows, "expiration"], terms.loc[rows, "settlement"], clock).to_numpy(dtype=float)
    carry = np.full((len(rows), len(CARRY)), np.nan)
    ahead = years > 0
    carry[ahead] = np.column_stack(ForwardCurve(listed).at(years[ahead]))
    terms.loc[rows, CARRY] = carry
    terms.loc[rows, "year_fraction"] = years
    return terms


def _as_of(listed: pd.DataFrame) -> pd.Timestamp:
    """The instant from which the times to expiry count."""
    first = listed.iloc[:1]
    seconds = round(float(first["year_fraction"].iloc[0]) * SECONDS_A_YEAR)
    return expiry_instants(first["expiration"], first["settlement"]).iloc[0] - pd.Timedelta(seconds=seconds)


def _named(series: pd.DataFrame) -> Iterator[tuple[int, str, pd.Timestamp]]:
    return zip(range(len(series)), series["root"], series["expiration"], strict=True)


def _text(values: pd.Series) -> list[str]:
    return ["" if pd.api.types.is_scalar(value) and pd.isna(value) else str(value) for value in values]


def _date(value: object) -> pd.Timestamp | NaTType:
    """A day without time of day or zone; NaT for what is none or lies outside 1990 to 2200."""
    try:
        at = pd.Timestamp(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return pd.NaT
    known = pd.notna(at) and FIRST_DATE <= at.tz_localize(None) < LAST_DATE
    return at.tz_localize(None).normalize() if known else pd.NaT
