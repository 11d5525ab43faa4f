"""What the app reads off a model beside prices: its surface on a grid, its term structures, its densities."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from options_pricing.models.bundle import PricingModel
from options_pricing.pricing.black import black_price
from options_pricing.run.calendar import DAYS_A_YEAR
from options_pricing.serving.chains import Chain, listed_chains
from options_pricing.surface.readouts import density, probability_below

Array = NDArray[np.float64]

# In standard deviations at the money; vols further out than the quotes are cut off by who draws them.
REACH, STEPS = 4.0, 81
DENSITY_REACH, DENSITY_STEPS = (-8.0, 5.0), 326
DELTA = 0.25
QUANTILES = (0.05, 0.5, 0.95)


class ChainSurface:
    """The model's own smile of one chain, asked as a `Surface` is; American options as if they were European.

    Parameters
    ----------
    model : PricingModel
    chain : Chain
    forward : float
        Of the chain.
    """

    def __init__(self, model: PricingModel, chain: Chain, forward: float) -> None:
        self._model, self._chain, self._forward = model, chain, forward

    def vols_at(self, year_fraction: ArrayLike, moneyness: ArrayLike) -> Array:
        """Implied vols by standardised moneyness, at the maturity of the chain."""
        years, x = np.broadcast_arrays(np.asarray(year_fraction, dtype=float), np.asarray(moneyness, dtype=float))
        return self._vols(np.exp(x * np.sqrt(years)))

    def prices(
        self,
        year_fraction: ArrayLike,
        strike: ArrayLike,
        forward: ArrayLike,
        discount_factor: ArrayLike,
        option_type: ArrayLike,
    ) -> Array:
        """European prices at strikes in units of `forward`; the vol is the model's at that multiple of the forward."""
        k = np.asarray(strike, dtype=float) / np.asarray(forward, dtype=float)
        return black_price(forward, strike, year_fraction, discount_factor, self._vols(k), option_type)

    def _vols(self, k: Array) -> Array:
        strikes = k.ravel() * self._forward
        asked = self._chain.asked(strikes, np.where(k.ravel() >= 1, "C", "P"))
        return self._model.price_options(asked)["predicted_implied_vol"].to_numpy(dtype=float).reshape(k.shape)


def chain_density(model: PricingModel, chain: Chain, listed: pd.Series) -> pd.DataFrame:
    """The risk-neutral density of one chain, beside the lognormal one at the vol of the forward.

    Returns
    -------
    DataFrame
        ``price`` of the underlying at the expiry; ``density``, ``lognormal`` and ``probability_below`` of it, the
        first two per unit of currency. Empty where the model has no vol at the forward.
    """
    forward, years = float(listed["forward"]), float(listed["year_fraction"])
    surface = ChainSurface(model, chain, forward)
    deviation = float(surface.vols_at(years, 0.0)) * float(np.sqrt(years))
    if not np.isfinite(deviation):
        return pd.DataFrame(columns=["price", "density", "lognormal", "probability_below"], dtype=float)
    k = np.exp(np.linspace(*DENSITY_REACH, DENSITY_STEPS) * deviation)
    z = np.log(k) / deviation + deviation / 2
    return pd.DataFrame(
        {
            "price": k * forward,
            "density": density(surface, years, k) / forward,
            "lognormal": np.exp(-(z**2) / 2) / (np.sqrt(2 * np.pi) * deviation * k * forward),
            "probability_below": probability_below(surface, years, k),
        }
    )


def density_figures(table: pd.DataFrame) -> dict[str, float]:
    """Quantiles of a `chain_density`, and how much of it is negative, as it is where prices allow arbitrage."""
    below = np.maximum.accumulate(table["probability_below"].to_numpy())
    low, middle, high = np.interp(QUANTILES, below, table["price"])
    negative = float(np.trapezoid(np.maximum(-table["density"], 0.0), table["price"]))
    return {"low": float(low), "middle": float(middle), "high": float(high), "negative": negative}


def surface_grid(model: PricingModel, underlying: str, moneyness: Array, *, quoted_only: bool) -> pd.DataFrame:
    """The model's vols at multiples of each expiration's forward.

    Parameters
    ----------
    model : PricingModel
    underlying : str
    moneyness : ndarray
        Strikes over forward.
    quoted_only : bool
        NaN where maturity or moneyness lies beyond the fitted quotes.

    Returns
    -------
    DataFrame
        ``expiration``, ``root``, ``days``, ``moneyness``, ``strike`` and ``implied_vol`` (decimal per year), by
        expiration; where two roots share one, the later settled stands for both.
    """
    last = {chain.expiration: (chain, listed) for chain, listed in listed_chains(model, underlying)}
    grid = _asked(model, list(last.values()), np.tile(moneyness, (len(last), 1)))
    return grid.assign(implied_vol=grid["implied_vol"].mask(grid.pop("extrapolated") & quoted_only))


def term_structure(model: PricingModel, underlying: str) -> pd.DataFrame:
    """ATM vol and skew of every expiration as the model has them, vols as decimals per year.

    Returns
    -------
    DataFrame
        ``expiration``, ``root``, ``days``, ``forward``, ``atm_vol``, ``skew_25`` (vol of the put of delta 25 less
        that of the call), ``butterfly_25`` (their mean less `atm_vol`) and ``extrapolated`` (whether the maturity lies
        beyond the fitted quotes); deltas on the forward. NaN where the model has no vol, or no such delta within four
        standard deviations.
    """
    chains = listed_chains(model, underlying)
    years = np.array([listed["year_fraction"] for _, listed in chains], dtype=float)
    at_forward = _asked(model, chains, np.ones((len(chains), 1)))
    atm = at_forward["implied_vol"].to_numpy()
    y = np.linspace(-REACH, REACH, STEPS) * (np.nan_to_num(atm, nan=1.0) * np.sqrt(years))[:, None]
    vols = _asked(model, chains, np.exp(y))["implied_vol"].to_numpy().reshape(y.shape)
    put, call = (_vols_of_delta(y, vols, years, above) for above in (1 - DELTA, DELTA))
    return pd.DataFrame(
        {
            "expiration": [chain.expiration for chain, _ in chains],
            "root": [chain.root for chain, _ in chains],
            "days": years * DAYS_A_YEAR,
            "forward": [float(listed["forward"]) for _, listed in chains],
            "atm_vol": atm,
            "skew_25": put - call,
            "butterfly_25": (put + call) / 2 - atm,
            "extrapolated": at_forward["extrapolated"].to_numpy(),
        }
    )


def _vols_of_delta(y: Array, vols: Array, years: Array, above: float) -> Array:
    """In each row the vol where the call's delta on the forward is `above`; linear between the points."""
    deviation = vols * np.sqrt(years)[:, None]
    delta = ndtr(-y / deviation + deviation / 2)
    return np.array([_at_delta(own, vol, above) for own, vol in zip(delta, vols, strict=True)])


def _at_delta(delta: Array, vols: Array, wanted: float) -> float:
    known = np.isfinite(delta)
    if not known.any() or not delta[known].min() <= wanted <= delta[known].max():
        return float("nan")
    order = np.argsort(delta[known], kind="stable")
    return float(np.interp(wanted, delta[known][order], vols[known][order]))


def _asked(model: PricingModel, chains: list[tuple[Chain, pd.Series]], k: Array) -> pd.DataFrame:
    """The model's vols of the strikes in each row of `k`, in units of that chain's forward; one call for all."""
    parts = [
        chain.asked(row * float(listed["forward"]), np.where(row >= 1, "C", "P")).assign(
            days=float(listed["year_fraction"]) * DAYS_A_YEAR, moneyness=row
        )
        for (chain, listed), row in zip(chains, k, strict=True)
    ]
    asked = pd.concat(parts, ignore_index=True)
    priced = model.price_options(asked)
    columns = asked[["expiration", "root", "days", "moneyness", "strike"]]
    return columns.assign(implied_vol=priced["predicted_implied_vol"], extrapolated=priced["extrapolated"])
