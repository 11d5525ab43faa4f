import re
import shutil
import time
from datetime import date

import pytest

from options_pricing.release.store import Store
from options_pricing.release.verify import load_release
from options_pricing.serving.api import create_app
from options_pricing.serving.app.frame import PAGES
from tests.serving.opened_app import badges, metrics, opened, said


def test_the_page_says_simulated_its_day_its_age_and_its_release(staged, manifest):
    app = opened(staged)
    assert any("SIMULATED" in banner.value for banner in app.error)
    told = badges(app)
    assert "2026-11-20" in told
    assert "3 days ago" in told
    assert manifest["release_id"] in told
    assert "unsigned" in told


def test_real_data_has_no_banner(staged_with):
    app = opened(staged_with(simulated=False))
    assert not app.error
    assert "SIMULATED" not in badges(app)


@pytest.mark.parametrize(("today", "colour"), [("2026-11-20", "green"), ("2026-12-20", "red"), ("2026-11-19", "red")])
def test_the_badge_s_colour_tells_the_age(staged, today, colour):
    aged = re.search(r":(\w+)-badge\[:material/schedule:", badges(opened(staged, today=today)))
    assert aged is not None
    assert aged[1] == colour


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_drawn_with_the_release_alone_and_says_what_is_not_there(staged, name):
    app = opened(staged, page=name)
    if name in {"Errors", "Compare", "Quarantine", "Gate"}:
        assert "release alone" in said(app)
    else:
        assert not app.info


def test_every_expiration_of_every_underlying_can_be_drawn(staged):
    app = opened(staged)
    assert app.selectbox(key="underlying").options == ["IDX", "STK"]
    for underlying in app.selectbox(key="underlying").options:
        app.selectbox(key="underlying").set_value(underlying).run()
        for expiration in app.selectbox(key="expiration").options:
            app.selectbox(key="expiration").set_value(expiration).run()
            assert not app.exception
            assert float(metrics(app)["Quotes"]) > 0


def test_a_refused_release_is_said_and_nothing_is_drawn(staged_copy):
    (staged_copy / "options_pricing_model.pkl").write_bytes(b"")
    app = opened(staged_copy)
    assert "refused" in app.error[0].value
    assert not app.metric


def test_a_release_that_prices_otherwise_than_it_did_is_not_drawn(staged_with, manifest):
    rows = [row | {"predicted_price": row["predicted_price"] + 1e-9} for row in manifest["golden_rows"]]
    app = opened(staged_with(golden_rows=rows))
    assert "not as it was released" in app.error[0].value
    assert not app.metric


def test_a_missing_release_is_said(tmp_path):
    assert "there is no release" in opened(tmp_path).error[0].value


def test_another_release_in_the_same_folder_is_drawn(staged_with, manifest):
    folder = staged_with()
    assert manifest["release_id"] in badges(opened(folder))
    folder = staged_with(days=["20261120"])
    assert manifest["release_id"] not in badges(opened(folder))


def test_what_is_made_live_is_shown_from_then_on(checkout, manifest, tmp_path):
    releases = shutil.copytree(checkout / "releases", tmp_path / "releases")
    (other,) = (name for name in Store(releases).ids() if name != manifest["release_id"])
    app = opened(releases)
    assert manifest["release_id"] in badges(app)
    assert "staged, nothing is live" in badges(app)
    Store(releases).make_live(other)
    until = time.monotonic() + 120
    while other not in badges(app) and time.monotonic() < until:
        time.sleep(0.2)
        app.run()
    assert other in badges(app)
    assert ":green-badge[live]" in badges(app)
    assert not app.warning


def test_the_address_says_page_chain_and_option(staged):
    address = {"page": "What if", "underlying": "STK", "strike": "190.0", "type": "Put", "spot": "-5.0"}
    app = opened(staged, **address)
    assert app.selectbox(key="underlying").value == "STK"
    assert app.number_input(key="strike").value == 190.0
    assert app.slider(key="spot").value == -5.0
    assert "strike=190.0&option_type=P" in app.code[0].value


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"page": "Nonsense"}, "There is no page Nonsense here; this is Smile."),
        ({"underlying": "FOO"}, "There is no underlying FOO here; this is IDX."),
        ({"expiration": "2026-12-06"}, r"There is no expiration 2026-12-06 here; this is 2026-12-28."),
    ],
)
def test_an_address_of_what_is_not_there_is_answered_in_words(staged, address, words):
    app = opened(staged, **address)
    assert [warning.value for warning in app.warning] == [words]
    assert not opened(staged, page="Chain", underlying="STK", expiration="2026-12-07").warning


@pytest.mark.parametrize("strike", ["-1.0", "0.0", "2000000000.0"])
def test_a_strike_that_nobody_can_have_is_refused_in_words_and_no_price_is_left(staged, strike):
    app = opened(staged, page="What if", strike=strike)
    assert "A strike lies between 0.0001 and 1,000,000,000" in app.error[-1].value
    assert not app.metric
    assert not app.code


def test_another_chain_begins_with_its_own_strike_and_day(staged):
    app = opened(staged, page="What if", strike="101.25")
    assert app.number_input(key="strike").value == 101.25
    app.selectbox(key="underlying").set_value("STK").run()
    forward = float(metrics(app)["Forward"].replace(",", ""))
    assert app.number_input(key="strike").value == pytest.approx(forward, rel=0.1)
    other = app.selectbox(key="expiration").options[-1]
    app.selectbox(key="expiration").set_value(other).run()
    assert app.date_input(key="expires").value == date.fromisoformat(other[:10])


@pytest.fixture(scope="module")
def client(staged):
    return create_app(staged).test_client()


@pytest.mark.parametrize(("underlying", "strike", "kind"), [("IDX", "101.25", "Call"), ("STK", "190.0", "Put")])
def test_the_form_and_the_api_say_the_same_of_the_same_option(staged, client, underlying, strike, kind):
    app = opened(staged, page="What if", underlying=underlying, strike=strike, type=kind)
    shown = metrics(app)
    told = client.get("/price?" + app.code[0].value.split("/price?")[1].rstrip("'")).json
    assert told["strike"] == float(strike)
    assert told["option_type"] == kind[0]
    assert shown["Model price"] == f"{told['price']:,.4f}"
    assert shown["Delta, per 1 of spot"].replace("−", "-") == f"{told['greeks']['delta']:,.5g}"
    assert shown["Implied vol"] == f"{100 * told['implied_vol']:.2f} %"


def test_the_form_prices_a_day_that_is_not_listed_and_warns_beyond(staged):
    app = opened(staged, page="What if", expires="2026-12-15")
    assert not app.warning
    assert float(metrics(app)["Model price"]) > 0
    app = opened(staged, page="What if", expires="2028-01-21")
    assert "Extrapolated: no listed option expires then, and its maturity or moneyness lies beyond" in said(app)


def test_the_form_shows_the_quote_where_there_is_one(staged):
    quotes = load_release(staged).model.quotes()
    quote = quotes[(quotes["underlying"] == "IDX") & (quotes["option_type"] == "C")].iloc[0]
    chain = {"page": "What if", "underlying": "IDX", "expiration": f"{quote['expiration']:%Y-%m-%d}"}
    quoted = opened(staged, **chain, strike=str(quote["strike"]))
    assert f"Quoted at the close: {quote['bid']:,.2f} to {quote['ask']:,.2f}." in said(quoted)
    without = said(opened(staged, **chain, strike=str(quote["strike"] + 0.01)))
    assert "It is not among the quotes that the model was fitted on." in without


def test_the_model_card_is_there(staged, manifest):
    app = opened(staged, page="Model")
    shown = metrics(app)
    assert shown["Model"] == "boosted"
    assert shown["Days trained on"] == "5"
    (lines,) = [code.value for code in app.code if "model_card.json" in code.value]
    assert lines.splitlines() == [f"{sha256}  {name}" for name, sha256 in manifest["files"].items()]
