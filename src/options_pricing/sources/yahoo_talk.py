"""Talking to Yahoo through yfinance, which knows its cookies and crumbs, and keeping what was answered.

yfinance takes a session of one's own. Ours keeps the answers as they came, holds them to a deadline and a size, and
sends what is meant for Yahoo's hosts to another address where one is given.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from options_pricing.run.errors import MissingInputError, UpstreamError
from options_pricing.run.params import Http
from options_pricing.sources.answers import Passing, Response
from options_pricing.sources.http import LOOPBACK

if TYPE_CHECKING:
    from curl_cffi import requests

CHAINS = "/v7/finance/options/"
YAHOO = "yahoo.com"
STOP = 0xFFFFFFFF  # what libcurl calls CURL_WRITEFUNC_ERROR
INSTALL = 'pip install "yfinance>=0.2.65"'


class YahooTalk:
    """Asks for chains, one page an expiration, each as a `Response`.

    Parameters
    ----------
    limits : Http
        The section of the parameters.
    base_url : str
        Where chains are asked for.

    Raises
    ------
    MissingInputError
        yfinance is not installed.
    """

    def __init__(self, limits: Http, base_url: str) -> None:
        try:
            import yfinance
            from curl_cffi import requests
        except ImportError as error:
            raise MissingInputError(
                "the source yahoo needs the library yfinance",
                why=f"it is an extra that is not installed here ({error.name or error})",
                fix=f"{INSTALL}, or `make run`, whose environment has it",
            ) from error
        self._requests, self._session = requests, _session(requests, limits, base_url)
        self._chain = cache(lambda ticker: yfinance.Ticker(ticker, session=self._session))

    def chain_page(self, ticker: str, codes: list[int]) -> Callable[[], Response]:
        """A function that asks for the first page of a chain, which names all expirations."""
        return lambda: self._answer(lambda: self._chain(ticker).options, codes)

    def expiration_page(self, ticker: str, expiration: str, codes: list[int]) -> Callable[[], Response]:
        """A function that asks for the page of one expiration, ``YYYY-MM-DD``."""
        return lambda: self._answer(lambda: self._chain(ticker).option_chain(expiration), codes)

    def _answer(self, ask: Callable[[], Any], codes: list[int]) -> Response:
        """What the service answered to the last page that yfinance asked for; what yfinance makes of it is not used."""
        self._session.pages.clear()
        failed: Exception | None = None
        try:
            ask()
        except UpstreamError:
            raise
        except self._requests.exceptions.CertificateVerifyError as error:
            raise UpstreamError(
                "yahoo cannot be trusted",
                why=f"its TLS certificate is not right: {error}",
                fix="check the clock and the certificates of this machine, and base_url in the parameter file",
            ) from error
        except Exception as error:  # yfinance passes on whatever an unexpected answer makes its code do
            failed = error
        codes.extend(page.status for page in self._session.pages)
        if not self._session.pages:
            raise Passing(f"no answer: {failed or 'yfinance did not ask'}") from failed
        return self._session.pages[-1]


def _session(requests: Any, limits: Http, base_url: str) -> Any:
    """A session of curl_cffi, as yfinance takes it, that keeps pages of chains in ``pages``."""
    from curl_cffi import CurlOpt

    options = {CurlOpt.NOPROXY: "*"} if urlsplit(base_url).hostname in LOOPBACK else {}

    class Session(requests.Session):
        def __init__(self) -> None:
            super().__init__(impersonate="chrome", curl_options=options)
            self.pages: list[Response] = []

        def request(self, method: str, url: str, **asked: Any) -> "requests.Response":
            of_chain = CHAINS in urlsplit(url).path
            held = bytearray()

            def take(chunk: bytes) -> int:
                held.extend(chunk)
                return len(chunk) if len(held) <= limits.largest else STOP

            asked |= {"timeout": limits.deadline, "content_callback": take}
            try:
                given = super().request(method, moved(url, base_url), **asked, **_redirects(of_chain))
            except requests.exceptions.RequestException:
                if len(held) > limits.largest:
                    raise _too_large(limits) from None
                raise
            given.content = bytes(held)
            if of_chain:
                self.pages.append(Response(given.status_code, given.headers, given.content))
            return given

    return Session()


def _redirects(of_chain: bool) -> dict[str, Any]:
    return {"allow_redirects": False} if of_chain else {"max_redirects": 5}


def moved(url: str, base_url: str) -> str:
    """The address under `base_url` of what is meant for one of Yahoo's hosts, unless that is Yahoo's own."""
    to, meant = urlsplit(base_url), urlsplit(url)
    if _of_yahoo(to.hostname) or not _of_yahoo(meant.hostname):
        return url
    return f"{base_url}{meant.path}{f'?{meant.query}' if meant.query else ''}"


def _of_yahoo(host: str | None) -> bool:
    return host is not None and (host == YAHOO or host.endswith(f".{YAHOO}"))


def _too_large(limits: Http) -> UpstreamError:
    return UpstreamError(
        "the answer of yahoo is too large",
        why=f"it has more than the {limits.largest} bytes of http.largest",
        fix="check base_url in the parameter file, or raise http.largest",
    )
