import hashlib
import json

import pytest

from options_pricing.release.manifest import GoldenRow, ModelCard, make_manifest, manifest_bytes, release_id_of

CARD = ModelCard(
    model="boosted",
    as_of="20261120",
    simulated=True,
    model_sha256="a" * 64,
    versions={"python": "3.11.7", "numpy": "2.4.6"},
    days=["20261119", "20261120"],
)
PARAMS: dict = {"train": {"model": "boosted", "seed": 7}}
ROW = GoldenRow(underlying="IDX", expiration="2026-12-18", strike=100.0, option_type="C", predicted_price=0.1 + 0.2)
FILES = {"options_pricing_model.pkl": b"model", "model_card.json": b"card"}


def test_the_manifest_names_every_file_by_its_sha256_and_size():
    manifest = make_manifest(CARD, FILES, PARAMS, [ROW])
    assert manifest.files == {name: hashlib.sha256(held).hexdigest() for name, held in FILES.items()}
    assert manifest.sizes == {"options_pricing_model.pkl": 5, "model_card.json": 4}


def test_the_same_release_has_the_same_bytes_and_its_prices_survive_the_file():
    one, other = (manifest_bytes(make_manifest(CARD, FILES, PARAMS, [ROW])) for _ in range(2))
    assert one == other
    assert json.loads(one)["golden_rows"][0]["predicted_price"] == 0.1 + 0.2


def test_the_id_is_twelve_hex_digits_of_the_content_without_the_id():
    held = json.loads(manifest_bytes(make_manifest(CARD, FILES, PARAMS, [ROW])))
    release_id = held.pop("release_id")
    canonical = json.dumps(held, sort_keys=True, separators=(",", ":")).encode()
    assert release_id == hashlib.sha256(canonical).hexdigest()[:12]
    assert release_id_of(dict(reversed(held.items())) | {"release_id": "whatever"}) == release_id


@pytest.mark.parametrize(
    "other",
    [
        (CARD.model_copy(update={"as_of": "20261119"}), FILES, PARAMS, [ROW]),
        (CARD.model_copy(update={"versions": {}}), FILES, PARAMS, [ROW]),
        (CARD, FILES | {"model_card.json": b"Card"}, PARAMS, [ROW]),
        (CARD, FILES, PARAMS, [ROW.model_copy(update={"predicted_price": 0.3})]),
        (CARD, FILES, PARAMS, [ROW, ROW]),
        (CARD, FILES, {"train": {"model": "hybrid"}}, [ROW]),
    ],
)
def test_another_content_has_another_id(other):
    assert make_manifest(*other).release_id != make_manifest(CARD, FILES, PARAMS, [ROW]).release_id
