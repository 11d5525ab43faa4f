"""How the app looks: one palette for light and one for dark, and the frame that every chart has.

The colours are Okabe and Ito's (2008), which colour-blind eyes tell apart; no chart tells series by colour alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.colors import sample_colorscale, unlabel_rgb

# Streamlit leaves a hand's breadth of nothing above the first line, and figures in columns must line up.
STYLE = """<style>
.stMainBlockContainer {padding: 1.6rem 2rem 1.5rem 2rem; max-width: 1680px}
.stApp {font-variant-numeric: tabular-nums}
[data-testid="stMetricLabel"] p {font-size: 0.8rem}
[data-testid="stCaptionContainer"] {line-height: 1.35}
[data-testid="stAlertContainer"] {padding: 0.35rem 0.75rem; min-height: 0}
.stTabs [role="tab"] {padding-right: 0.2rem}
@media (max-width: 640px) {.stMainBlockContainer {padding: 1.2rem 0.8rem}}
</style>"""
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
# Perceptually even and safe for colour-blind eyes; for signed values white (or the page) is nothing.
SEQUENTIAL = "Cividis"


@dataclass(frozen=True)
class Colours:
    """What each thing is drawn in."""

    call: str
    put: str
    model: str
    other: str
    quiet: str
    band: str
    interval: str
    signed: tuple[str, str, str]


LIGHT = Colours("#0072B2", "#009E73", "#D55E00", "#CC79A7", "#6B7785", "rgba(90,105,120,0.13)", "rgba(213,94,0,0.22)",
                ("#0072B2", "#F7F7F7", "#D55E00"))  # fmt: skip
DARK = Colours("#56B4E9", "#2FBF95", "#E69F00", "#D98FB9", "#8E99A5", "rgba(150,165,180,0.16)", "rgba(230,159,0,0.26)",
               ("#56B4E9", "#20272E", "#E69F00"))  # fmt: skip


def framed(figure: go.Figure, *, x: str, y: str, height: int = 380, **layout: Any) -> go.Figure:
    """Give a chart its axis titles, a legend under it and narrow margins; `layout` goes on top of that."""
    # Plotly writes 0.0003 as 300 with a Greek letter.
    figure.update_xaxes(title=x, exponentformat="none")
    figure.update_yaxes(title=y, exponentformat="none")
    common = {
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "margin": {"l": 64, "r": 16, "t": 34, "b": 52},
        "height": height,
        "hovermode": "closest",
    }
    return figure.update_layout(**(common | layout))


def readable_on(colorscale: Any, place: float) -> str:
    """Black or white, whichever stands out more (WCAG 2) from a colour scale at `place`, from 0 to 1."""
    (colour,) = sample_colorscale(colorscale, [min(max(place, 0.0), 1.0)])
    parts = [part / 255 for part in unlabel_rgb(colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#FFFFFF"


def add_terms(
    figure: go.Figure, x: Any, y: Any, beyond: ArrayLike, *, name: str, style: dict[str, Any], symbol: str, **more: Any
) -> None:
    """Add a line with a marker at each point; what lies beyond the fitted quotes is dotted and hollow."""
    values, outside = np.asarray(y, dtype=float), np.asarray(beyond, dtype=bool)
    near = outside | np.roll(outside, 1) & (np.arange(len(outside)) > 0)
    near |= np.append(outside[1:], False)
    common = {"x": x, "name": name, "legendgroup": name, "mode": "lines+markers", **more}
    figure.add_trace(
        go.Scatter(y=np.where(outside, np.nan, values), line=style, marker={"symbol": symbol, "size": 6}, **common)
    )
    if outside.any():
        hollow = {"symbol": f"{symbol}-open", "size": 7, "opacity": outside.astype(float)}
        dotted = style | {"dash": "dot", "width": 1.2}
        figure.add_trace(
            go.Scatter(y=np.where(near, values, np.nan), line=dotted, marker=hollow, showlegend=False, **common)
        )


def line(colour: str, *, width: float = 2.0, dash: str = "solid") -> dict[str, Any]:
    """A line's style."""
    return {"color": colour, "width": width, "dash": dash}
