"""Option symbols as the Options Symbology Initiative writes them, and what the root of one says.

``SPX260821C00200000``: root, expiration as YYMMDD, C or P, strike times 1000 in eight digits. In the padded form the
root fills six characters (``SPX   260821C00200000``). Deribit writes ``BTC-13FEB26-100000-C``; that is read likewise,
since a strike of 100,000 has no place in eight digits.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

PADDED_LENGTH = 21
STRIKE_SCALE = 1000
STRIKE_DIGITS = 8
CENTURY = "20"
SYMBOL = r"^(?P<root>[0-9]?[A-Z][A-Z0-9]*) *(?P<expiration>[0-9]{6})(?P<option_type>[CP])(?P<strike>[0-9]{8})$"

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DASHED = (
    r"^(?P<root>[A-Z][A-Z0-9_]*)-(?P<day>[0-9]{1,2})"
    rf"(?P<month>{'|'.join(MONTHS)})(?P<year>[0-9]{{2}})-(?P<strike>[0-9]{{1,12}})-(?P<option_type>[CP])$"
)


class Root(NamedTuple):
    """What the root of an index option says about the contract."""

    underlying: str
    settlement: Literal["am", "pm"]
    exercise_style: Literal["european", "american"]


# The exchanges' contract specifications: Cboe (SPX, XSP, VIX, RUT, DJX, OEX, XEO, RLG, RLV, RUI, MRUT, MXEA, MXEF) and
# Nasdaq (NDX, NDXP, XND). XIDX and XIDXW are the index of the simulated market.
INDEX_ROOTS: Mapping[str, Root] = {
    "SPX": Root("SPX", "am", "european"),
    "SPXW": Root("SPX", "pm", "european"),
    "XSP": Root("XSP", "pm", "european"),
    "NDX": Root("NDX", "am", "european"),
    "NDXP": Root("NDX", "pm", "european"),
    "XND": Root("XND", "pm", "european"),
    "RUT": Root("RUT", "am", "european"),
    "RUTW": Root("RUT", "pm", "european"),
    "MRUT": Root("MRUT", "pm", "european"),
    "RUI": Root("RUI", "am", "european"),
    "RLG": Root("RLG", "am", "european"),
    "RLV": Root("RLV", "am", "european"),
    "DJX": Root("DJX", "am", "european"),
    "VIX": Root("VIX", "am", "european"),
    "VIXW": Root("VIX", "am", "european"),
    "OEX": Root("OEX", "pm", "american"),
    "XEO": Root("OEX", "pm", "european"),
    "MXEA": Root("MXEA", "pm", "european"),
    "MXEF": Root("MXEF", "pm", "european"),
    "XIDX": Root("XIDX", "am", "european"),
    "XIDXW": Root("XIDX", "pm", "european"),
}


def parse_symbols(symbols: pd.Series) -> pd.DataFrame:
    """Take option symbols apart.

    Parameters
    ----------
    symbols : Series of str
        Compact, padded or Deribit's; nulls are allowed.

    Returns
    -------
    DataFrame
        ``root`` (str), ``expiration`` (datetime64[s]), ``option_type`` (str), ``strike`` (float, currency), on the
        index of `symbols`. All four are null where a symbol is not one: another layout, lower case, no such date.
    """
    given = pa.array(symbols, type=pa.string(), from_pandas=True)
    dashed = pc.fill_null(pc.match_substring(given, "-"), False)
    plain = _parse_plain(pc.if_else(dashed, None, given))
    if not pc.any(dashed).as_py():
        return plain.set_axis(symbols.index)
    rows = dashed.to_numpy(zero_copy_only=False)
    plain.loc[rows] = _parse_dashed(given).loc[rows]
    return plain.set_axis(symbols.index)


def _parse_plain(texts: pa.Array) -> pd.DataFrame:
    texts = pc.if_else(pc.less_equal(pc.utf8_length(texts), PADDED_LENGTH), texts, None)
    parts = pc.extract_regex(texts, SYMBOL)
    expirations = _dates(pc.struct_field(parts, "expiration"))
    known = ~np.isnat(expirations)
    strikes = pc.struct_field(parts, "strike").cast(pa.float64()).to_numpy(zero_copy_only=False) / STRIKE_SCALE
    return pd.DataFrame(
        {
            "root": pc.struct_field(parts, "root").to_pandas().astype("str").where(known),
            "expiration": expirations,
            "option_type": pc.struct_field(parts, "option_type").to_pandas().astype("str").where(known),
            "strike": np.where(known, strikes, np.nan),
        }
    )


def _parse_dashed(texts: pa.Array) -> pd.DataFrame:
    """The same of symbols in Deribit's layout."""
    parts = pc.extract_regex(texts, DASHED)
    day, month, year, strike = (pc.struct_field(parts, name).to_pandas() for name in ("day", "month", "year", "strike"))
    number = month.map({name: f"{place:02d}" for place, name in enumerate(MONTHS, start=1)})
    expirations = _dates(pa.array(year + number + day.str.zfill(2), type=pa.string(), from_pandas=True))
    known = ~np.isnat(expirations)
    return pd.DataFrame(
        {
            "root": pc.struct_field(parts, "root").to_pandas().astype("str").where(known),
            "expiration": expirations,
            "option_type": pc.struct_field(parts, "option_type").to_pandas().astype("str").where(known),
            "strike": strike.astype("float64").where(known),
        }
    )


def build_symbols(roots: pd.Series, expirations: pd.Series, option_types: pd.Series, strikes: pd.Series) -> pd.Series:
    """Put option symbols together, in the compact form.

    Parameters
    ----------
    roots, option_types : Series of str
    expirations : Series of datetime64, dates without a zone
    strikes : Series of float, currency

    Returns
    -------
    Series of str
        On the index of `roots`; null where a part is null or a strike has no place in eight digits of thousandths.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        thousandths = strikes.to_numpy(dtype=float) * STRIKE_SCALE
        fits = (
            (np.abs(thousandths - np.round(thousandths)) < 1e-4) & (thousandths > 0) & (thousandths < 10**STRIKE_DIGITS)
        )
    whole = pa.array(np.where(fits, np.round(thousandths), 0).astype(np.int64), mask=~fits)
    digits = pc.utf8_lpad(whole.cast(pa.string()), STRIKE_DIGITS, padding="0")
    parts = [
        pa.array(part, type=pa.string(), from_pandas=True) for part in (roots, _six_digits(expirations), option_types)
    ]
    return pc.binary_join_element_wise(*parts, digits, "").to_pandas().astype("str").set_axis(roots.index)


def describe_roots(roots: pd.Series, known: Mapping[str, Root] = INDEX_ROOTS) -> pd.DataFrame:
    """What each root says: the underlying, how the option settles, when it may be exercised, whether it was adjusted.

    A root that is not in `known` is one of a stock or a fund: American exercise, settled at the close. A digit at
    its end marks a contract that a corporate action adjusted (``AAPL1``), one in front a FLEX contract (``1SPX``).

    Parameters
    ----------
    roots : Series of str
    known : mapping of root to `Root`
        The index roots; pass ``INDEX_ROOTS | {...}`` for more.

    Returns
    -------
    DataFrame
        ``underlying``, ``settlement``, ``exercise_style`` (str, null where the root is null) and ``adjusted`` (bool),
        on the index of `roots`.
    """
    codes, found = pd.factorize(roots)
    facts: list[tuple[str | None, str | None, str | None, bool]]
    facts = [(*_fact(str(root), known), is_adjusted(str(root))) for root in found]
    facts.append((None, None, None, False))  # code -1: a null root
    table = pd.DataFrame(facts, columns=["underlying", "settlement", "exercise_style", "adjusted"])
    taken = table.astype({"underlying": "str", "settlement": "str", "exercise_style": "str"}).take(codes % len(table))
    return taken.set_axis(roots.index)


def is_adjusted(root: str) -> bool:
    """Whether a root is one of an adjusted or a FLEX contract, whose deliverable or terms are its own."""
    return root[-1:].isdigit() or root[:1].isdigit()


def _fact(root: str, known: Mapping[str, Root]) -> Root:
    plain = root.strip("0123456789")
    return known.get(plain, Root(plain, "pm", "american"))


def _dates(six_digits: pa.Array) -> np.ndarray:
    codes, found = pd.factorize(six_digits.to_pandas())
    dates = pd.to_datetime(pd.Series([CENTURY + day for day in found], dtype="str"), format="%Y%m%d", errors="coerce")
    known = np.append(dates.to_numpy().astype("datetime64[s]"), np.datetime64("NaT", "s"))
    return known[codes]


def _six_digits(expirations: pd.Series) -> np.ndarray:
    codes, found = pd.factorize(expirations)
    return np.array([*pd.DatetimeIndex(found).strftime("%y%m%d"), None], dtype=object)[codes]
