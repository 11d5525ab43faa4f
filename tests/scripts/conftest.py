from tests.made_hook import hook  # noqa: F401
