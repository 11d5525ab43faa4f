"""A pickle that runs code when it is loaded."""


def run(code: str) -> str:
    """Run it; the text that comes of it is no model."""
    exec(code, {})
    return "not a model"


class Harmful:
    """Its pickle runs `code`."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self):
        return run, (self.code,)
