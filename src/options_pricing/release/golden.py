"""Golden rows: options whose released price is known to the last bit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from options_pricing.models.bundle import PricingModel
from options_pricing.release.manifest import GoldenRow
from options_pricing.release.verify import TRAIN_AGAIN
from options_pricing.run.errors import ModelRefusedError, UnhealthyError

ORDER = ["underlying", "expiration", "root", "option_type", "strike"]


def golden_rows(model: PricingModel, count: int) -> list[GoldenRow]:
    """Price `count` of the quotes the model was fitted on, spread evenly over its chains.

    Raises
    ------
    UnhealthyError
        It has no quotes, or gives one of them no price.
    ModelRefusedError
        It cannot price at all with the code that is here.
    """
    quotes = model.quotes().sort_values(ORDER, ignore_index=True)
    if quotes.empty:
        raise UnhealthyError(
            "the model holds no quotes", why="nothing can be priced again with it", fix="train it on a day with quotes"
        )
    # Spread over places, not rows drawn at random: no seed, and every underlying gets its part.
    at = np.unique(np.linspace(0, len(quotes) - 1, min(count, len(quotes))).round().astype(int))
    chosen = quotes.loc[at, ORDER].reset_index(drop=True)
    priced = _priced(model, chosen)
    return [
        _golden(row, price, reason)
        for row, price, reason in zip(
            chosen.to_dict("records"), priced["predicted_price"], priced["reason"], strict=True
        )
    ]


def _golden(asked: dict, price: float, reason: str) -> GoldenRow:
    root = None if pd.isna(asked["root"]) else asked["root"]
    row = {**asked, "root": root, "expiration": f"{asked['expiration']:%Y-%m-%d}"}
    if not np.isfinite(price):
        raise UnhealthyError(
            "the model gives one of its own quotes no price",
            why=f"{row}: {reason or f'the price is {price}'}",
            fix="look at the model's evaluation, then train it again",
        )
    return GoldenRow(**row, predicted_price=float(price))


def _priced(model: PricingModel, asked: pd.DataFrame) -> pd.DataFrame:
    try:
        return model.price_options(asked)
    except Exception as error:
        # A pickle keeps the data of its classes, not their code: after an upgrade the two may not fit together.
        raise ModelRefusedError(
            "the model cannot price its own quotes with the code that is here",
            why=f"{type(error).__name__}: {error}",
            fix=TRAIN_AGAIN,
        ) from error


def golden_frame(rows: Sequence[GoldenRow]) -> pd.DataFrame:
    """The options of golden rows as `PricingModel.price_options` wants them."""
    frame = pd.DataFrame([row.model_dump(include=set(ORDER)) for row in rows])
    return frame.assign(expiration=pd.to_datetime(frame["expiration"]).astype("datetime64[s]"))


def golden_differences(model: PricingModel, rows: Sequence[GoldenRow], *, relative: float = 0.0) -> list[str]:
    """One line per golden row that the model prices otherwise than its manifest says.

    Parameters
    ----------
    model : PricingModel
    rows : sequence of GoldenRow
    relative : float
        How much of the price a difference may be; 0 has the last bit count. Another kind of processor may differ there.

    Raises
    ------
    ModelRefusedError
        It cannot price at all with the code that is here.
    """
    prices = _priced(model, golden_frame(rows))["predicted_price"]
    return [
        f"{row.asked()}: {price!r} instead of {row.predicted_price!r}"
        for row, price in zip(rows, map(float, prices), strict=True)
        if not abs(price - row.predicted_price) <= relative * abs(row.predicted_price)
    ]
