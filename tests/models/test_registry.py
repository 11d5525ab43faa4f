from typing import get_args

from options_pricing.models.registry import MODELS
from options_pricing.run.params import ModelName


def test_every_model_can_be_asked_for_in_the_params():
    assert set(MODELS) == set(get_args(ModelName))
    assert all(MODELS[name].name == name for name in MODELS)
