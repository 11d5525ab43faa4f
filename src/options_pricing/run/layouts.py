"""The layout of somebody else's files as parameters: which of their columns is which of ours, and in what units."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from options_pricing.run.section import Section, Share, SourceSection

ISO = "iso"
UNIX_UNITS: dict[str, Literal["s", "ms"]] = {"unix": "s", "unix_ms": "ms"}


class Given(Section):
    """Where a column of ours comes from: one of theirs, or several joined by a space, or a constant."""

    column: str | tuple[str, ...] = Field((), description="the file's column; of several the texts are joined")
    match: str = Field("", description="regular expression; its groups, joined, are what is taken of a cell")

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns that are read."""
        return (self.column,) if isinstance(self.column, str) else self.column

    @field_validator("match")
    @classmethod
    def _takes_something(cls, match: str) -> str:
        try:
            groups = re.compile(match).groups
        except re.error as error:
            raise ValueError(f"it is no regular expression: {error}") from error
        if match and not groups:
            raise ValueError("put what is taken of a cell into ( )")
        return match

    @model_validator(mode="after")
    def _from_somewhere(self) -> "Given":
        constant = getattr(self, "constant", None)
        if (constant is None) == (not self.columns):
            raise ValueError("give a column or a constant, not both")
        if constant is not None and self.match:
            raise ValueError("match looks into cells, and a constant has none")
        return self


class NumberFrom(Given):
    """A number, ``scale`` times what the file says: 0.01 for a vol in percent, 0.001 for a strike in thousandths."""

    constant: float | None = None
    scale: float = Field(1.0, gt=0)


class TextFrom(Given):
    """A text; what `values` does not name, and what does not `match`, is kept as it is for the rules to judge."""

    constant: str | None = None
    values: dict[str, str] = Field(default_factory=dict, description="the file's spelling -> ours")


class Timed(Given):
    """A date or a time as `format` spells it: as in strptime, ``iso``, ``unix`` (seconds) or ``unix_ms``."""

    format: str = ISO
    zone: str | None = Field(None, description="the time zone of the file's times, such as America/New_York")

    @field_validator("zone")
    @classmethod
    def _a_zone(cls, zone: str | None) -> str | None:
        try:
            return zone and ZoneInfo(zone).key
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no such time zone") from error


class DateFrom(Timed):
    """A day without a zone; of a time its date is taken, of a unix time that in `zone`."""

    @model_validator(mode="after")
    def _date_of_a_moment(self) -> "DateFrom":
        if self.format in UNIX_UNITS and self.zone is None:
            raise ValueError("a unix time is of one date here and of another there: say the zone")
        return self


class TradeDateFrom(DateFrom):
    """The trading day: of each row, or the greatest date for the whole file (of the last trade in it, say)."""

    greatest: bool = False


class InstantFrom(Timed):
    """A moment; what names no zone itself is taken to be in `zone`."""

    @model_validator(mode="after")
    def _a_moment(self) -> "InstantFrom":
        if self.zone is None and self.format not in UNIX_UNITS:
            raise ValueError("say the zone of these times (UTC, America/New_York)")
        return self


def _column_alone(given: object) -> object:
    return {"column": given} if isinstance(given, str | list) else given


ShortNumber: TypeAlias = Annotated[NumberFrom, BeforeValidator(_column_alone)] | None
ShortText: TypeAlias = Annotated[TextFrom, BeforeValidator(_column_alone)] | None
ShortDate: TypeAlias = Annotated[DateFrom, BeforeValidator(_column_alone)] | None
ShortTradeDate: TypeAlias = Annotated[TradeDateFrom, BeforeValidator(_column_alone)] | None
ShortInstant: TypeAlias = Annotated[InstantFrom, BeforeValidator(_column_alone)] | None


class Columns(Section):
    """Each column of the raw table that a file has; a name alone stands for ``{column: name}``.

    What is left out is null, but for the terms that a contract symbol, a root or an underlying tells.
    """

    underlying: ShortText = None
    root: ShortText = None
    contract_symbol: ShortText = None
    trade_date: ShortTradeDate = None
    expiration: ShortDate = None
    strike: ShortNumber = None
    option_type: ShortText = None
    exercise_style: ShortText = None
    settlement: ShortText = None
    multiplier: ShortNumber = None
    bid: ShortNumber = None
    ask: ShortNumber = None
    bid_size: ShortNumber = None
    ask_size: ShortNumber = None
    last_price: ShortNumber = None
    volume: ShortNumber = None
    open_interest: ShortNumber = None
    underlying_price: ShortNumber = None
    quote_time: ShortInstant = None
    last_trade_time: ShortInstant = None
    vendor_implied_vol: ShortNumber = None
    vendor_price: ShortNumber = None

    def given(self) -> Iterator[tuple[str, Given]]:
        """The columns that are not left out."""
        for name in type(self).model_fields:
            if (column := getattr(self, name)) is not None:
                yield name, column


class Layout(Section):
    """A delimited text file: how its cells are written, and what they mean."""

    separator: str = Field(",", min_length=1, max_length=1)
    skip_lines: int = Field(0, ge=0, le=1000, description="lines before the header")
    header: tuple[str, ...] = Field((), description="names of the columns of a file without a header line")
    nulls: tuple[str, ...] = Field(("", "NaN", "nan"), description="texts that stand for no value")
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    unreadable: Share = Field(0.01, description="share of a column's cells that may be no number or date; all counted")
    captured: Annotated[Timed, BeforeValidator(_column_alone)] | None = Field(
        None, description="when the file was made; the greatest quote_time where it is left out"
    )
    columns: Columns
    calls: Columns | None = Field(None, description="columns of the call where a row has a call and a put side by side")
    puts: Columns | None = Field(None, description="those of the put")

    @property
    def sides(self) -> list[Columns]:
        """The columns of an option: one entry, or the call's and the put's."""
        if self.calls is None or self.puts is None:
            return [self.columns]
        types = {"option_type": TextFrom(constant="C")}, {"option_type": TextFrom(constant="P")}
        return [
            self.columns.model_copy(update={**dict(side.given()), **option_type})
            for side, option_type in zip((self.calls, self.puts), types, strict=True)
        ]

    @property
    def wanted(self) -> list[str]:
        """The file's columns that are read, each once."""
        given = [column for side in self.sides for _, column in side.given()]
        given += [] if self.captured is None else [self.captured]
        return list(dict.fromkeys(name for column in given for name in column.columns))

    @model_validator(mode="after")
    def _separators_differ(self) -> "Layout":
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same sign")
        return self

    @model_validator(mode="after")
    def _names_contracts(self) -> "Layout":
        if (self.calls is None) != (self.puts is None):
            raise ValueError("give both calls and puts, or neither")
        for side in self.sides:
            lacking = [name for name in ("expiration", "strike", "option_type") if getattr(side, name) is None]
            if lacking and side.contract_symbol is None:
                raise ValueError(f"nothing says {', '.join(lacking)}: give the columns, or contract_symbol")
        return self


def check_pattern(pattern: str) -> str:
    """A pattern of file names below a folder, with ``{ticker}`` and ``{date:%Y%m%d}``; anything else is a ValueError.

    What may stand in braces is bounded: a pattern never leaves its folder, nor looks into an object.
    """
    try:
        fields = [(name, spec, how) for _, name, spec, how in Formatter().parse(pattern) if name is not None]
    except ValueError as error:
        raise ValueError(f"its braces do not close: {error}") from error
    wrong = [name for name, spec, how in fields if name not in ("date", "ticker") or how or "{" in (spec or "")]
    wrong += [name for name, spec, _ in fields if name == "ticker" and spec]
    if wrong:
        raise ValueError(f"{{{wrong[0]}}} is unknown: there are {{ticker}} and {{date:%Y%m%d}}")
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts or not path.name or "\0" in pattern or "**" in pattern:
        raise ValueError("name files below the folder, without .. or **")
    return pattern


def tells_days_apart(pattern: str) -> bool:
    """Whether two days never share a file of that pattern."""
    first, second = (pattern.format(date=date(2026, 11, day), ticker="") for day in (19, 20))
    return first != second


Ticker = Annotated[str, Field(pattern=r"^[A-Za-z0-9^$._=-]{1,32}$")]
ROOTS = "underlying -> root of its options, where the files do not say it"


class OptionsDxSource(SourceSection):
    """End-of-day files of OptionsDX, a month each, calls and puts side by side."""

    kind: Literal["optionsdx"]
    folder: Path = Field(description="the folder that holds the months, or one folder per download of them")
    files: Annotated[str, AfterValidator(check_pattern)] = Field(
        "*/{ticker}_eod_{date:%Y%m}.txt", description="the month's file below `folder`"
    )
    tickers: dict[Ticker, str] = Field(min_length=1, description="as the files are named -> the underlying")
    roots: dict[str, str] = Field(default_factory=dict, description=ROOTS)


class GenericSource(SourceSection):
    """Files of any vendor, their layout described here (docs/sources.md)."""

    kind: Literal["generic"]
    vendor: str = Field("generic", pattern=r"^[a-z0-9_]{1,32}$", description="what the rows' `source` says")
    folder: Path
    files: Annotated[str, AfterValidator(check_pattern)] = Field(
        description="the file of a day below `folder`: {ticker}, {date:%Y%m%d}, * for anything"
    )
    tickers: dict[Ticker, str] = Field(default_factory=dict, description="{ticker} of the files -> the underlying")
    underlyings: tuple[str, ...] = Field((), description="only these of the underlyings that the files hold")
    roots: dict[str, str] = Field(default_factory=dict, description=ROOTS)
    layout: Layout

    @model_validator(mode="after")
    def _says_what_it_holds(self) -> "GenericSource":
        if ("{ticker}" in self.files) != bool(self.tickers):
            raise ValueError("files has {ticker} where tickers are given, and only there")
        for side in self.layout.sides:
            if side.underlying is None and not self.tickers:
                raise ValueError("nothing says the underlying: give layout.columns.underlying, or tickers")
            if side.trade_date is None and not tells_days_apart(self.files):
                raise ValueError("nothing says the trading day: give layout.columns.trade_date, or {date:%Y%m%d}")
        return self
