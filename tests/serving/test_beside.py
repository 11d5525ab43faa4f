import pytest

from options_pricing.run.errors import BadDataError, MissingInputError
from options_pricing.serving import beside
from tests.serving.made_checkout import BEFORE, LAST, features, made_checkout


def test_days_are_those_of_the_files_newest_first(checkout):
    assert beside.days_of(checkout, beside.DAY_FEATURES) == [LAST, BEFORE]
    assert beside.days_of(checkout, beside.SET_ASIDE) == [LAST]
    assert beside.days_of(checkout / "nowhere", beside.SET_ASIDE) == []


def test_the_evaluation_has_its_days_and_every_model(checkout):
    found = beside.evaluation_of(checkout)
    assert found.days == [BEFORE, LAST]
    assert set(found.by_bucket["model"]) == {"boosted", "random_walk"}


def test_no_evaluation_is_said(tmp_path):
    with pytest.raises(MissingInputError, match="no evaluation"):
        beside.evaluation_of(tmp_path)


def test_the_quotes_of_a_day_are_those_a_model_may_be_fitted_on(checkout):
    quotes = beside.quotes_on(checkout, BEFORE, (7, 400))
    assert 0 < len(quotes) < (features()["trade_date"] == BEFORE).sum()
    assert set(quotes["trade_date"].dt.strftime("%Y%m%d")) == {BEFORE}


def test_other_releases_are_known_by_what_their_manifest_says(checkout, manifest):
    found = beside.other_releases(checkout, manifest["release_id"])
    assert list(found) == [path.name for path in found.values()]
    assert manifest["release_id"] not in found
    assert set(beside.other_releases(checkout, "another")) == {manifest["release_id"], *found}


def test_a_quarantine_that_was_cut_short_is_refused(staged, tmp_path):
    made = made_checkout(tmp_path, staged)
    file = made / beside.SET_ASIDE.format(day=LAST)
    assert len(beside.quarantine_of(made, LAST)) == 3
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(BadDataError):
        beside.quarantine_of(made, LAST)
    assert beside.validation_of(made, BEFORE) is None
