"""Rates, dividends and forwards of the simulated market."""

import numpy as np

from options_pricing.sources.simulated.draws import Array
from options_pricing.sources.simulated.instruments import Dividends
from options_pricing.sources.simulated.listing import Days, third_friday

CURVE_SLOPE, CURVE_YEARS = -0.003, 1.5
QUARTER = 0.25


def zero_rate(short_rate: float, years: Array) -> Array:
    """Continuous zero rate to a maturity; the curve falls gently from the short rate."""
    return short_rate + CURVE_SLOPE * -np.expm1(-years / CURVE_YEARS)


def discount_factor(short_rate: float, years: Array) -> Array:
    """Present value of 1 paid after `years`."""
    return np.exp(-zero_rate(short_rate, years) * years)


def ex_days(dividends: Dividends, sessions: Days) -> Days:
    """Every ex-dividend day among `sessions`, ascending; none for a continuous yield."""
    months = np.arange(sessions[0].astype("datetime64[M]"), sessions[-1].astype("datetime64[M]"))
    months = months[np.isin(months.astype(int) % 12 + 1, dividends.months)]
    if dividends.day == 0:
        fridays = np.array([third_friday(month, sessions) for month in months], dtype="datetime64[D]")
        return sessions[np.searchsorted(sessions, fridays, side="right")]
    wanted = months.astype("datetime64[D]") + np.timedelta64(dividends.day - 1, "D")
    return sessions[np.searchsorted(sessions, wanted)]


def dividend_amount(dividends: Dividends, spot: float) -> float:
    """What one ex-day is expected to pay per unit of the underlying."""
    return dividends.amount if dividends.amount else dividends.rate * QUARTER * spot


def forwards(dividends: Dividends, spot: float, short_rate: float, years: Array, years_to_ex_days: Array) -> Array:
    """Forward price to each maturity.

    A continuous yield gives ``S exp((r - q) T)``; discrete dividends give ``(S - PV) / D`` with the present value of
    those that go ex before the maturity (the escrowed-dividend forward).

    Parameters
    ----------
    years : array
        Maturities.
    years_to_ex_days : array
        Time to each ex-day still to come; empty for a continuous yield.
    """
    if not dividends.months:
        return spot * np.exp((zero_rate(short_rate, years) - dividends.rate) * years)
    paid = dividend_amount(dividends, spot) * discount_factor(short_rate, years_to_ex_days)
    before = years_to_ex_days[None, :] <= years[:, None]
    return (spot - before @ paid) / discount_factor(short_rate, years)
