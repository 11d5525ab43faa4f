"""The smile of one expiration: quotes, model, and how far the two are apart."""

import numpy as np

from options_pricing.serving import charts
from options_pricing.serving.app.view import View, draw_with_file, metrics, nothing, percent
from options_pricing.serving.chains import at_the_money_vol, model_line, usual_strikes

UNQUOTED = "The model was fitted on no quote of this expiration."
CAPTION = (
    "Bars: bid to ask of the quotes out of the money. Below: model less mid in half-spreads, the band is bid to ask. "
    "The model was fitted on these quotes; unseen days are in Errors."
)


def show(view: View) -> None:
    """Draw the page."""
    if not view.drawable:
        nothing(UNQUOTED)
        return
    quotes, forward = view.quotes, view.forward
    line = model_line(view.release.model, view.chain, forward, quotes["strike"].min(), quotes["strike"].max())
    vol = at_the_money_vol(line, forward)
    width = 100 * (quotes["ask_implied_vol"] - quotes["bid_implied_vol"]).median()
    inside = quotes["predicted_price"].between(quotes["bid"], quotes["ask"]).mean()
    metrics(
        {
            "Vol at the forward": percent(vol),
            "Quotes": f"{len(quotes):,}",
            "Median bid to ask, vol points": f"{width:.2f}" if np.isfinite(width) else "none",
            "Median error, half-spreads": f"{quotes['error_half_spreads'].abs().median():.2f}",
            "Model within bid and ask": percent(inside, 0),
        }
    )
    figure = charts.smile(quotes, line, forward, view=usual_strikes(quotes, forward, vol), colours=view.colours)
    table = quotes.drop(columns=["trade_date", "contract_symbol", "fitted"])
    draw_with_file(figure, CAPTION, table, f"smile_{view.file_name}", key="smile")
