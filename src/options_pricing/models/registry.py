"""All models by name: a new one is a file beside this one and a line here (and its name in run/params.py)."""

from options_pricing.models.ad_hoc_black_scholes import AdHocBlackScholes
from options_pricing.models.base import Model
from options_pricing.models.boosted import Boosted
from options_pricing.models.fitted_surface import ConstrainedSurface, EssviSurface
from options_pricing.models.flat_vol import FlatVol
from options_pricing.models.hybrid import Hybrid
from options_pricing.models.random_walk import RandomWalk
from options_pricing.models.seed_linear import SeedLinear
from options_pricing.models.sticky_strike import StickyStrike
from options_pricing.models.vol_surface import Interpolations
from options_pricing.run.params import Train

MODELS: dict[str, type[Model]] = {
    model.name: model
    for model in (
        SeedLinear,
        FlatVol,
        AdHocBlackScholes,
        RandomWalk,
        StickyStrike,
        EssviSurface,
        ConstrainedSurface,
        Boosted,
        Hybrid,
    )
}


def make_model(name: str, train: Train, *, interpolations: Interpolations | None = None) -> Model:
    """An unfitted model of the registry.

    Parameters
    ----------
    name : str
        A key of `MODELS`.
    train, interpolations
        As for `Model`.
    """
    return MODELS[name](train, interpolations=interpolations)
