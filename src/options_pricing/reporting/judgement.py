"""What the report says about the models: headline figures, the ladder, the seed's model beside the surface model."""

from dataclasses import dataclass

from options_pricing.reporting.answer import BENCHMARK, is_benchmark, main_protocol
from options_pricing.reporting.inputs import Estimate, Metrics, Protocol
from options_pricing.reporting.wording import (
    FIGURES,
    NONE,
    coefficient,
    counted,
    model_words,
    percent,
    protocol_words,
    span,
    whole,
    with_interval,
)

SEED_MODEL = "seed_linear"
SEED_PROTOCOL = "random_rows"
FEWEST_DAYS_FOR_INTERVAL = 3


@dataclass(frozen=True)
class ShownFigure:
    """One figure with its interval, as it is printed."""

    title: str
    meaning: str
    value: str
    interval: str
    known: bool


@dataclass(frozen=True)
class Step:
    """One model of a ladder."""

    name: str
    words: str
    chosen: bool
    benchmark: bool
    figures: list[ShownFigure]


@dataclass(frozen=True)
class Judged:
    """All that is said under one protocol."""

    name: str
    title: str
    does: str
    judged_on: str
    headline: list[ShownFigure]
    steps: list[Step]
    by_underlying: list[tuple[str, list[ShownFigure]]]
    intervals: str
    gaps: str


@dataclass(frozen=True)
class SeedLine:
    """One model in the comparison with the seed's own."""

    words: str
    told: bool
    r2_price: str
    interval: str


@dataclass(frozen=True)
class SeedSection:
    """The seed's linear regression beside the surface model, on the same rows."""

    quotes: str
    lines: list[SeedLine]
    answer: str


def judged(metrics: Metrics) -> list[Judged]:
    """One part for each protocol, the one that the answer is about first."""
    first = main_protocol(metrics)
    ordered = sorted(metrics.protocols, key=lambda name: (name != first, list(metrics.protocols).index(name)))
    return [_judged(metrics, name) for name in ordered]


def _judged(metrics: Metrics, name: str) -> Judged:
    protocol, (title, does) = metrics.protocols[name], protocol_words(name)
    steps = [_step(model, figures, metrics, name) for model, figures in _ladder(metrics, name)]
    chosen = protocol.models.get(metrics.chosen_model, {})
    return Judged(
        name=name,
        title=title,
        does=does,
        judged_on=f"{counted(protocol.quotes, 'quote')}, {span(protocol.days)}",
        headline=_shown(chosen),
        steps=steps,
        by_underlying=[
            (
                underlying,
                _shown({figure: Estimate(value=value) for figure, value in models[metrics.chosen_model].items()}),
            )
            for underlying, models in protocol.by_underlying.items()
            if metrics.chosen_model in models and len(protocol.by_underlying) > 1 and name == main_protocol(metrics)
        ],
        intervals=_intervals(metrics, protocol, _shown(chosen)),
        gaps=_gaps(protocol, name, steps),
    )


def _ladder(metrics: Metrics, name: str) -> list[tuple[str, dict[str, Estimate]]]:
    """The models, least error of vol first, unknown errors last; of equals the chosen one first."""

    def place(item: tuple[str, dict[str, Estimate]]) -> tuple[bool, float, bool, str]:
        error = item[1].get("iv_rmse_vol_points", Estimate()).value
        return error is None, error or 0.0, item[0] != metrics.chosen_model, item[0]

    return sorted(metrics.protocols[name].models.items(), key=place)


def _step(model: str, figures: dict[str, Estimate], metrics: Metrics, protocol: str) -> Step:
    return Step(
        name=model,
        words=model_words(model, protocol),
        chosen=model == metrics.chosen_model,
        benchmark=is_benchmark(model, protocol),
        figures=_shown(figures),
    )


def _shown(figures: dict[str, Estimate]) -> list[ShownFigure]:
    shown = []
    for name, words in FIGURES.items():
        estimate = figures.get(name, Estimate())
        value, interval = with_interval(estimate, words.shown)
        shown.append(ShownFigure(words.title, words.meaning, value, interval, estimate.value is not None))
    return shown


def _intervals(metrics: Metrics, protocol: Protocol, headline: list[ShownFigure]) -> str:
    """What the ranges are, or why there are none."""
    if any(figure.interval for figure in headline):
        return f"Ranges are {percent(metrics.confidence, 0)} intervals from resampling whole days."
    if len(protocol.days) < FEWEST_DAYS_FOR_INTERVAL:
        days = counted(len(protocol.days), "day")
        return f"No ranges: they come from resampling whole days, and {days} cannot give them."
    return "No ranges: the evaluation gives none."


def _gaps(protocol: Protocol, name: str, steps: list[Step]) -> str:
    """Why a dash stands where it stands, and which models left quotes without a price."""
    partial = [
        f"{model_words(model, name)} {percent(share)}"
        for model, figures in protocol.models.items()
        if (share := figures.get("coverage", Estimate(value=1.0)).value) is not None and share < 1
    ]
    said = []
    if not all(figure.known for step in steps for figure in step.figures):
        said.append(f"A dash ({NONE}) is a figure that the evaluation could not compute.")
    if partial:
        said.append(f"Figures are over the quotes that a model prices: {', '.join(partial)} of them.")
    return " ".join(said)


def seed_section(metrics: Metrics | None) -> SeedSection | None:
    """The seed's comparison, where its protocol and its model were evaluated."""
    protocol = metrics.protocols.get(SEED_PROTOCOL) if metrics else None
    if metrics is None or protocol is None or SEED_MODEL not in protocol.models:
        return None
    lines = [_seed_line(model, protocol) for model in sorted(protocol.models, key=lambda m: (m != SEED_MODEL, m))]
    return SeedSection(
        quotes=whole(protocol.quotes),
        lines=lines,
        answer=_seed_answer(protocol, metrics.chosen_model),
    )


def _seed_line(model: str, protocol: Protocol) -> SeedLine:
    estimate = protocol.models[model].get("r2_price", Estimate())
    value, interval = with_interval(estimate, coefficient)
    return SeedLine(model_words(model, SEED_PROTOCOL), model == SEED_MODEL, value, interval)


def _seed_answer(protocol: Protocol, chosen: str) -> str:
    surface = chosen if chosen in protocol.models and chosen != SEED_MODEL else BENCHMARK
    told = protocol.models[SEED_MODEL].get("r2_price", Estimate()).value
    untold = protocol.models.get(surface, {}).get("r2_price", Estimate()).value
    if told is None or untold is None:
        return "The two cannot be compared: one of the R² could not be computed."
    verdict = "explains more of the prices" if untold > told else "does not explain more of the prices"
    flat = protocol.models.get("flat_vol", {}).get("r2_price", Estimate()).value
    easy = (
        f" One flat volatility reaches {coefficient(flat)}: on these rows most of a price is strike and forward."
        if flat is not None and surface != "flat_vol"
        else ""
    )
    return (
        f"The straight line is told each option's own implied volatility and reaches an R² of price of "
        f"{coefficient(told)}. On the same rows {model_words(surface, SEED_PROTOCOL)}, which is not told it and has "
        f"to find it from the other options, reaches {coefficient(untold)}: it {verdict}.{easy}"
    )
