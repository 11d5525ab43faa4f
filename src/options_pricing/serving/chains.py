"""What the app shows of one chain: the last day's quotes beside the model's prices and vols."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from options_pricing.models.bundle import PricingModel
from options_pricing.pricing.black import black_price
from options_pricing.pricing.implied_vol import implied_vol

LINE_POINTS = 161
DEVIATIONS_SHOWN = 4.0
SIDES = (("C", "call"), ("P", "put"))


@dataclass(frozen=True)
class Chain:
    """One underlying's options of one root and expiration."""

    underlying: str
    root: str | None
    expiration: pd.Timestamp

    def asked(self, strikes: np.ndarray, option_type: str | np.ndarray) -> pd.DataFrame:
        """These strikes of the chain, as `PricingModel.price_options` wants them."""
        return pd.DataFrame({"strike": np.asarray(strikes, dtype=float)}).assign(
            underlying=self.underlying, expiration=self.expiration, option_type=option_type, root=self.root
        )


def listed_chains(model: PricingModel, underlying: str) -> list[tuple[Chain, pd.Series]]:
    """The chains of an underlying, nearest first, each with its row of `PricingModel.listed`."""
    listed = model.listed()
    own = listed[listed["underlying"] == underlying].sort_values("year_fraction", kind="stable")
    return [(Chain(underlying, row["root"] or None, row["expiration"]), row) for _, row in own.iterrows()]


def quotes_of(model: PricingModel, chain: Chain) -> pd.DataFrame:
    """The fitted quotes of a chain beside what the model says of each, by strike; columns as `all_quotes` adds them."""
    return _beside_model(model, _of_chain(model.quotes(), chain))


def chain_beside_model(model: PricingModel, chain: Chain, day: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """As `quotes_of`, of all quotes of a day: ``fitted`` says which of them are among those `seen`."""
    both = _beside_model(model, _of_chain(day, chain))
    names = ["strike", "option_type"]
    return both.assign(fitted=pd.MultiIndex.from_frame(both[names]).isin(pd.MultiIndex.from_frame(seen[names])))


def _of_chain(quotes: pd.DataFrame, chain: Chain) -> pd.DataFrame:
    of_chain = (quotes["underlying"] == chain.underlying) & (quotes["expiration"] == chain.expiration)
    return quotes[of_chain if chain.root is None else of_chain & (quotes["root"] == chain.root)]


def all_quotes(model: PricingModel, underlying: str) -> pd.DataFrame:
    """The fitted quotes of an underlying beside what the model says of each, by strike.

    Adds ``predicted_price``, ``predicted_implied_vol``, ``bid_implied_vol`` and ``ask_implied_vol`` (per year; null
    where no vol gives that price), ``error_half_spreads``: predicted price less mid, over half of bid to ask, and
    ``fitted``.
    """
    quotes = model.quotes()
    return _beside_model(model, quotes[quotes["underlying"] == underlying])


def _beside_model(model: PricingModel, quotes: pd.DataFrame) -> pd.DataFrame:
    own = quotes.sort_values(["strike", "option_type"], ignore_index=True)
    if own.empty:
        return own.assign(fitted=False)
    priced = model.price_options(own[["underlying", "root", "expiration", "strike", "option_type"]])
    price = priced["predicted_price"].to_numpy()
    return own.assign(
        predicted_price=price,
        predicted_implied_vol=priced["predicted_implied_vol"].to_numpy(),
        bid_implied_vol=_vol_at(own, "bid"),
        ask_implied_vol=_vol_at(own, "ask"),
        error_half_spreads=_half_spreads(price, own["bid"].to_numpy(), own["ask"].to_numpy()),
        fitted=True,
    )


def _half_spreads(price: np.ndarray, bid: np.ndarray, ask: np.ndarray) -> np.ndarray:
    """How far a price is from the mid, in halves of the spread; NaN where that is nothing."""
    half = (ask - bid) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(half > 0, (price - (bid + ask) / 2) / half, np.nan)


def _vol_at(quotes: pd.DataFrame, side: str) -> np.ndarray:
    """Black vol of one side of the quotes; the worth of early exercise is taken off as it was from their mids."""
    forward, strike, years, discount, vol = (
        quotes[name].to_numpy() for name in ("forward", "strike", "year_fraction", "discount_factor", "implied_vol")
    )
    option_type = quotes["option_type"].to_numpy(dtype=object)
    early_exercise = quotes["mid"].to_numpy() - black_price(forward, strike, years, discount, vol, option_type)
    return implied_vol(quotes[side].to_numpy() - early_exercise, forward, strike, years, discount, option_type)


def model_line(model: PricingModel, chain: Chain, forward: float, low: float, high: float) -> pd.DataFrame:
    """The model's vols between two strikes, out of the money on each side of the forward."""
    strikes = np.exp(np.linspace(np.log(low), np.log(high), LINE_POINTS))
    priced = model.price_options(chain.asked(strikes, np.where(strikes >= forward, "C", "P")))
    return pd.DataFrame({"strike": strikes, "implied_vol": priced["predicted_implied_vol"]})


def nearest_strikes(quotes: pd.DataFrame, forward: float, count: int | None) -> np.ndarray:
    """The quoted strikes, ascending; only the `count` nearest to the forward where a count is given."""
    strikes = np.sort(quotes["strike"].unique())
    nearest = np.argsort(np.abs(strikes - forward), kind="stable")[:count]
    return np.sort(strikes[nearest])


def two_sided(model: PricingModel, chain: Chain, quotes: pd.DataFrame, strikes: np.ndarray) -> pd.DataFrame:
    """The chain as a trader reads it: calls, strike, puts. The model prices both sides of every strike.

    Vols and deltas are the model's, vols in percent; bid and ask, and the error in half-spreads, are null where
    `quotes` has none.
    """
    call, put = (_side(model, chain, quotes, strikes, letter, name) for letter, name in SIDES)
    return call.join(pd.DataFrame({"strike": strikes})).join(put.iloc[:, ::-1])


def _side(
    model: PricingModel, chain: Chain, quotes: pd.DataFrame, strikes: np.ndarray, letter: str, name: str
) -> pd.DataFrame:
    own = quotes[quotes["option_type"] == letter].drop_duplicates("strike").set_index("strike").reindex(strikes)
    priced = model.price_options(chain.asked(strikes, letter))
    shown = {
        "delta": priced["delta"].to_numpy(),
        "vol %": 100 * priced["predicted_implied_vol"].to_numpy(),
        "bid": own["bid"].to_numpy(),
        "ask": own["ask"].to_numpy(),
        "model": priced["predicted_price"].to_numpy(),
    }
    shown["error"] = _half_spreads(shown["model"], shown["bid"], shown["ask"])
    return pd.DataFrame({f"{name} {key}": values for key, values in shown.items()})


def long_chain(model: PricingModel, chain: Chain, quotes: pd.DataFrame) -> pd.DataFrame:
    """The chain for a file: a row for each side of each quoted strike, with all that the model says of it."""
    strikes = nearest_strikes(quotes, 0.0, None)
    asked = pd.concat([chain.asked(strikes, letter) for letter, _ in SIDES], ignore_index=True)
    priced = model.price_options(asked).drop(columns=["reason"])
    market = quotes[["strike", "option_type", "bid", "ask", "mid", "implied_vol", "error_half_spreads", "fitted"]]
    told = asked.join(priced).merge(market, on=["strike", "option_type"], how="left", validate="1:1")
    return told.sort_values(["strike", "option_type"], ignore_index=True)


def quote_for(quotes: pd.DataFrame, strike: float, option_type: str) -> pd.Series | None:
    """The quote of one option of a chain, if there is one."""
    found = quotes[(quotes["strike"] == strike) & (quotes["option_type"] == option_type)]
    return None if found.empty else found.iloc[0]


def at_the_money_vol(line: pd.DataFrame, forward: float) -> float:
    """The model's vol at the forward, read off its line; NaN where the line is empty."""
    known = line.dropna()
    return float(np.interp(forward, known["strike"], known["implied_vol"])) if len(known) else float("nan")


def usual_strikes(quotes: pd.DataFrame, forward: float, vol: float) -> tuple[float, float]:
    """The strikes worth a first look: within `DEVIATIONS_SHOWN` deviations of the forward; all, if none is there."""
    lowest, highest = float(quotes["strike"].min()), float(quotes["strike"].max())
    reach = DEVIATIONS_SHOWN * vol * float(np.sqrt(quotes["year_fraction"].iloc[0]))
    low, high = max(lowest, forward * float(np.exp(-reach))), min(highest, forward * float(np.exp(reach)))
    return (low, high) if low < high else (lowest, highest)
