"""Errors of the API as RFC 9457 has them (``application/problem+json``)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import numpy as np
import orjson
from flask import Response

PROBLEM = "application/problem+json"


class RequestProblemError(Exception):
    """A request that cannot be answered, and what is wrong with it.

    Parameters
    ----------
    status : int
        The HTTP status, 4xx or 5xx.
    detail : str
        What is wrong, for a person.
    errors : sequence of dict
        For each wrong field its `row` (counted from 0; None for the request as a whole), `field` and `detail`.
    retry_after : int, optional
        After how many seconds it is worth asking again.
    """

    def __init__(
        self, status: int, detail: str, errors: Sequence[Mapping[str, Any]] = (), *, retry_after: int | None = None
    ) -> None:
        super().__init__(status, detail)
        self.status, self.detail, self.errors, self.retry_after = status, detail, list(errors), retry_after


def field_error(row: int | None, field: str, detail: str) -> dict[str, Any]:
    """One wrong field as it stands in `errors`; a field's name is the client's own, so it is cut short.

    JSON can name a field by half of a surrogate pair, which cannot be written again: a question mark stands for it.
    """
    return {"row": row, "field": field[:64].encode(errors="replace").decode(), "detail": detail}


def fields_refused(errors: Sequence[Mapping[str, Any]], *, status: int = 422) -> RequestProblemError:
    """A problem whose detail is the first of its wrong fields."""
    first = errors[0]
    where = "" if first["row"] is None else f"row {first['row']}, "
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return RequestProblemError(status, f"{where}{first['field']}: {first['detail']}{more}", errors)


def problem(status: int, detail: str, errors: Sequence[Mapping[str, Any]] = ()) -> Response:
    """The response that tells a problem."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "errors": list(errors)}
    return json_response(body, status=status, mimetype=PROBLEM)


def json_response(body: Mapping[str, Any], *, status: int = 200, mimetype: str = "application/json") -> Response:
    """A response of strict JSON."""
    return Response(json_bytes(body), status=status, mimetype=mimetype)


def json_bytes(body: Mapping[str, Any]) -> bytes:
    """JSON on one line; arrays as they are, and null for a number that is not finite."""
    return orjson.dumps(body, _as_list, orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def _as_list(values: Any) -> list[Any]:
    """An array of texts, which the encoder does not know."""
    if isinstance(values, np.ndarray):
        return list(values.tolist())
    raise TypeError(f"a {type(values).__name__} is not JSON")
