"""The API as it is, but looking for another release twenty times a second, so that a hundred swaps take seconds."""

from options_pricing.serving.api import app_of_environment
from options_pricing.serving.current import CurrentRelease

assert CurrentRelease.__init__.__kwdefaults__ is not None
CurrentRelease.__init__.__kwdefaults__["look_seconds"] = 0.05

__all__ = ["app_of_environment"]
