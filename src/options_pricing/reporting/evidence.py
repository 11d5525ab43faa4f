"""What stands behind the figures: is it luck, how far off may a price be, is the surface sound, what does it hedge."""

from dataclasses import dataclass

from options_pricing.reporting.answer import BENCHMARK, is_benchmark, main_protocol
from options_pricing.reporting.inputs import Comparison, Contradictions, Intervals, Metrics
from options_pricing.reporting.wording import (
    coefficient,
    counted,
    decimal,
    model_words,
    percent,
    protocol_words,
    significant,
    whole,
    with_interval,
)

FEWEST_QUOTES_OF_A_BUCKET = 200
FEWEST_DAYS_FOR_A_TEST = 5
DAYS_THAT_SETTLE_A_COVERAGE = 60


@dataclass(frozen=True)
class Said:
    """One question and its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class HedgeLine:
    """What one delta left over."""

    words: str
    mean: str
    deviation: str
    deviation_in_vol: str
    taken_away: str
    interval: str


@dataclass(frozen=True)
class Evidence:
    """The section: questions with answers, and the hedging table with what it is of."""

    said: list[Said]
    hedge_words: str
    hedges: list[HedgeLine]


def evidence(metrics: Metrics | None) -> Evidence | None:
    """The section for the protocol that the answer is about; None where the evaluation says nothing of this kind."""
    if metrics is None:
        return None
    name = main_protocol(metrics)
    protocol = metrics.protocols[name]
    said = [
        Said("Is it luck?", _luck(metrics, name, protocol.comparison)),
        Said("Which models may be the best?", _set(metrics, name, protocol.comparison)),
        Said("How far off may a price be?", _width(metrics, name, protocol.intervals)),
        Said("Do its prices contradict each other?", _contradictions(metrics)),
    ]
    said, hedges = [part for part in said if part.answer], _hedges(metrics)
    return Evidence(said, _hedge_words(metrics), hedges) if said or hedges else None


def _luck(metrics: Metrics, name: str, comparison: Comparison | None) -> str:
    found = comparison and comparison.models.get(metrics.chosen_model)
    if not comparison or not found or is_benchmark(metrics.chosen_model, name):
        return ""
    model, benchmark = model_words(metrics.chosen_model, name), model_words(BENCHMARK)
    if found.dm_p_value is None or found.loss_difference is None:
        if comparison.days < FEWEST_DAYS_FOR_A_TEST:
            return f"{counted(comparison.days, 'day')} of comparison cannot say; a test needs {FEWEST_DAYS_FOR_A_TEST}."
        return f"There is nothing to test: from day to day {model} and {benchmark} do not differ, or always alike."
    side = "below" if found.loss_difference < 0 else "above"
    return (
        f"Day by day, the squared error of {model} is {significant(abs(found.loss_difference))} squared vol points "
        f"{side} that of {benchmark} on average. If both were equally good, a difference as large as this would come "
        f"about in {percent(found.dm_p_value)} of such periods "
        f"(Diebold-Mariano test, {counted(comparison.days, 'day')}, statistic {decimal(found.dm_statistic)})."
    )


def _set(metrics: Metrics, name: str, comparison: Comparison | None) -> str:
    tested = {
        m: found for m, found in (comparison.models if comparison else {}).items() if found.mcs_p_value is not None
    }
    if not tested:
        return ""
    kept = [model_words(m, name) for m, found in tested.items() if found.in_confidence_set]
    out = [model_words(m, name) for m, found in tested.items() if not found.in_confidence_set]
    ruled_out = f" Ruled out: {_listed(out)}." if out else " None of the models is ruled out."
    return (
        f"With {percent(metrics.confidence, 0)} confidence the best of the {len(tested)} is among: {_listed(kept)} "
        f"(model confidence set).{ruled_out}"
    )


def _width(metrics: Metrics, name: str, intervals: Intervals | None) -> str:
    if not intervals:
        return ""
    if intervals.coverage is None:
        return (
            f"No {percent(intervals.nominal, 0)} price intervals: each day's are calibrated by the days before it, "
            "and no day has three."
        )
    model = model_words(metrics.chosen_model, name)
    return (
        f"Price intervals of {model} that claim {percent(intervals.nominal, 0)}, calibrated by the days before each, "
        f"held the market's mid for {percent(intervals.coverage)} of {counted(intervals.quotes, 'quote')} on "
        f"{counted(intervals.days, 'day')}, and for {percent(intervals.lowest_day_coverage)} on the worst of them. "
        f"They are {significant(intervals.mean_width_vol_points)} vol points wide on average, and half of them are "
        f"narrower than {significant(intervals.median_width_half_spreads)} half-spreads from end to end."
        f"{_buckets(intervals)}{_few(intervals)}"
    )


def _buckets(intervals: Intervals) -> str:
    known = [
        (cell.coverage, f"{place}, {maturity}")
        for place, by_maturity in intervals.by_bucket.items()
        for maturity, cell in by_maturity.items()
        if cell.coverage is not None and cell.quotes >= FEWEST_QUOTES_OF_A_BUCKET
    ]
    if len(known) < 2:
        return ""
    least, most = min(known), max(known)
    return (
        f" By delta and maturity it is from {percent(least[0])} ({least[1]}) to {percent(most[0])} ({most[1]}), "
        f"among groups of {whole(FEWEST_QUOTES_OF_A_BUCKET)} quotes or more."
    )


def _few(intervals: Intervals) -> str:
    if intervals.days >= DAYS_THAT_SETTLE_A_COVERAGE:
        return ""
    return " So few days do not settle a coverage: quotes of one day err together, and one wild day moves it by a lot."


def _contradictions(metrics: Metrics) -> str:
    """Under every protocol, as the gate looks at one of them only."""
    found = {
        name: protocol.arbitrage[metrics.chosen_model]
        for name, protocol in metrics.protocols.items()
        if metrics.chosen_model in protocol.arbitrage
    }
    if not found:
        return ""
    told = "; ".join(f"{protocol_words(name)[0].lower()}, {_out_of_order(own)}" for name, own in found.items())
    some = any(own.vertical or own.butterfly for own in found.values())
    meaning = " Who could deal at such prices would be paid for nothing." if some else ""
    gate = " The gate looks at the next day, and counts what is worth a tick or more." if "next_day" in found else ""
    return (
        f"{'In places' if some else 'No'}. Neighbouring triples of strikes of one day whose prices are not convex, and "
        f"pairs that are out of order, by however little: {told}.{meaning}{gate}"
    )


def _out_of_order(own: Contradictions) -> str:
    return (
        f"{whole(own.butterfly)} of {whole(own.butterfly_checked)} triples and {whole(own.vertical)} of "
        f"{whole(own.vertical_checked)} pairs"
    )


def _hedge_words(metrics: Metrics) -> str:
    hedging = metrics.hedging
    if hedging is None:
        return ""
    return (
        f"An option is sold at one close and hedged with the forward until the next: "
        f"{counted(hedging.options, 'option')} over {counted(hedging.days, 'night')}. A model's delta adds to "
        "Black's what it expects vol to do as the forward moves. What is left of the risk (a share "
        "below 0 is more than Black's delta leaves):"
    )


def _hedges(metrics: Metrics) -> list[HedgeLine]:
    lines = []
    for name, left in (metrics.hedging.deltas if metrics.hedging else {}).items():
        value, interval = with_interval(left.variance_reduction, coefficient)
        lines.append(
            HedgeLine(
                words="Black, vol as it is" if name == "black" else model_words(name),
                mean=decimal(left.mean_half_spreads),
                deviation=decimal(left.sd_half_spreads),
                deviation_in_vol=decimal(left.sd_vol_points),
                taken_away="—" if name == "black" else value,
                interval=interval,
            )
        )
    return lines


def _listed(words: list[str]) -> str:
    if any("," in name for name in words):
        return "; ".join(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
