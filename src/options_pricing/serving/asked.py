"""What a client asks, read strictly: anything doubtful is named with its row and field, nothing is guessed."""

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from werkzeug.datastructures import MultiDict

from options_pricing.models.listing import HIGHEST_STRIKE
from options_pricing.serving.problems import RequestProblemError, field_error, fields_refused

LARGEST_BODY = 1 << 20
MOST_ROWS = 10_000
MOST_ERRORS = 100
DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{0,15})?", re.ASCII)
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _iso_date(value: object) -> date:
    if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
        raise ValueError("write it as YYYY-MM-DD")
    return date.fromisoformat(value)


class AskedOption(BaseModel):
    """One option that a client wants priced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    underlying: str = Field(pattern=r"^[A-Z0-9^._-]{1,16}$")
    root: str | None = Field(None, pattern=r"^[A-Z0-9]{1,6}$")
    expiration: Annotated[date, BeforeValidator(_iso_date)]
    strike: float = Field(gt=0, le=HIGHEST_STRIKE)
    option_type: Literal["C", "P"] = Field(validation_alias=AliasChoices("option_type", "type"))


_rows = TypeAdapter(Annotated[list[AskedOption], Field(min_length=1)])


def read_query(query: MultiDict[str, str]) -> AskedOption:
    """The option that a query string names; a `RequestProblemError` 422 names every field that is wrong."""
    repeated = [field_error(0, field, "is given more than once") for field, held in query.lists() if len(held) > 1]
    if repeated:
        raise fields_refused(repeated)
    fields: dict[str, Any] = query.to_dict()
    # A query holds text only; `float` would also take "nan", "1_0" and digits of other scripts.
    if DECIMAL.fullmatch(fields.get("strike", "")):
        fields["strike"] = float(fields["strike"])
    return _validated([fields])[0]


def read_body(body: bytes) -> list[AskedOption]:
    """The options of a JSON document ``{"options": [{...}, ...]}``.

    Raises
    ------
    RequestProblemError
        400 where it is not JSON, 413 above `MOST_ROWS` options, 422 with row and field where a value is not
        what it must be.
    """
    document = strict_json(body)
    if not isinstance(document, dict) or set(document) != {"options"} or not isinstance(document["options"], list):
        raise fields_refused([field_error(None, "options", 'send {"options": [{...}, ...]} and nothing else')])
    if len(document["options"]) > MOST_ROWS:
        raise RequestProblemError(413, f"{len(document['options'])} options are asked for, at most {MOST_ROWS} at once")
    return _validated(document["options"])


def strict_json(body: bytes) -> Any:
    """Parse JSON without the liberties of `json.loads`: UTF-8 only, no NaN or Infinity, no key given twice.

    Raises
    ------
    RequestProblemError
        400, with what is wrong.
    """
    try:
        return json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_no_repeated_key)
    except RecursionError as error:
        raise RequestProblemError(400, "the body is not usable JSON: it is nested too deep") from error
    except ValueError as error:
        raise RequestProblemError(400, f"the body is not JSON: {error}") from error


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
    return field_error(
        row, field, "no such field" if kind == "extra_forbidden" else message.removeprefix("Value error, ")
    )


def as_frame(options: Sequence[AskedOption]) -> pd.DataFrame:
    """The asked options as `PricingModel.price_options` wants them."""
    frame = pd.DataFrame([option.model_dump() for option in options])
    frame["expiration"] = pd.to_datetime(frame["expiration"].astype(str)).astype("datetime64[s]")
    return frame
