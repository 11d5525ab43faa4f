"""From vols to prices, greeks and back, for tables that hold European and American options side by side."""

import numpy as np
from numpy.typing import NDArray

from options_pricing.models.columns import Table, numbers, rows_of
from options_pricing.models.vol_surface import Array
from options_pricing.pricing.american import american_price, early_exercise_premium, spot_and_rate
from options_pricing.pricing.american_greeks import american_price_and_greeks
from options_pricing.pricing.black import PriceAndGreeks, black_price, price_and_greeks
from options_pricing.pricing.implied_vol import implied_vol

LOWEST_VOL, HIGHEST_VOL = 1e-3, 4.0


def prices_at(quotes: Table, vols: Array) -> Array:
    """Prices of options at given vols: Black's if European, with the right to early exercise if American.

    The carry is that of the option's own forward, discount factor and dividend yield, so that an American option at
    its market's implied vol has its market's price.
    """
    prices = black_price(*_terms(quotes), vols, _option_types(quotes))
    american = _american(quotes)
    if american.any():
        prices[american] = american_price(*_on_spot(rows_of(quotes, american), vols[american]))
    return prices


def greeks_at(quotes: Table, vols: Array) -> PriceAndGreeks:
    """Prices and greeks at given vols, on the spot behind each forward; units as `price_and_greeks` says."""
    forward, strike, years, discount = _terms(quotes)
    spot, _ = spot_and_rate(forward, years, discount, numbers(quotes, "dividend_yield"))
    found = price_and_greeks(forward, strike, years, discount, vols, _option_types(quotes), spot=spot)
    american = _american(quotes)
    if american.any():
        exercised = american_price_and_greeks(*_on_spot(rows_of(quotes, american), vols[american]))
        for values, replaced in zip(found, exercised, strict=True):
            values[american] = replaced
    return found


def early_exercise(quotes: Table, vols: Array) -> Array:
    """American less European price at given vols; 0 for European options."""
    premium = np.zeros(len(quotes))
    american = _american(quotes)
    if american.any():
        premium[american] = early_exercise_premium(*_on_spot(rows_of(quotes, american), vols[american]))
    return premium


def vols_of_prices(quotes: Table, prices: Array) -> Array:
    """Black vols of European prices; a price that no vol gives has the nearer end of 0.001 to 4. NaN stays NaN."""
    terms, option_type = _terms(quotes), _option_types(quotes)
    lowest, highest = (black_price(*terms, np.full(len(quotes), vol), option_type) for vol in (LOWEST_VOL, HIGHEST_VOL))
    vols = implied_vol(prices, *terms, option_type)
    return np.where(prices <= lowest, LOWEST_VOL, np.where(prices >= highest, HIGHEST_VOL, vols))


def _on_spot(quotes: Table, vols: Array) -> tuple[Array, Array, Array, Array, Array, Array, NDArray[np.bool_]]:
    """Spot, strike, years, rate, dividend yield, vol, and whether it is a call: what `american_price` is asked with."""
    forward, strike, years, discount = _terms(quotes)
    dividends = numbers(quotes, "dividend_yield")
    spot, rate = spot_and_rate(forward, years, discount, dividends)
    return spot, strike, years, rate, dividends, vols, _option_types(quotes)


def _american(quotes: Table) -> NDArray[np.bool_]:
    return _is(quotes, "exercise_style", "american")


def _option_types(quotes: Table) -> NDArray[np.bool_]:
    return _is(quotes, "option_type", "C")


def _is(quotes: Table, name: str, value: str) -> NDArray[np.bool_]:
    found = quotes[name] == value
    return found if isinstance(found, np.ndarray) else found.to_numpy(dtype=bool, na_value=False)


def _terms(quotes: Table) -> tuple[Array, Array, Array, Array]:
    forward, strike, years, discount = (
        numbers(quotes, name) for name in ("forward", "strike", "year_fraction", "discount_factor")
    )
    return forward, strike, years, discount
