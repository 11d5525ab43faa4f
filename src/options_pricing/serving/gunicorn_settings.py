"""How gunicorn serves the API, whoever starts it (its ``--config python:`` names this module)."""

# Threads within a worker: a client that sends slowly holds up one of them, not the worker.
worker_class = "gthread"
threads = 4
timeout = 30
graceful_timeout = 5
keepalive = 5
# Each worker loads the model itself: a model that was used before a fork may hold dead OpenMP threads after it.
preload_app = False
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 4096
control_socket_disable = True
forwarded_allow_ips = ""
accesslog = None
errorlog = "-"
loglevel = "info"
