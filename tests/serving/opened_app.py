"""The app as AppTest opens it: a page by its address, and what is on it."""

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest


def page(folder: str, checkout: str | None, today: str) -> None:
    from datetime import date
    from pathlib import Path

    from options_pricing.serving.app import frame

    frame.show(Path(folder), Path(checkout) if checkout else None, today=lambda: date.fromisoformat(today))


def opened(folder: Path, checkout: Path | None = None, today: str = "2026-11-23", **address: str) -> AppTest:
    """The page that an address asks for, as a browser would first get it."""
    given = {"folder": str(folder), "checkout": str(checkout) if checkout else None, "today": today}
    app = AppTest.from_function(page, kwargs=given, default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def badges(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown)


def said(app: AppTest) -> str:
    """All captions, boxes and warnings of the page."""
    return "\n".join(element.value for kind in (app.caption, app.info, app.warning, app.error) for element in kind)


def charts(app: AppTest) -> list[Any]:
    """The figures of the page, as plotly's JSON."""
    import json

    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
