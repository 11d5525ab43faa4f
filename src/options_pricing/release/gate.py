"""The gate: the evidence that must be there before a release may be made live without anybody answering for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from options_pricing.evaluation.arbitrage import arbitrage_count
from options_pricing.evaluation.buckets import BUCKET, with_buckets
from options_pricing.evaluation.comparison import FEWEST_DAYS_TO_TEST, diebold_mariano
from options_pricing.evaluation.intervals import NOMINAL, calibrated
from options_pricing.evaluation.metrics import VOL_POINTS, finite_or_none
from options_pricing.evaluation.sequential import DayErrors, Rule, critical_value, lower_bound, statistics
from options_pricing.release.evidence import Evidence
from options_pricing.run.governance import Gate

# R2 is of what the model prices: it must not rise by not pricing what is hard.
MOST_LEFT_OUT = 0.001


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it holds, in words, and the figures behind that."""

    name: str
    passed: bool
    detail: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GateState:
    """Open where every check holds."""

    checks: list[Check]

    @property
    def open(self) -> bool:
        """Whether a release may be made live on this evidence."""
        return all(check.passed for check in self.checks)

    @property
    def because(self) -> str:
        """What keeps it closed, or that nothing does."""
        closed = [f"{check.name}: {check.detail}" for check in self.checks if not check.passed]
        return "; ".join(closed) or "all checks hold"


def gate_state(evidence: Evidence, model_sha256: str, gate: Gate) -> GateState:
    """All checks of the gate for a release of the model with this SHA-256."""
    whole = _evaluation(evidence, model_sha256)
    told = last_days(evidence.evaluation.told, gate.days) if whole.passed else None
    by_days: list[Callable[[pd.DataFrame, Gate], Check]] = [
        r2_above_line,
        no_bucket_worse,
        interval_coverage,
        no_arbitrage,
    ]
    named = ("r2_above_line", "no_bucket_worse", "interval_coverage", "no_arbitrage")
    looked = [
        Check(name, False, f"not looked at: {whole.detail}") if told is None else check(told, gate)
        for name, check in zip(named, by_days, strict=True)
    ]
    return GateState([whole, *looked, _drift(evidence), _validation(evidence)])


def open_days(evidence: Evidence, gate: Gate, most: int) -> int:
    """On how many days in a row, `most` at most and the last one among them, R2 has been above the line."""
    errors, rule = DayErrors.of(evidence.evaluation.told), rule_of(gate)
    for back in range(min(most, errors.days - gate.days + 1)):
        seen = errors.part(errors.days - gate.days - back, gate.days)
        if not statistics(seen, gate.days, gate.line)[0] > critical_value(seen, rule):
            return back
    return max(0, min(most, errors.days - gate.days + 1))


def rule_of(gate: Gate) -> Rule:
    """How the gate asks whether R2 is above the line."""
    return Rule(**gate.model_dump(exclude={"coverage", "tick"}))


def last_days(told: pd.DataFrame, days: int) -> pd.DataFrame:
    """The rows of the last so many days."""
    return told[told["date"].isin(sorted(told["date"].unique())[-days:])]


def r2_above_line(told: pd.DataFrame, gate: Gate) -> Check:
    """The lower bound of R2 against the random walk out of sample, right for daily looks, is above the line."""
    errors, rule, left_out = DayErrors.of(told), rule_of(gate), _left_out(told)
    found: dict[str, Any] = {
        "days": errors.days,
        "days_needed": gate.days,
        "r2": finite_or_none(errors.r2),
        "line": gate.line,
        "left_out": left_out,
    }
    if left_out > MOST_LEFT_OUT:
        said = f"R2 {errors.r2:.3f} leaves out {left_out:.1%} of the quotes: the model has no vol for them"
        return Check("r2_above_line", False, said, found)
    if errors.days < gate.days:
        said = f"R2 {errors.r2:.3f} on {errors.days} days: too few, {gate.days} are needed"
        return Check("r2_above_line", False, said, found)
    statistic, critical = float(statistics(errors, gate.days, gate.line)[0]), critical_value(errors, rule)
    bound = lower_bound(errors, critical)
    found |= {"statistic": statistic, "critical_value": critical, "lower_bound": bound}
    shown = "below -1" if bound is None else f"{bound:.3f}"
    said = f"R2 {errors.r2:.3f} on {errors.days} days, lower bound {shown}, line {gate.line:g}"
    return Check("r2_above_line", statistic > critical, said, found)


def _left_out(told: pd.DataFrame) -> float:
    """The share of the quotes with a vol of the market and of the benchmark for which the model has none."""
    model, vol, benchmark = (
        np.isfinite(told[name].to_numpy(dtype=float))
        for name in ("predicted_implied_vol", "implied_vol", "random_walk_implied_vol")
    )
    known = vol & benchmark
    return float(1 - model[known].mean()) if known.any() else 0.0


def no_bucket_worse(told: pd.DataFrame, gate: Gate) -> Check:
    """No place in the smile and maturity where the model loses to the benchmark: Diebold-Mariano, Holm's levels."""
    p_values = _p_values_of_buckets(told)
    found = {
        "buckets": len(p_values),
        "p_values": dict(sorted(p_values.items(), key=lambda kept: kept[1])),
    }
    if not p_values:
        return Check("no_bucket_worse", False, f"no bucket has {FEWEST_DAYS_TO_TEST} days to be tested on", found)
    worse = holm_rejected(p_values, 1 - gate.confidence)
    said = f"worse in {', '.join(worse)}" if worse else f"none of {len(p_values)} buckets significantly worse"
    return Check("no_bucket_worse", not worse, said, found | {"worse": worse})


def holm_rejected(p_values: dict[str, float], level: float) -> list[str]:
    """The hypotheses that are rejected with a chance of `level` at most that any of them is true (Holm 1979)."""
    ordered = sorted(p_values, key=lambda name: p_values[name])
    rejected: list[str] = []
    for place, name in enumerate(ordered):
        if p_values[name] > level / (len(ordered) - place):
            break
        rejected.append(name)
    return rejected


def _p_values_of_buckets(told: pd.DataFrame) -> dict[str, float]:
    """One-sided: how likely such a loss against the benchmark would be if there were none; buckets with days enough."""
    vol = told["implied_vol"].to_numpy(dtype=float)
    loss = [(VOL_POINTS * (told[name] - vol)) ** 2 for name in ("predicted_implied_vol", "random_walk_implied_vol")]
    rows = with_buckets(told, vol).assign(lost=loss[0] - loss[1]).dropna(subset=["lost", *BUCKET])
    found = {}
    for (place, maturity), quotes in rows.groupby(BUCKET, observed=True):
        tested = diebold_mariano(quotes.groupby("date")["lost"].mean().to_numpy())
        if np.isfinite(tested.p_value):
            half = tested.p_value / 2
            found[f"{place}, {maturity}"] = half if tested.difference > 0 else 1 - half
    return found


def interval_coverage(told: pd.DataFrame, gate: Gate) -> Check:
    """The 90 % price intervals held about as many prices as they say."""
    rows, (low, high) = calibrated(told), gate.coverage
    if rows.empty:
        return Check("interval_coverage", False, "no day has three days before it to calibrate intervals by")
    covered = float(rows["inside"].mean())
    days = int(rows["date"].nunique())
    said = (
        f"{covered:.1%} of quotes inside their {NOMINAL:.0%} interval on {days} days, {low:.0%} to {high:.0%} is right"
    )
    return Check("interval_coverage", low <= covered <= high, said, {"coverage": covered, "days": days})


def no_arbitrage(told: pd.DataFrame, gate: Gate) -> Check:
    """The model's own prices of one day contradict each other nowhere by as much as can be traded."""
    counts, any_size = arbitrage_count(told, gate.tick), _violated(arbitrage_count(told))
    violated, checked = _violated(counts), counts["vertical_checked"] + counts["butterfly_checked"]
    said = f"{violated} of {checked} neighbouring prices contradict each other by {gate.tick:g} or more"
    found = counts | {"tick": gate.tick, "of_any_size": any_size}
    return Check("no_arbitrage", violated == 0 and checked > 0, f"{said}, {any_size} by anything", found)


def _violated(counts: dict[str, int]) -> int:
    return counts["vertical"] + counts["butterfly"]


def _evaluation(evidence: Evidence, model_sha256: str) -> Check:
    held = evidence.evaluation
    found = {"model": held.model, "model_sha256": held.model_sha256}
    if held.trouble is not None:
        return Check("evaluation", False, held.trouble, found)
    if held.model_sha256 != model_sha256:
        return Check("evaluation", False, "the evaluation is of another model", found)
    days = held.told["date"].nunique()
    return Check("evaluation", True, f"of this very model ({held.model}), out of sample on {days} days", found)


def _drift(evidence: Evidence) -> Check:
    passed = evidence.drift in {"green", "amber"}
    return Check("drift", passed, evidence.drift_detail, {"status": evidence.drift})


def _validation(evidence: Evidence) -> Check:
    day, status = evidence.validation_day, evidence.validation_status
    if day is None:
        return Check("validation", False, "no day has been validated", {"status": status})
    return Check("validation", status == "passed", f"the newest day, {day}, {status}", {"day": day, "status": status})
