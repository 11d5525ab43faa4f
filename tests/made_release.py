"""A small real model, its card and its staged release, for the tests of release, serving and model_deploy."""

import hashlib
import json
import pickle
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from options_pricing.models.bundle import PricingModel
from options_pricing.models.registry import make_model
from options_pricing.release.manifest import CARD_FILE, MANIFEST_FILE, MODEL_FILE, release_id_of
from options_pricing.release.staging import release_files, write_files
from options_pricing.release.store import Store
from options_pricing.run.params import Boosted, Train
from tests.made_up_features import Market, make_features

GOLDEN_ROWS = 12


@cache
def pickled_model(name: str = "boosted") -> bytes:
    """A model fitted on a made-up market: an index with European options and a stock with American ones."""
    market = Market(underlyings=("IDX", "STK"), american=("STK",), days=4, expirations=(20, 41, 104), strikes=9)
    features = make_features(market)
    train = Train(model=name, boosted=Boosted(max_iter=10, min_samples_leaf=20))
    model = make_model(name, train).fit(features)
    return pickle.dumps(PricingModel(model, features, train.model_dump(mode="json")))


def card_of(model: bytes, **changes: Any) -> dict[str, Any]:
    """The card of a pickled model, as model_train writes it."""
    versions = {name: version(name) for name in ("numpy", "scikit-learn", "pandas", "scipy")}
    return {
        "model": "boosted",
        "hyperparameters": {"learning_rate": 0.05, "max_iter": 10},
        "as_of": "20261120",
        "simulated": True,
        "sources": ["made_up"],
        "underlyings": ["IDX", "STK"],
        "days": ["20261116", "20261117", "20261118", "20261119", "20261120"],
        "rows": 1200,
        "features": [],
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "versions": {"python": platform.python_version(), **versions},
        "training_metrics": {"iv_rmse_vol_points": 0.1234},
        "limits": ["Prices are as of one close."],
    } | changes


def write_trained(folder: Path, model: bytes | None = None, **card: Any) -> tuple[Path, Path]:
    """Write a model and its card as model_train does; give their paths."""
    model = pickled_model() if model is None else model
    paths = folder / MODEL_FILE, folder / CARD_FILE
    paths[0].write_bytes(model)
    paths[1].write_text(json.dumps(card_of(model, **card)))
    return paths


def write_staged(folder: Path) -> Path:
    """Write a whole release of that model into an empty folder."""
    trained = write_trained(folder)
    write_files(folder, release_files(*trained, golden_count=GOLDEN_ROWS))
    return folder


def edit_manifest(folder: Path, **changes: Any) -> None:
    """Change a release's manifest and give it the id that then belongs to it, as someone would who means to deceive."""
    path = folder / MANIFEST_FILE
    held = json.loads(path.read_text()) | changes
    held |= {"release_id": release_id_of(held)}
    path.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n")


def fingerprint(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a release and have its manifest name what they hold now."""
    held = json.loads((folder / MANIFEST_FILE).read_text())
    for name, content in files.items():
        (folder / name).write_bytes(content)
        held["files"][name] = hashlib.sha256(content).hexdigest()
        held["sizes"][name] = len(content)
    edit_manifest(folder, files=held["files"], sizes=held["sizes"])


@cache
def made_releases(count: int) -> list[tuple[str, dict[str, bytes]]]:
    """Ids and files of that many releases, each of the same model with another card, in the order of their ids."""
    found = []
    for number in range(count):
        with TemporaryDirectory() as folder:
            trained = write_trained(Path(folder), rows=1200 + number)
            files = release_files(*trained, golden_count=GOLDEN_ROWS)
        found.append((json.loads(files[MANIFEST_FILE])["release_id"], files))
    return sorted(found, key=itemgetter(0))


def make_store(folder: Path, *, count: int, live: bool = True) -> Store:
    """A store of that many releases, the first of them live."""
    store = Store(folder)
    for release_id, files in made_releases(count):
        store.keep(release_id, files)
    if live:
        store.make_live(store.ids()[0])
    return store
