"""Hand-made inputs of the report, in the shapes that the other tasks write: small, from a seed, a little realistic."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from options_pricing.quotes.schema import FEATURES, PREDICTIONS
from options_pricing.quotes.tables import write_csv, write_parquet
from options_pricing.reporting.inputs import ReportFiles

DAYS = ["20261113", "20261116", "20261117", "20261118", "20261119", "20261120"]
LAST = DAYS[-1]
SPOTS = {"XIDX": 5000.0, "XTEC": 180.0}
MATURITIES = (28, 63, 154, 301)
FIGURES_OF = {
    # r2_price, r2 vs random walk, vol rmse, mae, half-spreads, inside
    "seed_linear": (0.412, None, None, 61.2, 118.0, 0.004),
    "flat_vol": (0.679, -41.2, 4.12, 30.6, 63.0, 0.008),
    "random_walk": (0.9989, 0.0, 0.637, 2.10, 5.6, 0.151),
    "boosted": (0.9993, 0.47, 0.462, 1.48, 3.05, 0.221),
}
NAMES = (
    "r2_price",
    "r2_implied_vol_vs_random_walk",
    "iv_rmse_vol_points",
    "mae_price",
    "median_error_half_spreads",
    "inside_bid_ask",
)
RULES = [
    ("I01", "strike is not positive", "quarantine", 3),
    ("P02", "bid is zero", "quarantine", 212),
    ("P03", "ask is below bid", "quarantine", 14),
    ("B05", "put-call parity is broken", "quarantine", 9),
    ("P06", "price is not on the tick grid", "warn", 41),
    ("F08", "nulls in key columns", "halt", 0),
]


def black(forward: Any, strike: Any, t: Any, discount: Any, vol: Any, call: Any) -> Any:
    """Black 1976, written here again so that the tests do not lean on the code they test."""
    s = vol * np.sqrt(t)
    d1 = np.log(forward / strike) / s + s / 2
    value = discount * (forward * ndtr(d1) - strike * ndtr(d1 - s))
    return np.where(call, value, value - discount * (forward - strike))


def features_of(day: str, *, source: str = "simulated") -> pd.DataFrame:
    """FEATURES of one day: two underlyings, four expirations, 25 strikes, out of the money."""
    rows = []
    for underlying, spot in SPOTS.items():
        for days in MATURITIES:
            t, discount = days / 365, np.exp(-0.04 * days / 365)
            forward = spot / discount
            width = 0.25 * np.sqrt(t) * 2.0
            for strike in np.round(forward * np.exp(np.linspace(-1.4 * width, width, 25)), 1):
                rows.append((underlying, days, t, discount, forward, strike))
    table = pd.DataFrame(rows, columns=["underlying", "days", "year_fraction", "discount_factor", "forward", "strike"])
    rng = np.random.default_rng(int(day))
    x = np.log(table.strike / table.forward) / np.sqrt(table.year_fraction)
    vol = 0.18 - 0.09 * x + 0.11 * x**2 + 0.002 * rng.standard_normal()
    call = table.strike >= table.forward
    price = black(table.forward, table.strike, table.year_fraction, table.discount_factor, vol, call)
    half = np.maximum(0.01 * price, 0.0004 * table.forward) * rng.uniform(0.5, 1.5, len(table))
    half = np.minimum(half, 0.8 * price)
    at = pd.Timestamp(day)
    expiration = at + pd.to_timedelta(table.days, unit="D")
    kind = np.where(call, "C", "P")
    symbol = [
        f"{u}{e:%y%m%d}{k}{round(1000 * s):08d}"
        for u, e, k, s in zip(table.underlying, expiration, kind, table.strike, strict=True)
    ]
    made = table.assign(
        source=source,
        root=table.underlying,
        contract_symbol=symbol,
        trade_date=at,
        expiration=expiration,
        option_type=kind,
        exercise_style=np.where(table.underlying == "XIDX", "european", "american"),
        settlement="pm",
        bid=price - half,
        ask=price + half,
        mid=price,
        underlying_price=table.underlying.map(SPOTS),
        raw_row=np.arange(len(table)),
        moneyness=table.strike / table.forward,
        log_moneyness=np.log(table.strike / table.forward),
        standardised_moneyness=x,
        early_exercise_premium=0.0,
        implied_vol=vol,
        total_variance=vol**2 * table.year_fraction,
        vol_time=vol * np.sqrt(table.year_fraction),
        out_of_the_money=True,
    )
    return made.reindex(columns=[column.name for column in FEATURES])


def predictions_of(features: pd.DataFrame, day: str, protocol: str, model: str) -> pd.DataFrame:
    """PREDICTIONS of one model for one day."""
    off = {"boosted": 0.003, "random_walk": 0.006, "flat_vol": 0.0, "seed_linear": 0.02}[model]
    wave = off * np.sin(9 * features.standardised_moneyness)
    vol = np.full(len(features), 0.19) if model == "flat_vol" else features.implied_vol + wave
    call = (features.option_type == "C").to_numpy()
    known = [features[name].to_numpy() for name in ("forward", "strike", "year_fraction", "discount_factor")]
    return features.assign(
        protocol=protocol,
        model=model,
        date=day,
        held_out=True,
        predicted_implied_vol=vol,
        predicted_price=black(*known, np.asarray(vol), call),
        random_walk_implied_vol=features.implied_vol,
    ).reindex(columns=[column.name for column in PREDICTIONS])


def validation_of(day: str) -> dict[str, Any]:
    """``validation_D.json``."""
    raw = 4000 + 7 * int(day[-2:])
    taken = [(key, title, rows) for key, title, severity, rows in RULES if severity == "quarantine"]
    remaining, waterfall = raw, []
    for key, title, rows in taken:
        remaining -= rows
        waterfall.append({"id": key, "title": title, "removed": rows, "remaining": remaining})
    return {
        "date": day,
        "source": "simulated",
        "simulated": True,
        "status": "passed",
        "rows": {"raw": raw, "validated": remaining, "quarantined": raw - remaining},
        "usable_share": remaining / raw,
        "rules": [
            {
                "id": key,
                "title": title,
                "severity": severity,
                "failed": rows,
                "share": rows / raw,
                "thresholds": {},
                "examples": [],
                "message": None,
            }
            for key, title, severity, rows in RULES
        ],
        "waterfall": waterfall,
        "null_rates": {"bid": 0.0004, "last_price": 0.231, "open_interest": 0.0},
        "halts": [],
        "catalogue_version": "1",
    }


def meta_of(day: str) -> dict[str, Any]:
    """``options_data_D.meta.json``."""
    return {
        "source": "simulated",
        "simulated": True,
        "trade_date": day,
        "underlyings": list(SPOTS),
        "rows": 4000 + 7 * int(day[-2:]),
        "sha256": hashlib.sha256(day.encode()).hexdigest(),
        "request": {"seed": 1},
        "response_codes": [],
        "captured_at": f"{day[:4]}-{day[4:6]}-{day[6:]}T21:15:00Z",
        "inputs": [],
    }


def metrics_of() -> dict[str, Any]:
    """``evaluation_metrics.json`` under next_day and same_day."""

    def estimate(value: float | None, wide: float) -> dict[str, float | None]:
        if value is None:
            return {"value": None, "low": None, "high": None}
        return {"value": value, "low": value - wide * abs(value), "high": value + wide * abs(value) * 0.4}

    def protocol(days: list[str], wide: float) -> dict[str, Any]:
        models = {
            model: {
                name: estimate(value, 0.0002 if name == "r2_price" else wide)
                for name, value in zip(NAMES, figures, strict=True)
            }
            for model, figures in FIGURES_OF.items()
        }
        plain = {model: dict(zip(NAMES, figures, strict=True)) for model, figures in FIGURES_OF.items()}
        return {
            "days": days,
            "quotes": 200 * len(days),
            "models": models,
            "by_underlying": dict.fromkeys(SPOTS, plain),
            **evidence_of(len(days)),
        }

    return {
        "simulated": True,
        "chosen_model": "boosted",
        "days": DAYS,
        "underlyings": list(SPOTS),
        "confidence": 0.95,
        "hedging": hedging_of(),
        "skipped": {"random_rows": "it needs a single day and has 6"},
        "protocols": {"next_day": protocol(DAYS[1:], 0.2), "same_day": protocol(DAYS, 0.1)},
    }


def evidence_of(days: int) -> dict[str, Any]:
    """What a protocol says of luck, of intervals and of arbitrage."""
    tests = {
        "seed_linear": (310.65, 44.65, 8.7e-14, 0.0, False),
        "flat_vol": (224.22, 27.68, 1.6e-11, 0.0, False),
        "random_walk": (0.0, None, None, 0.517, True),
        "boosted": (-0.3146, -0.77, 0.457, 1.0, True),
    }
    names = ("loss_difference", "dm_statistic", "dm_p_value", "mcs_p_value", "in_confidence_set")
    cells = {"put 0-5": (0.681, 694), "put 15-35": (0.931, 4100), "call 0-5": (0.5, 12)}
    return {
        "comparison": {
            "days": days,
            "lags": 2,
            "models": {model: dict(zip(names, found, strict=True)) for model, found in tests.items()},
        },
        "intervals": {
            "nominal": 0.9,
            "days": days - 3,
            "quotes": 200 * (days - 3),
            "coverage": 0.934,
            "mean_width_vol_points": 3.97,
            "mean_width_half_spreads": 55.1,
            "lowest_day_coverage": 0.677,
            "median_width_half_spreads": 46.6,
            "by_bucket": {
                place: {"30-90 days": {"quotes": quotes, "coverage": share, "mean_width_vol_points": 4.0}}
                for place, (share, quotes) in cells.items()
            },
        },
        "arbitrage": {
            model: {"vertical": 547, "vertical_checked": 145204, "butterfly": 26541, "butterfly_checked": 144631}
            for model in tests
        },
    }


def hedging_of() -> dict[str, Any]:
    """What three deltas left over."""

    def left(mean: float, half_spreads: float, points: float, share: float, low: float, high: float) -> dict[str, Any]:
        return {
            "mean_half_spreads": mean,
            "sd_half_spreads": half_spreads,
            "mean_vol_points": -0.1,
            "sd_vol_points": points,
            "variance_reduction": {"value": share, "low": low, "high": high},
        }

    return {
        "days": 5,
        "options": 9870,
        "deltas": {
            "black": left(-3.19, 23.68, 1.09, 0.0, 0.0, 0.0),
            "boosted": left(-4.02, 25.24, 1.24, -0.281, -2.136, 0.286),
            "random_walk": left(-0.69, 25.27, 1.28, -0.347, -2.445, 0.3),
        },
    }


def random_rows() -> dict[str, Any]:
    """The ``random_rows`` protocol of the seed's own file."""
    r2 = {"seed_linear": 0.344, "random_walk": 0.981, "boosted": 0.981}
    nothing = {"value": None, "low": None, "high": None}
    models = {m: dict.fromkeys(NAMES, nothing) | {"r2_price": nothing | {"value": v}} for m, v in r2.items()}
    return {"days": [LAST], "quotes": 100, "models": models, "by_underlying": {}}


def card_of(features_sha256: str = "0" * 64) -> dict[str, Any]:
    """``model_card.json``."""
    return {
        "model": "boosted",
        "hyperparameters": {"learning_rate": 0.05, "max_iter": 80},
        "as_of": LAST,
        "simulated": True,
        "sources": ["simulated"],
        "underlyings": list(SPOTS),
        "days": DAYS,
        "rows": 1200,
        "features": [{"path": f"data/processed/features_{LAST}.csv", "sha256": features_sha256}],
        "model_sha256": "a" * 64,
        "versions": {"python": "3.11.7", "numpy": "2.4.0", "scikit-learn": "1.9.0"},
        "training_metrics": {},
        "limits": ["It is fitted on options of 7 to 400 days; others are extrapolated."],
    }


def status_of() -> dict[str, Any]:
    """``deployment_status.json``."""
    return {
        "release_id": "20261120-aaaaaaaaaaaa",
        "status": "staged",
        "live": False,
        "simulated": True,
        "as_of": LAST,
        "model": "boosted",
        "model_sha256": "a" * 64,
        "checks": [
            {"name": "manifest", "passed": True, "detail": "3 files, every SHA-256 as stated"},
            {"name": "api_ready", "passed": True, "detail": "200"},
        ],
        "files": {},
    }


def plots_of(folder: Path) -> None:
    """``r2_by_day.csv`` and ``error_by_bucket.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    days = pd.DataFrame(
        {
            "date": DAYS[1:],
            "r2_implied_vol_vs_random_walk": [0.61, 0.4, -0.2, -3.4, 0.55],
            "r2_price": [0.9994, 0.9992, 0.9989, 0.9971, 0.9993],
        }
    )
    days.to_csv(folder / "r2_by_day.csv", index=False, lineterminator="\n")
    rng = np.random.default_rng(3)
    cells = [
        (model, across, down, int(rng.integers(5, 900)), scale * rng.uniform(0.3, 2), rng.uniform(1, 8))
        for model, scale in (("boosted", 0.46), ("random_walk", 0.64))
        for down in ("7-30", "31-90", "91-180", "181-400")
        for across in ("put 0-5", "put 5-35", "put 35-65", "call 5-35", "call 0-5")
    ]
    columns = [
        "model",
        "delta_bucket",
        "maturity_bucket",
        "quotes",
        "iv_rmse_vol_points",
        "median_error_half_spreads",
    ]
    others = ["iv_bias_vol_points", "inside_bid_ask", "r2_implied_vol_vs_random_walk"]
    table = pd.DataFrame(cells, columns=columns).assign(**dict.fromkeys(others, 0.1))
    table.loc[4, ["quotes", "iv_rmse_vol_points"]] = [0, np.nan]
    table.to_csv(folder / "error_by_bucket.csv", index=False, lineterminator="\n")


class MadeFiles:
    """A folder with a whole set of inputs; change a file with `change`, then hand `files` or `arguments` on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.day_files = {
            day: (folder / f"validation_{day}.json", folder / f"options_data_{day}.meta.json") for day in DAYS
        }
        for day, (validation, meta) in self.day_files.items():
            self.write(validation, validation_of(day))
            self.write(meta, meta_of(day))
        self.features = folder / f"features_{LAST}.csv"
        write_csv(features_of(LAST), self.features, FEATURES)
        self.card, self.metrics = folder / "model_card.json", folder / "evaluation_metrics.json"
        self.status, self.plots = folder / "deployment_status.json", folder / "plots"
        self.predictions = folder / "evaluation_predictions.parquet"
        self.write(self.card, card_of(hashlib.sha256(self.features.read_bytes()).hexdigest()))
        self.write(self.metrics, metrics_of())
        self.write(self.status, status_of())
        plots_of(self.plots)
        self.write_predictions()

    @staticmethod
    def write(path: Path, value: Any) -> None:
        path.write_text(json.dumps(value), encoding="utf-8")

    def write_predictions(self) -> None:
        tables = [
            predictions_of(features_of(day), day, protocol, model)
            for day in DAYS[-2:]
            for protocol in ("next_day", "same_day")
            for model in FIGURES_OF
        ]
        write_parquet(pd.concat(tables, ignore_index=True), self.predictions, PREDICTIONS)

    def change(self, path: Path, **values: Any) -> None:
        """Put other values in place of a JSON file's top-level keys."""
        self.write(path, json.loads(path.read_text(encoding="utf-8")) | values)

    @property
    def data_only(self) -> ReportFiles:
        """The daily report: no model."""
        validation, meta = zip(*self.day_files.values(), strict=True)
        return ReportFiles(validation=validation, meta=meta, features=self.features)

    @property
    def files(self) -> ReportFiles:
        """All inputs."""
        return ReportFiles(
            **vars(self.data_only)
            | {name: getattr(self, name) for name in ("card", "metrics", "predictions", "plots", "status")}
        )

    @property
    def arguments(self) -> list[str]:
        """The inputs as arguments of generate_report.py."""
        validation, meta = zip(*self.day_files.values(), strict=True)
        model = [(f"--{name}", getattr(self, name)) for name in ("card", "metrics", "predictions", "plots", "status")]
        return [
            *map(str, ("--validation", *validation, "--meta", *meta, "--features", self.features)),
            *(str(part) for pair in model for part in pair),
        ]
