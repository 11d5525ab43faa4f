import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pandas as pd
import pytest

from options_pricing.reporting import charts
from options_pricing.reporting.smiles import smiles_of

NASTY = "$x^2$ {{7*7}} <script>alert(1)</script> -->"


@pytest.fixture(scope="module")
def smiles(inputs):
    return smiles_of(inputs.features, inputs.predictions, model="boosted", protocol="next_day", count=2)


@pytest.fixture(scope="module")
def drawn(inputs, smiles):
    """Each chart as a function of `narrow`."""
    buckets = inputs.error_by_bucket[inputs.error_by_bucket.model == "boosted"]
    return {
        "smiles": lambda narrow=False: charts.smiles_chart(smiles, "the model", narrow=narrow),
        "r2_by_day": lambda narrow=False: charts.r2_by_day_chart(inputs.r2_by_day, narrow=narrow),
        "error_by_bucket": lambda narrow=False: charts.error_by_bucket_chart(buckets, narrow=narrow),
        "waterfall": lambda narrow=False: charts.waterfall_chart(inputs.validation[-1], narrow=narrow),
        "empty": lambda narrow=False: charts.empty_chart("nothing to draw", narrow=narrow),
    }


NAMES = ("smiles", "r2_by_day", "error_by_bucket", "waterfall", "empty")


def texts(svg):
    """What matplotlib notes beside each text that it draws as shapes."""
    return [text.strip() for text in re.findall(r"<!-- (.*?) -->", svg)]


@pytest.mark.parametrize("name", NAMES)
def test_same_data_same_bytes_without_date_or_version(drawn, name):
    first, again = drawn[name](), drawn[name]()
    assert first == again
    assert matplotlib.__version__ not in first
    assert not re.search(r"<dc:|20\d\d-\d\d-\d\dT", first)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_well_formed_svg_with_text_as_shapes_and_nothing_loaded(drawn, name, narrow):
    svg = drawn[name](narrow)
    tags = {element.tag.rsplit("}")[-1] for element in ET.fromstring(svg).iter()}
    assert "path" in tags
    assert not tags & {"text", "image", "script", "foreignObject"}
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', svg))


@pytest.mark.parametrize("name", NAMES)
def test_the_narrow_form_is_narrow(drawn, name):
    widths = [float(re.search(r'viewBox="0 0 ([\d.]+) ', drawn[name](narrow))[1]) for narrow in (False, True)]
    assert widths[1] < 300 < 600 < widths[0]


def test_a_users_matplotlib_settings_do_not_show(drawn):
    plain = drawn["r2_by_day"]()
    with matplotlib.rc_context(
        {"axes.facecolor": "red", "font.size": 20, "svg.hashsalt": None, "svg.fonttype": "none"}
    ):
        assert drawn["r2_by_day"]() == plain


def test_the_heat_map_shows_its_figures_and_a_dash_for_an_empty_bucket(drawn, inputs):
    shown = texts(drawn["error_by_bucket"]())
    buckets = inputs.error_by_bucket[inputs.error_by_bucket.model == "boosted"]
    for value in buckets.iv_rmse_vol_points.dropna():
        assert f"{value:.2f}" in shown
    assert "—" in shown
    assert {"7-30", "181-400", "put 0-5"} <= set(shown)


def test_the_heat_map_runs_along_the_smile(drawn):
    shown = [text for text in texts(drawn["error_by_bucket"]()) if text.startswith(("put", "call"))]
    assert shown == ["put 0-5", "put 5-35", "put 35-65", "call 5-35", "call 0-5"]


def test_a_day_far_below_zero_keeps_its_number(drawn):
    shown = texts(drawn["r2_by_day"]())
    assert {"−3.40", "−0.20", "0.61"} <= set(shown)


def test_a_little_below_zero_is_not_called_zero(inputs):
    days = inputs.r2_by_day.head(3).assign(r2_implied_vol_vs_random_walk=[-0.002, 0.0, 0.00004])
    shown = texts(charts.r2_by_day_chart(days))
    assert {"−0.002", "0.00", "0.00004"} <= set(shown)


def test_the_titles_of_the_live_chart_fit_into_its_narrow_form():
    """In bold some 40 letters go into it; what is cut off shows in no text, as text is drawn as shapes."""
    days = pd.DataFrame({"date": ["20261123", "20261124"], "fresh": [0.2, -8.5], "own": [0.2, 0.3]})
    shown = texts(charts.live_chart(days, narrow=True))
    titles = [text for text in shown if text.startswith("R² against")]
    assert len(titles) == 2 and "−8.50" in shown
    assert max(len(title) for title in titles) < 40


def test_the_waterfall_shows_each_rule_with_its_rows_and_their_sum(drawn):
    shown = texts(drawn["waterfall"]())
    assert "P02  bid is zero" in shown
    assert {"3", "212", "14", "9", "238"} <= set(shown)


def test_days_without_a_figure_leave_a_gap(inputs):
    days = inputs.r2_by_day.copy()
    days.loc[1, "r2_implied_vol_vs_random_walk"] = np.nan
    assert "nan" not in charts.r2_by_day_chart(days).lower()


def test_a_year_of_days_is_drawn(inputs):
    days = pd.DataFrame({"date": [f"2026{m:02d}{d:02d}" for m in range(1, 13) for d in range(1, 22)]})
    days = days.assign(r2_implied_vol_vs_random_walk=0.1, r2_price=0.99)
    assert 5 < len([text for text in texts(charts.r2_by_day_chart(days)) if re.fullmatch(r"\d\d-\d\d", text)]) <= 13


@pytest.mark.parametrize(
    "svg",
    [
        charts.r2_by_day_chart(None),
        charts.r2_by_day_chart(pd.DataFrame({"date": [], "r2_implied_vol_vs_random_walk": [], "r2_price": []})),
        charts.error_by_bucket_chart(None),
        charts.smiles_chart([], "the model"),
    ],
)
def test_without_data_a_small_picture_says_so(svg):
    assert re.match(r"No ", texts(svg)[0])
    assert ET.fromstring(svg).tag.endswith("svg")


def test_nothing_taken_out_says_so(inputs):
    clean = inputs.validation[-1].model_copy(update={"waterfall": ()})
    assert "no rule took out a row of 4,140" in texts(charts.waterfall_chart(clean))[0]


def test_text_from_data_is_drawn_literally(inputs, smiles):
    step = inputs.validation[-1].waterfall[1].model_copy(update={"title": NASTY})
    svg = charts.waterfall_chart(inputs.validation[-1].model_copy(update={"waterfall": (step,)}))
    assert "<script" not in svg
    assert "{{7*7}}" in svg
    ET.fromstring(svg)
    ET.fromstring(charts.smiles_chart([smiles[0].__class__(**vars(smiles[0]) | {"underlying": "$x^"})], NASTY))


def test_a_ticker_in_letters_that_the_font_lacks_is_no_error(smiles):
    ET.fromstring(charts.smiles_chart([smiles[0].__class__(**vars(smiles[0]) | {"underlying": "騰訊"})], "the model"))


def test_a_smile_in_two_pieces_is_drawn_with_two_lines(smiles):
    def lines(piece):
        svg = charts.smiles_chart([smiles[0].__class__(**vars(smiles[0]) | {"piece": piece})], "the model")
        return svg.count(f"stroke: {charts.COLOURS['model']}; stroke-width: 1.5")

    one = np.zeros(len(smiles[0].piece), dtype=int)
    assert lines(np.where(np.arange(len(one)) < 9, 0, 1)) == lines(one) + 1


def test_open_ended_bars_stay_inside_the_picture(smiles):
    smile = smiles[0]
    open_ended = smile.__class__(**vars(smile) | {"bid_vol": 0 * smile.bid_vol, "ask_vol": smile.ask_vol + np.inf})
    svg = charts.smiles_chart([open_ended], "the model")
    assert "inf" not in svg and "nan" not in svg
