"""What a checkout has, small: features of two days, an evaluation, a quarantine, and two releases."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from options_pricing.quotes.schema import ERROR_BY_BUCKET, FEATURES, QUARANTINE, names
from options_pricing.quotes.tables import conform, write_csv
from options_pricing.release.manifest import CARD_FILE, MODEL_FILE
from options_pricing.run.files import sha256_of
from tests.made_release import edit_manifest, fingerprint
from tests.made_up_features import Market, make_features

MARKET = Market(underlyings=("IDX", "STK"), american=("STK",), days=4, expirations=(20, 41, 104), strikes=9)
LAST, BEFORE = "20261120", "20261119"
RULES = [
    ("P02", "no bid", "quarantine"),
    ("P05", "too cheap to fit", "warn"),
    ("I05", "the same quote again", "quarantine"),
]
SET_ASIDE = ["P02;P05", "P02", "I05"]


def features() -> pd.DataFrame:
    """The features that `tests.made_release` fits its model on."""
    return make_features(MARKET)


def made_checkout(folder: Path, staged: Path) -> Path:
    """Write the whole checkout; `staged` is copied into it."""
    shutil.copytree(staged, folder / "releases" / "staged")
    other = Path(shutil.copytree(staged, folder / "releases" / "other"))
    edit_manifest(other, days=["20261120"])
    held = json.loads((other / "manifest.json").read_text())
    other.rename(folder / "releases" / held["release_id"])
    for part in ("data/processed", "data/quarantine", "reports/validation", "reports/plots"):
        (folder / part).mkdir(parents=True)
    for day in (BEFORE, LAST):
        own = features().loc[lambda table, day=day: table["trade_date"] == day]
        write_csv(own, folder / f"data/processed/features_{day}.csv", FEATURES)
    write_csv(quarantined(), folder / f"data/quarantine/quarantine_{LAST}.csv", QUARANTINE)
    _write(folder / f"reports/validation/validation_{LAST}.json", validation())
    write_evaluation(folder, json.loads((staged / "manifest.json").read_text())["files"][MODEL_FILE])
    write_csv(by_bucket(), folder / "reports/plots/error_by_bucket.csv", ERROR_BY_BUCKET)
    return folder


def checkout_of_training(folder: Path, staged: Path) -> Path:
    """A checkout as `made_checkout` writes it, whose staged release names the features it was trained on."""
    made_checkout(folder, staged)
    own, file = folder / "releases" / "staged", folder / f"data/processed/features_{LAST}.csv"
    card = json.loads((own / CARD_FILE).read_text())
    card["features"] = [{"path": f"data/processed/{file.name}", "sha256": sha256_of(file)}]
    fingerprint(own, {CARD_FILE: json.dumps(card).encode()})
    return folder


def write_evaluation(folder: Path, model_sha256: str) -> None:
    """Write the part of an evaluation of one model that the app reads."""
    told = {"model_sha256": model_sha256, "protocols": {"next_day": {"days": [BEFORE, LAST]}}}
    _write(folder / "reports/evaluation_metrics.json", told)


def quarantined() -> pd.DataFrame:
    """Three rows that fail rules."""
    rows = features().head(len(SET_ASIDE)).assign(raw_row=range(len(SET_ASIDE)), rule_ids=SET_ASIDE)
    return conform(rows.reindex(columns=names(QUARANTINE)), QUARANTINE)


def validation() -> dict[str, Any]:
    """The part of a validation report that the app reads."""
    rules = [{"id": rule, "title": title, "severity": severity} for rule, title, severity in RULES]
    rows = {"raw": 30, "validated": 27, "quarantined": 3}
    return {"source": "made_up", "status": "passed", "rows": rows, "rules": rules}


def by_bucket() -> pd.DataFrame:
    """An evaluation of two models in four buckets."""
    cells = [
        {"model": model, "delta_bucket": place, "maturity_bucket": time, "quotes": 40 + 7 * number}
        | dict.fromkeys(("iv_rmse_vol_points", "iv_bias_vol_points", "inside_bid_ask"), 0.25 * (number + 1))
        | {"median_error_half_spreads": 1.5 + number, "r2_implied_vol_vs_random_walk": 0.1}
        for model in ("boosted", "random_walk")
        for number, (place, time) in enumerate(
            (place, time) for place in ("put 5-15", "call 5-15") for time in ("under 30 days", "30-90 days")
        )
    ]
    return pd.DataFrame(cells)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))
