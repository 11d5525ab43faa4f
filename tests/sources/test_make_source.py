"""One line per source, and every kind of params.yaml has one."""

from pathlib import Path
from typing import get_args

import pytest

from options_pricing.run.params import (
    CboeEodSource,
    CboeSource,
    DeribitSource,
    GenericSource,
    OptionsDxSource,
    SimulatedSource,
    Source,
    YahooCsvSource,
    YahooSource,
)
from options_pricing.sources import LIVE, SOURCES, make_source

ASKED = [
    SimulatedSource(density="tiny"),
    CboeEodSource(kind="cboe_eod", folder=Path("somewhere")),
    YahooCsvSource(kind="yahoo_csv", file=Path("somewhere.csv")),
    OptionsDxSource(kind="optionsdx", folder=Path("somewhere"), tickers={"spy": "SPY"}),
    GenericSource.model_validate(
        {
            "kind": "generic",
            "folder": "somewhere",
            "files": "{date}.csv",
            "layout": {"columns": {"underlying": "symbol", "contract_symbol": "option"}},
        }
    ),
    CboeSource(kind="cboe"),
    DeribitSource(kind="deribit"),
    YahooSource(kind="yahoo"),
]


def test_every_kind_of_the_params_is_registered():
    kinds = {get_args(section.model_fields["kind"].annotation)[0] for section in get_args(get_args(Source)[0])}
    assert kinds == set(SOURCES) | set(LIVE) == {asked.kind for asked in ASKED}


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.kind)
def test_a_source_bears_its_name_and_says_what_it_asks(asked):
    source = make_source(asked)
    assert source.name == asked.kind
    assert source.simulated == (asked.kind == "simulated")
    first, second = source.request("20261120"), source.request("20261119")
    assert first != second and first == make_source(asked).request("20261120")


@pytest.mark.parametrize(
    "base_url", ["ftp://host", "https://user:secret@host", "https://host?x=1", "host", "https://host/a b", ""]
)
def test_an_address_of_a_service_is_a_plain_one(base_url):
    with pytest.raises(ValueError, match="write https://host"):
        CboeSource(kind="cboe", base_url=base_url)
