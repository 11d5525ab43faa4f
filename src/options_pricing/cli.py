"""What a person does beside the workflow: ``options-pricing status``, ``serve``, ``today`` and others."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from options_pricing.commands import daily, governance, promotion, releases, serving
from options_pricing.run.errors import TaskError
from options_pricing.run.leaving import BROKEN_PIPE, leave


def parser() -> argparse.ArgumentParser:
    """The command line; each module of `options_pricing.commands` adds its own."""
    top = argparse.ArgumentParser(prog="options-pricing", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for module in (releases, governance, promotion, serving, daily):
        module.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what a person can mend ends in a few lines and the exit code of its class."""
    args = parser().parse_args(argv)
    try:
        return int(args.do(args))
    except TaskError as error:
        print(f"options-pricing {args.command}: {error}", file=sys.stderr)
        return error.exit_code


def run() -> NoReturn:
    """The command of the installed package."""
    try:
        leave(main())
    except BrokenPipeError:  # Who reads what is printed has seen enough.
        leave(BROKEN_PIPE)
    except SystemExit as told:  # argparse ends so, after its help and after a wrong word.
        leave(int(told.code or 0))


if __name__ == "__main__":
    run()
