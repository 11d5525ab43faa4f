"""Secrets, read from the environment and from nowhere else."""

import os

from options_pricing.run.errors import BadParamsError


def secret(variable: str) -> str | None:
    """The secret that an environment variable holds, or None where it is not set.

    Raises
    ------
    BadParamsError
        It is set and cannot be one: empty, or with a line break or another character that no header may carry. The
        message names the variable and never what it holds.
    """
    held = os.environ.get(variable)
    if held is None:
        return None
    if not held or not held.isascii() or not held.isprintable() or held != held.strip():
        raise BadParamsError(
            f"the environment variable {variable} does not hold a usable secret",
            why="it is empty, or has a blank at an end, a line break or a character that is not plain ASCII",
            fix=f"set {variable} to the bare secret, or unset it where none is needed",
        )
    return held
