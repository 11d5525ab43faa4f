"""How the report says things: numbers, days, and the plain names of models, protocols and figures."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from options_pricing.reporting.inputs import Estimate

NONE = "—"
MINUS = "−"


def visible(value: Any) -> str:
    """Any value as one line of text in which every character shows.

    Control and formatting characters (a bell, a bidirectional override) are written as their code points, and any
    white space becomes one blank, so that text from data cannot change how the text around it is laid out.
    """
    text = " ".join(str(value).split())
    return "".join(c if unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cs"} else f"\\u{ord(c):04x}" for c in text)


def decimal(value: float | None, digits: int = 2) -> str:
    """``-1234.5`` -> ``−1,234.50``; a null is a dash, and nothing rounds to minus zero."""
    if value is None or pd.isna(value):
        return NONE
    shown = f"{value:,.{digits}f}"
    return shown.lstrip("-") if float(shown.replace(",", "")) == 0 else shown.replace("-", MINUS)


def whole(value: float | None) -> str:
    """``24310`` -> ``24,310``."""
    return decimal(value, 0)


def percent(share: float | None, digits: int = 1) -> str:
    """``0.221`` -> ``22.1 %``; what is not all never shows as 100 %, what is not nothing never as 0 %."""
    if share is None or pd.isna(share):
        return NONE
    if share in {0, 1}:
        return f"{100 * share:.0f} %"
    while digits < 6 and round(100 * share, digits) in {0, 100}:
        digits += 1
    return f"{decimal(100 * share, digits)} %"


def significant(value: float | None) -> str:
    """Three significant digits, none after the point from 100 on: ``0.462``, ``30.6``, ``1,234``."""
    size = 0.0 if value is None or pd.isna(value) else abs(value)
    return decimal(value, 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0)


def coefficient(value: float | None) -> str:
    """An R²: three decimals (one under -10), and as many nines as it takes to tell it from 1."""
    digits = 3 if value is None or value > -10 else 1
    while value is not None and digits < 12 and 0.99 < value < 1 and round(1 - value, digits) < 5 * 10.0**-digits:
        digits += 1
    return decimal(value, digits)


def as_day(day: str) -> str:
    """``20261120`` -> ``2026-11-20``."""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def typeset(text: str) -> str:
    """A sentence of another part of the project in the report's spelling of days, R², shares and negative numbers."""
    text = re.sub(r"\b20\d{6}\b", lambda day: as_day(day[0]), text)
    text = re.sub(r"\bR2\b", "R²", re.sub(r"(?<=\d)%", " %", text))
    return re.sub(r"(?<![\w.)-])-(?=\d)", MINUS, text)


def in_words(day: str) -> str:
    """``20261120`` -> ``Friday 20 November 2026`` (English whatever the locale)."""
    at = pd.Timestamp(day)
    return f"{at.day_name()} {at.day} {at.month_name()} {at.year}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 day``, ``10 days``."""
    return f"{whole(count)} {one if count == 1 else many or one + 's'}"


def span(days: Sequence[str], one: str = "day") -> str:
    """``9 days, 2026-11-10 to 2026-11-20``."""
    if not days:
        return "no day named"
    if len(days) == 1:
        return f"1 {one}, {as_day(days[0])}"
    return f"{counted(len(days), one)}, {as_day(min(days))} to {as_day(max(days))}"


@dataclass(frozen=True)
class FigureWords:
    """How one figure of merit is shown: its name, what it says, and how its number is written."""

    title: str
    meaning: str
    shown: Callable[[float | None], str]


FIGURES = {
    "r2_implied_vol_vs_random_walk": FigureWords(
        "R² of implied vol against yesterday's surface",
        "share of that surface's squared error that the model takes away; above 0 is better than it",
        coefficient,
    ),
    "iv_rmse_vol_points": FigureWords(
        "Error of implied vol, points",
        "root mean squared; a vol point is 0.01 of vol; lower is better",
        significant,
    ),
    "median_error_half_spreads": FigureWords(
        "Median price error, half-spreads",
        "half bid-ask spreads from mid; 1 is the edge of the spread; lower is better",
        significant,
    ),
    "inside_bid_ask": FigureWords(
        "Price inside bid-ask",
        "share of quotes whose bid and ask enclose the model's price; higher is better",
        percent,
    ),
    "mae_price": FigureWords("Mean absolute price error", "in the quote currency; lower is better", significant),
    "r2_price": FigureWords(
        "R² of price", "most of a price follows from strike and forward, so it decides little", coefficient
    ),
}

CHECKS = {
    "evaluation": "the evaluation is of this model",
    "r2_above_line": "R² is above the line, more than by chance",
    "no_bucket_worse": "nowhere shown to be worse than yesterday's surface",
    "interval_coverage": "price intervals hold what they claim",
    "no_arbitrage": "its prices do not contradict each other",
    "drift": "the market has not drifted",
    "validation": "the newest day passed validation",
    "api_ready": "the API answers with this release",
    "api_single_price": "the API prices one option as the model does",
    "api_golden_prices": "the API prices the kept options as the model did",
    "app_health": "the app answers",
    "app_page": "the app serves its page",
    "app_page_drawn": "the app draws its page",
}

YESTERDAYS = "yesterday's surface"
MODELS = {
    "seed_linear": "the seed's linear regression",
    "flat_vol": "one flat volatility",
    "ad_hoc_black_scholes": "the ad-hoc Black-Scholes parabola",
    "random_walk": "yesterday's surface",
    "sticky_strike": "yesterday's surface, strike by strike",
    "essvi": "yesterday's surface, as eSSVI",
    "constrained": "yesterday's surface, free of arbitrage",
    "boosted": "the boosted surface",
    "hybrid": "the hybrid surface",
}

PROTOCOLS = {
    "next_day": (
        "Next day",
        "Fitted on the days before, told the new day's forwards, judged on its two-sided quotes out of the money, "
        "within the days to expiration that models are fitted on.",
    ),
    "same_day": (
        "Same day",
        "Fitted on the day's other strikes, judged on a share of strikes held out of each expiration; the same kind "
        "of quotes.",
    ),
    "few_quotes": (
        "Few quotes",
        "Fitted on the days before and nine of the day's quotes an underlying (at the money and 25-delta put and call "
        "of three expirations), told the day's forwards, judged on all its other quotes.",
    ),
    "random_rows": ("Random rows", "Fitted on a single day's other rows, judged on rows held out at random."),
}


def model_words(model: str, protocol: str = "next_day") -> str:
    """The plain name of a model; told quotes of the day, a surface is that day's own, not yesterday's."""
    whose = {"next_day": YESTERDAYS, "few_quotes": "a surface through the nine quotes"}
    return MODELS.get(model, model).replace(YESTERDAYS, whose.get(protocol, "the day's own surface"))


def check_words(name: str) -> str:
    """What a check of the gate, or of a staged release, is of."""
    return CHECKS.get(name, name)


def protocol_words(protocol: str) -> tuple[str, str]:
    """A protocol's title and what it does."""
    return PROTOCOLS.get(protocol, (protocol, ""))


def with_interval(estimate: Estimate, shown: Callable[[float | None], str]) -> tuple[str, str]:
    """A figure and its interval, ``("0.47", "0.39 to 0.55")``; the second is empty where there is none."""
    if estimate.value is None or estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return shown(estimate.value), ""
    return shown(estimate.value), f"{shown(estimate.low)} to {shown(estimate.high)}"
