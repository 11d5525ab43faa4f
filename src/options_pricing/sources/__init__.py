"""Where option chains come from: one line per source, in `SOURCES` or, if it is on the network, in `LIVE`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from options_pricing.run.params import Http
from options_pricing.run.retry import RetryPolicy
from options_pricing.sources.base import RawChain, Source
from options_pricing.sources.http import HttpClient, Tell
from options_pricing.sources.payloads import PayloadStore
from options_pricing.sources.rates import FlatRate, RateSource, Treasury, TreasuryCsv

__all__ = ["LIVE", "RATE_SOURCES", "SOURCES", "Network", "RawChain", "Source", "make_rates", "make_source"]


@dataclass(frozen=True)
class Network:
    """How the network may be used: how often, within what bounds, and where its answers are kept.

    Parameters
    ----------
    policy : RetryPolicy
    limits : Http
    again : bool
        Whether a service is asked even where its answers are kept.
    tell : callable, optional
        Called as ``tell(event, **fields)`` of what a person may want to know.
    """

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    limits: Http = field(default_factory=Http)
    again: bool = False
    tell: Tell | None = None

    def client(self, service: str, *, token: bool = True) -> HttpClient:
        """A client for one service; a token, where it may want one, is in ``OPTIONS_PRICING_<SERVICE>_TOKEN``."""
        variable = f"OPTIONS_PRICING_{service.upper()}_TOKEN" if token else None
        return HttpClient(self.policy, self.limits, variable=variable, tell=self.tell)

    def store(self) -> PayloadStore:
        """Where answers are kept."""
        return PayloadStore(self.limits.payloads, reading=not self.again)


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


def _cboe(asked: Any, network: Network) -> Source:
    from options_pricing.sources.cboe import Cboe

    return Cboe(network.client("cboe"), network.store(), asked.base_url, asked.tickers)


SOURCES: dict[str, Callable[[Any], Source]] = {
    "simulated": _simulated,
    "cboe_eod": _cboe_eod,
    "yahoo_csv": _yahoo_csv,
    "optionsdx": _optionsdx,
    "generic": _generic,
}


def _deribit(asked: Any, network: Network) -> Source:
    from options_pricing.sources.deribit import Deribit

    return Deribit(network.client("deribit"), network.store(), asked.base_url, asked.currencies)


def _yahoo(asked: Any, network: Network) -> Source:
    from options_pricing.sources.yahoo import Yahoo

    client = network.client("yahoo", token=False)
    return Yahoo(client, network.store(), asked.base_url, asked.tickers, network.limits)


LIVE: dict[str, Callable[[Any, Network], Source]] = {
    "cboe": _cboe,
    "deribit": _deribit,
    "yahoo": _yahoo,
}


def _flat(asked: Any, network: Network) -> RateSource:
    return FlatRate(asked.rate)


def _treasury_csv(asked: Any, network: Network) -> RateSource:
    return TreasuryCsv(asked.file)


def _treasury(asked: Any, network: Network) -> RateSource:
    return Treasury(network.client("treasury"), network.store(), asked.base_url, network.tell)


RATE_SOURCES: dict[str, Callable[[Any, Network], RateSource]] = {
    "flat": _flat,
    "treasury_csv": _treasury_csv,
    "treasury": _treasury,
}


def make_rates(asked: Any, network: Network | None = None) -> RateSource:
    """The source of risk-free curves that the section ``rates`` of params.yaml asks for; arguments as below."""
    return RATE_SOURCES[asked.kind](asked, network or Network())


def make_source(asked: Any, network: Network | None = None) -> Source:
    """The source that the section ``source`` of params.yaml asks for.

    Parameters
    ----------
    asked : a section of `options_pricing.run.params` with a ``kind``
        ``SimulatedSource``, ``CboeSource`` or another one that `SOURCES` or `LIVE` names.
    network : Network, optional
        What those of `LIVE` ask with; by default once, and keeping answers where the parameters' default says.
    """
    if asked.kind in LIVE:
        return LIVE[asked.kind](asked, network or Network())
    return SOURCES[asked.kind](asked)
