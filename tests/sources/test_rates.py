from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_pricing.run.errors import BadDataError, MissingInputError, UpstreamError
from options_pricing.run.params import FlatRate, Http, TreasuryCsvRates, TreasuryRates
from options_pricing.sources import RATE_SOURCES, Network, make_rates
from options_pricing.sources.rates import newest_curve
from options_pricing.surface.zero_curve import ZeroCurve

DAY = "20250103"
# Two days of the Treasury's par yields, as its own CSV has them, with the column it added in February 2025.
SITE = """\
Date,"1 Mo","1.5 Month","2 Mo","3 Mo","4 Mo","6 Mo","1 Yr","2 Yr","3 Yr","5 Yr","7 Yr","10 Yr","20 Yr","30 Yr"
01/03/2025,4.44,,4.36,4.34,4.31,4.25,4.18,4.28,4.32,4.41,4.51,4.60,4.88,4.82
01/02/2025,4.45,,4.36,4.36,4.31,4.25,4.17,4.25,4.29,4.38,4.47,4.57,4.86,4.79
"""
FRED = "observation_date,DGS3MO,DGS2\n2025-01-01,.,.\n2025-01-02,4.36,4.25\n2025-01-03,.,\n"
PATH = "/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/{}/all"


@pytest.fixture
def csv_file(tmp_path):
    def write(text):
        (tmp_path / "yields.csv").write_text(text)
        return make_rates(TreasuryCsvRates(kind="treasury_csv", file=tmp_path / "yields.csv"))

    return write


@pytest.fixture
def treasury(httpserver, tmp_path):
    """Serve tables by year; gives the source."""

    def run(tables, tell=None):
        for year, text in tables.items():
            httpserver.expect_request(PATH.format(year)).respond_with_data(text)
        asked = TreasuryRates(kind="treasury", base_url=httpserver.url_for("").rstrip("/"))
        return make_rates(asked, Network(limits=Http(payloads=tmp_path / "payloads"), tell=tell))

    return run


@pytest.mark.parametrize("rate", [-0.05, 0.0, 0.04, 0.25])
def test_a_flat_rate_is_a_flat_curve(rate):
    table = make_rates(FlatRate(rate=rate)).rates(DAY)
    curve = ZeroCurve.from_par_yields(table["maturity_years"], table["par_yield"])
    years = np.array([0.01, 0.3, 1.0, 2.7, 30.0])
    np.testing.assert_allclose(curve.discount_factor(years), np.exp(-rate * years), rtol=1e-13)
    assert table["curve_date"].dt.strftime("%Y%m%d").tolist() == [DAY]


@pytest.mark.parametrize("kind", ["treasury_csv", "treasury"])
def test_the_treasurys_own_table_is_read(csv_file, treasury, kind):
    source = csv_file(SITE) if kind == "treasury_csv" else treasury({2025: SITE})
    table = source.rates(DAY)
    assert (table["source"] == kind).all() and len(table) == 13
    by_years = table.set_index("maturity_years")["par_yield"]
    assert by_years[1 / 12] == pytest.approx(0.0444) and by_years[30] == pytest.approx(0.0482)
    assert 0.125 not in by_years.index
    ZeroCurve.from_par_yields(table["maturity_years"], table["par_yield"])


@pytest.mark.parametrize(("day", "published"), [("20250102", "20250102"), ("20250106", "20250103"), (DAY, DAY)])
def test_the_newest_curve_on_or_before_the_day_is_given_and_never_one_after(csv_file, day, published):
    assert csv_file(SITE).rates(day)["curve_date"].dt.strftime("%Y%m%d").unique().tolist() == [published]
    with pytest.raises(UpstreamError, match="or before"):
        csv_file(SITE).rates("20241231")


def test_series_as_fred_names_them_are_read_and_days_without_any_yield_passed_over(csv_file):
    table = csv_file(FRED).rates(DAY)
    assert table["maturity_years"].tolist() == [0.25, 2.0]
    assert table["par_yield"].tolist() == pytest.approx([0.0436, 0.0425])
    assert table["curve_date"].dt.day.unique().tolist() == [2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "maturities"),
        ("Date,price\n2025-01-02,1\n", "maturities"),
        ("Date,1 Yr,1 Yr\n2025-01-02,1,2\n", "twice"),
        ("Date,1 Yr\n2025-13-02,1\n", "line 2 begins with '2025-13-02'"),
        ("Date,1 Yr\n2025-01-02,1,2\n", "line 2 has 3 fields"),
        ("Date,1 Yr\n2025-01-02,four\n", "'four'"),
        ("Date,1 Yr\n2025-01-02,nan\n", "'nan'"),
        ("Date,1 Yr\n2025-01-02,1e400\n", "1e400"),
    ],
)
def test_what_is_no_such_table_is_refused_with_the_place(csv_file, text, said):
    with pytest.raises(BadDataError, match=said):
        csv_file(text).rates(DAY)


@given(st.text())
def test_any_text_is_a_curve_or_none_or_a_value_error(text):
    try:
        newest_curve("Date,1 Yr\n" + text, date(2025, 1, 3))
    except ValueError as error:
        assert str(error).isprintable()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"none\.csv"):
        make_rates(TreasuryCsvRates(kind="treasury_csv", file=tmp_path / "none.csv")).rates(DAY)


def test_in_the_first_days_of_a_year_the_year_before_is_asked_too(treasury):
    head = SITE.splitlines()[0]
    source = treasury({2026: f"{head}\n", 2025: SITE})
    assert source.rates("20260102")["curve_date"].dt.strftime("%Y%m%d").unique().tolist() == ["20250103"]


def test_a_day_is_asked_for_once(treasury, httpserver):
    source = treasury({2025: SITE})
    first = source.rates(DAY)
    assert source.rates(DAY).equals(first) and len(httpserver.log) == 1
    assert httpserver.log[0][0].args["field_tdr_date_value"] == "2025"


def test_where_the_site_fails_the_answer_of_an_earlier_day_stands_in(treasury, httpserver):
    treasury({2025: SITE}).rates("20250102")
    httpserver.clear()
    heard = []
    source = treasury({2025: "<html>down"}, tell=lambda event, **fields: heard.append((event, fields.get("fetched"))))
    assert source.rates("20250103")["curve_date"].dt.strftime("%Y%m%d").unique().tolist() == ["20250103"]
    assert heard == [("rates_of_an_earlier_day", "20250102")]
    with pytest.raises(UpstreamError, match="no table of par yields"):
        treasury({}).rates("20250101")


@pytest.mark.market
def test_the_real_tables_are_read(market):
    wide = make_rates(TreasuryCsvRates(kind="treasury_csv", file=market / "rates/us_treasury_par_2021_2025.csv"))
    assert wide.rates("20250711").set_index("maturity_years")["par_yield"][10] == pytest.approx(0.0443)
    assert len(wide.rates("20210105")) == 12  # no six weeks and no four months yet
    short = make_rates(TreasuryCsvRates(kind="treasury_csv", file=market / "rates/us_treasury_3m_2y_2026.csv"))
    assert short.rates("20260811")["par_yield"].tolist() == pytest.approx([0.0389, 0.0422])


def test_every_kind_of_the_params_is_registered():
    assert set(RATE_SOURCES) == {"flat", "treasury_csv", "treasury"}


@pytest.mark.live
def test_contract_the_treasury_publishes_its_curve():
    table = make_rates(TreasuryRates(kind="treasury"), Network(limits=Http(payloads=None))).rates("20250711")
    assert len(table) == 14 and table.set_index("maturity_years")["par_yield"][10] == pytest.approx(0.0443)
