"""Option prices from market data: checked quotes, surfaces, models judged against tomorrow."""

from importlib import import_module
from typing import Any

# Imported on first use, so that `import options_pricing` costs nothing.
_HOME = {
    "Surface": "options_pricing.surface.surface",
    "american_implied_vol": "options_pricing.pricing.american_vol",
    "american_price": "options_pricing.pricing.american",
    "implied_vol": "options_pricing.pricing.implied_vol",
    "price_and_greeks": "options_pricing.pricing.black",
}
__all__ = ["Surface", "american_implied_vol", "american_price", "implied_vol", "price_and_greeks"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
