"""How the app looks: one palette for light and one for dark, and the frame that every chart has.

The colours are Okabe and Ito's (2008), which colour-blind eyes tell apart; no chart tells series by colour alone.
"""

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

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
    signed: tuple[str, str, str]


LIGHT = Colours("#0072B2", "#009E73", "#D55E00", "#CC79A7", "#6B7785", "rgba(90,105,120,0.13)",
                ("#0072B2", "#F7F7F7", "#D55E00"))  # fmt: skip
DARK = Colours("#56B4E9", "#2FBF95", "#E69F00", "#D98FB9", "#8E99A5", "rgba(150,165,180,0.16)",
               ("#56B4E9", "#20272E", "#E69F00"))  # fmt: skip


def framed(figure: go.Figure, *, x: str, y: str, height: int = 380, **layout: Any) -> go.Figure:
    """Give a chart its axis titles, a legend under it and narrow margins; `layout` goes on top of that."""
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    common = {
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "margin": {"l": 64, "r": 16, "t": 34, "b": 52},
        "height": height,
        "hovermode": "closest",
    }
    return figure.update_layout(**(common | layout))


def line(colour: str, *, width: float = 2.0, dash: str = "solid") -> dict[str, Any]:
    """A line's style."""
    return {"color": colour, "width": width, "dash": dash}
