"""What is said of an option beyond its price."""

import dataclasses

import pandas as pd
import pytest

from options_pricing.evaluation.buckets import MATURITY, SMILE
from options_pricing.release.verify import load_release
from options_pricing.serving.answers import answers


@pytest.fixture(scope="module")
def release(staged):
    return load_release(staged)


def with_card(release, **price_intervals):
    return dataclasses.replace(release, card=release.card | {"out_of_sample": {"price_intervals": price_intervals}})


def asked(release, count=6):
    quotes = release.model.quotes().iloc[:count]
    return quotes[["underlying", "root", "expiration", "strike", "option_type"]].reset_index(drop=True)


def test_an_interval_holds_the_price_and_says_what_it_was_calibrated_on(release):
    widths = {place: dict.fromkeys(MATURITY.values(), 0.1) for place in SMILE}
    calibrated = with_card(release, nominal=0.9, days=6, half_widths=widths)
    for answer in answers(calibrated, asked(release)):
        interval = answer["interval"]
        assert (interval["nominal"], interval["days"]) == (0.9, 6)
        assert 0 <= interval["low"] < answer["price"] < interval["high"]


def test_without_calibration_or_price_there_is_no_interval(release):
    unknown = asked(release).assign(expiration=pd.Timestamp("2020-01-17"))
    widths = {place: dict.fromkeys(MATURITY.values(), 0.1) for place in SMILE}
    assert {a["interval"] for a in answers(with_card(release, half_widths=None), asked(release))} == {None}
    told = answers(with_card(release, nominal=0.9, days=6, half_widths=widths), unknown)
    assert {(a["interval"], a["price"]) for a in told} == {(None, None)}
