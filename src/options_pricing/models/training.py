"""From days of features to a pricing model and its card."""

import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from options_pricing.models.base import asked, by_underlying, day_names, eligible_quotes, last_days
from options_pricing.models.bundle import PricingModel
from options_pricing.models.registry import make_model
from options_pricing.run.calendar import parse_day
from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Train

FEWEST_STRIKES = 3
LIBRARIES = ("numpy", "scikit-learn", "pandas", "scipy")
SIMULATED = "simulated"
WITHOUT_ARBITRAGE = ("constrained", "hybrid")


class Trained(NamedTuple):
    """A pricing model, what its fit says of itself, and why underlyings were left out (underlying -> reason)."""

    pricing: PricingModel
    metrics: dict[str, Any]
    left_out: dict[str, str]


def train_model(features: pd.DataFrame, train: Train) -> Trained:
    """Fit ``train.model`` on all given days of every underlying that its last day lets be fitted.

    Parameters
    ----------
    features : DataFrame
        FEATURES of one or more days.
    train : Train
        The section of the parameters.

    Raises
    ------
    BadDataError
        Nothing can be fitted: no rows, or on the last day no underlying with calls and puts on several strikes.
    """
    left_out = why_not_fitted(features, train)
    kept = features[~features["underlying"].isin(left_out)]
    if kept.empty:
        raise BadDataError(
            "no model can be trained on these features",
            why="; ".join(f"{u}: {reason}" for u, reason in left_out.items()) or "they have no rows",
            fix="look at the validation reports of these days, or at train.*_days_to_expiry and features.min_pairs",
        )
    model = make_model(train.model, train).fit(kept)
    pricing = PricingModel(model, kept, train.model_dump(mode="json"))
    return Trained(pricing, {**in_sample_metrics(pricing, kept), **model.diagnostics()}, left_out)


def why_not_fitted(features: pd.DataFrame, train: Train) -> dict[str, str]:
    """The underlyings that the last day does not let be fitted, and why."""
    newest, as_of = last_days(features), features["trade_date"].max()
    found = {}
    for underlying, rows in by_underlying(newest):
        chain = newest.iloc[rows]
        missing = chain["trade_date"].iloc[0] < as_of
        reason = f"it has no quotes of {as_of:%Y%m%d}" if missing else _why_not(chain, train)
        if reason:
            found[underlying] = reason
    return found


def _why_not(chain: pd.DataFrame, train: Train) -> str:
    day = f"{chain['trade_date'].iloc[0]:%Y%m%d}"
    kinds, strikes = chain["option_type"].unique(), chain["strike"].nunique()
    if len(kinds) < 2:
        return f"on {day} all {len(chain)} options are {'calls' if 'C' in kinds else 'puts'}"
    if strikes < FEWEST_STRIKES:
        return f"on {day} it has {strikes} strike{'s' if strikes > 1 else ''}, at least {FEWEST_STRIKES} are needed"
    window = train.min_days_to_expiry, train.max_days_to_expiry
    usable = eligible_quotes(chain, *window)["strike"].nunique()
    if usable < FEWEST_STRIKES:
        return (
            f"on {day} quotes on {usable} strikes are two-sided, out of the money, with a forward and a vol, "
            f"{window[0]} to {window[1]} days before expiration; at least {FEWEST_STRIKES} are needed"
        )
    return ""


def in_sample_metrics(pricing: PricingModel, features: pd.DataFrame) -> dict[str, Any]:
    """How near the model comes to the quotes of its last day, which it was fitted on."""
    quotes = eligible_quotes(last_days(features), *pricing.model.days_to_expiry)
    vols, prices = pricing.model.predict_with_prices(asked(quotes))
    vol_error = (vols - quotes["implied_vol"]).to_numpy()
    error = (prices - quotes["mid"]).to_numpy()
    return {
        "fitted_quotes": len(quotes),
        "in_sample_iv_rmse_vol_points": float(100 * np.sqrt(np.nanmean(vol_error**2))),
        "in_sample_mae_price": float(np.nanmean(np.abs(error))),
    }


def model_card(
    trained: Trained,
    features: pd.DataFrame,
    files: Sequence[dict[str, str]],
    model_sha256: str,
    unseen: dict[str, Any],
) -> dict[str, Any]:
    """``model_card.json``: what the model is, what it was made of, and what not to use it for.

    Parameters
    ----------
    trained : Trained
    features : DataFrame
        What was given to `train_model`.
    files : sequence of dict
        ``path`` and ``sha256`` of each features file.
    model_sha256 : str
        Of the pickle.
    unseen : dict
        How the model does on days that it has not seen.
    """
    pricing, train = trained.pricing, trained.pricing.train
    settings = {key: value for key, value in train.items() if key not in {"model", "boosted"}}
    if train["model"] == "boosted":
        settings |= train["boosted"]
    return {
        "model": train["model"],
        "hyperparameters": settings,
        "as_of": pricing.as_of,
        "simulated": SIMULATED in pricing.sources,
        "sources": pricing.sources,
        "underlyings": sorted(pricing.quotes()["underlying"].unique().tolist()),
        "days": sorted(day_names(features).unique().tolist()),
        "rows": len(features),
        "features": list(files),
        "model_sha256": model_sha256,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "training_metrics": trained.metrics,
        "out_of_sample": unseen,
        "limits": [*_limits(trained), *_unproven(unseen)],
    }


def _limits(trained: Trained) -> Iterable[str]:
    pricing = trained.pricing
    shortest, longest = pricing.model.days_to_expiry
    if SIMULATED in pricing.sources:
        yield "Made from a SIMULATED market: its prices are nobody's."
    yield (
        f"Prices are as of the close of {parse_day(pricing.as_of):%Y-%m-%d}. Fitted on two-sided quotes out of the "
        f"money, {shortest} to {longest} days from expiration; what lies outside of them is marked as extrapolated."
    )
    factors = trained.metrics.get("shrink_factor", {})
    if unproven := [underlying for underlying, factor in factors.items() if factor == 0]:
        yield (
            f"For {', '.join(unproven)} it is yesterday's surface itself: days that its correction had not seen did "
            "not bear it out."
        )
    if pricing.model.name in WITHOUT_ARBITRAGE:
        yield (
            "On its own day, where quotes reach and do not contradict each other, its surface is free of butterfly and "
            "calendar arbitrage; moved to another day nothing forces it to be."
        )
    else:
        yield "Nothing forces its surface to be free of arbitrage between the quotes."
    yield "American options are priced with a continuous dividend yield, not with the discrete dividends they have."
    for underlying, reason in trained.left_out.items():
        yield f"{underlying} is left out: {reason}."


def _unproven(unseen: dict[str, Any]) -> Iterable[str]:
    if "not_possible" in unseen:
        yield f"It has never been tried on a day that it had not seen: {unseen['not_possible']}."
        return
    r2 = unseen["figures"]["r2_implied_vol_vs_random_walk"]
    if r2["low"] is None or r2["low"] <= 0:
        yield (
            f"Over {len(unseen['days'])} unseen days it is not proven to beat yesterday's surface: R2 of implied vol "
            f"against it {_number(r2['value'])}, interval {_number(r2['low'])} to {_number(r2['high'])}."
        )


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
