"""The catalogue and what params.yaml may change of it."""

import re

import pytest

from options_pricing.run.errors import BadParamsError
from options_pricing.run.params import Validation
from options_pricing.validation.catalogue import RULES, rules_in_force


def in_force(rules: dict) -> dict:
    return {applied.rule.id: applied for applied in rules_in_force(Validation.model_validate({"rules": rules}))}


def test_every_rule_has_one_id_a_title_and_a_documented_function() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids) == 45
    for rule in RULES:
        assert re.fullmatch(r"[A-Z]\d\d", rule.id)
        assert rule.title and rule.source and (rule.judge.__doc__ or "").strip()


def test_they_are_those_of_the_catalogue_by_room() -> None:
    rooms = {"F": 8, "U": 3, "I": 6, "P": 8, "B": 6, "A": 7, "V": 6, "G": 1}
    assert [rule.id for rule in RULES] == [
        f"{room}{i:02d}" for room, count in rooms.items() for i in range(1, count + 1)
    ]


def test_defaults_stand_where_nothing_is_said() -> None:
    assert all(applied.severity == applied.rule.severity for applied in in_force({}).values())
    changed = in_force({"P04": {"thresholds": {"ticks": 9}}})["P04"]
    assert changed.severity == "quarantine"
    assert changed.thresholds == {"ticks": 9, "share_of_mid": 1.0, "times_bid": 10}


def test_severities_can_be_changed() -> None:
    assert in_force({"P05": {"severity": "quarantine"}})["P05"].severity == "quarantine"
    assert in_force({"F08": {"severity": "off"}})["F08"].severity == "off"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    rules = {
        "P99": {"severity": "warn"},
        "P04": {"thresholds": {"tick": 3}},
        "P02": {"thresholds": {"ticks": 3}},
        "F03": {"severity": "quarantine"},
    }
    with pytest.raises(BadParamsError) as caught:
        in_force(rules)
    why = caught.value.why
    assert "P99: no such rule (there are F01, F02" in why
    assert "P04.thresholds.tick: no such threshold (there are: ticks, share_of_mid, times_bid)" in why
    assert "P02.thresholds.ticks: no such threshold (there are: none)" in why
    assert "F03.severity" in why
