"""What a server answers over HTTP: whole or cut short, usable or not, and in which words that is said."""

import time
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

from options_pricing.run.errors import UpstreamError
from options_pricing.run.files import parsed_json
from options_pricing.run.secrets import secret

T = TypeVar("T")

CHUNK = 1 << 16
SHOWN = 80


class Answer(NamedTuple, Generic[T]):
    """What a server said in the end."""

    value: T
    body: bytes
    codes: tuple[int, ...]
    """The HTTP status codes of all attempts, in their order; the last one is 200."""


class Passing(Exception):
    """A failure that may pass, so that `HttpClient` tries again; `wait` is what the server asks for, in seconds."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


class Response(NamedTuple):
    """One answer as it came, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def whole_json(body: bytes) -> Any:
    """What a JSON document holds; otherwise a `ValueError` that shows how it begins, and whether it was cut short."""
    try:
        text = body.decode("utf-8-sig")
        return parsed_json(text.encode())
    except (ValueError, RecursionError) as error:
        begun = body[:SHOWN].decode("utf-8", errors="replace")
        kind = "JSON cut short" if body.lstrip()[:1] in (b"{", b"[") else "not JSON"
        raise ValueError(f"the answer is {kind}, {len(body)} bytes that begin {safe(begun)}") from error


def safe(text: str) -> str:
    """The first 80 characters as a quoted ASCII literal, which does no harm to a terminal, a log or a page."""
    return ascii(text[:SHOWN])


def shown(url: str) -> str:
    """A URL as it may stand in a message: without user, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def retry_after(value: str | None, now: datetime) -> float:
    """Seconds that a ``Retry-After`` header asks to wait, given as seconds or as an HTTP-date (RFC 9110, 10.2.3).

    Zero where there is none, where it is past, and where it is neither.
    """
    if value is None:
        return 0.0
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds(), 0.0)


def require_success(response: Response, url: str, variable: str | None) -> None:
    """Raise unless the status is 200: `Passing` where it may pass, else `UpstreamError`."""
    status = response.status
    if status == 200:
        return
    if status in (408, 429) or status >= 500:
        wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        asks = f" and asks to wait {wait:.0f} s" if wait else ""
        raise Passing(f"it answers {status}{asks}", wait)
    if status in (401, 403) and variable:
        held = "what it holds was refused" if secret(variable) else "it is not set"
        raise UpstreamError(
            f"{shown(url)} does not let us in",
            why=f"it answers {status}, which another attempt would not change; {variable}: {held}",
            fix=f"set the environment variable {variable} to a valid token of this service",
        )
    raise UpstreamError(
        f"{shown(url)} gave no usable answer",
        why=f"it answers {status}, which another attempt would not change",
        fix="check what `source` in the parameter file asks for, and its base_url",
    )


def redirected(asked: str, at: str, location: str) -> str:
    """Where a redirect leads, if that is the same host and the same scheme, or https after http."""
    try:
        to = urljoin(at, location)
        here, there = urlsplit(at), urlsplit(to)
        same_host = here.hostname == there.hostname
    except ValueError as error:
        raise refused_redirect(asked, "it redirects to what is no address") from error
    if not same_host:
        raise refused_redirect(asked, f"it redirects to another host, {safe(str(there.hostname))}")
    if there.scheme not in ("http", "https") or (here.scheme, there.scheme) == ("https", "http"):
        raise refused_redirect(asked, f"it redirects from {here.scheme} to {safe(there.scheme)}")
    if here.scheme == there.scheme and here.port != there.port:
        raise refused_redirect(asked, f"it redirects to another port, {there.port}")
    return to


def refused_redirect(url: str, why: str) -> UpstreamError:
    """The error that says why a redirect is not followed."""
    return UpstreamError(
        f"{shown(url)} gave no usable answer",
        why=f"{why}, which is not followed",
        fix="check base_url in the parameter file against the service's own documentation",
    )


def not_trusted(url: str, error: Exception) -> UpstreamError:
    """The error that says why a server is not spoken to."""
    return UpstreamError(
        f"{shown(url)} cannot be trusted",
        why=f"its TLS certificate or protocol is not right: {innermost(error)}",
        fix="check the clock and the certificates of this machine, and base_url in the parameter file",
    )


def innermost(error: BaseException) -> str:
    """The innermost cause of a network failure, in a few words and without the query that was asked."""
    while isinstance(inner := getattr(error, "reason", None) or next(iter(error.args), None), BaseException):
        error = inner
    text = str(inner if isinstance(inner, str) else error)
    words = text.split(": ", 1)[-1] if "object at 0x" in text else text
    return f"{words[:160]}" or type(error).__name__


def in_time(chunks: Iterator[bytes], ends: float) -> Iterator[bytes]:
    """The chunks up to the deadline, so that a reader who was given up on comes to an end as well."""
    for chunk in chunks:
        if time.monotonic() > ends:
            raise Passing("no whole answer within the deadline")
        yield chunk


def unpacked(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """What a gzip stream holds, some `CHUNK` bytes at a time; `Passing` where it is cut short or damaged."""
    member, any_bytes = zlib.decompressobj(wbits=31), False
    for chunk in chunks:
        while chunk:
            any_bytes = True
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            try:
                yield member.decompress(chunk, min(CHUNK, most + 1))
            except zlib.error as error:
                raise Passing(f"the answer is damaged gzip: {error}") from error
            chunk = member.unconsumed_tail or member.unused_data
    yield member.flush()
    if any_bytes and not member.eof:
        raise Passing("the answer is gzip cut short")
