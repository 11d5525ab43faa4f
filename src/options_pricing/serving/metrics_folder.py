"""Where the workers of one gunicorn keep their metrics, by the name that Prometheus's client reads on import."""

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
