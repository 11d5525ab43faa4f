"""How gunicorn serves the API, whoever starts it (its ``--config python:`` names this module)."""

from typing import Any

from options_pricing.serving.keys import Keys, is_loopback
from options_pricing.serving.metrics_folder import clear_folder, make_folder

# Threads within a worker: a client that sends slowly holds up one of them, not the worker.
worker_class = "options_pricing.serving.worker.TimedThreadWorker"
threads = 32
timeout = 30
graceful_timeout = 5
keepalive = 5
backlog = 512
# Each worker loads the model itself: a model that was used before a fork may hold dead OpenMP threads after it.
preload_app = False
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 4096
control_socket_disable = True
forwarded_allow_ips = ""
# The application writes an access log of its own, without queries.
accesslog = None
errorlog = "-"
loglevel = "info"


def on_starting(server: Any) -> None:
    """Refuse to be reached by others without keys; give the workers a place where their metrics are added up."""
    if not Keys.from_environment() and not all(is_loopback(host) for host in _hosts(server)):
        raise SystemExit("options-pricing: an address that others reach needs API keys; see `options-pricing serve`")
    make_folder()


def post_worker_init(worker: Any) -> None:
    """Make a worker ready: its log, and the compiled code, which no client should wait for."""
    from options_pricing.serving.access import log_to_stderr
    from options_pricing.serving.served import compile_formulas

    log_to_stderr()
    compile_formulas()


def child_exit(server: Any, worker: Any) -> None:
    """Take a worker that has ended out of the metrics of those that live."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Leave nothing behind."""
    clear_folder()


def _hosts(server: Any) -> list[str]:
    return [str(address[0]) for address in server.cfg.address if isinstance(address, tuple)]
