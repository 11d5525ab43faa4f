"""The embedded market: four underlyings with true surfaces, real listing rules, quotes and planted defects."""

from options_pricing.sources.simulated.source import SimulatedMarket

__all__ = ["SimulatedMarket"]
