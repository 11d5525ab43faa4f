"""What a client asks, read strictly: anything doubtful is named with its row and field, nothing is guessed."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from werkzeug.datastructures import MultiDict

from options_pricing.models.columns import Columns
from options_pricing.models.listing import HIGHEST_STRIKE
from options_pricing.serving.problems import RequestProblemError, field_error, fields_refused

LARGEST_BODY = 1 << 20
MOST_ROWS = 10_000
MOST_ERRORS = 100
DEEPEST = 16
OPENING, CLOSING = np.frombuffer(b"[{", dtype=np.uint8), np.frombuffer(b"]}", dtype=np.uint8)
UNDERLYING, ROOT = r"^[A-Z0-9^._-]{1,16}$", r"^[A-Z0-9]{1,6}$"
DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{0,15})?", re.ASCII)
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _iso_date(value: object) -> date:
    if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
        raise ValueError("write it as YYYY-MM-DD")
    return date.fromisoformat(value)


IN_WORDS = {
    "extra_forbidden": "no such field",
    "missing": "is not given",
    "string_pattern_mismatch": "capital letters and digits are wanted, in an underlying also ^ . _ -",
    "too_short": "there are none",
}

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
Underlying = Annotated[str, Field(pattern=UNDERLYING)]
Root = Annotated[str, Field(pattern=ROOT)] | None
Expiration = Annotated[date, BeforeValidator(_iso_date)]
Strike = Annotated[float, Field(gt=0, le=HIGHEST_STRIKE)]
OptionType = Literal["C", "P"]


class AskedOption(BaseModel):
    """One option that a client wants priced."""

    model_config = STRICT

    underlying: Underlying
    root: Root = None
    expiration: Expiration
    strike: Strike
    option_type: OptionType = Field(validation_alias=AliasChoices("option_type", "type"))


FIELDS: dict[str, Any] = {
    "underlying": Underlying,
    "root": Root,
    "expiration": Expiration,
    "strike": Strike,
    "option_type": OptionType,
}
REQUIRED = [name for name in FIELDS if name != "root"]
_fields = {
    name: TypeAdapter[Any](kind, config=ConfigDict(strict=True, allow_inf_nan=False)) for name, kind in FIELDS.items()
}
_rows = TypeAdapter(Annotated[list[AskedOption], Field(min_length=1)])


@dataclass(frozen=True)
class Batch:
    """Options asked together, and whether they came (and are answered) column by column."""

    asked: Columns
    by_column: bool


def read_query(query: MultiDict[str, str]) -> AskedOption:
    """The option that a query string names; a `RequestProblemError` 422 names every field that is wrong."""
    fields: dict[str, Any] = given_once(query)
    # A query holds text only; `float` would also take "nan", "1_0" and digits of other scripts.
    if DECIMAL.fullmatch(fields.get("strike", "")):
        fields["strike"] = float(fields["strike"])
    try:
        return _validated([fields])[0]
    except RequestProblemError as refused:
        # A query has no rows, and `type` is the name by which it is asked for.
        named = "option_type" if "option_type" in fields else "type"
        told = [
            {**e, "row": None, "field": named if e["field"] == "option_type" else e["field"]} for e in refused.errors
        ]
        raise fields_refused(told) from refused


def given_once(query: MultiDict[str, str]) -> dict[str, str]:
    """The fields of a query, each of which may be given once."""
    repeated = [field_error(None, field, "is given more than once") for field, held in query.lists() if len(held) > 1]
    if repeated:
        raise fields_refused(repeated[:MOST_ERRORS])
    return query.to_dict()


def read_body(body: bytes) -> Batch:
    """The options of a JSON document ``{"options": [{...}, ...]}`` or ``{"columns": {"strike": [...], ...}}``.

    Raises
    ------
    RequestProblemError
        400 where it is not JSON, 413 above `MOST_ROWS` options, 422 with row and field where a value is not
        what it must be.
    """
    document = strict_json(body)
    if isinstance(document, dict) and set(document) == {"columns"} and isinstance(document["columns"], dict):
        return Batch(read_columns(document["columns"]), by_column=True)
    if not isinstance(document, dict) or set(document) != {"options"} or not isinstance(document["options"], list):
        wanted = 'send {"options": [{...}, ...]} or {"columns": {"strike": [...], ...}} and nothing else'
        raise fields_refused([field_error(None, "options", wanted)])
    require_rows(len(document["options"]))
    return Batch(as_columns(_validated(document["options"])), by_column=False)


def require_rows(count: int) -> None:
    """Refuse more options than are answered at once."""
    if count > MOST_ROWS:
        raise RequestProblemError(413, f"{count} options are asked for, at most {MOST_ROWS} at once")


def read_columns(columns: dict[str, Any]) -> Columns:
    """Options given as a list for each field; a text, a number or a list of one stands for all rows.

    Raises
    ------
    RequestProblemError
        413 above `MOST_ROWS` rows, 422 with row and field where a value is not what it must be.
    """
    if "type" in columns and "option_type" not in columns:
        columns = {"option_type" if name == "type" else name: values for name, values in columns.items()}
    wrong = [field_error(None, name, "no such field") for name in columns if name not in FIELDS]
    wrong += [field_error(None, name, "Field required") for name in REQUIRED if name not in columns]
    lists = {name: held if isinstance(held, list) else [held] for name, held in columns.items()}
    rows = max((len(held) for held in lists.values()), default=0)
    require_rows(rows)
    wrong += [
        field_error(None, name, f"has {len(held)} values, the longest field {rows}")
        for name, held in lists.items()
        if len(held) not in {1, rows} or not held
    ]
    if wrong:
        raise fields_refused(wrong[:MOST_ERRORS])
    made = {"root": np.full(rows, None), **{name: _column(name, held) for name, held in lists.items()}}
    return Columns({name: np.repeat(held, rows) if len(held) == 1 < rows else held for name, held in made.items()})


def _column(name: str, values: list[Any]) -> NDArray[Any]:
    """One column, checked as `AskedOption` checks one option; each different value once."""
    field = _fields[name]
    try:
        if name == "strike" and set(map(type, values)) <= {int, float}:
            found = np.array(values, dtype=float)
            if bool(((found > 0) & (found <= HIGHEST_STRIKE)).all()):
                return found
        elif set(map(type, values)) <= {str, type(None)}:
            checked = {value: field.validate_python(value) for value in set(values)}
            return np.array(list(map(checked.__getitem__, values)), dtype=object)
    except (ValidationError, OverflowError):  # told below, row by row
        pass
    raise fields_refused(list(islice(_wrong_values(name, field, values), MOST_ERRORS)))


def _wrong_values(name: str, field: TypeAdapter[Any], values: list[Any]) -> Iterator[dict[str, Any]]:
    for row, value in enumerate(values):
        try:
            field.validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            yield field_error(row, name, _in_words(first["type"], first["msg"]))


def strict_json(body: bytes) -> Any:
    """Parse JSON without the liberties of `json.loads`: UTF-8 only, no NaN or Infinity, no key given twice.

    Raises
    ------
    RequestProblemError
        400, with what is wrong.
    """
    if body.count(b"[") + body.count(b"{") > DEEPEST and _depth(body) > DEEPEST:
        raise RequestProblemError(400, f"the body is nested deeper than {DEEPEST} levels")
    try:
        return json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_no_repeated_key)
    except RecursionError as error:
        raise RequestProblemError(400, "the body is not usable JSON: it is nested too deep") from error
    except ValueError as error:
        raise RequestProblemError(400, f"the body is not JSON: {error}") from error


def _depth(body: bytes) -> int:
    """How deep brackets are nested, those within texts included: none that we take has any."""
    held = np.frombuffer(body, dtype=np.uint8)
    step = np.isin(held, OPENING).astype(np.int32) - np.isin(held, CLOSING)
    return int(np.cumsum(step).max(initial=0))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _no_repeated_key(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise ValueError("a key is given twice in one object")
    return held


def _validated(rows: list[Any]) -> list[AskedOption]:
    try:
        return _rows.validate_python(rows)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_ERRORS]
        raise fields_refused([_told(e["loc"], e["msg"], e["type"]) for e in found]) from error


def _told(loc: tuple[int | str, ...], message: str, kind: str) -> dict[str, Any]:
    row = loc[0] if loc and isinstance(loc[0], int) else None
    field = str(loc[1]) if len(loc) > 1 else "options"
    return field_error(row, field, _in_words(kind, message))


def _in_words(kind: str, message: str) -> str:
    return IN_WORDS.get(kind) or message.removeprefix("Value error, ")


def as_columns(options: Sequence[AskedOption]) -> Columns:
    """The asked options as a `Pricer` wants them."""
    columns = {name: np.array([getattr(option, name) for option in options], dtype=object) for name in FIELDS}
    return Columns({**columns, "strike": columns["strike"].astype(float)})
