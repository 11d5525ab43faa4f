"""The app's charts (plotly)."""

import pandas as pd
import plotly.graph_objects as go

# Okabe and Ito's palette: told apart by colour-blind eyes, and each series has its own shape as well.
CALL, PUT, MODEL, FORWARD = "#0072B2", "#009E73", "#D55E00", "#7F7F7F"
SIDES = (("P", "put quotes", PUT, "diamond"), ("C", "call quotes", CALL, "circle"))


def smile(
    quotes: pd.DataFrame, line: pd.DataFrame, forward: float, *, view: tuple[float, float], title: str
) -> go.Figure:
    """Implied vol by strike: each quote's bid to ask as a bar around its mid, the model as a line.

    Parameters
    ----------
    quotes : DataFrame
        As `options_pricing.serving.chains.quotes_of` gives them; vols are decimals and are drawn in percent.
    line : DataFrame
        Columns strike and implied_vol of the model.
    forward : float
        Marked by a vertical line.
    view : pair of float
        The strikes seen at first; a double click shows all.
    """
    figure = go.Figure()
    for option_type, name, colour, symbol in SIDES:
        figure.add_trace(_quotes_trace(quotes[quotes["option_type"] == option_type], name, colour, symbol))
    figure.add_trace(
        go.Scatter(
            x=line["strike"],
            y=100 * line["implied_vol"],
            mode="lines",
            name="model",
            line={"color": MODEL, "width": 2.5},
            hovertemplate="strike %{x:,.2f}<br>model %{y:.2f} %<extra></extra>",
        )
    )
    figure.add_vline(x=forward, line={"color": FORWARD, "dash": "dot", "width": 1})
    figure.add_annotation(
        x=forward, y=1, yref="paper", text=f"forward {forward:,.2f}", showarrow=False, yanchor="bottom"
    )
    figure.update_layout(
        title=title,
        xaxis={"title": "strike", "range": _widened(*view)},
        yaxis={"title": "implied vol, % a year", "range": _vol_range(quotes, line, view)},
        legend={"orientation": "h", "y": -0.18, "x": 0},
        margin={"l": 60, "r": 20, "t": 60, "b": 60},
        height=440,
        hovermode="closest",
    )
    return figure


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
