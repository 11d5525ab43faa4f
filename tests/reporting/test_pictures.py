import dataclasses

from options_pricing.reporting.inputs import read_inputs
from options_pricing.reporting.pictures import pictures

FOUR = ["r2_by_day", "error_by_bucket", "smiles", "validation_waterfall"]


def test_all_four_are_there_with_captions_from_the_figures(context):
    drawn = context["charts"]
    assert list(drawn) == FOUR
    assert [picture.file for picture in drawn.values()] == [f"{name}.svg" for name in FOUR]
    assert drawn["r2_by_day"].caption.startswith(
        "Of 5 days, the boosted surface is better than yesterday's surface on 3 and worse on 2. Above 0"
    )
    assert drawn["smiles"].title == "Smiles of 2026-11-20"
    assert drawn["smiles"].caption.endswith("the line is the boosted surface, fitted on the days before.")
    assert drawn["validation_waterfall"].caption == "4,140 raw rows, 238 quarantined, 3,902 validated."
    assert all(picture.wide != picture.narrow for picture in drawn.values())


def test_all_four_are_there_without_a_model(made):
    drawn = pictures(read_inputs(made.data_only), 2)
    assert list(drawn) == FOUR
    assert drawn["r2_by_day"].caption == drawn["error_by_bucket"].caption == "There is no evaluation to draw."
    assert drawn["smiles"].caption.endswith("there is no model's prediction of that day to draw.")


def test_the_heat_map_is_of_the_chosen_model(inputs):
    other = dataclasses.replace(inputs, metrics=inputs.metrics.model_copy(update={"chosen_model": "random_walk"}))
    unknown = dataclasses.replace(inputs, metrics=inputs.metrics.model_copy(update={"chosen_model": "none"}))
    drawn = [pictures(given, 1)["error_by_bucket"] for given in (inputs, other, unknown)]
    assert len({picture.wide for picture in drawn}) == 3
    assert drawn[2].caption == "There is no evaluation to draw."


def test_a_single_day_has_nothing_to_be_held_against(inputs):
    days = inputs.r2_by_day.assign(r2_implied_vol_vs_random_walk=float("nan"))
    drawn = pictures(dataclasses.replace(inputs, r2_by_day=days), 1)["r2_by_day"]
    assert drawn.caption == "No day has the surface of a day before it to be held against."
    assert "no day has the surface of a day before it" in drawn.wide
