"""The report's four pictures with their captions: what goes into each chart, out of the inputs."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from options_pricing.reporting import charts
from options_pricing.reporting.answer import BENCHMARK, main_protocol
from options_pricing.reporting.inputs import Inputs
from options_pricing.reporting.smiles import HIGHEST, LOWEST, WIDEST_GAP, Smile, smiles_of
from options_pricing.reporting.wording import as_day, counted, decimal, model_words, whole

NOTHING_JUDGED = "There is no evaluation to draw."


@dataclass(frozen=True)
class Picture:
    """One chart: its file name, its title, a sentence on what it shows, and both of its forms as SVG."""

    file: str
    title: str
    caption: str
    wide: str
    narrow: str


def pictures(inputs: Inputs, smiles: int) -> dict[str, Picture]:
    """All four pictures by name; one without data is a small picture that says so.

    Parameters
    ----------
    inputs : Inputs
        The files' content.
    smiles : int
        Most expirations whose smile is drawn.
    """
    made = [_r2_by_day(inputs), _error_by_bucket(inputs), _smiles(inputs, smiles), _waterfall(inputs)]
    return {picture.file.removesuffix(".svg"): picture for picture in made}


def _picture(file: str, title: str, caption: str, draw: Callable[[bool], str]) -> Picture:
    return Picture(file, title, caption, wide=draw(False), narrow=draw(True))


def _r2_by_day(inputs: Inputs) -> Picture:
    days, caption = inputs.r2_by_day, NOTHING_JUDGED
    if days is not None and days["r2_implied_vol_vs_random_walk"].isna().all():
        caption = "No day has the surface of a day before it to be held against."
    elif days is not None and inputs.metrics:
        protocol = main_protocol(inputs.metrics)
        chosen, benchmark = model_words(inputs.metrics.chosen_model, protocol), model_words(BENCHMARK)
        caption = (
            f"{_days_better(days['r2_implied_vol_vs_random_walk'].dropna(), chosen, benchmark)} "
            "Above 0 it is better on that day, below 0 it is worse; "
            f"a value under {decimal(charts.WORST_SHOWN, 0)} is drawn there with its number."
        )
    return _picture("r2_by_day.svg", "R² by day", caption, lambda narrow: charts.r2_by_day_chart(days, narrow=narrow))


def _days_better(r2: pd.Series, chosen: str, benchmark: str) -> str:
    if (r2 == 0).all():
        return f"On each of {counted(len(r2), 'day')}, {chosen} says just what {benchmark} says."
    better, same, worse = (r2 > 0).sum(), (r2 == 0).sum(), (r2 < 0).sum()
    equal = f", just what that is on {whole(same)}" if same else ""
    return (
        f"Of {counted(len(r2), 'day')}, {chosen} is better than {benchmark} on {whole(better)}{equal} "
        f"and worse on {whole(worse)}."
    )


def _error_by_bucket(inputs: Inputs) -> Picture:
    buckets, own = inputs.error_by_bucket, None
    if buckets is not None and inputs.metrics:
        own = buckets[buckets["model"] == inputs.metrics.chosen_model]
    there = own is not None and len(own) > 0
    return _picture(
        "error_by_bucket.svg",
        "Error by delta and maturity",
        "Darker is a larger error; a dash is a bucket without quotes. Far puts are left, the money is in the middle."
        if there
        else NOTHING_JUDGED,
        lambda narrow: charts.error_by_bucket_chart(own if there else None, narrow=narrow),
    )


def _smiles(inputs: Inputs, count: int) -> Picture:
    metrics = inputs.metrics
    chosen, protocol = (metrics.chosen_model, main_protocol(metrics)) if metrics else (None, None)
    smiles = smiles_of(inputs.features, inputs.predictions, model=chosen, protocol=protocol, count=count)
    line = _line_words(chosen or "", protocol or "")
    day = inputs.features["trade_date"].max()
    return _picture(
        "smiles.svg",
        f"Smiles of {day:%Y-%m-%d}" if pd.notna(day) else "Smiles",
        _smiles_caption(smiles, line),
        lambda narrow: charts.smiles_chart(smiles, line, narrow=narrow),
    )


def _line_words(chosen: str, protocol: str) -> str:
    when = {"next_day": "fitted on the days before", "same_day": "for strikes held out of its fit"}
    return f"{model_words(chosen, protocol)}, {when.get(protocol, 'for rows held out of its fit')}"


def _smiles_caption(smiles: list[Smile], line: str) -> str:
    thinned = any(smile.quotes > len(smile.moneyness) for smile in smiles)
    evenly = " (evenly chosen where an expiration has many)" if thinned else ""
    drawn = any(len(smile.predicted_vol) for smile in smiles)
    rest = f"the line is {line}" if drawn else "there is no model's prediction of that day to draw"
    if any(len(set(smile.piece)) > 1 for smile in smiles):
        rest += f", broken where more than {counted(round(WIDEST_GAP), 'standard deviation')} has no quote"
    reach = f"{decimal(-LOWEST, 0)} standard deviations below the forward to {decimal(HIGHEST, 0)} above it"
    return (
        f"Each bar is one out-of-the-money quote, from the vol of its bid to the vol of its ask{evenly}, "
        f"{reach}; {rest}."
    )


def _waterfall(inputs: Inputs) -> Picture:
    last = inputs.validation[-1]
    rows = last.rows
    return _picture(
        "validation_waterfall.svg",
        f"What validation took out on {as_day(last.date)}",
        f"{whole(rows.raw)} raw rows, {whole(rows.quarantined)} quarantined, {whole(rows.validated)} validated.",
        lambda narrow: charts.waterfall_chart(last, narrow=narrow),
    )
