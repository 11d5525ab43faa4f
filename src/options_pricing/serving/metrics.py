"""What Prometheus reads at ``/metrics``; all workers of one gunicorn are counted together."""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from options_pricing.serving.metrics_folder import FOLDER

CONTENT_TYPE = CONTENT_TYPE_LATEST
# From a single price to the largest batch of American options.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

REQUESTS = Counter("options_pricing_requests", "Requests answered", ["endpoint", "status"])
DURATION = Histogram("options_pricing_request_seconds", "Time until the answer was made", ["endpoint"], buckets=SECONDS)
OPTIONS = Counter("options_pricing_options_priced", "Options priced", ["endpoint"])
DATA_AGE = Gauge("options_pricing_data_age_days", "Age of the data last served", multiprocess_mode="mostrecent")
READY = Gauge("options_pricing_ready", "Workers whose release gives its golden prices", multiprocess_mode="livesum")


def exposition() -> bytes:
    """All metrics in Prometheus's text format."""
    if FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)
    return generate_latest(together)
