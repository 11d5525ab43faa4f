import hashlib
import json
import pickle

import pytest

from options_pricing.release import verify
from options_pricing.release.manifest import CARD_FILE, MANIFEST_FILE, MODEL_FILE
from options_pricing.release.signing import SIGNATURE_FILE
from options_pricing.release.staging import Check, deployment_status, release_files, require_passed, write_files
from options_pricing.release.verify import load_release, read_manifest
from options_pricing.run.errors import MissingInputError, ModelRefusedError, UnhealthyError
from tests.made_release import write_trained


def test_what_is_staged_is_loaded_again_and_is_the_same_the_next_time(tmp_path):
    trained = write_trained(tmp_path)
    files = release_files(*trained, golden_count=5)
    assert set(files) == {MODEL_FILE, CARD_FILE, MANIFEST_FILE, SIGNATURE_FILE}
    assert release_files(*trained, golden_count=5) == files
    folder = tmp_path / "staged"
    folder.mkdir()
    write_files(folder, files)
    assert len(load_release(folder).manifest.golden_rows) == 5


@pytest.mark.parametrize(
    "card",
    [
        {"model_sha256": "0" * 64},
        {"versions": {"python": "3.11.7", "numpy": "1.26.4", "scikit-learn": "1.9.1"}},
        {"as_of": "yesterday"},
        {"simulated": "perhaps"},
    ],
)
def test_a_model_whose_card_does_not_fit_is_never_unpickled(tmp_path, monkeypatch, card):
    trained = write_trained(tmp_path, **card)
    monkeypatch.setattr(verify.pickle, "loads", lambda content: pytest.fail("it was unpickled"))
    with pytest.raises(ModelRefusedError):
        release_files(*trained, golden_count=5)


def test_something_else_than_a_model_is_refused(tmp_path):
    with pytest.raises(ModelRefusedError, match="list"):
        release_files(*write_trained(tmp_path, pickle.dumps([])), golden_count=5)


def test_a_card_that_is_no_json_is_refused_and_a_missing_model_is_missing(tmp_path):
    model, card = write_trained(tmp_path)
    card.write_text("{")
    with pytest.raises(ModelRefusedError, match="not JSON"):
        release_files(model, card, golden_count=5)
    with pytest.raises(MissingInputError):
        release_files(tmp_path / "nothing.pkl", card, golden_count=5)


def test_every_failed_check_is_named_and_none_failed_is_silent():
    good = Check("api_ready", True, "status 200")
    require_passed([good])
    with pytest.raises(UnhealthyError) as caught:
        require_passed([good, Check("app_page", False, "status 500"), Check("prices", False, "3 of 5")])
    assert "2 of 3" in caught.value.what
    assert "app_page: status 500" in caught.value.why
    assert "prices: 3 of 5" in caught.value.why


def test_the_status_says_what_was_staged_and_that_it_is_not_live(staged):
    files = {path.name: path.read_bytes() for path in staged.iterdir()}
    manifest = read_manifest(staged / MANIFEST_FILE)
    status = deployment_status(manifest, files, [Check("api_ready", True, "status 200")])
    assert status["release_id"] == manifest.release_id
    assert (status["status"], status["live"], status["simulated"]) == ("staged", False, True)
    assert status["files"] == {name: hashlib.sha256(held).hexdigest() for name, held in files.items()}
    assert status["model_sha256"] == status["files"][MODEL_FILE]
    assert status["checks"] == [{"name": "api_ready", "passed": True, "detail": "status 200"}]
    json.dumps(status, allow_nan=False)
