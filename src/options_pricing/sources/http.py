"""One way to ask a server over HTTP: a whole answer within a deadline and a size, asked again where that may help."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from options_pricing.run.errors import UpstreamError
from options_pricing.run.params import Http
from options_pricing.run.retry import RetryPolicy, retried
from options_pricing.run.secrets import secret
from options_pricing.sources.answers import (
    CHUNK,
    SHOWN,
    Answer,
    Passing,
    Response,
    in_time,
    innermost,
    not_trusted,
    redirected,
    refused_redirect,
    require_success,
    shown,
    unpacked,
    whole_json,
)

if TYPE_CHECKING:
    import requests

T = TypeVar("T")
Tell = Callable[..., None]

AGENT = "options-pricing"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NO_PROXIES: dict[str, Any] = {"http": None, "https": None, "all": None}  # whatever the environment says
MOST_REDIRECTS = 5
# A socket's own time limit, set to what is left, may be reached just before the deadline.
CLOCKS_APART = 0.05
CONNECT_WITHIN = 10.0
TRY_LATER = "run the same command again later; earlier files are whole"


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
            require_success(response, url, self._variable)
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
            raise self._too_late() from None
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
                    at, query = redirected(url, at, response.headers["location"]), {}
        except failed.SSLError as error:
            raise not_trusted(url, error) from error
        except (failed.ConnectionError, failed.Timeout, failed.ChunkedEncodingError, HTTPError) as error:
            raise self._too_late() if time.monotonic() >= ends - CLOCKS_APART else Passing(innermost(error)) from error
        except failed.RequestException as error:
            raise UpstreamError(
                f"{shown(url)} cannot be asked", why=innermost(error), fix="correct base_url in the parameter file"
            ) from error
        raise refused_redirect(url, f"it redirects more than {MOST_REDIRECTS} times")

    def _too_late(self) -> Passing:
        return Passing(f"no whole answer within the {self._limits.deadline:g} s of http.deadline")

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
        chunks = in_time(response.raw.stream(CHUNK, decode_content=False), ends)
        body = bytearray()
        for chunk in unpacked(chunks, self._limits.largest) if packed == "gzip" else chunks:
            body += chunk
            if len(body) > self._limits.largest:
                raise UpstreamError(
                    f"the answer of {shown(url)} is too large",
                    why=f"it has more than the {self._limits.largest} bytes of http.largest",
                    fix="check base_url in the parameter file, or raise http.largest",
                )
        return bytes(body)


def _session() -> "requests.Session":
    import requests

    session = requests.Session()
    session.auth = _as_it_is  # else ~/.netrc would be read for the host
    return session


def _as_it_is(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    return request
