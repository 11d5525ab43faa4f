"""What the pages of the app say and draw, without a browser."""

import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from options_pricing.release.manifest import MODEL_FILE
from options_pricing.release.verify import load_release
from options_pricing.serving import beside
from options_pricing.serving.api import create_app
from options_pricing.serving.app import (
    chain_page,
    compare_page,
    density_page,
    error_page,
    quarantine_page,
    quoted,
    term_page,
    what_if_page,
)
from options_pricing.serving.app.look import LIGHT, readable_on
from options_pricing.serving.app.view import with_minus, written
from options_pricing.serving.chains import chain_beside_model, listed_chains, long_chain, quotes_of, two_sided
from options_pricing.serving.readings import term_structure
from tests.made_release import edit_manifest
from tests.serving.made_checkout import (
    BEFORE,
    LAST,
    by_bucket,
    checkout_of_training,
    features,
    made_checkout,
    quarantined,
    validation,
    write_evaluation,
)
from tests.serving.opened_app import charts, metrics, opened, said


@pytest.fixture(scope="module")
def chain(staged):
    """Model, chain, forward and quotes of an index."""
    model = load_release(staged).model
    chain, listed = listed_chains(model, "IDX")[1]
    return model, chain, float(listed["forward"]), quotes_of(model, chain)


@pytest.mark.parametrize("page", ["Smile", "Surface", "Term structure", "Density", "What if", "Errors", "Quarantine"])
def test_every_chart_has_titled_axes_and_a_caption(staged, checkout, page):
    app = opened(staged, checkout, page=page)
    drawn = charts(app)
    assert drawn
    for chart in drawn:
        layout = chart["layout"]
        axes = layout.get("scene", layout)
        titles = [axes[name].get("title", {}).get("text") for name in axes if name[1:].startswith("axis")]
        assert all(titles[:1]) or layout.get("xaxis2")
        assert len([title for title in titles if title]) >= 2
    assert len(app.caption) >= len(drawn)


def test_the_error_is_in_half_spreads(chain):
    _, _, _, quotes = chain
    row = quotes.iloc[3]
    half = (row["ask"] - row["bid"]) / 2
    assert row["error_half_spreads"] == pytest.approx((row["predicted_price"] - row["mid"]) / half)


def test_the_chain_is_filtered_by_side_and_error(chain):
    model, own, _, quotes = chain
    table = two_sided(model, own, quotes, np.sort(quotes["strike"].unique()))
    calls = chain_page._chosen(table, ("call",), 0.0)
    assert len(calls) == len(table)
    assert not any(name.startswith("put") for name in calls)
    moved = quotes.copy()
    moved.loc[2, ["bid", "ask"]] += 2 * (quotes["ask"] - quotes["bid"])[2]
    off = two_sided(model, own, moved, np.sort(quotes["strike"].unique()))
    far = chain_page._chosen(off, ("call", "put"), 3.0)
    assert far["strike"].tolist() == [quotes["strike"][2]]


@pytest.fixture(scope="module")
def trained(staged, tmp_path_factory):
    """A checkout that has the very quotes its release was trained on."""
    return checkout_of_training(tmp_path_factory.mktemp("trained"), staged)


def in_the_money():
    """A call of the day in the money, which no model is fitted on."""
    rows = features().loc[lambda table: (table["trade_date"] == LAST) & (table["expiration"] == "2026-12-07")]
    calls = rows[(rows["underlying"] == "STK") & (rows["option_type"] == "C")]
    return calls[calls["strike"] < calls["forward"]].iloc[-1]


def test_a_quote_that_the_model_was_not_fitted_on_is_shown_and_marked(trained):
    wanted = in_the_money()
    asked = {"underlying": "STK", "expiration": "2026-12-07", "strike": str(wanted["strike"]), "type": "Call"}
    words = f"Quoted at the close: {wanted['bid']:,.2f} to {wanted['ask']:,.2f}, which the model was not fitted on."
    assert words in said(opened(trained / "releases" / "staged", trained, page="What if", **asked))
    chain = opened(trained / "releases" / "staged", trained, page="Chain", **asked)
    table = chain.dataframe[0].value.set_index("strike")
    assert table.loc[wanted["strike"], ["call bid", "call ask"]].tolist() == [wanted["bid"], wanted["ask"]]
    assert "Grey: quoted" in said(chain)


def test_what_is_quoted_is_asked_of_the_day_that_is_typed_too(trained):
    wanted = in_the_money()
    asked = {"underlying": "STK", "expires": "2026-12-07", "strike": str(wanted["strike"]), "type": "Call"}
    app = opened(trained / "releases" / "staged", trained, page="What if", **asked)
    assert app.selectbox(key="expiration").value != "2026-12-07"
    assert f"{wanted['bid']:,.2f} to {wanted['ask']:,.2f}" in said(app)


def test_quotes_of_another_file_than_the_release_was_trained_on_are_not_shown(trained, tmp_path):
    other = shutil.copytree(trained, tmp_path / "checkout")
    path = other / f"data/processed/features_{LAST}.csv"
    path.write_text(path.read_text().replace("IDX", "IDY"))
    wanted = in_the_money()
    asked = {"underlying": "STK", "expiration": "2026-12-07", "strike": str(wanted["strike"]), "type": "Call"}
    for checkout in (other, None):
        told = said(opened(trained / "releases" / "staged", checkout, page="What if", **asked))
        assert "not among the quotes that the model was fitted on" in told


def test_quotes_that_were_not_fitted_are_grey(trained):
    release = load_release(trained / "releases" / "staged")
    chain, _ = next(pair for pair in listed_chains(release.model, "STK") if f"{pair[0].expiration:%d}" == "07")
    day = beside.all_quotes_on(trained, LAST, quoted.trained_on(release.card, LAST))
    both = chain_beside_model(release.model, chain, day, quotes_of(release.model, chain))
    table = two_sided(release.model, chain, both, np.sort(both["strike"].unique()))
    styles = chain_page._not_fitted(table, both, "red")
    unseen = both[~both["fitted"]]
    assert 0 < len(unseen) < len(both)
    assert (styles["call bid"] != "").sum() == (unseen["option_type"] == "C").sum()
    assert (styles["put ask"] != "").sum() == (unseen["option_type"] == "P").sum()
    assert (styles["strike"] == "").all()


def test_the_file_of_the_chain_has_both_sides_and_every_digit(chain):
    model, own, _, quotes = chain
    table = long_chain(model, own, quotes)
    assert len(table) == 2 * quotes["strike"].nunique()
    assert table["bid"].notna().sum() == len(quotes)
    back = pd.read_csv(io.BytesIO(table.to_csv(index=False).encode()))
    assert back["predicted_price"].to_numpy() == pytest.approx(table["predicted_price"].to_numpy(), rel=1e-15)


def test_errors_are_those_of_the_evaluation_of_this_model(staged, checkout):
    app = opened(staged, checkout, page="Errors")
    (chart,) = charts(app)
    own = by_bucket().query("model == 'boosted'").set_index(["maturity_bucket", "delta_bucket"])
    assert "2 days, 2026-11-19 to 2026-11-20" in said(app)
    drawn = error_page.error_map(own.reset_index(), "Median error, half-spreads", LIGHT).data[0]
    for down, time in enumerate(drawn.y):
        for across, place in enumerate(drawn.x):
            assert drawn.z[down][across] == own.loc[(time, place), "median_error_half_spreads"]
    assert chart["data"][0]["x"] == list(drawn.x)


def test_errors_of_another_release_are_not_shown_as_this_one_s(staged, tmp_path):
    checkout = made_checkout(tmp_path, staged)
    assert not opened(staged, checkout, page="Errors").warning
    (other,) = (checkout / "releases").glob("[0-9a-f]*")
    edit_manifest(other, files=json.loads((other / "manifest.json").read_text())["files"] | {MODEL_FILE: "f" * 64})
    kept = json.loads((other / "manifest.json").read_text())["release_id"]
    for sha256, whose in (("f" * 64, f"release {kept}"), ("0" * 64, "another model")):
        write_evaluation(checkout, sha256)
        (warning,) = opened(staged, checkout, page="Errors").warning
        assert "Not the errors of this release" in warning.value
        assert f"the evaluation is of {whose} and ends on 2026-11-20" in warning.value.lower()


def test_errors_of_the_fit_say_that_they_are_no_forecast(staged):
    app = opened(staged, page="Errors", of=error_page.FITTED)
    assert "not how well it forecasts" in said(app)
    assert charts(app)


def test_two_releases_and_two_days_are_compared(staged, checkout):
    app = opened(staged, checkout, page="Compare")
    assert len(charts(app)) == 2
    this, other = charts(app)[0]["data"]
    assert this["y"] == other["y"]
    app = opened(staged, checkout, page="Compare", compare="Two days")
    (chart,) = charts(app)
    assert [trace["name"] for trace in chart["data"]] == ["2026-11-20", "2026-11-19"]
    assert app.selectbox(key="day").value == BEFORE


def test_the_quarantine_is_told_by_rule_with_its_reasons(staged, checkout):
    app = opened(staged, checkout, page="Quarantine")
    assert "30 rows came, 27 were kept, 3 set aside" in said(app)
    assert app.selectbox(key="rule").options == ["All rules", "P02", "I05", "P05"]
    rules, rows = (frame.value for frame in app.dataframe)
    assert rules.set_index("id")["rows (in quarantine)"].to_dict() == {"P02": 2, "I05": 1, "P05": 1}
    assert rows["reasons"].tolist() == ["no bid; too cheap to fit", "no bid", "the same quote again"]
    app.selectbox(key="rule").set_value("I05").run()
    assert len(app.dataframe[1].value) == 1
    assert app.selectbox(key="quarantined").value == LAST


def test_rules_that_only_warn_are_striped():
    rules = quarantine_page.rules_of(validation(), quarantined())
    (bars,) = quarantine_page.by_rule(rules, LIGHT).data
    assert dict(zip(bars.y, bars.marker.pattern.shape, strict=True)) == {"P02": "", "I05": "", "P05": "/"}


def test_without_a_report_rules_have_ids_only():
    rules = quarantine_page.rules_of(None, quarantined())
    assert set(rules["title"]) == {""}
    assert quarantine_page.with_reasons(quarantined(), rules)["reasons"].tolist() == ["P02; P05", "P02", "I05"]


def test_a_what_if_changes_the_price_and_shows_by_how_much(staged):
    still, moved = (
        opened(staged, page="What if", underlying="IDX", **address) for address in ({}, {"spot": "-5.0", "vol": "3.0"})
    )
    assert not any(metric.delta for metric in still.metric)
    price, before = (float(metrics(app)["Model price"].replace(",", "")) for app in (moved, still))
    change = next(metric.delta for metric in moved.metric if metric.label == "Model price")
    assert float(change.replace(",", "").replace("−", "-")) == pytest.approx(price - before, abs=2e-4)


def test_the_spot_that_is_shown_is_the_one_that_the_api_says(staged):
    told = (
        create_app(staged).test_client().get("/smile", query_string={"underlying": "STK", "expiration": "2026-12-07"})
    )
    shown = f"{told.json['underlying_price']:,.2f}"
    app = opened(staged, page="What if", underlying="STK", expiration="2026-12-07")
    assert metrics(app)["Spot"] == shown
    assert f"spot {shown} (quoted " in said(app)


def test_what_lies_beyond_the_fitted_quotes_is_dotted_hollow_and_in_the_table(chain):
    table = term_structure(chain[0], "IDX")
    assert not table["extrapolated"].any()
    assert len(term_page.at_the_money(table, LIGHT).data) == 1
    table["extrapolated"] = [False, False, True]
    full, dotted = term_page.at_the_money(table, LIGHT).data
    assert np.isnan(full.y).tolist() == [False, False, True]
    assert np.isnan(dotted.y).tolist() == [True, False, False]
    assert list(dotted.marker.opacity) == [0, 0, 1]
    assert (dotted.line.dash, dotted.marker.symbol) == ("dot", "circle-open")
    assert term_page.in_words(table).data["beyond the quotes"].tolist() == ["", "", "yes"]


def test_each_of_two_releases_is_dotted_where_its_own_quotes_end():
    table = pd.DataFrame({"days": [10.0, 40.0, 90.0], "this": 0.2, "other": 0.3})
    table = table.assign(this_extrapolated=False, other_extrapolated=[False, True, True])
    traces = compare_page.two_terms(table, ("this", "other"), LIGHT).data
    assert [trace.line.dash for trace in traces] == ["solid", "dash", "dot"]
    assert np.isnan(traces[1].y).tolist() == [False, True, True]


@pytest.mark.parametrize(("place", "colour"), [(0.0, "#FFFFFF"), (0.4, "#FFFFFF"), (0.7, "#000000"), (1.0, "#000000")])
def test_the_figure_in_a_cell_stands_out_from_its_colour(place, colour):
    assert readable_on("Cividis", place) == colour


def test_short_maturities_are_on_top_and_negative_errors_have_a_minus():
    own = by_bucket().query("model == 'boosted'").assign(iv_bias_vol_points=[-0.5, 0.5, -1.0, 0.25])
    figure = error_page.error_map(own, "Vol bias, points", LIGHT)
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.data[0].y[0] == "under 30 days"
    assert [note.text for note in figure.layout.annotations] == ["−0.50", "−1.00", "+0.50", "+0.25"]


def test_numbers_have_a_minus_and_dates_keep_their_hyphens():
    assert [written(2)(value) for value in (-0.001, -1234.5, 0.126)] == ["0.00", "−1,234.50", "0.13"]
    assert with_minus("-0.5 to -1,000.25, 2026-11-20, 30-90 days") == "−0.5 to −1,000.25, 2026-11-20, 30-90 days"


def test_a_density_that_is_cut_off_says_so():
    price = np.linspace(50.0, 150.0, 101)
    lognormal = np.exp(-(((price - 100) / 10) ** 2) / 2) / 25
    table = pd.DataFrame({"price": price, "density": lognormal, "lognormal": lognormal, "probability_below": 0.5})
    assert density_page._of_spikes(table) == []
    table.loc[45, "density"] = 9.0
    assert "the highest spike reaches 9" in density_page._of_spikes(table)[0]
    assert density_page._of_negative(0.0).startswith("No part")
    assert density_page._of_negative(0.012).startswith("1.20 %")


def test_spikes_of_a_density_do_not_flatten_it():
    price = np.linspace(50.0, 150.0, 101)
    lognormal = np.exp(-(((price - 100) / 10) ** 2) / 2) / 25
    table = pd.DataFrame({"price": price, "density": lognormal, "lognormal": lognormal, "probability_below": 0.5})
    table.loc[45, "density"], table.loc[55, "density"] = 9.0, -9.0
    layout = density_page.density_chart(table, 100.0, 100.0, (80.0, 120.0), LIGHT).layout
    assert layout.xaxis.range[0] < 70 < 130 < layout.xaxis.range[1]
    assert layout.yaxis.range[1] == pytest.approx(4.4 * lognormal.max())
    assert layout.yaxis.range[0] == pytest.approx(-layout.yaxis.range[1] / 2)


def test_the_chart_of_a_what_if_reaches_as_far_as_the_slider():
    now = {"implied_vol": 0.1, "year_fraction": 20 / 365}
    assert what_if_page._reach(now, 0.0) == pytest.approx(0.3 * np.sqrt(20 / 365))
    assert what_if_page._reach(now, -0.2) == pytest.approx(0.24)
