"""The app's chart of one smile (plotly)."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from options_pricing.serving.app.look import Colours, framed, line

SIDES = (("P", "put quotes", "diamond"), ("C", "call quotes", "circle"))
WIDEST_ERROR = 6.0


def smile(
    quotes: pd.DataFrame, model: pd.DataFrame, forward: float, *, view: tuple[float, float], colours: Colours
) -> go.Figure:
    """Implied vol by strike: each quote's bid to ask as a bar around its mid, the model as a line; below, the errors.

    Parameters
    ----------
    quotes : DataFrame
        As `options_pricing.serving.chains.quotes_of` gives them; vols are decimals and are drawn in percent.
    model : DataFrame
        Columns strike and implied_vol of the model.
    forward : float
        Marked by a vertical line.
    view : pair of float
        The strikes seen at first; a double click shows all.
    colours : Colours
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.74, 0.26], vertical_spacing=0.04)
    sides = [(name, quotes[quotes["option_type"] == letter], symbol) for letter, name, symbol in SIDES]
    figure.add_trace(_model_trace(model, colours), row=1, col=1)
    for (name, own, symbol), colour in zip(sides, (colours.put, colours.call), strict=True):
        figure.add_trace(_quotes_trace(own, name, colour, symbol), row=1, col=1)
    for (_, own, symbol), colour in zip(sides, (colours.put, colours.call), strict=True):
        figure.add_trace(_errors_trace(own, colour, symbol), row=2, col=1)
    figure.add_hrect(y0=-1, y1=1, fillcolor=colours.band, line_width=0, layer="below", row=2, col=1)
    figure.add_vline(x=forward, line={"color": colours.quiet, "dash": "dot", "width": 1})
    framed(figure, x="strike, in the currency of the underlying", y="implied vol, % a year", height=520)
    seen = _widened(*view)
    # Of both: Streamlit draws the lower axis by its own range.
    figure.update_xaxes(range=seen).update_layout(
        xaxis={"title": None},
        yaxis={"range": _vol_range(quotes, model, seen)},
        yaxis2={"title": "error, ½ spreads", "range": _error_range(quotes, seen), "zeroline": True},
    )
    return figure


def _model_trace(model: pd.DataFrame, colours: Colours) -> go.Scatter:
    return go.Scatter(
        x=model["strike"],
        y=100 * model["implied_vol"],
        mode="lines",
        name="model",
        line=line(colours.model, width=1.8),
        hovertemplate="strike %{x:,.2f}<br>model %{y:.2f} %<extra></extra>",
    )


def _errors_trace(quotes: pd.DataFrame, colour: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        x=quotes["strike"],
        y=quotes["error_half_spreads"],
        mode="markers",
        showlegend=False,
        marker={"color": colour, "symbol": symbol, "size": 4},
        hovertemplate="strike %{x:,.2f}<br>model less mid %{y:.2f} half-spreads<extra></extra>",
    )


def _error_range(quotes: pd.DataFrame, view: tuple[float, float]) -> tuple[float, float]:
    """What is in view, at least the band and at most `WIDEST_ERROR`; a double click shows the rest."""
    seen = quotes.loc[quotes["strike"].between(*view), "error_half_spreads"].abs().max()
    reach = min(max(1.2 * seen, 1.5), WIDEST_ERROR) if seen == seen else 1.5
    return -reach, reach


def _widened(low: float, high: float) -> tuple[float, float]:
    room = max(0.03 * (high - low), 0.01 * high)
    return low - room, high + room


def _vol_range(quotes: pd.DataFrame, line: pd.DataFrame, view: tuple[float, float]) -> tuple[float, float]:
    """The mids and model vols in view with some room: one wide quote must not flatten the rest."""
    seen = pd.concat([table.loc[table["strike"].between(*view), "implied_vol"] for table in (quotes, line)])
    low, high = float(100 * seen.min()), float(100 * seen.max())
    room = max(high - low, 1.0)
    return max(0.0, low - 0.25 * room), high + 0.35 * room


def _quotes_trace(quotes: pd.DataFrame, name: str, colour: str, symbol: str) -> go.Scatter:
    middle = 100 * quotes["implied_vol"]
    # A bid without a vol (under intrinsic value) has no bar on that side.
    above = (100 * quotes["ask_implied_vol"] - middle).clip(lower=0).fillna(0)
    below = (middle - 100 * quotes["bid_implied_vol"]).clip(lower=0).fillna(0)
    return go.Scatter(
        x=quotes["strike"],
        y=middle,
        mode="markers",
        name=name,
        marker={"color": colour, "symbol": symbol, "size": 5},
        error_y={"array": above, "arrayminus": below, "color": colour, "thickness": 1.2, "width": 2},
        customdata=quotes[["bid", "ask", "predicted_price"]],
        hovertemplate=(
            "strike %{x:,.2f}<br>mid %{y:.2f} %<br>bid %{customdata[0]:,.2f}, ask %{customdata[1]:,.2f}"
            "<br>model %{customdata[2]:,.2f}<extra></extra>"
        ),
    )
