"""Rules A01 to A07: what can be traded is told from what lies inside the spread, and the guilty quote from its legs."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.pricing.american import american_price
from options_pricing.surface.arbitrage import find_violations
from options_pricing.validation import rules_arbitrage as rules
from options_pricing.validation.chain import Chain
from tests.validation.conftest import DAY, RATE, VOL, YIELD, listed

KINDS = [
    rules.outright,
    rules.vertical,
    rules.butterfly,
    rules.calendar,
    rules.calendar_vertical,
    rules.calendar_butterfly,
]
SPX = ("SPX", "2026-12-18")
LATER = ("SPX", "2027-03-19")


@pytest.fixture
def found(judged):
    """The rows that each rule fails, and those it warns of, by id."""

    def judge(table: pd.DataFrame, **changed: float) -> dict[str, tuple[list[int], list[int]]]:
        told = {}
        for rule in (*KINDS, rules.actionable):
            finding = judged(rule, table, **changed)
            mild = [] if finding.mild_rows is None else np.flatnonzero(finding.mild_rows).tolist()
            told[rule.id] = (np.flatnonzero(finding.rows).tolist(), mild)
        return told

    return judge


def moved(table: pd.DataFrame, row: int, bid: float, ask: float) -> pd.DataFrame:
    table = table.copy()
    table.loc[row, ["bid", "ask"]] = [bid, ask]
    return table


@pytest.mark.parametrize("rule", [*KINDS, rules.actionable], ids=lambda rule: rule.id)
def test_a_clean_chain_passes(clean, judged, rule) -> None:
    finding = judged(rule, clean)
    assert not finding.rows.any() and not finding.halting
    assert finding.mild_rows is None or not finding.mild_rows.any()


def test_a01_more_than_the_forward(clean, found, row_of) -> None:
    """A put struck at 4700 that pays at most 4700 D."""
    row = row_of(clean, *SPX, 4700.0, "P")
    told = found(moved(clean, row, 4760.0, 4770.0))
    assert told["A01"][0] == told["A07"][0] == [row]
    # At its ceiling, to a tick, it is only absurd (and dearer than its neighbours).
    forward, discount = (values[row] for values in Chain(clean, DAY).parity_by_row)
    assert forward > 4700 and found(moved(clean, row, 4700 * discount, 4705 * discount))["A01"][0] == []


@pytest.mark.parametrize(("strike", "option_type"), [(5300.0, "C"), (4700.0, "P")])
def test_a02_bid_over_the_neighbours_ask(clean, found, row_of, strike, option_type) -> None:
    row, nearer = row_of(clean, *SPX, strike, option_type), row_of(clean, *SPX, strike - 100, "C")
    nearer = nearer if option_type == "C" else row_of(clean, *SPX, strike + 100, "P")
    ask = clean.loc[nearer, "ask"]
    told = found(moved(clean, row, ask + 3, ask + 4))
    assert row in told["A02"][0] and told["A07"][0] == [row]


def test_a02_within_the_spread_only_warns(clean, found, row_of) -> None:
    row, nearer = row_of(clean, *SPX, 5300.0, "C"), row_of(clean, *SPX, 5200.0, "C")
    bid, ask = clean.loc[nearer, ["bid", "ask"]]
    told = found(moved(clean, row, bid - 25, ask + 30))
    assert told["A07"][0] == [] and row in told["A02"][1]


@pytest.mark.parametrize("shift", [20.0, -20.0])
@pytest.mark.parametrize(("strike", "option_type"), [(5200.0, "C"), (4800.0, "P")])
def test_a03_blames_the_quote_that_was_moved(clean, found, row_of, shift, strike, option_type) -> None:
    """Up it is itself above its chord; down both its neighbours are above theirs, and are not to blame."""
    row = row_of(clean, *SPX, strike, option_type)
    bid, ask = clean.loc[row, ["bid", "ask"]]
    told = found(moved(clean, row, bid + shift, ask + shift))
    assert told["A03"][0] == told["A07"][0] == [row]


def test_a03_has_a_tolerance_in_ticks(clean, found, row_of) -> None:
    row = row_of(clean, *SPX, 5200.0, "C")
    bid, ask = clean.loc[row, ["bid", "ask"]]
    spoilt = moved(clean, row, bid + 8, ask + 8)
    assert found(spoilt, ticks=1.0)["A07"][0] == [row]
    assert found(spoilt, ticks=1000.0)["A07"][0] == []


def with_later(clean: pd.DataFrame, times: float, vol: float) -> pd.DataFrame:
    """The later expiration of SPX with strikes `times` as high, at another vol."""
    later = listed("SPX", "2027-03-19", np.round(np.arange(4200.0, 5801.0, 100.0) * times, 3), 5000.0, 0.1, vol)
    return pd.concat([clean[clean["expiration"] != "2027-03-19"], later], ignore_index=True)


FORWARDS = float(np.exp((RATE - YIELD) * (121 - 30) / 365))


@pytest.mark.parametrize(
    ("id", "times", "vol"),
    [("A04", FORWARDS, 0.14), ("A05", FORWARDS * 1.004, 0.05), ("A06", FORWARDS * 1.01, 0.12)],
)
def test_a04_a05_a06_a_later_expiration_that_is_cheaper(clean, found, id, times, vol) -> None:
    """A vol of 14 % over four months is less than one of 30 % over one; at `FORWARDS` strikes have the same k."""
    told = found(with_later(clean, times, vol))
    assert told[id][0] and set(told[id][0]) <= set(told["A07"][0])
    dearer = found(with_later(clean, times, 0.16))
    assert dearer["A07"][0] == []


def test_a04_needs_the_same_moneyness(clean, found) -> None:
    assert found(with_later(clean, FORWARDS * 1.01, 0.14))["A04"] == ([], [])
    assert found(with_later(clean, FORWARDS, 0.14))["A06"] == ([], [])


def test_calendars_only_compare_one_underlying(clean, found) -> None:
    """SPY's options are worth a tenth of SPX's, and a later SPX never makes SPY's dear."""
    cheap = clean.assign(underlying=np.where(clean["root"] == "SPY", "ANOTHER", clean["underlying"]))
    assert found(cheap)["A07"][0] == []


@pytest.mark.parametrize(("rows", "halts"), [(2, 0), (3, 1)])
def test_a07_halts_over_two_percent_of_the_rows(clean, judged, row_of, rows, halts) -> None:
    """Of 136 rows 2 % are 2.72."""
    for root, strike in (("SPX", 5200.0), ("SPXW", 5300.0), ("SPX", 4700.0))[:rows]:
        row = row_of(clean, root, "2026-12-18", strike, "C" if strike > 5000 else "P")
        clean.loc[row, ["bid", "ask"]] += 9.0
    finding = judged(rules.actionable, clean)
    assert finding.rows.sum() == rows and len(finding.halting) == halts
    assert not judged(rules.actionable, clean, halt_share=0.03).halting


def american_fund(tick: float = 0.01) -> pd.DataFrame:
    """An American fund with two expirations whose prices are those of one vol, on a rate that makes puts worth it."""
    parts = []
    for expiration in ("2027-06-18", "2027-12-17"):
        part = listed("SPY", expiration, np.arange(420.0, 581.0, 10.0), 500.0, tick)
        years = (pd.Timestamp(expiration) - pd.Timestamp(DAY)).days / 365
        price = american_price(500.0, part["strike"], years, RATE, YIELD, VOL, part["option_type"])
        parts.append(part.assign(bid=np.floor(price * 99.8) / 100, ask=np.ceil(price * 100.2) / 100))
    return pd.concat(parts, ignore_index=True)


def test_american_prices_lose_their_premium_before_they_are_compared(found) -> None:
    table = american_fund()
    market = Chain(table, DAY).market
    np.testing.assert_allclose(market.vol, VOL, rtol=2e-3)
    assert found(table)["A07"] == ([], [])
    row = int(table.index[(table["strike"] == 470) & (table["option_type"] == "P")][0])
    table.loc[row, ["bid", "ask"]] += 1.5
    assert found(table)["A07"][0] == [row]


def test_what_can_be_traded_here_can_be_traded_by_the_surfaces_checker_too(clean, found, row_of) -> None:
    """Independent code: every breach at quotes is one of `find_violations`, and a clean chain has none in either."""
    table = clean[clean["root"] == "SPX"].reset_index(drop=True)
    row = row_of(table, *SPX, 5200.0, "C")
    table.loc[row, ["bid", "ask"]] += 8.0
    chain = Chain(table, DAY)
    forward, discount = chain.parity_by_row
    quotes = table.assign(forward=forward, discount_factor=discount, year_fraction=chain.year_fraction)
    out = quotes[chain.call == (quotes["strike"] >= forward)]
    told = find_violations(out)
    traded = told[told["actionable"] & (told["excess_at_quotes"] > 0.1)]
    assert set(np.round(traded["strike"], 6)) == {5200.0} and set(traded["constraint"]) == {"butterfly"}
    assert found(table)["A07"][0] == [row] and found(table)["A03"][0] == [row]
    left = find_violations(out.drop(index=row))
    assert not (left["excess_at_quotes"] > 0.1).any()


def test_nothing_to_compare_is_no_arbitrage(clean, found) -> None:
    for table in (clean.iloc[:2], clean[clean["strike"] == 5000.0], clean.assign(bid=0.0, ask=0.0)):
        assert all(told == ([], []) for told in found(table.reset_index(drop=True)).values())
