"""The risk-free curve of a day: one flat rate, or US Treasury par yields from a file or from the Treasury itself."""

import csv
import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from options_pricing.quotes.schema import RATES
from options_pricing.quotes.tables import conform, require_text
from options_pricing.run.calendar import parse_day
from options_pricing.run.errors import BadDataError, UpstreamError
from options_pricing.run.files import read_bytes
from options_pricing.sources.answers import SHOWN, safe
from options_pricing.sources.http import HttpClient
from options_pricing.sources.payloads import Payload, PayloadStore

PATH = "resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/{year}/all"
WIDE = re.compile(r"(?P<number>\d+(\.\d+)?) ?(?P<unit>Mo|Month|Yr|Year)s?", re.ASCII)
FRED = re.compile(r"DGS(?P<number>\d+)(?P<unit>MO)?", re.ASCII)
NOT_GIVEN = frozenset({"", ".", "N/A"})
MONTHS_A_YEAR = 12
PERCENT = 100
GET_AGAIN = "get the file again, or point `rates` in the parameter file at another one"

Told = Callable[..., None]


@dataclass(frozen=True)
class Curve:
    """Par yields that held on a day: those of `published`, that day or the newest before it.

    `yields` has the maturity in years and the yield as a decimal per year, semi-annual bond equivalent.
    """

    published: date
    yields: tuple[tuple[float, float], ...]

    def table(self, source: str) -> pd.DataFrame:
        """The curve as the table `RATES`."""
        years, yields = zip(*self.yields, strict=True)
        made = {"maturity_years": years, "par_yield": yields, "curve_date": pd.Timestamp(self.published)}
        return conform(pd.DataFrame(made).assign(source=source), RATES)


class RateSource(Protocol):
    """Where risk-free curves come from."""

    name: str
    live: bool

    def rates(self, day: str) -> pd.DataFrame:
        """The newest curve (table `RATES`) on or before `day`, never one after it."""


class FlatRate:
    """One continuous rate for all times, as the par yield that says the same.

    Between and beyond its nodes a bootstrapped curve has constant forward rates, so that one bond of a year, with
    ``y = 2 (exp(r / 2) - 1)``, makes it flat at r.
    """

    name = "flat"
    live = False

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def rates(self, day: str) -> pd.DataFrame:
        """The one node."""
        return Curve(parse_day(day).date(), ((1.0, 2 * math.expm1(self._rate / 2)),)).table(self.name)


class TreasuryCsv:
    """Par yields in a file: the Treasury's table (``1 Mo`` to ``30 Yr``) or FRED's series (``DGS3MO``, ``DGS2``)."""

    name = "treasury_csv"
    live = False

    def __init__(self, file: Path) -> None:
        self._file = Path(file)

    def rates(self, day: str) -> pd.DataFrame:
        """The newest curve of the file on or before `day`.

        Raises
        ------
        MissingInputError
            The file is not there.
        BadDataError
            It is no such table.
        UpstreamError
            It has no curve that old.
        """
        content = read_bytes(self._file)
        require_text(content, self._file, fix=GET_AGAIN)
        try:
            curve = newest_curve(content.decode("utf-8-sig"), parse_day(day).date())
        except ValueError as error:
            raise BadDataError(f"{self._file} is no table of par yields", why=str(error), fix=GET_AGAIN) from error
        if curve is None:
            raise _no_curve(str(self._file), day)
        return curve.table(self.name)


class Treasury:
    """Par yields from the Treasury's site, a CSV for each year.

    Parameters
    ----------
    client : HttpClient
    store : PayloadStore
        Where its answers are kept by trading day.
    base_url : str
    tell : callable, optional
        Called as ``tell(event, **fields)`` when the site fails and an earlier answer stands in for it.
    """

    name = "treasury"
    live = True

    def __init__(self, client: HttpClient, store: PayloadStore, base_url: str, tell: Told | None = None) -> None:
        self._client, self._store, self._base_url = client, store, base_url
        self._tell = tell or (lambda event, **fields: None)

    def rates(self, day: str) -> pd.DataFrame:
        """The newest curve on or before `day`: from a kept answer, from the site, else from an earlier kept answer.

        Raises
        ------
        UpstreamError
            There is none, or the site does not answer and nothing earlier is kept.
        """
        request = {"source": self.name, "day": day}
        payloads = self._store.read(request)
        if payloads is None:
            try:
                payloads = self._download(day)
                self._store.keep(request, payloads)
            except UpstreamError as error:
                payloads = self._earlier(request, error)
        curve = _newest(payloads, parse_day(day).date())
        if curve is None:
            raise _no_curve(self._base_url, day)
        return curve.table(self.name)

    def _download(self, day: str) -> list[Payload]:
        """The year's table; where it has nothing yet on or before `day`, that of the year before as well."""
        at = parse_day(day).date()
        payloads = [self._ask(at.year)]
        return payloads if _newest(payloads, at) else [*payloads, self._ask(at.year - 1)]

    def _ask(self, year: int) -> Payload:
        url = f"{self._base_url}/{PATH.format(year=year)}"
        query = {"type": "daily_treasury_yield_curve", "field_tdr_date_value": str(year), "_format": "csv"}
        answer = self._client.get(url, query, read=_checked)
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return Payload(f"{url}?{asked}", answer.codes, answer.body)

    def _earlier(self, request: dict[str, Any], error: UpstreamError) -> list[Payload]:
        earlier = [day for day in self._store.days(request) if day < request["day"]]
        kept = self._store.read(request | {"day": earlier[-1]}) if earlier else None
        if kept is None:
            raise error
        self._tell("rates_of_an_earlier_day", fetched=earlier[-1], reason=error.what)
        return kept


def newest_curve(text: str, day: date) -> Curve | None:
    """The newest curve on or before `day` in a table of par yields; None where there is none.

    Parameters
    ----------
    text : str
        CSV: a date (ISO or MM/DD/YYYY) in the first column, yields in percent per year in those whose head names a
        maturity. Empty, ``.`` and ``N/A`` are no yield; a row without any is passed over.
    day : date

    Raises
    ------
    ValueError
        It is no such table; the words say where.
    """
    try:
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    maturities = _maturities(rows[0] if rows else [])
    found = None
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != len(rows[0]):
            raise ValueError(f"line {number} has {len(row)} fields, its head {len(rows[0])}")
        published = _date(row[0], number)
        if published <= day and (found is None or published > found.published):
            given = tuple(
                (years, _percent(row[place], number)) for place, years in maturities.items() if _given(row[place])
            )
            found = Curve(published, tuple(sorted(given))) if given else found
    return found


def _maturities(head: list[str]) -> dict[int, float]:
    """The columns that hold yields, with their maturity in years."""
    found = {}
    for place, name in enumerate(head):
        match = WIDE.fullmatch(name.strip()) or FRED.fullmatch(name.strip())
        if match:
            months = (match["unit"] or "Yr").lower().startswith("mo")
            found[place] = float(match["number"]) / (MONTHS_A_YEAR if months else 1)
    if not found or 0 in found or len(set(found.values())) < len(found):
        raise ValueError(f"its head names no maturities, or one twice: {safe(','.join(head))}")
    return found


def _given(text: str) -> bool:
    return text.strip() not in NOT_GIVEN


def _percent(text: str, number: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -PERCENT < value < PERCENT:
        raise ValueError(f"line {number} has {safe(text)} for a yield in percent")
    return value / PERCENT


def _date(text: str, number: int) -> date:
    for layout in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return datetime.strptime(text.strip(), layout).date()
        except ValueError:
            continue
    raise ValueError(f"line {number} begins with {safe(text)}, which is no date")


def _checked(body: bytes) -> None:
    """Refuse an answer that is no table of par yields, or one cut short."""
    try:
        text = body.decode("utf-8-sig")
        newest_curve(text, date.max)
    except ValueError as error:
        begun = safe(body[:SHOWN].decode("utf-8", errors="replace"))
        raise ValueError(f"the answer is no table of par yields: {error}; it begins {begun}") from error


def _newest(payloads: list[Payload], day: date) -> Curve | None:
    curves = [newest_curve(payload.body.decode("utf-8-sig"), day) for payload in payloads]
    return max((curve for curve in curves if curve), key=lambda curve: curve.published, default=None)


def _no_curve(place: str, day: str) -> UpstreamError:
    return UpstreamError(
        f"{place} has no par yields of {day} or before",
        why="a curve of a later day would tell of the future",
        fix="point `rates` in the parameter file at a table that reaches back far enough, or use kind: flat",
    )
