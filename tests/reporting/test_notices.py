import dataclasses

import pandas as pd
import pytest

from options_pricing.reporting.inputs import Validation
from options_pricing.reporting.notices import check_days, notices, simulated_banner, without_later
from options_pricing.run.errors import BadDataError
from tests.reporting.made_files import validation_of


def real(inputs, **changes):
    """The same inputs as if from an exchange."""
    not_simulated = {"simulated": False}
    return dataclasses.replace(
        inputs,
        validation=[day.model_copy(update=not_simulated) for day in inputs.validation],
        meta=[day.model_copy(update=not_simulated) for day in inputs.meta],
        features=inputs.features.assign(source="cboe_eod"),
        card=inputs.card.model_copy(update=not_simulated),
        metrics=inputs.metrics.model_copy(update=not_simulated),
        status=inputs.status.model_copy(update=not_simulated),
    )


def test_all_simulated(inputs):
    assert simulated_banner(inputs).startswith("SIMULATED:")


def test_nothing_simulated_has_no_banner(inputs):
    assert simulated_banner(real(inputs)) is None


@pytest.mark.parametrize("part", ["card", "metrics", "status", "features", "validation", "meta"])
def test_any_one_simulated_input_is_enough(inputs, part):
    mixed = dataclasses.replace(real(inputs), **{part: getattr(inputs, part)})
    assert simulated_banner(mixed).startswith("SIMULATED in part:")


def test_fresh_and_matching_inputs_give_no_notice(inputs):
    assert notices(inputs, "20261120") == []


def test_an_old_model_is_told_by_its_age_in_trading_days(inputs):
    # 2026-11-13 is a Friday: five sessions before the 20th, over a weekend.
    old = dataclasses.replace(inputs, card=inputs.card.model_copy(update={"as_of": "20261113"}))
    assert notices(old, "20261120") == [
        "The model is 5 trading days old: it is of 2026-11-13, this report of 2026-11-20."
    ]


def test_one_old_protocol_is_told(inputs):
    protocols = dict(inputs.metrics.protocols)
    protocols["same_day"] = protocols["same_day"].model_copy(update={"days": ("20261118", "20261119")})
    old = dataclasses.replace(inputs, metrics=inputs.metrics.model_copy(update={"protocols": protocols}))
    assert notices(old, "20261120") == [
        "The evaluation under same_day is 1 trading day old: it is of 2026-11-19, this report of 2026-11-20."
    ]


def test_figures_without_a_day_are_told(inputs):
    unknown = dataclasses.replace(inputs, metrics=inputs.metrics.model_copy(update={"days": ()}))
    assert notices(unknown, "20261120") == ["The evaluation names no day: how old its figures are is not known."]


def test_an_old_release_and_old_features_are_told(inputs):
    features = inputs.features.assign(trade_date=inputs.features["trade_date"] - pd.Timedelta(days=1))
    old = dataclasses.replace(inputs, features=features, status=inputs.status.model_copy(update={"as_of": "20261119"}))
    told = notices(old, "20261120")
    assert [text.split(" is ")[0] for text in told] == ["The feature table", "The staged release"]


def test_data_of_another_day_are_refused(inputs):
    with pytest.raises(BadDataError, match="2026-11-20"):
        check_days(inputs, "20261123")
    with pytest.raises(BadDataError, match="2026-11-19"):
        check_days(inputs, "20261119")


def test_meta_of_other_days_than_validation_is_refused(inputs):
    with pytest.raises(BadDataError) as caught:
        check_days(dataclasses.replace(inputs, meta=inputs.meta[1:]), "20261120")
    assert "20261113" in caught.value.why


def test_features_of_a_later_day_are_refused(inputs):
    early = dataclasses.replace(inputs, validation=inputs.validation[:-1], meta=inputs.meta[:-1])
    with pytest.raises(BadDataError, match="features are of 2026-11-20"):
        check_days(early, "20261119")


def test_what_knows_later_days_is_left_out_and_told(inputs):
    rest, said = without_later(inputs, "20261119")
    assert (
        rest.card is rest.metrics is rest.predictions is rest.r2_by_day is rest.error_by_bucket is rest.status is None
    )
    assert {file.made_by for file in rest.files} == {"data_fetch", "data_validate", "feature_engineer"}
    assert said[0] == "The model is left out: it is of 2026-11-20 and knows days after this report's, 2026-11-19."
    assert len(said) == 3


def test_what_knows_no_later_day_stays(inputs):
    assert without_later(inputs, "20261120") == (inputs, [])
    rest, said = without_later(
        dataclasses.replace(inputs, card=inputs.card.model_copy(update={"as_of": "20261118"})), "20261119"
    )
    assert rest.card is not None
    assert rest.metrics is None
    assert len(said) == 2


def test_a_halted_day_and_failed_checks_are_told(inputs):
    halts = [{"id": "F03", "message": "half the rows are missing"}]
    halted = Validation.model_validate(validation_of("20261118") | {"status": "halted", "halts": halts})
    checks = (inputs.status.checks[0].model_copy(update={"passed": False}), *inputs.status.checks[1:])
    bad = dataclasses.replace(
        inputs,
        validation=[*inputs.validation[:3], halted, *inputs.validation[4:]],
        status=inputs.status.model_copy(update={"checks": checks}),
    )
    assert notices(bad, "20261120") == [
        "2026-11-18 was halted and none of its quotes is used: F03 half the rows are missing",
        "The staged release 20261120-aaaaaaaaaaaa failed its checks: manifest.",
    ]


def test_mismatches_between_model_figures_release_and_features_are_told(inputs):
    card = inputs.card.model_copy(
        update={
            "model": "flat_vol",
            "model_sha256": "b" * 64,
            "features": ({"path": "elsewhere/features_20261120.csv", "sha256": "c" * 64},),
        }
    )
    told = notices(dataclasses.replace(inputs, card=card), "20261120")
    assert len(told) == 3
    assert "boosted" in told[0] and "flat_vol" in told[0]
    assert "not the model of this model card" in told[1]
    assert "has changed since the model was trained" in told[2]
