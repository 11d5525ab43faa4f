"""The report's answer in a few plain sentences, made by rules from the figures."""

from typing import get_args

from options_pricing.reporting.inputs import Estimate, Inputs, Metrics, Protocol
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


def answer(inputs: Inputs) -> list[str]:
    """Three or four sentences: does the model beat the benchmark, how near is its price, what R² hides, the data."""
    if inputs.metrics is None:
        return ["No model was evaluated: this report is about data only.", _data(inputs)]
    name = main_protocol(inputs.metrics)
    figures = inputs.metrics.protocols[name].models.get(inputs.metrics.chosen_model, {})
    said = [_verdict(inputs.metrics, name), _nearness(figures), _r2_of_price(inputs.metrics, name), _data(inputs)]
    return [sentence for sentence in said if sentence]


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
    zero = ", which includes 0" if estimate.low <= 0 <= estimate.high else ""
    return f"{_comparison(estimate, model, benchmark)} ({evidence}{zero}; {_judged_on(protocol)})."


def _comparison(estimate: Estimate, model: str, benchmark: str) -> str:
    value, low, high = estimate.value or 0.0, estimate.low or 0.0, estimate.high or 0.0
    change = f"{percent(abs(value))} {'of' if value > 0 else 'to'} its squared error of implied vol"
    if low > 0:
        return f"{_capital(model)} beats {benchmark}: it takes away {change}"
    if high < 0:
        return f"{_capital(model)} is worse than {benchmark}: it adds {change}"
    return f"There is no evidence that {model} beats {benchmark} in implied vol"


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
