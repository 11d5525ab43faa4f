from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from options_pricing.release.verify import load_release
from options_pricing.serving.api import create_app


def page(folder: str, today: str) -> None:
    from datetime import date
    from pathlib import Path

    from options_pricing.serving import dashboard

    dashboard.show(Path(folder), today=lambda: date.fromisoformat(today))


def opened(folder, today: str = "2026-11-23") -> AppTest:
    """The page of a release as a browser would first get it."""
    app = AppTest.from_function(page, kwargs={"folder": str(folder), "today": today}, default_timeout=60).run()
    assert not app.exception
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def badges(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown)


def ask(app: AppTest, *, strike: float | None = None, expires: date | None = None, put: bool = False) -> AppTest:
    """Fill the price form in."""
    if strike is not None:
        app.number_input[0].set_value(strike)
    if expires is not None:
        app.date_input[0].set_value(expires)
    if put:
        app.button_group(key="type").set_value("Put")
    app.run()
    assert not app.exception
    return app


def test_the_page_says_simulated_its_day_its_age_and_its_release(staged, manifest):
    app = opened(staged)
    assert any("SIMULATED" in banner.value for banner in app.error)
    said = badges(app)
    assert "2026-11-20" in said
    assert "3 days ago" in said
    assert manifest["release_id"] in said


def test_real_data_has_no_banner(staged_with):
    app = opened(staged_with(simulated=False))
    assert not app.error


@pytest.mark.parametrize(("today", "colour"), [("2026-11-20", "green"), ("2026-12-20", "red"), ("2026-11-19", "red")])
def test_the_badge_s_colour_tells_the_age(staged, today, colour):
    assert f":{colour}-badge[" in badges(opened(staged, today))


def test_every_expiration_of_every_underlying_can_be_drawn(staged):
    app = opened(staged)
    assert app.selectbox[0].options == ["IDX", "STK"]
    for underlying in app.selectbox[0].options:
        app.selectbox[0].set_value(underlying).run()
        for place in range(len(app.selectbox[1].options)):
            app.selectbox[1].set_value(place).run()
            assert not app.exception
            assert float(metrics(app)["Quotes"]) > 0
            assert len(app.dataframe) == 1


@pytest.fixture(scope="module")
def client(staged):
    return create_app(staged).test_client()


@pytest.mark.parametrize(("underlying", "strike", "put"), [("IDX", 101.25, False), ("STK", 190.0, True)])
def test_the_form_and_the_api_say_the_same_of_the_same_option(staged, client, underlying, strike, put):
    app = opened(staged)
    app.selectbox[0].set_value(underlying).run()
    shown = metrics(ask(app, strike=strike, put=put))
    query = app.code[0].value.split("/price?")[1].rstrip("'")
    told = client.get(f"/price?{query}").json
    assert told["strike"] == strike
    assert told["option_type"] == ("P" if put else "C")
    assert shown["Model price"] == f"{told['price']:,.4f}"
    assert shown["Delta, per 1 of spot"] == f"{told['greeks']['delta']:,.5g}"
    assert shown["Implied vol"] == f"{100 * told['implied_vol']:.2f} %"


def test_the_form_prices_a_day_that_is_not_listed_and_warns_beyond(staged):
    app = ask(opened(staged), expires=date(2026, 12, 15))
    assert not app.warning
    assert float(metrics(app)["Model price"]) > 0
    app = ask(app, expires=date(2028, 1, 21))
    assert any(
        "Extrapolated: its maturity or moneyness lies beyond the fitted quotes." in warning.value
        for warning in app.warning
    )


def test_the_form_shows_the_quote_where_there_is_one(staged):
    app = opened(staged)
    quotes = load_release(staged).model.quotes()
    quote = quotes[(quotes["underlying"] == "IDX") & (quotes["option_type"] == "C")].iloc[0]
    expires = quote["expiration"].date()
    place = next(i for i, label in enumerate(app.selectbox[1].options) if label.startswith(str(expires)))
    app.selectbox[1].set_value(place).run()
    shown = metrics(ask(app, strike=float(quote["strike"])))
    assert shown["Bid - ask"] == f"{quote['bid']:,.2f} - {quote['ask']:,.2f}"
    assert metrics(ask(app, strike=float(quote["strike"]) + 0.01))["Bid - ask"] == "no quote"


def test_a_refused_release_is_said_and_nothing_is_drawn(staged_copy):
    (staged_copy / "options_pricing_model.pkl").write_bytes(b"")
    app = opened(staged_copy)
    assert "refused" in app.error[0].value
    assert not app.metric


def test_a_release_that_prices_otherwise_than_it_did_is_not_drawn(staged_with, manifest):
    rows = [row | {"predicted_price": row["predicted_price"] * (1 + 1e-9)} for row in manifest["golden_rows"]]
    app = opened(staged_with(golden_rows=rows))
    assert "12 golden prices differ" in app.error[0].value
    assert not app.metric


def test_a_missing_release_is_said(tmp_path):
    assert "missing" in opened(tmp_path).error[0].value


def test_the_model_card_is_there(staged):
    shown = metrics(opened(staged))
    assert shown["Model"] == "boosted"
    assert shown["Days trained on"] == "5"


def test_the_fingerprints_stand_whole_beside_their_files(staged, manifest):
    (shown,) = [code.value for code in opened(staged).code if "model_card.json" in code.value]
    assert shown.splitlines() == [f"{sha256}  {name}" for name, sha256 in manifest["files"].items()]


def test_another_release_in_the_same_folder_is_drawn(staged_with, manifest):
    folder = staged_with()
    assert manifest["release_id"] in badges(opened(folder))
    folder = staged_with(days=["20261120"])
    assert manifest["release_id"] not in badges(opened(folder))
