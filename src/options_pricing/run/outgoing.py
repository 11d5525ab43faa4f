"""Keep secrets out of what leaves the machine: an alert is read in places that are nobody's to guard."""

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|COOKIE|DSN|PROXY|WEBHOOK|URLS?$", re.IGNORECASE)
ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*)://[^\s\"'<>]+", re.IGNORECASE)
HOST = re.compile(r"^(?:[^/?#]*@)?([a-z0-9.-]+(?::\d+)?)", re.IGNORECASE)
ASSIGNED = re.compile(
    r"\b([\w-]*(?:key|token|secret|password|passwd|authorization|cookie))([\"']?\s*[=:]\s*[\"']?)"
    r"(?:(?:bearer|basic)\s+)?[^\s&,;\"']+",
    re.IGNORECASE,
)
# Shorter values are words like "yes" or "prod", which a text may well hold.
SHORTEST = 6


def outgoing(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """A text without the secrets that it may quote.

    The values of variables with a telling name are replaced by ``[NAME]``, as they are and as they stand in an
    address; of addresses the scheme is left, and of those of the web the host; what is assigned to a name like
    ``token`` or ``api_key`` is taken out.
    """
    for value, name in sorted(_secrets(environ), key=lambda secret: -len(secret[0])):
        text = text.replace(value, f"[{name}]")
    text = ADDRESS.sub(_without_path, text)
    return ASSIGNED.sub(r"\1\2[redacted]", text)


def _secrets(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if SECRET_NAME.search(name):
            # Several addresses may stand in one variable, and a path or a user name of one may be the secret.
            parts = [part for part in re.split(r"[\s/@:?&=,]+", value) if "." not in part and part != "localhost"]
            for secret in {value.strip(), *parts}:
                if len(secret) >= SHORTEST:
                    yield secret, name
                    yield quote(secret, safe=""), name


def _without_path(address: re.Match[str]) -> str:
    scheme = address[1].lower()
    host = HOST.match(address[0].partition("://")[2]) if scheme in ("http", "https") else None
    return f"{scheme}://{host[1] if host else ''}/..."
