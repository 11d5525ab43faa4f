"""Where option chains come from: one line per source."""

from collections.abc import Callable
from typing import Any

from options_pricing.sources.base import RawChain, Source

__all__ = ["SOURCES", "RawChain", "Source", "make_source"]


def _simulated(asked: Any) -> Source:
    from options_pricing.sources.simulated import SimulatedMarket

    return SimulatedMarket(asked.seed, asked.underlyings, asked.density, asked.defects)


def _cboe_eod(asked: Any) -> Source:
    from options_pricing.sources.cboe_eod import CboeEod

    return CboeEod(asked.folder, asked.tickers)


def _yahoo_csv(asked: Any) -> Source:
    from options_pricing.sources.yahoo_csv import YahooCsv

    return YahooCsv(asked.file)


def _optionsdx(asked: Any) -> Source:
    from options_pricing.sources.optionsdx import OptionsDx

    return OptionsDx(asked.folder, asked.files, asked.tickers, asked.roots)


def _generic(asked: Any) -> Source:
    from options_pricing.sources.archive import Archive

    return Archive(
        asked.vendor,
        asked.folder,
        asked.files,
        asked.layout,
        tickers=asked.tickers,
        underlyings=asked.underlyings,
        roots=asked.roots,
    )


SOURCES: dict[str, Callable[[Any], Source]] = {
    "simulated": _simulated,
    "cboe_eod": _cboe_eod,
    "yahoo_csv": _yahoo_csv,
    "optionsdx": _optionsdx,
    "generic": _generic,
}


def make_source(asked: Any) -> Source:
    """The source that the section ``source`` of params.yaml asks for.

    Parameters
    ----------
    asked : a section of `options_pricing.run.params` with a ``kind``
        ``SimulatedSource``, ``CboeEodSource`` or another one that `SOURCES` names.
    """
    return SOURCES[asked.kind](asked)
