"""Small chains with everything wrong that can be: the simulated market's, cut to a few rows and spoilt by a seed."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from options_pricing.quotes.schema import RAW, Column
from options_pricing.run.calendar import sessions_ending
from options_pricing.run.params import Rule, Validation
from options_pricing.sources.simulated import SimulatedMarket
from options_pricing.validation.catalogue import RULES

DAY = "20261120"
UNDERLYINGS = ("XIDX", "XETF", "XTEC", "XOIL")
Rng: TypeAlias = np.random.Generator
Mutation: TypeAlias = Callable[[pd.DataFrame, Rng], pd.DataFrame]

NUMBERS = (
    *(np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, 1e-320, 1e-12, 0.005, 0.01, 1.0, 100.0, 12345.678, 1e9, 1e15),
    *(1e154, 1e200, 1e308, -1e308, -1e9),
)
TEXTS = (
    *(
        None,
        "",
        " ",
        "C",
        "P",
        "c",
        "call",
        "am",
        "pm",
        "AM",
        "european",
        "american",
        "SPX",
        "SPXW",
        "XIDX",
        "1X",
        "X1",
    ),
    *("0", "123", "=1+2", "+1", "-1", "@x", "\t", "{{7*7}}", "<script>", "../../x", "\u202e", "\ufeff", "ß", "İ", "𝟙"),
    *("\N{GRINNING FACE}", "\0", "\n", "\r\n", '"', ",", ";", "a;b", "nan", "NaT", "None", "x" * 5000),
    *("SPX261218C00500000", "SPX   261218C00500000", "XIDX991399C99999999", "A000000P00000000"),
)
DATES = (
    *(None, "0001-01-01", "1677-09-21", "1899-12-31", "1900-01-01", "1970-01-01", "1999-12-31", "2026-11-19"),
    *("2026-11-20", "2026-11-21", "2026-11-23", "2026-11-27", "2027-01-01", "2028-02-29", "2036-12-31", "2037-01-02"),
    *("2199-12-31", "2200-01-02", "2262-04-12", "9999-12-31"),
)
INSTANTS = tuple(None if day is None else f"{day}T21:00:00Z" for day in DATES)
POOLS = {"number": NUMBERS, "text": TEXTS, "date": DATES, "instant": INSTANTS}
# What a reader, a notebook or another source may hand over in place of a number, a date or a word.
TYPES: tuple[Callable[[pd.Series], pd.Series], ...] = (
    lambda values: values.astype(object),
    lambda values: values.astype("category"),
    lambda values: values.map(str).astype(object),
    lambda values: values.isna(),
    lambda values: pd.Series(["1,234.5"] * len(values), index=values.index, dtype=object),
    lambda values: pd.Series(["N/A"] * len(values), index=values.index, dtype=object),
    lambda values: pd.Series([None] * len(values), index=values.index, dtype=object),
    lambda values: pd.Series([["list"]] * len(values), index=values.index, dtype=object),
    lambda values: pd.Series([10**400] * len(values), index=values.index, dtype=object),
    lambda values: pd.Series(np.arange(len(values)), index=values.index, dtype="int8"),
)


class Case(NamedTuple):
    """A chain, those of the days before, how it is judged, and what was done to it."""

    chain: pd.DataFrame
    previous: list[pd.DataFrame]
    validation: Validation
    done: str


@cache
def market(day: str) -> dict[str, list[pd.DataFrame]]:
    """The clean expirations that all chains are made of, by underlying."""
    quotes = SimulatedMarket(11, UNDERLYINGS, "tiny", 0.0).chain(day).quotes
    return {
        name: [rows for _, rows in quotes[quotes["underlying"] == name].groupby(["expiration", "root"])]
        for name in UNDERLYINGS
    }


def made_case(seed: int) -> Case:
    """The case of a seed: the same one on every machine."""
    rng = np.random.default_rng(seed)
    chain, done = _cut(market(DAY), rng), []
    for _ in range(int(rng.choice([0, 1, 2, 3, 6], p=[0.05, 0.35, 0.3, 0.2, 0.1]))):
        name = str(rng.choice(list(MUTATIONS), p=WEIGHTS))
        chain = MUTATIONS[name](chain, rng)
        done.append(name)
    if rng.random() < 0.1:  # last of all, for no other mutation can do anything with such a column
        chain = retype(chain, rng)
        done.append("retype")
    days = sessions_ending(DAY, 3)[:-1][: int(rng.integers(0, 3))]
    previous = [_cut(market(day), rng) for day in days]
    if previous and rng.random() < 0.3:
        previous[-1] = spoil_cells(previous[-1], rng)
    return Case(chain, previous, _judged(rng), f"seed {seed}: {', '.join(done) or 'nothing'}")


def _judged(rng: Rng) -> Validation:
    """The rules as they are; or all of them only warning, so that features meet what they put aside; or some off."""
    which = rng.random()
    if which < 0.6:
        return Validation()
    changed = {rule.id: Rule(severity="warn") for rule in RULES} if which < 0.8 else {}
    if which > 0.8:
        changed = {rule.id: Rule(severity="off") for rule in RULES if rng.random() < 0.5}
    return Validation(rules=changed, halt_if_usable_below=0.0)


def _cut(expirations: dict[str, list[pd.DataFrame]], rng: Rng) -> pd.DataFrame:
    """Some 5 to 60 rows of one or two underlyings; mostly whole pairs of few expirations, so that parity has lines."""
    some = rng.choice(UNDERLYINGS, size=int(rng.integers(1, 3)), replace=False)
    drawn = [
        expirations[name][rng.integers(len(expirations[name]))] for name in some for _ in range(rng.integers(1, 4))
    ]
    rows = int(rng.integers(5, 61))
    if rng.random() < 0.7:
        each = rows // len(drawn) + 1
        starts = [int(rng.integers(0, max(len(chain) - each, 0) + 1)) for chain in drawn]
        return pd.concat(
            [chain.iloc[at : at + each] for chain, at in zip(drawn, starts, strict=True)], ignore_index=True
        )
    chain = pd.concat(drawn, ignore_index=True)
    return chain.iloc[np.sort(rng.permutation(len(chain))[:rows])].reset_index(drop=True)


def _rows(frame: pd.DataFrame, rng: Rng) -> np.ndarray:
    """Which rows are struck: one, some or all."""
    if not len(frame):
        return np.zeros(0, dtype=bool)
    share = rng.choice([0.0, 0.2, 1.0], p=[0.4, 0.4, 0.2])
    struck = rng.random(len(frame)) < share
    struck[rng.integers(len(frame))] = True
    return struck


def _column(frame: pd.DataFrame, rng: Rng, *kinds: str) -> Column | None:
    there = [column for column in RAW if column.name in frame and (not kinds or column.kind in kinds)]
    return there[rng.integers(len(there))] if there else None


def spoil_cells(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Put values that are none, or extreme, into a column."""
    column = _column(frame, rng)
    if column is None:
        return frame
    pool = POOLS[column.kind]
    struck = _rows(frame, rng)
    put = pool[rng.integers(len(pool))]
    values = frame[column.name].astype(object)
    drawn = [pool[number] for number in rng.integers(len(pool), size=len(frame))]
    values[struck] = pd.Series([put] * len(frame) if rng.random() < 0.5 else drawn, index=frame.index, dtype=object)[
        struck
    ]
    if column.kind == "date":
        values = pd.Series(pd.to_datetime(values.astype(str), format="ISO8601", errors="coerce"))
    if column.kind == "instant":
        values = pd.Series(pd.to_datetime(values.astype(str), format="ISO8601", errors="coerce", utc=True))
    return frame.assign(**{column.name: values})


def scale(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """A price in cents, a split, another sign."""
    column = _column(frame, rng, "number")
    if column is None:
        return frame
    values = pd.to_numeric(frame[column.name].astype(object), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    factor = rng.choice([-1.0, 0.01, 0.1, 10.0, 100.0, 1e6])
    with np.errstate(all="ignore"):
        return frame.assign(**{column.name: np.where(_rows(frame, rng), values * factor, values)})


def shake(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Noise on bids and asks, so that every bound is crossed somewhere."""
    noisy = {}
    for name in {"bid", "ask"} & set(frame.columns):
        values = pd.to_numeric(frame[name].astype(object), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        with np.errstate(all="ignore"):
            noisy[name] = values * np.exp(rng.normal(0, rng.choice([0.001, 0.1, 3.0]), len(frame)))
    return frame.assign(**noisy)


def swap(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Two columns of one kind change places."""
    first = _column(frame, rng)
    second = None if first is None else _column(frame, rng, first.kind)
    if first is None or second is None:
        return frame
    return frame.assign(**{first.name: frame[second.name], second.name: frame[first.name]})


def shift(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """A column slips by a row."""
    column = _column(frame, rng)
    return frame if column is None else frame.assign(**{column.name: frame[column.name].shift(1)})


def repeat(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Rows come again, as they are or at another price."""
    again = frame[_rows(frame, rng)]
    return pd.concat([frame, shake(again, rng) if rng.random() < 0.5 else again], ignore_index=True)


def shuffle(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Another order of the rows, under their old numbers."""
    return frame.iloc[rng.permutation(len(frame))]


def one_side(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Calls alone, or puts alone."""
    return frame if "option_type" not in frame else frame[frame["option_type"] == rng.choice(["C", "P"])]


def few(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """No row, or one, or two."""
    return frame.iloc[: int(rng.integers(0, 3))]


def same(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """One value in the whole column: one strike, one date, one price."""
    column = _column(frame, rng)
    if column is None or not len(frame):
        return frame
    return frame.assign(**{column.name: frame[column.name].iloc[[rng.integers(len(frame))] * len(frame)].to_numpy()})


def drop(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """A column is not there."""
    column = _column(frame, rng)
    return frame if column is None else frame.drop(columns=column.name)


def widen(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """A column that nobody knows."""
    return frame.assign(**{str(rng.choice(["raw_row", "rule_ids", "mid", "x y", ""])): 1.0})


def retype(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """A column of another type."""
    column = _column(frame, rng)
    return (
        frame if column is None else frame.assign(**{column.name: TYPES[rng.integers(len(TYPES))](frame[column.name])})
    )


def relabel(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Rows that all bear one number."""
    return frame.set_axis(np.zeros(len(frame), dtype=int))


MUTATIONS: dict[str, Mutation] = {
    "cells": spoil_cells,
    "scale": scale,
    "shake": shake,
    "swap": swap,
    "shift": shift,
    "repeat": repeat,
    "shuffle": shuffle,
    "one side": one_side,
    "few rows": few,
    "same": same,
    "drop": drop,
    "widen": widen,
    "relabel": relabel,
}
WEIGHTS = np.array([8, 3, 3, 2, 2, 2, 1, 0.6, 0.6, 2, 0.4, 0.4, 0.4])
WEIGHTS = WEIGHTS / WEIGHTS.sum()
