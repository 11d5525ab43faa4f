"""A release in use: ``serve``, ``keys`` and ``replay``."""

import argparse
import sys
from pathlib import Path

from options_pricing.run.checkout import is_checkout, require_checkout
from options_pricing.run.errors import ExitCode, MissingInputError

RELEASES = Path("releases")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    serve = commands.add_parser("serve", help="serve a release: the API, or with --app the app")
    serve.add_argument(
        "--release",
        type=Path,
        default=RELEASES,
        help="the folder of a release, or of releases: then what is live there is followed, and where nothing is live "
        "the staged one is served (default: %(default)s)",
    )
    serve.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (default: %(default)s, this machine alone; with 0.0.0.0 every machine that "
        "reaches this one may ask: the API then requires keys, see `keys`, and the app is without a password)",
    )
    serve.add_argument("--port", type=_port, help="the port to listen on (default: 8000 for the API, 8501 for the app)")
    serve.add_argument("--app", action="store_true", help="the Streamlit app instead of the API")
    serve.set_defaults(do=_serve)

    keys = commands.add_parser("keys", help="API keys")
    keys.add_argument(
        "action", choices=["new"], help="new: print a key, once, and the entry by which a server knows it"
    )
    keys.add_argument("name", help="who gets it (letters, digits, _ and -); two keys of one name are valid at once")
    keys.set_defaults(do=_keys)

    again = commands.add_parser("replay", help="give an answer of the API again, bit for bit, from its receipt")
    again.add_argument("receipt", help="as the answer had it; @FILE reads it from a file, - from standard input")
    again.add_argument("--releases", type=Path, default=RELEASES, help="where releases are kept (default: %(default)s)")
    again.set_defaults(do=_replay)


def _serve(args: argparse.Namespace) -> int:
    from options_pricing.release.approvals import NOTHING_STAGED, STAGE
    from options_pricing.serving.commands import serve_api, serve_app

    if not args.release.exists():
        if args.release == RELEASES:
            require_checkout(Path())
            raise MissingInputError(NOTHING_STAGED, why=f"there is no folder {args.release}", fix=STAGE)
        raise MissingInputError(
            f"there is no folder {args.release}",
            why="--release names the folder of a release, or of releases",
            fix="check the path, or leave --release out to serve what is live here",
        )
    if args.app:
        checkout = Path() if is_checkout(Path()) else None
        return serve_app(args.release, args.host, args.port or 8501, checkout=checkout)
    return serve_api(args.release, args.host, args.port or 8000)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: they go from 1 to 65535")
    return int(text)


def _receipt_in(file: Path) -> str:
    from options_pricing.run.files import read_bytes

    if not file.is_file():
        raise MissingInputError(
            f"there is no file {file}",
            why="the receipt was to be read from it",
            fix="check the path; a receipt itself is given without @",
        )
    return read_bytes(file).decode(errors="replace")


def _keys(args: argparse.Namespace) -> int:
    from options_pricing.serving.keys import FILE_VARIABLE, VARIABLE, entry_of, new_key

    key = new_key()
    entry = entry_of(args.name, key)
    print(f"the key, which is shown this once: {key}")
    print(f"its entry in {VARIABLE}, or in the file that {FILE_VARIABLE} names: {entry}")
    return ExitCode.OK


def _replay(args: argparse.Namespace) -> int:
    from options_pricing.serving.replay import replay

    text = args.receipt
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        text = _receipt_in(Path(text[1:]))
    sys.stdout.buffer.write(replay(args.releases, text.strip()))
    sys.stdout.buffer.flush()
    return ExitCode.OK
