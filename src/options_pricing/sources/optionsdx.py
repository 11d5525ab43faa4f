"""End-of-day files of OptionsDX: a month of one ticker each, a row for each strike with its call and its put.

Headers are in brackets and cells padded with a space; greeks and vols of idle options are blank. Times are New York's.
The files name no root: which options on SPX are settled in the morning has to be said by who uses them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from options_pricing.run.layouts import Layout
from options_pricing.sources.archive import Archive


def _side(letter: str) -> dict[str, Any]:
    return {
        "bid": f"[{letter}_BID]",
        "ask": f"[{letter}_ASK]",
        "bid_size": {"column": f"[{letter}_SIZE]", "match": r"^(\d+) *x"},
        "ask_size": {"column": f"[{letter}_SIZE]", "match": r"x *(\d+)$"},
        "last_price": f"[{letter}_LAST]",
        "volume": f"[{letter}_VOLUME]",
        "vendor_implied_vol": f"[{letter}_IV]",
    }


LAYOUT = Layout.model_validate(
    {
        "columns": {
            "trade_date": "[QUOTE_DATE]",
            "quote_time": {"column": "[QUOTE_READTIME]", "zone": "America/New_York"},
            "underlying_price": "[UNDERLYING_LAST]",
            "expiration": "[EXPIRE_DATE]",
            "strike": "[STRIKE]",
        },
        "calls": _side("C"),
        "puts": _side("P"),
    }
)


class OptionsDx(Archive):
    """The months below a folder; parameters as of `Archive`."""

    def __init__(self, folder: Path, files: str, tickers: Mapping[str, str], roots: Mapping[str, str]) -> None:
        super().__init__("optionsdx", folder, files, LAYOUT, tickers=tickers, roots=roots)
