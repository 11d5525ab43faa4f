"""How often drift is raised on quiet days, and how soon a shift is found: ``python benchmarks/drift.py [--seeds 3]``.

For each seed a simulated market runs for `--reference` and `--live` sessions. A release is trained on the first of them
and never again; each later session is judged with it. The shift is made in the market: from some session on all true
vols, and with them the quotes, are a tenth higher and stay so. Every live session is once the first after a shift; as
what was before it is the same market without one, all of them are tried with two markets. The third table is about a
release that is renewed every day (each session predicted from the sessions before it): how often retraining is asked
for by mistake; and how many sessions one that never is lasts until it is asked for.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from scipy.stats import beta

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from options_pricing.evaluation.drift import Detector, status_of
from options_pricing.evaluation.live_performance import live_predictions
from options_pricing.evaluation.metrics import figures_of
from options_pricing.evaluation.reference import ERROR, reference_in, reference_of
from options_pricing.evaluation.retraining import retraining
from options_pricing.evaluation.sketches import Sketches
from options_pricing.evaluation.unseen import unseen_days
from options_pricing.models.training import train_model
from options_pricing.run.calendar import sessions_ending
from options_pricing.run.params import Drift, Features, Train, Validation
from options_pricing.sources.simulated import SimulatedMarket, contracts
from options_pricing.surface.features import build_features
from options_pricing.validation.engine import validate

LAST = "20261120"
RISE = 0.10
FOUND_WITHIN = 3
SETTINGS = Drift()


def chains(seed: int, days: list[str], args: argparse.Namespace, rise: float = 0.0) -> list[pd.DataFrame]:
    """Features of each day of a market whose true vols are all higher by `rise`."""
    market = SimulatedMarket(seed, args.underlyings, args.density, 0.0)
    variance = contracts.total_variance
    with mock.patch.object(contracts, "total_variance", lambda *terms: (1 + rise) ** 2 * variance(*terms)):
        tables = [validate(market.chain(day).quotes, [], day, Validation()).validated for day in days]
    return [build_features(table, Features()) for table in tables]


def trial(seed: int, args: argparse.Namespace) -> dict[str, list]:
    """What comes of one seed: by live session the status without a shift, and the delay with one, 0 if not found."""
    days = sessions_ending(LAST, args.reference + 1 + args.live)
    known = args.reference + 1
    plain, risen = chains(seed, days, args), chains(seed, days[known:], args, RISE)
    trained = pd.concat(plain[:known], ignore_index=True)
    release, told = train_model(trained, args.train).pricing, unseen_days(trained, args.train).told
    reference = reference_in(reference_of(told))
    assert reference is not None
    detector = Detector(reference.sketches, SETTINGS.quiet_days)

    def judged(today: pd.DataFrame, yesterday: pd.DataFrame) -> tuple[str, float | None]:
        predictions = live_predictions(release, today, yesterday)
        return status_of(detector.judge(Sketches.of(predictions))), figures_of(predictions)[ERROR]

    before = plain[known - 1 : -1]
    quiet = [judged(*pair) for pair in zip(plain[known:], before, strict=True)]
    first = [judged(*pair)[0] for pair in zip(risen, before, strict=True)]
    after = ["none", *(judged(*pair)[0] for pair in zip(risen[1:], risen[:-1], strict=True))]
    delays = []
    for start in range(args.live - FOUND_WITHIN + 1):
        statuses = [first[start], *after[start + 1 : start + FOUND_WITHIN]]
        delays.append(statuses.index("red") + 1 if "red" in statuses else 0)
    errors = [error for _, error in quiet if error is not None]
    due = [_due(reference.errors.tolist(), errors[: n + 1]) for n in range(len(errors))]
    return {
        "quiet": [status for status, _ in quiet],
        "delays": delays,
        "power": [detector.power()],
        "lasts": [due.index(True) + 1] if True in due else [],
        "renewed": renewed(plain, args),
    }


def renewed(days: list[pd.DataFrame], args: argparse.Namespace) -> list[bool]:
    """Whether retraining is asked for, session by session, of a release that is renewed every day."""
    told = unseen_days(pd.concat(days, ignore_index=True), args.train).told
    assert told is not None
    errors = [figures_of(day)[ERROR] or np.nan for _, day in told.groupby("date")]
    before, later = errors[: args.reference], errors[args.reference :]
    return [_due(before, later[: n + 1]) for n in range(SETTINGS.retrain_over - 1, len(later))]


def _due(before: list[float], errors: list[float]) -> bool:
    settings = {"days": SETTINGS.retrain_over, "confidence": SETTINGS.confidence, "line": 1 + SETTINGS.retrain_at}
    return bool(retraining(before, errors, **settings)["due"])


def interval(hits: int, of: int) -> tuple[float, float]:
    """95 % for a share, as if sessions were independent (Clopper and Pearson 1934)."""
    low = beta.ppf(0.025, hits, of - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, of - hits) if hits < of else 1.0
    return float(low), float(high)


def lines(found: list[dict[str, list]]) -> Iterator[str]:
    """What is printed."""

    def all_of(name: str) -> list:
        return [value for one in found for value in one[name]]

    quiet, delays, asked = all_of("quiet"), all_of("delays"), all_of("renewed")
    red, per = quiet.count("red"), SETTINGS.quiet_days
    low, high = interval(red, len(quiet))
    yield f"| false alarms in {per} quiet days | {per * red / len(quiet):.2f} ({per * low:.2f} to {per * high:.2f}) |"
    by_seed = ", ".join(str(one["quiet"].count("red")) for one in found)
    yield f"| alarms by seed | {by_seed} of {len(found[0]['quiet'])} |"
    yield f"| warnings, share of quiet days | {quiet.count('amber') / len(quiet):.1%} |"
    counts = Counter(delays)
    for day in range(1, FOUND_WITHIN + 1):
        yield f"| a rise of {RISE:.0%} found on day {day} | {counts[day] / len(delays):.1%} of {len(delays)} |"
    yield f"| not found within {FOUND_WITHIN} days | {counts[0] / len(delays):.1%} |"
    said = ", ".join(f"{power:.0%}" for power in all_of("power"))
    yield f"| found at once, as the releases themselves say | {said} |"
    yield f"| retraining asked for, renewed every day | {sum(asked) / len(asked):.2%} of {len(asked)} days |"
    yield f"| sessions until it is asked for, never renewed | {', '.join(map(str, all_of('lasts')))} |"


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=2, help="1 is the one that the shape of distances is from")
    parser.add_argument("--reference", type=int, default=40)
    parser.add_argument("--live", type=int, default=120)
    parser.add_argument("--density", choices=["tiny", "normal", "full"], default="tiny")
    parser.add_argument("--underlyings", nargs="+", default=["XIDX", "XETF", "XTEC", "XOIL"])
    parser.add_argument("--model", default="hybrid")
    args = parser.parse_args()
    args.train = Train(model=args.model)
    found = []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        found.append(trial(seed, args))
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    names = ", ".join(args.underlyings)
    print(
        f"{args.density} density, {names}, {args.model}: {args.reference} reference and {args.live} live days a seed\n"
    )
    print("| | |\n|---|---|")
    print("\n".join(lines(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
