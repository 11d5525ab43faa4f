"""The release in use, in the words that the report opens with and comes back to."""

from collections.abc import Sequence
from typing import Any

from options_pricing.reporting.inputs import Inputs
from options_pricing.reporting.wording import as_day, coefficient, counted, model_words

AGAINST_RANDOM_WALK = "r2_implied_vol_vs_random_walk"
# One day behind yesterday's surface may be chance; from this age on it is mostly age.
OLD = 2


def judged_days(drift: dict[str, Any], records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records of the release that is watched, oldest first."""
    name = drift["release"] and drift["release"]["release_id"]
    return [record for record in records if record["judged"] and record["release"]["release_id"] == name]


def release_words(release: dict[str, Any] | None) -> str:
    """``0a1b2c3d4e5f (the hybrid surface of 2026-11-20, live)``."""
    if release is None:
        return "none"
    state = "live" if release["live"] else "staged, as none is live"
    return f"{release['release_id']} ({model_words(release['model'])} of {as_day(release['as_of'])}, {state})"


def in_use(inputs: Inputs, drift: dict[str, Any] | None, records: Sequence[dict[str, Any]]) -> list[str]:
    """How the release in use priced the report's day, and whose the evaluation is; nothing where neither is to be said.

    Parameters
    ----------
    inputs : Inputs
        For the release that the evaluation is of.
    drift : dict or None
        ``drift.json``.
    records : sequence of dict
        Of the days so far.
    """
    if drift is None or drift["release"] is None:
        return []
    today = [record for record in judged_days(drift, records) if record["date"] == drift["date"]]
    said = [_of_the_day(drift, record) for record in today]
    evaluated = inputs.metrics.model_sha256 if inputs.metrics else None
    if inputs.metrics is None or evaluated is None:
        return said
    if evaluated != drift["release"]["model_sha256"]:
        return [*said, f"The evaluation below is of {_evaluated(inputs, evaluated)}, not of {_it(drift, said)}."]
    until = as_day(max(inputs.metrics.days))
    return [*said, f"The evaluation below is of the same model, on days up to {until}."] if said else []


def _it(drift: dict[str, Any], said: list[str]) -> str:
    return "the release in use" if said else f"the release in use, {release_words(drift['release'])}"


def _evaluated(inputs: Inputs, model_sha256: str) -> str:
    status = inputs.status
    if status is None or status.model_sha256 != model_sha256:
        return "another model"
    return f"another release, {status.release_id} of {as_day(status.as_of)}"


def _of_the_day(drift: dict[str, Any], record: dict[str, Any]) -> str:
    r2, day = record["figures"][AGAINST_RANDOM_WALK], as_day(record["date"])
    if r2 is None:
        how = f"how it did on {day} against yesterday's surface could not be computed"
    else:
        how = f"on {day} it was {_side(r2)} yesterday's surface (R² of implied vol against it {coefficient(r2)})"
    alarm = " The market has drifted away from it." if drift["status"] == "red" else ""
    age, renew = counted(record["age"], "trading day"), "; renew it" if _behind(record) else ""
    return f"In use is release {release_words(drift['release'])}, {age} old: {how}{renew}.{alarm}"


def _side(r2: float) -> str:
    return "better than" if r2 > 0 else "worse than" if r2 < 0 else "as good as"


def renewal(own: Sequence[dict[str, Any]]) -> str:
    """That it is to be renewed, and why; nothing where it is not."""
    if not own or not _behind(own[-1]):
        return ""
    return f" It is {counted(own[-1]['age'], 'trading day')} old and worse than yesterday's surface: renew it."


def _behind(record: dict[str, Any]) -> bool:
    """Whether a release is old, and worse on the day than the surface that is renewed every day."""
    r2 = record["figures"][AGAINST_RANDOM_WALK]
    return r2 is not None and r2 < 0 and record["age"] >= OLD
