"""The same option has the same number wherever it is shown: app, API, manifest, and the report's chart of smiles.

The report prints no price of a single option. What it shows of one is in its smiles: the vols of bid and ask, and the
vol that a model predicted. So the vols are compared there: those of the market as they are, and the model's after the
release's own vols were handed to the report as predictions.
"""

import io

import numpy as np
import pandas as pd
import pytest

from options_pricing.quotes.schema import PREDICTIONS, names
from options_pricing.release.verify import load_release
from options_pricing.reporting.smiles import smiles_of
from options_pricing.serving.api import create_app
from options_pricing.serving.chains import listed_chains, long_chain, quotes_of
from tests.serving.made_checkout import LAST, features
from tests.serving.opened_app import metrics, opened


@pytest.fixture(scope="module")
def release(staged):
    return load_release(staged)


def test_app_api_and_manifest_say_the_same_price_of_every_golden_row(staged, release):
    client = create_app(staged).test_client()
    chains = {(c.underlying, c.expiration): c for u in ("IDX", "STK") for c, _ in listed_chains(release.model, u)}
    for row in release.manifest.golden_rows:
        told = client.get("/price", query_string=row.asked()).json["price"]
        chain = chains[(row.underlying, pd.Timestamp(row.expiration))]
        table = pd.read_csv(io.StringIO(long_chain(release.model, chain, quotes_of(release.model, chain)).to_csv()))
        own = table[(table["strike"] == row.strike) & (table["option_type"] == row.option_type)]
        assert told == row.predicted_price == own["predicted_price"].item()


def test_the_form_shows_the_golden_price(staged, release):
    row = release.manifest.golden_rows[0]
    kind = "Call" if row.option_type == "C" else "Put"
    chain = {"underlying": row.underlying, "expiration": row.expiration}
    app = opened(staged, page="What if", strike=str(row.strike), type=kind, **chain)
    assert metrics(app)["Model price"] == f"{row.predicted_price:,.4f}"


@pytest.fixture(scope="module")
def of_day():
    """The features of the day that the release stands on."""
    return features().loc[lambda table: table["trade_date"] == LAST]


def as_predictions(day: pd.DataFrame, release) -> pd.DataFrame:
    """The release's own prices and vols of a day's options, in the table that the report draws from."""
    priced = release.model.price_options(day[["underlying", "root", "expiration", "strike", "option_type"]])
    said = {"protocol": "next_day", "model": "boosted", "date": LAST, "held_out": True, "market_price": day["mid"]}
    vols = {name: priced[name] for name in ("predicted_price", "predicted_implied_vol")}
    return day.assign(**said, **vols, random_walk_implied_vol=np.nan)[names(PREDICTIONS)]


def test_the_report_s_smiles_have_the_vols_of_the_app(release, of_day):
    drawn = smiles_of(of_day, as_predictions(of_day, release), model="boosted", protocol="next_day", count=6)
    assert {smile.underlying for smile in drawn} == {"IDX", "STK"}
    chains = {(c.underlying, f"{c.expiration:%Y-%m-%d}"): c for u in ("IDX", "STK") for c, _ in
              listed_chains(release.model, u)}  # fmt: skip
    for smile in drawn:
        quotes = quotes_of(release.model, chains[(smile.underlying, smile.expiration)])
        shown = quotes.assign(moneyness=quotes["strike"] / quotes["forward"]).set_index("moneyness")
        at = [moneyness for moneyness in smile.moneyness if moneyness in shown.index]
        assert len(at) >= 5
        places = [list(smile.moneyness).index(moneyness) for moneyness in at]
        told = shown.loc[at]
        bids = np.nan_to_num(told["bid_implied_vol"].to_numpy(), nan=0.0)
        assert smile.bid_vol[places] == pytest.approx(bids, rel=1e-9, abs=1e-12)
        assert smile.ask_vol[places] == pytest.approx(told["ask_implied_vol"].to_numpy(), rel=1e-9)
        line = dict(zip(smile.predicted_moneyness, smile.predicted_vol, strict=True))
        assert [line[moneyness] for moneyness in at] == told["predicted_implied_vol"].tolist()
