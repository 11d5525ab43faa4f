"""From validated quotes to features: forward, moneyness, implied vol and greeks of every quote of a day."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.pricing.american import spot_and_rate
from options_pricing.pricing.american_greeks import american_price_and_greeks
from options_pricing.pricing.american_vol import american_implied_vol
from options_pricing.pricing.black import PriceAndGreeks, black_price, price_and_greeks
from options_pricing.pricing.implied_vol import implied_vol
from options_pricing.quotes.schema import FEATURES, RAW, names
from options_pricing.quotes.tables import conform
from options_pricing.run.calendar import exchange, is_session, why_no_session, year_fractions
from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Features, FlatRate
from options_pricing.surface.forwards import chain_forwards, expiration_numbers
from options_pricing.surface.zero_curve import ZeroCurve

Array = NDArray[np.float64]

CARRY = ["forward", "forward_error", "discount_factor", "discount_factor_error", "dividend_yield"]
PRICED = ("implied_vol", "early_exercise_premium", "european_price", *PriceAndGreeks._fields[1:])
MADE = tuple(name for name in names(FEATURES) if name not in {*names(RAW), "raw_row"})
ROWS_AT_ONCE = 1 << 18
QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)


class _Contracts(NamedTuple):
    """What prices the options of a table, one array a column."""

    mid: Array
    forward: Array
    strike: Array
    year_fraction: Array
    discount_factor: Array
    dividend_yield: Array
    call: NDArray[np.bool_]


def build_features(validated: pd.DataFrame, params: Features, *, curve: ZeroCurve | None = None) -> pd.DataFrame:
    """All features of one day's validated quotes; every row stays, what is not defined for it is null.

    Times to expiry count from the close of the session, or from the quote where that was taken before it, to the
    exact instant the option stops. Forward, discount factor, their standard errors and dividend yield are the
    expiration's (`chain_forwards`), null where too few call-put pairs tell. `implied_vol` is Black's vol of
    `european_price`, which is ``mid - early_exercise_premium``; the premium of an American option is that of its
    exercise boundary at that same vol. Greeks are on the spot ``F D exp(q T)``, at the implied vol, of the option as it
    is exercised.

    Parameters
    ----------
    validated : DataFrame
        VALIDATED of the schema, of one day; at least one row.
    params : Features
        The section of the parameters.
    curve : ZeroCurve, optional
        Discounts where no European option tells; by default flat, at the rate that is the default of the parameters.

    Returns
    -------
    DataFrame
        FEATURES of the schema, in the order of `validated`.

    Raises
    ------
    BadDataError
        There is no row, or the trade date is no trading day.
    """
    if validated.empty:
        raise BadDataError("there is no validated quote", why="the table has no rows", fix="see the validation report")
    quotes = validated.reset_index(drop=True)
    quotes["mid"] = (quotes["bid"] + quotes["ask"]) / 2
    quotes["year_fraction"] = years_to_expiry(quotes)
    forwards = chain_forwards(
        quotes,
        curve=curve or ZeroCurve.flat(FlatRate().rate),
        min_pairs=params.min_pairs,
        near_share=params.near_share,
    )
    quotes[CARRY] = forwards[CARRY].to_numpy()[expiration_numbers(quotes)]
    _add_moneyness(quotes)
    _add_vols(quotes)
    return conform(quotes, FEATURES).set_axis(validated.index)


def years_to_expiry(quotes: pd.DataFrame) -> Array:
    """Years of 365 days from each quote to the instant its option stops; zero or less once it has.

    A quote that was captured while the exchange was closed counts as one of its close, but for options that trade
    around the clock.

    Parameters
    ----------
    quotes : DataFrame
        With trade_date, quote_time, expiration and settlement.

    Raises
    ------
    BadDataError
        A trade date is not a trading day.
    """
    if quotes["trade_date"].isna().any():
        raise BadDataError(
            f"{quotes['trade_date'].isna().sum()} quotes are of no trading day",
            why="they have no trade_date",
            fix="fetch the day again, or correct the source",
        )
    opens, closes = {}, {}
    for day in quotes["trade_date"].unique():
        if not is_session(f"{day:%Y%m%d}"):
            raise BadDataError(
                "the quotes are of no trading day",
                why=why_no_session(f"{day:%Y%m%d}"),
                fix="fetch the day again, or correct the source",
            )
        opens[day], closes[day] = exchange().session_open(day), exchange().session_close(day)
    opened, closed = (quotes["trade_date"].map(times) for times in (opens, closes))
    # In nanoseconds, as the calendar has them, a time after 2262 has no place among them.
    taken, closed = quotes["quote_time"].dt.as_unit("us"), closed.dt.as_unit("us")
    around_the_clock = (quotes["settlement"] == "utc08") & taken.notna()
    as_of = closed.where(~((taken >= opened) & (taken < closed) | around_the_clock), taken)
    return year_fractions(quotes["expiration"], quotes["settlement"], as_of).to_numpy(dtype=float)


def describe(features: pd.DataFrame) -> pd.DataFrame:
    """How each made feature is distributed: mean, std, quantiles and share of nulls, one row a feature."""
    return pd.DataFrame({name: _figures(features[name].astype(float)) for name in MADE}).T


def _figures(feature: pd.Series) -> dict[str, float]:
    quantiles = {f"q{round(100 * q):02d}": float(feature.quantile(q)) for q in QUANTILES}
    return {"mean": feature.mean(), "std": feature.std(), **quantiles, "null_share": feature.isna().mean()}


def _add_moneyness(quotes: pd.DataFrame) -> None:
    quotes["moneyness"] = quotes["strike"] / quotes["forward"]
    quotes["log_moneyness"] = np.log(quotes["moneyness"])
    years = quotes["year_fraction"].where(quotes["year_fraction"] > 0)
    quotes["standardised_moneyness"] = quotes["log_moneyness"] / np.sqrt(years)
    call = quotes["option_type"] == "C"
    above = quotes["strike"] >= quotes["forward"]
    quotes["out_of_the_money"] = quotes["forward"].notna() & (call == above)


def _add_vols(quotes: pd.DataFrame) -> None:
    american = (quotes["exercise_style"] == "american").to_numpy()
    made = np.full((len(PRICED), len(quotes)), np.nan)
    for price, rows in ((_european, np.flatnonzero(~american)), (_american, np.flatnonzero(american))):
        for start in range(0, len(rows), ROWS_AT_ONCE):  # what pricing keeps meanwhile is a dozen times the table
            block = rows[start : start + ROWS_AT_ONCE]
            made[:, block] = price(_contracts(quotes.iloc[block])).T
    for name, values in zip(PRICED, made, strict=True):
        quotes[name] = values
    quotes["vol_time"] = quotes["implied_vol"] * np.sqrt(quotes["year_fraction"].clip(lower=0))
    quotes["total_variance"] = quotes["vol_time"] ** 2


def _contracts(quotes: pd.DataFrame) -> _Contracts:
    mid, forward, strike, years, discount, dividends = (
        quotes[name].to_numpy(dtype=float) for name in _Contracts._fields[:-1]
    )
    return _Contracts(mid, forward, strike, years, discount, dividends, (quotes["option_type"] == "C").to_numpy())


def _european(contracts: _Contracts) -> Array:
    """The columns `PRICED` of European options."""
    mid, forward, strike, years, discount, dividends, call = contracts
    vol = implied_vol(mid, forward, strike, years, discount, call)
    spot, _ = spot_and_rate(forward, years, discount, dividends)
    greeks = price_and_greeks(forward, strike, years, discount, vol, call, spot=spot)
    return np.column_stack([vol, np.zeros(len(vol)), mid, *greeks[1:]])


def _american(contracts: _Contracts) -> Array:
    """The columns `PRICED` of American options."""
    mid, forward, strike, years, discount, dividends, call = contracts
    spot, rate = spot_and_rate(forward, years, discount, dividends)
    option = spot, strike, years, rate, dividends
    vol = american_implied_vol(mid, *option, call)
    premium = np.maximum(mid - black_price(forward, strike, years, discount, vol, call), 0.0)
    greeks = american_price_and_greeks(*option, vol, call)
    return np.column_stack([vol, premium, mid - premium, *greeks[1:]])
