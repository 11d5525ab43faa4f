"""How long the app takes to show itself in a browser, and a picture of it.

`python benchmarks/app.py --picture docs/app.png` starts the app, opens it in chromium and says how long it took until
the frame of the page was there, and until its first chart was drawn: for the first visitor after the start, and the
middle of five later ones, each with an empty cache. Needs chromium and playwright.
"""

import argparse
import os
import shutil
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from options_pricing.run.checkout import is_checkout
from options_pricing.serving.commands import app_command
from options_pricing.serving.processes import LOOPBACK, Service, free_port, running
from options_pricing.serving.trial import APP_HEALTH

FLAGS = ["--no-sandbox", "--use-gl=swiftshader", "--enable-unsafe-swiftshader"]
FRAME, CHART = "[role=tablist]", ".js-plotly-plot .scatterlayer path.js-line"
VISITS = 5
SIZE = {"width": 1440, "height": 900}


def visit(browser: Any, address: str) -> tuple[float, float]:
    """Seconds until the frame and until the first chart are there, without anything cached."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(FRAME).wait_for()
    frame = time.perf_counter() - start
    page.locator(CHART).first.wait_for()
    drawn = time.perf_counter() - start
    context.close()
    return frame, drawn


def take_picture(browser: Any, address: str, file: Path, **state: str) -> None:
    """Keep a page of the app as it stands."""
    page = browser.new_page(viewport=SIZE)
    page.goto(f"{address}/?{urlencode(state)}")
    page.locator(CHART).first.wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=file)


def measure(release: Path, picture: Path | None, state: dict[str, str]) -> None:
    """Start the app, visit it, say how long it took."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    command = app_command(release, LOOPBACK, port, checkout=Path() if is_checkout(Path()) else None)
    address, start = f"http://{LOOPBACK}:{port}", time.perf_counter()
    with running([Service("app", command, port, APP_HEALTH)], timeout=60), sync_playwright() as playwright:
        print(f"server answers after {time.perf_counter() - start:.2f} s")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        frame, chart = visit(browser, address)
        print(f"first visitor: frame {frame:.2f} s, chart {chart:.2f} s")
        frames, charts = zip(*(visit(browser, address) for _ in range(VISITS)), strict=True)
        print(f"middle of {VISITS} later: frame {median(frames):.2f} s, chart {median(charts):.2f} s")
        if picture:
            take_picture(browser, address, picture, **state)
        browser.close()
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", type=Path, default=Path("releases"), help="as `options-pricing serve` takes it")
    parser.add_argument("--picture", type=Path, help="where to keep a picture of the page")
    parser.add_argument("--page", default="Smile", help="the page of the picture (default: %(default)s)")
    parser.add_argument("--underlying", help="the underlying of the picture")
    args = parser.parse_args()
    state = {"page": args.page, **({"underlying": args.underlying} if args.underlying else {})}
    measure(args.release, args.picture, state)


if __name__ == "__main__":
    main()
