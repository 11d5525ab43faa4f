"""One way to ask a server over HTTP: a whole answer within a deadline and a size, asked again where that may help."""

import random
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

from options_pricing.run.errors import UpstreamError
from options_pricing.run.files import parsed_json
from options_pricing.run.params import Http
from options_pricing.run.retry import RetryPolicy, retried
from options_pricing.run.secrets import secret

if TYPE_CHECKING:
    import requests

T = TypeVar("T")
Tell = Callable[..., None]

AGENT = "options-pricing"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NO_PROXIES: dict[str, Any] = {"http": None, "https": None, "all": None}  # whatever the environment says
MOST_REDIRECTS = 5
CONNECT_WITHIN = 10.0
CHUNK = 1 << 16
SHOWN = 80
TRY_LATER = "run the same command again later; earlier files are whole"


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


class HttpClient:
    """Asks one service, politely and within bounds.

    Parameters
    ----------
    policy : RetryPolicy
        Attempts and waits (seconds); ``Retry-After`` of the server lengthens a wait.
    limits : Http
        The section of the parameters: deadlines in seconds, sizes in bytes.
    variable : str, optional
        The environment variable that may hold a token for the service, if it knows any. It is sent as
        ``Authorization: Bearer``, over an encrypted connection or to this very machine only.
    tell : callable, optional
        Called as ``tell(event, **fields)`` before each wait, and of an unencrypted connection.
    sleep : callable, optional
        Stands in for `time.sleep`.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        limits: Http,
        *,
        variable: str | None = None,
        tell: Tell | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._policy, self._limits, self._variable = policy, limits, variable
        self._tell, self._sleep = tell or (lambda event, **fields: None), sleep
        self._session: requests.Session | None = None
        self._plain: set[str] = set()

    def json(self, url: str, params: Mapping[str, str] | None = None) -> Answer[Any]:
        """GET a JSON document; arguments and errors as in `get`."""
        return self.get(url, params, read=whole_json)

    def get(self, url: str, params: Mapping[str, str] | None = None, *, read: Callable[[bytes], T]) -> Answer[T]:
        """GET a whole answer and read it.

        Tried again: no connection, no whole answer within the deadline, status 408, 429 and 5xx, a body that is cut
        short or that `read` refuses. Not tried again: a certificate that is not right, status 401 and 403, any other
        status, a redirect to another host or out of https, a body over the limit.

        Parameters
        ----------
        url : str
            Without secrets.
        params : mapping, optional
            The query, without secrets.
        read : callable
            Makes something of the body; a `ValueError` says why it cannot.

        Raises
        ------
        UpstreamError
            There is no usable answer; the cause and the number of attempts are named.
        BadParamsError
            The service's environment variable is set and holds no usable token.
        """
        codes: list[int] = []
        return self.attempts(url, lambda: self._within_deadline(url, params or {}, codes), codes, read=read)

    def attempts(
        self, url: str, exchange: Callable[[], Response], codes: list[int], *, read: Callable[[bytes], T]
    ) -> Answer[T]:
        """Call `exchange` until it gives an answer that can be read, as often and as patiently as the policy says.

        Parameters
        ----------
        url : str
            What is asked for, for messages.
        exchange : callable
            Gives one answer, or raises `Passing`.
        codes : list of int
            To which `exchange` adds the status of every answer.
        read : callable
            As in `get`, and so are the errors.
        """
        tried = 0

        def tell(attempt: int, wait: float, error: BaseException) -> None:
            self._tell("http_retry", url=shown(url), attempt=attempt, wait_seconds=round(wait, 3), error=str(error))

        def attempt() -> Answer[T]:
            nonlocal tried
            tried += 1
            response = exchange()
            _require_success(response, url, self._variable)
            try:
                return Answer(read(response.body), response.body, tuple(codes))
            except (ValueError, RecursionError) as error:
                raise Passing(str(error)) from error

        again = retried(
            self._policy,
            on=Passing,
            tell=tell,
            sleep=self._sleep,
            at_least=lambda error: getattr(error, "wait", 0.0),
            within=self._limits.total,
            jitter=random.random,
        )
        try:
            return again(attempt)()
        except Passing as error:
            raise self._gave_up(url, tried, codes, error) from error

    def _gave_up(self, url: str, tried: int, codes: list[int], error: Passing) -> UpstreamError:
        why = f"{error}; attempts: {tried}, status of each answer: {', '.join(map(str, codes)) or 'none came'}"
        if error.wait > self._limits.total:
            why += f"; {self._limits.total:g} s is what http.total allows for all attempts"
        return UpstreamError(f"{shown(url)} gave no usable answer", why=why, fix=TRY_LATER)

    def _within_deadline(self, url: str, params: Mapping[str, str], codes: list[int]) -> Response:
        """One attempt, given up after the deadline wherever it stands: a name server or a trickle of headers too."""
        seconds = self._limits.deadline
        ends = time.monotonic() + seconds
        done: SimpleQueue[Response | BaseException] = SimpleQueue()

        def work() -> None:
            try:
                done.put(self._exchange(url, params, ends, codes))
            except BaseException as error:
                done.put(error)

        threading.Thread(target=work, daemon=True).start()
        try:
            result = done.get(timeout=seconds)
        except Empty:
            self._session = None  # the thread may still hold it
            raise Passing(f"no whole answer within the {seconds:g} s of http.deadline") from None
        if isinstance(result, BaseException):
            raise result
        return result

    def _exchange(self, url: str, params: Mapping[str, str], ends: float, codes: list[int]) -> Response:
        from requests import exceptions as failed
        from urllib3.exceptions import HTTPError

        at, query = url, params
        try:
            for _ in range(MOST_REDIRECTS + 1):
                with self._opened(at, query, ends) as response:
                    codes.append(response.status_code)
                    if not response.is_redirect:
                        return Response(response.status_code, response.headers, self._body(response, url, ends))
                    at, query = _redirected(url, at, response.headers["location"]), {}
        except failed.SSLError as error:
            raise _not_trusted(url, error) from error
        except (failed.ConnectionError, failed.Timeout, failed.ChunkedEncodingError, HTTPError) as error:
            raise Passing(_said(error)) from error
        except failed.RequestException as error:
            raise UpstreamError(
                f"{shown(url)} cannot be asked", why=_said(error), fix="correct base_url in the parameter file"
            ) from error
        raise _refused_redirect(url, f"it redirects more than {MOST_REDIRECTS} times")

    def _opened(self, url: str, params: Mapping[str, str], ends: float) -> "requests.Response":
        if self._session is None:
            self._session = _session()
        left = max(ends - time.monotonic(), 0.001)
        return self._session.get(
            url,
            params=params,
            headers=self._headers(url),
            stream=True,
            allow_redirects=False,
            timeout=(min(CONNECT_WITHIN, left), left),
            proxies=dict(NO_PROXIES) if urlsplit(url).hostname in LOOPBACK else None,
        )

    def _headers(self, url: str) -> dict[str, str]:
        headers = {"User-Agent": AGENT, "Accept-Encoding": "gzip"}
        token, place = self._variable and secret(self._variable), urlsplit(url)
        local = place.hostname in LOOPBACK
        if token and (place.scheme == "https" or local):
            headers["Authorization"] = f"Bearer {token}"
        if place.scheme == "http" and not local and place.netloc not in self._plain:
            self._plain.add(place.netloc)
            self._tell("not_encrypted", url=shown(url), token_sent=False)
        return headers

    def _body(self, response: "requests.Response", url: str, ends: float) -> bytes:
        """The body, unpacked; never more than the limit is held, however small it is packed."""
        packed = response.headers.get("Content-Encoding", "identity").strip().lower()
        if packed not in ("identity", "", "gzip"):
            raise UpstreamError(
                f"{shown(url)} gave no usable answer",
                why=f"it packs its answer as {packed[:SHOWN]!r}, though gzip was asked for",
                fix="check base_url in the parameter file",
            )
        chunks = _in_time(response.raw.stream(CHUNK, decode_content=False), ends)
        body = bytearray()
        for chunk in _unpacked(chunks, self._limits.largest) if packed == "gzip" else chunks:
            body += chunk
            if len(body) > self._limits.largest:
                raise UpstreamError(
                    f"the answer of {shown(url)} is too large",
                    why=f"it has more than the {self._limits.largest} bytes of http.largest",
                    fix="check base_url in the parameter file, or raise http.largest",
                )
        return bytes(body)


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


def _session() -> "requests.Session":
    import requests

    session = requests.Session()
    session.auth = _as_it_is  # else ~/.netrc would be read for the host
    return session


def _as_it_is(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    return request


def _require_success(response: Response, url: str, variable: str | None) -> None:
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


def _redirected(asked: str, at: str, location: str) -> str:
    """Where a redirect leads, if that is the same host and the same scheme, or https after http."""
    try:
        to = urljoin(at, location)
        here, there = urlsplit(at), urlsplit(to)
        same_host = here.hostname == there.hostname
    except ValueError as error:
        raise _refused_redirect(asked, "it redirects to what is no address") from error
    if not same_host:
        raise _refused_redirect(asked, f"it redirects to another host, {safe(str(there.hostname))}")
    if there.scheme not in ("http", "https") or (here.scheme, there.scheme) == ("https", "http"):
        raise _refused_redirect(asked, f"it redirects from {here.scheme} to {safe(there.scheme)}")
    if here.scheme == there.scheme and here.port != there.port:
        raise _refused_redirect(asked, f"it redirects to another port, {there.port}")
    return to


def _refused_redirect(url: str, why: str) -> UpstreamError:
    return UpstreamError(
        f"{shown(url)} gave no usable answer",
        why=f"{why}, which is not followed",
        fix="check base_url in the parameter file against the service's own documentation",
    )


def _not_trusted(url: str, error: Exception) -> UpstreamError:
    return UpstreamError(
        f"{shown(url)} cannot be trusted",
        why=f"its TLS certificate or protocol is not right: {_said(error)}",
        fix="check the clock and the certificates of this machine, and base_url in the parameter file",
    )


def _said(error: BaseException) -> str:
    """The innermost cause of a network failure, in a few words and without the query that was asked."""
    while isinstance(inner := getattr(error, "reason", None) or next(iter(error.args), None), BaseException):
        error = inner
    text = str(inner if isinstance(inner, str) else error)
    words = text.split(": ", 1)[-1] if "object at 0x" in text else text
    return f"{words[:160]}" or type(error).__name__


def _in_time(chunks: Iterator[bytes], ends: float) -> Iterator[bytes]:
    """The chunks up to the deadline, so that a reader who was given up on comes to an end as well."""
    for chunk in chunks:
        if time.monotonic() > ends:
            raise Passing("no whole answer within the deadline")
        yield chunk


def _unpacked(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
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
