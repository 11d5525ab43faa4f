"""The app in a real browser (Debian's chromium): every page, a what-if, a download, no error, nothing from elsewhere.

Pictures of every page are kept: in ``--screenshots FOLDER``, else in the tests' temporary folder.
"""

import csv
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from options_pricing.serving.answers import answers
from options_pricing.serving.app.frame import PAGES
from options_pricing.serving.commands import app_command
from options_pricing.serving.current import CurrentRelease
from options_pricing.serving.processes import LOOPBACK, Service, free_port, running
from options_pricing.serving.trial import APP_HEALTH

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--use-gl=swiftshader", "--enable-unsafe-swiftshader"]
HERE = {LOOPBACK, "localhost", "::1"}
DRAWN = "[data-testid=stApp][data-test-script-state=notRunning]"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# A figure of each page, so that a page that stays empty is seen.
SEEN = {
    "Chain": "[data-testid=stDataFrame]",
    "Gate": "[data-testid=stTable]",
    "Model": "[data-testid=stMetric]",
}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


@dataclass
class Watched:
    """A browser page with all that it complained of and asked elsewhere."""

    page: Any
    address: str
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def open(self, **state: str) -> Any:
        """Go to an address of the app and wait until it is drawn."""
        self.page.goto(f"{self.address}/?{urlencode(state)}")
        return self.settled()

    def settled(self) -> Any:
        """Wait until the script has run and what it drew is there."""
        self.page.locator("[role=tablist]").wait_for()
        self.page.locator(DRAWN).wait_for()
        return self.page

    def require_quiet(self) -> None:
        assert self.complaints == []
        assert self.elsewhere == []


@pytest.fixture(scope="module")
def address(checkout: Path) -> Iterator[str]:
    """Where the app of the small checkout is served."""
    port = free_port()
    command = app_command(checkout / "releases" / "staged", LOOPBACK, port, checkout=checkout)
    with running([Service("app", command, port, APP_HEALTH)], timeout=120):
        yield f"http://{LOOPBACK}:{port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def watched(browser: Any, address: str) -> Iterator[Any]:
    """Opens watched pages: wide or narrow, light or dark."""
    contexts = []

    def start(scheme: str = "light", size: dict[str, int] = WIDE) -> Watched:
        context = browser.new_context(viewport=size, color_scheme=scheme, accept_downloads=True)
        context.set_default_timeout(60_000)
        contexts.append(context)
        found = Watched(context.new_page(), address)
        found.page.on("console", lambda said: found.complaints.append(said.text) if said.type == "error" else None)
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("request", lambda request: found.elsewhere.extend(_elsewhere(request.url)))
        return found

    yield start
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def pictures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures are kept."""
    asked = request.config.getoption("--screenshots")
    folder = Path(asked) if asked else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _elsewhere(url: str) -> list[str]:
    """The address, if a request to it leaves this machine."""
    parts = urlsplit(url)
    return [] if parts.scheme in {"data", "blob", "about"} or parts.hostname in HERE else [url]


def test_a_request_that_leaves_the_machine_would_be_found():
    assert _elsewhere("https://fonts.example.com/a.svg") == ["https://fonts.example.com/a.svg"]
    assert _elsewhere("http://127.0.0.1.example.com/")
    assert _elsewhere("http://127.0.0.1:8501/a.js") == _elsewhere("data:image/png;base64,AA==") == []


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", NARROW)], ids=["light-wide", "dark-narrow"])
def test_every_page_opens_without_an_error_or_anything_from_elsewhere(watched, pictures, scheme, size):
    app = watched(scheme, size)
    for name in PAGES:
        page = app.open(page=name)
        page.locator(SEEN.get(name, ".js-plotly-plot .main-svg")).first.wait_for()
        assert page.locator("[data-testid=stException]").count() == 0
        assert page.get_by_role("tab", selected=True).inner_text().strip() == name
        kept = f"{name.lower().replace(' ', '_')}_{scheme}_{size['width']}.png"
        page.screenshot(path=pictures / kept)
        assert (pictures / kept).stat().st_size > 10_000
        # Narrow pages scroll downwards only.
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    app.require_quiet()


def test_only_what_a_page_depends_on_can_be_chosen_and_the_choice_is_kept(watched):
    app = watched()
    page = app.open(page="Smile", underlying="STK", expiration="2026-12-07")
    underlying, expiration = (page.locator(f".st-key-{name}") for name in ("underlying", "expiration"))
    for name, shown in (("Gate", (False, False)), ("Term structure", (True, False)), ("Errors", (False, False)),
                        ("Smile", (True, True))):  # fmt: skip
        page.get_by_role("tab", name=name).click()
        page.get_by_role("tab", name=name, selected=True).wait_for()
        app.settled()
        for selector, seen in zip((underlying, expiration), shown, strict=True):
            selector.wait_for(state="visible" if seen else "hidden")
    assert "underlying=STK" in page.url
    assert "expiration=2026-12-07" in page.url
    assert page.locator(".st-key-expiration input").input_value() == "2026-12-07"
    app.require_quiet()


def test_pages_are_reached_by_keyboard_and_stand_in_the_address(watched):
    app = watched()
    page = app.open()
    page.get_by_role("tab", name="Smile").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    app.settled().locator("[data-testid=stDataFrame]").wait_for()
    assert "page=Chain" in page.url
    app.require_quiet()


def test_a_what_if_is_moved_by_keyboard_and_the_address_brings_it_back(watched):
    app = watched()
    page = app.open(page="What if", underlying="IDX")
    before = _figure(page, "Model price")
    page.get_by_role("slider", name="Spot, %").press("PageUp")
    page.wait_for_function(
        "before => [...document.querySelectorAll('[data-testid=stMetric]')].every(m => !m.innerText.includes(before))",
        arg=before,
    )
    after = _figure(app.settled(), "Model price")
    assert float(after) > float(before)
    assert "spot=" in page.url
    again = watched()
    again.page.goto(page.url)
    assert _figure(again.settled(), "Model price") == after
    app.require_quiet()


def test_the_chain_is_downloaded_with_the_prices_that_the_api_says(watched, checkout):
    app = watched()
    page = app.open(page="Chain", underlying="STK")
    with page.expect_download() as taken:
        page.locator("[data-testid=stDownloadButton] button").click()
    rows = list(csv.DictReader(io.StringIO(Path(taken.value.path()).read_text())))
    assert taken.value.suggested_filename.startswith("chain_STK_")
    release = CurrentRelease(checkout / "releases" / "staged").now()
    for row in rows[:4]:
        (told,) = answers(release, _asked(row))
        assert float(row["predicted_price"]) == told["price"]
    app.require_quiet()


def _asked(row: dict[str, str]) -> Any:
    import pandas as pd

    terms = {name: row[name] for name in ("underlying", "root", "option_type")}
    return pd.DataFrame([terms | {"strike": float(row["strike"]), "expiration": pd.Timestamp(row["expiration"])}])


def _figure(page: Any, label: str) -> str:
    metric = page.locator("[data-testid=stMetric]").filter(has_text=label)
    return str(metric.locator("[data-testid=stMetricValue]").inner_text()).strip().replace(",", "")
