"""``streamlit`` with the app's modules loaded while it starts, so that the first page need not wait for them."""

import sys
import threading

from streamlit.web.cli import main


def warm_up() -> None:
    """Import what the pages need and draw once: plotly loads most of itself with its first chart.

    The pages themselves are left to Streamlit: what they cache wants a server that is up.
    """
    import plotly.graph_objects as go

    from options_pricing.serving import beside, charts, current, what_if  # noqa: F401
    from options_pricing.serving.app.look import framed

    framed(go.Figure(go.Scatter(x=[0.0], y=[0.0])), x="", y="").to_json()


if __name__ == "__main__":
    threading.Thread(target=warm_up, daemon=True).start()
    sys.exit(main(prog_name="streamlit"))
