"""The signature of a release: an HMAC-SHA256 of its manifest, by a key that lies outside the project.

The manifest names the SHA-256 of every other file, so its signature stands for the whole release. The key is text of at
least 32 characters in the variable OPTIONS_PRICING_RELEASE_KEY, or in the file that OPTIONS_PRICING_RELEASE_KEY_FILE
names. Who has it can sign; it appears in no output, log or message.
"""

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from options_pricing.run.errors import BadParamsError
from options_pricing.run.files import parsed_json
from options_pricing.run.secrets import secret

SIGNATURE_FILE = "signature.json"
KEY = "OPTIONS_PRICING_RELEASE_KEY"
KEY_FILE = "OPTIONS_PRICING_RELEASE_KEY_FILE"
SHORTEST_KEY = 32
LARGEST_KEY = 4096
MAKE_A_KEY = "make one with `openssl rand -hex 32`"

State = Literal["unsigned", "signed", "signed, not verified here"]


class Signature(BaseModel):
    """``signature.json``; an unsigned release has one too, which says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scheme: Literal["hmac-sha256", "unsigned"]
    key_id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")] | None
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None


class WrongSignatureError(Exception):
    """What a signature file says does not let its release be used here; the text says why."""


def release_key() -> bytes | None:
    """The key of this machine, or None where it has none.

    Raises
    ------
    BadParamsError
        Both variables are set, or what one of them gives cannot be a key. What it holds is not said.
    """
    text, file = secret(KEY), os.environ.get(KEY_FILE)
    if text is not None and file is not None:
        raise BadParamsError(
            f"{KEY} and {KEY_FILE} are both set", why="a release has one key", fix="unset one of the two"
        )
    if file is not None:
        text = _key_in(Path(file))
    if text is not None and len(text) < SHORTEST_KEY:
        raise BadParamsError(
            f"the key in {KEY if file is None else KEY_FILE} is too short",
            why=f"it has {len(text)} characters, at least {SHORTEST_KEY} are needed",
            fix=MAKE_A_KEY,
        )
    return None if text is None else text.encode()


def _key_in(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            text = handle.read(LARGEST_KEY + 1).decode("ascii").rstrip("\r\n")
    except OSError as error:
        why = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        why = "it holds something else than plain ASCII"
    else:
        if text.isprintable() and text == text.strip() and len(text) <= LARGEST_KEY:
            return text
        why = f"it is not one line of at most {LARGEST_KEY} printable characters"
    # Without the cause: the text of a decoding error holds the bytes.
    raise BadParamsError(f"the file that {KEY_FILE} names gives no key", why=why, fix=MAKE_A_KEY) from None


def key_id(key: bytes) -> str:
    """A name for a key, which tells nothing of it."""
    return hmac.new(key, b"options-pricing key id", hashlib.sha256).hexdigest()[:12]


def sign(manifest: bytes, key: bytes | None) -> Signature:
    """The signature of a manifest as it stands on disk; without a key the one that says unsigned."""
    if key is None:
        return Signature(scheme="unsigned", key_id=None, signature=None)
    signed = hmac.new(key, manifest, hashlib.sha256).hexdigest()
    return Signature(scheme="hmac-sha256", key_id=key_id(key), signature=signed)


def signature_bytes(signature: Signature) -> bytes:
    """``signature.json`` as it stands on disk."""
    return (json.dumps(signature.model_dump(), indent=2) + "\n").encode()


def check_signature(content: bytes, manifest: bytes, key: bytes | None) -> State:
    """What is known of who made a manifest.

    Parameters
    ----------
    content : bytes
        Of ``signature.json``.
    manifest : bytes
        Of ``manifest.json``.
    key : bytes, optional
        The key of this machine. Only with it anything is verified; then nothing but its own signature will do.

    Raises
    ------
    WrongSignatureError
        It is no signature file, or there is a key and the signature is not its.
    """
    try:
        told = Signature.model_validate(parsed_json(content))
    except (ValidationError, ValueError, RecursionError) as error:
        raise WrongSignatureError("it is no signature file") from error
    if signature_bytes(told) != content or (told.scheme == "unsigned") != (told.signature is None):
        raise WrongSignatureError("it is not written as model_deploy writes it")
    if key is None:
        return "unsigned" if told.scheme == "unsigned" else "signed, not verified here"
    if told.scheme == "unsigned":
        raise WrongSignatureError("the release is unsigned, and this machine has a key")
    if told.key_id != key_id(key):
        raise WrongSignatureError(f"it was signed with the key {told.key_id}, this machine has {key_id(key)}")
    if not hmac.compare_digest(signature_bytes(sign(manifest, key)), content):
        raise WrongSignatureError("the manifest is not the one that was signed")
    return "signed"
