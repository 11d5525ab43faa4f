"""One CSV of a Yahoo chain, in the layout behind the first version of this model.

All of its quotes were downloaded within a second, but its ``simulated_trade_date`` spreads them over past weeks, by
expiration. The trading day is the greatest of these dates: the last session before the download.
"""

from glob import escape
from pathlib import Path

from options_pricing.run.layouts import Layout
from options_pricing.sources.archive import Archive

# The file's time_to_expiry is left out: it counts from the download, a day after the trading day, and is rounded down.
LAYOUT = Layout.model_validate(
    {
        "captured": "fetch_timestamp",
        "columns": {
            "trade_date": {"column": "simulated_trade_date", "greatest": True},
            # The file writes the year with four digits, OSI with two.
            "contract_symbol": {"column": "symbol", "match": "^([0-9]?[A-Z][A-Z0-9]*?)20([0-9]{6}[CP][0-9]{8})$"},
            "underlying": "underlying_symbol",
            "expiration": "expiration_date",
            "strike": "strike",
            "option_type": {"column": "contract_type", "values": {"call": "C", "put": "P"}},
            "bid": "bid",
            "ask": "ask",
            "last_price": "last_price",
            "volume": "volume",
            "open_interest": "open_interest",
            "underlying_price": "underlying_price",
            "vendor_implied_vol": "implied_volatility",
            "vendor_price": "market_price",
        },
    }
)


class YahooCsv(Archive):
    """The one chain of one file.

    Parameters
    ----------
    file : Path
        The CSV.
    """

    def __init__(self, file: Path) -> None:
        file = Path(file)
        super().__init__("yahoo_csv", file.parent, escape(file.name).replace("{", "{{").replace("}", "}}"), LAYOUT)
