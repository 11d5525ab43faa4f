"""A release in use: ``serve``."""

import argparse
from pathlib import Path

from options_pricing.run.checkout import require_checkout


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    serve = commands.add_parser("serve", help="serve a release: the API, or with --app the app")
    serve.add_argument(
        "--release",
        type=Path,
        default=Path("releases"),
        help="the folder of a release, or of releases: then what is live there is followed, and where nothing is live "
        "the staged one is served (default: %(default)s)",
    )
    serve.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (default: %(default)s, this machine alone; 0.0.0.0: every machine that reaches "
        "it, without a password)",
    )
    serve.add_argument("--port", type=int, help="the port to listen on (default: 8000 for the API, 8501 for the app)")
    serve.add_argument("--app", action="store_true", help="the Streamlit app instead of the API")
    serve.set_defaults(do=_serve)


def _serve(args: argparse.Namespace) -> int:
    from options_pricing.serving.commands import serve_api, serve_app

    if not args.release.is_absolute() and not args.release.exists():
        require_checkout(Path())
    serve = serve_app if args.app else serve_api
    return serve(args.release, args.host, args.port or (8501 if args.app else 8000))
