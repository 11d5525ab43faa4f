"""The report's answer in a few plain sentences, made by rules from the figures."""

from collections.abc import Sequence
from typing import get_args

from options_pricing.reporting.inputs import Compared, Estimate, Inputs, Metrics, Protocol
from options_pricing.reporting.wording import (
    as_day,
    coefficient,
    counted,
    model_words,
    percent,
    significant,
    whole,
    with_interval,
)
from options_pricing.run.params import ProtocolName

BENCHMARK = "random_walk"
# Below it another model's R² of price would not show how easily a high one is had.
WORTH_COMPARING = 0.5


def main_protocol(metrics: Metrics) -> str:
    """The protocol that the answer is about: the next day where there is one."""
    return next((name for name in get_args(ProtocolName) if name in metrics.protocols), next(iter(metrics.protocols)))


def is_benchmark(model: str, protocol: str) -> bool:
    """Whether a model is the one that R² of vol holds others against: the surface of the day before.

    Within one day the same model is fitted on that day's other strikes, and is another one.
    """
    return model == BENCHMARK and protocol == "next_day"


def answer(inputs: Inputs, in_use: Sequence[str] = ()) -> list[str]:
    """A few sentences: the release in use, whether the model beats the benchmark, how near its price is, what R² hides,
    which model had the least error and what the chosen one's delta hedges, the data.

    Parameters
    ----------
    inputs : Inputs
    in_use : sequence of str
        What is said of the release in use (`in_use.in_use`).
    """
    if inputs.metrics is None:
        return [*in_use, "No model was evaluated: this report is about data only.", _data(inputs)]
    metrics, name = inputs.metrics, main_protocol(inputs.metrics)
    figures = metrics.protocols[name].models.get(metrics.chosen_model, {})
    beside = f"{_least_error(metrics, name)} {_hedging(metrics, name)}".strip()
    said = [_verdict(metrics, name), _nearness(figures), _r2_of_price(metrics, name), beside, _data(inputs)]
    return [*in_use, *(sentence for sentence in said if sentence)]


def _verdict(metrics: Metrics, name: str) -> str:
    protocol, chosen = metrics.protocols[name], metrics.chosen_model
    model, benchmark = model_words(chosen, name), model_words(BENCHMARK)
    if is_benchmark(chosen, name):
        return f"The chosen model is {benchmark} itself, the benchmark that others are held against."
    estimate = protocol.models.get(chosen, {}).get("r2_implied_vol_vs_random_walk", Estimate())
    if estimate.value is None:
        why = "there is only one day of data" if len(metrics.days) == 1 else "that figure could not be computed"
        return f"Whether {model} beats {benchmark} cannot be said: {why}."
    if estimate.low is None or estimate.high is None:
        return (
            f"Whether {model} beats {benchmark} cannot be said: "
            f"{_judged_on(protocol)} give no interval (R² of implied vol against it {coefficient(estimate.value)})."
        )
    if estimate.value == estimate.low == estimate.high == 0:
        return f"On these quotes {model} predicts just what {benchmark} predicts ({_judged_on(protocol)})."
    value, interval = with_interval(estimate, coefficient)
    evidence = f"R² {value}, {percent(metrics.confidence, 0)} interval {interval or value}"
    if estimate.low <= 0 <= estimate.high:
        nothing = f"There is no evidence that {model} beats {benchmark} in implied vol"
        return f"{nothing} ({evidence}, which includes 0; {_judged_on(protocol)})."
    but = _doubts(metrics, name, better=estimate.low > 0)
    claim = _claim(estimate, model, benchmark, f"these {counted(len(protocol.days), 'day')}" if but else "")
    return f"{claim} ({evidence}; {_judged_on(protocol)}){', but ' if but else ''}{' and '.join(but)}."


def _claim(estimate: Estimate, model: str, benchmark: str, only_on: str) -> str:
    """What an interval without 0 says; told as a fact, or, where tests leave it open, of those days only."""
    value = estimate.value or 0.0
    change = f"{percent(abs(value))} {'of' if value > 0 else 'to'} its squared error of implied vol"
    if only_on:
        side, did = ("better", "took away") if value > 0 else ("worse", "added")
        return f"{_capital(model)} was {side} than {benchmark} on {only_on}, which may be luck: it {did} {change}"
    side, does = ("beats", "takes away") if value > 0 else ("is worse than", "adds")
    return f"{_capital(model)} {side} {benchmark}: it {does} {change}"


def _doubts(metrics: Metrics, name: str, *, better: bool) -> list[str]:
    """What speaks against more than luck, besides the interval: Diebold and Mariano's test, the confidence set."""
    models = getattr(metrics.protocols[name].comparison, "models", {})
    found, loser = models.get(metrics.chosen_model, Compared()), BENCHMARK if better else metrics.chosen_model
    doubts = []
    if found.dm_p_value is None or found.loss_difference is None:
        doubts.append("there is no test of luck")
    elif (found.loss_difference < 0) != better:
        doubts.append("day by day, on average, it is the other way round")
    elif found.dm_p_value > 1 - metrics.confidence:
        doubts.append(f"chance alone makes such a difference in {percent(found.dm_p_value)} of such periods")
    if name == "next_day" and models.get(loser, Compared()).in_confidence_set:
        doubts.append(f"{model_words(loser, name)} is still among the models that may be the best")
    return doubts


def _least_error(metrics: Metrics, name: str) -> str:
    """The model that had the least error of vol, where that is not the chosen one."""
    models, chosen = metrics.protocols[name].models, metrics.chosen_model
    errors = {
        m: found.value for m in models if (found := models[m].get("iv_rmse_vol_points")) and found.value is not None
    }
    best = min(errors, key=lambda m: (errors[m], m != chosen, m), default=chosen)
    if best == chosen or chosen not in errors:
        return ""
    value, interval = with_interval(models[best].get("r2_implied_vol_vs_random_walk", Estimate()), coefficient)
    r2 = f"R² {value}{f', {interval}' if interval else ''}"
    return f"Least error of vol of all models: {model_words(best, name)} ({r2})."


def _hedging(metrics: Metrics, name: str) -> str:
    """Whether the chosen model's delta hedges better than Black's, which is told nothing of the smile."""
    left = metrics.hedging and metrics.hedging.deltas.get(metrics.chosen_model)
    if not metrics.hedging or not left or not left.variance_reduction.value:
        return ""
    share = left.variance_reduction
    value, interval = with_interval(share, coefficient)
    said = f"share taken away {value}{f', {interval}' if interval else ''}"
    chance = ", which includes 0" if interval and (share.low or 0.0) <= 0 <= (share.high or 0.0) else ""
    how, did, to = ("worse", "added", "to") if (share.value or 0.0) < 0 else ("better", "took away", "of")
    nights = counted(metrics.hedging.days, "night")
    by = f"it {did} {percent(abs(share.value or 0.0))} {to} the squared error"
    delta = f"The delta of {model_words(metrics.chosen_model, name)}"
    return f"{delta} hedged {how} than Black's over {nights}: {by} ({said}{chance})."


def _judged_on(protocol: Protocol) -> str:
    return f"{counted(len(protocol.days), 'day')}, {counted(protocol.quotes, 'quote')}"


def _nearness(figures: dict[str, Estimate]) -> str:
    inside = figures.get("inside_bid_ask", Estimate()).value
    error = figures.get("median_error_half_spreads", Estimate()).value
    parts = []
    if inside is not None:
        parts.append(f"its price lies between bid and ask for {percent(inside)} of the quotes")
    if error is not None:
        parts.append(
            f"half of its price errors are below {significant(error)} half-spreads (1 is the edge of the spread)"
        )
    return f"{_capital(', and '.join(parts))}." if parts else ""


def _r2_of_price(metrics: Metrics, name: str) -> str:
    models, chosen = metrics.protocols[name].models, metrics.chosen_model
    own = models.get(chosen, {}).get("r2_price", Estimate()).value
    if own is None:
        return ""
    others = [
        f"{coefficient(estimate.value)} for {model_words(other, name)}"
        for other in (BENCHMARK, "flat_vol")
        if other != chosen
        and (estimate := models.get(other, {}).get("r2_price", Estimate())).value is not None
        and estimate.value > WORTH_COMPARING
    ]
    against = f", against {' and '.join(others)}" if others else ""
    return (
        f"Its R² of price is {coefficient(own)}{against}: most of a price follows from strike and forward alone, "
        "so this figure does not say that a model is good."
    )


def _data(inputs: Inputs) -> str:
    last = inputs.validation[-1]
    halted = [as_day(day.date) for day in inputs.validation if day.status == "halted"]
    usable = (
        f"Of {whole(last.rows.raw)} quotes of {as_day(last.date)}, {percent(last.usable_share)} are usable"
        if last.status == "passed"
        else f"None of the {whole(last.rows.raw)} quotes of {as_day(last.date)} is used"
    )
    halts = f"{counted(len(halted), 'day')} halted: {', '.join(halted)}" if halted else "no day was halted"
    return f"{usable}, and over {counted(len(inputs.validation), 'trading day')} {halts}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
