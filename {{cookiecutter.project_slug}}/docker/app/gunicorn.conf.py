"""How gunicorn runs this project. GUNICORN_CMD_ARGS="--timeout 120" wins over each setting here."""

import gc
import os
import runpy

wsgi_app = "config.wsgi"
# The project is loaded once and shared by the workers, memory and all.
preload_app = True
workers = (
    os.environ.get("WEB_CONCURRENCY")
    or runpy.run_path("docker/app/workers.py")["workers"]()
)

# Workers show that they are alive by touching a file: in memory, because a disk may make them wait.
worker_tmp_dir = "/dev/shm"
control_socket_disable = True

# Seconds. On SIGTERM workers finish the requests that they have accepted.
graceful_timeout = 60

# Workers are replaced now and then, so that a small leak stays small, and not all at once.
max_requests = 2000
max_requests_jitter = 200
{%- if cookiecutter.proxy != "none" %}

# One request at a time for each worker. A request that takes longer is given up and its worker
# replaced; nginx waits a little longer, and so does compose.prod.yaml for a stop.
worker_class = "sync"
timeout = 60

# A Unix socket behind nginx, which gunicorn trusts to say that a request came over HTTPS.
listen = runpy.run_path("docker/app/listen.py")
bind = [listen["tcp_address"]()]
if listen["is_behind_nginx"]():
    bind.append(f"unix:{listen['own_socket']()}")
backlog = listen["backlog"]()
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}

access_level = "WARNING"  # nginx logs each request
{%- endif %}
{%- if cookiecutter.proxy == "none" %}

# A load balancer keeps connections open: they wait here for longer than there (60 seconds), so that
# it never sends a request into a connection that is closing.
worker_class = "gthread"
threads = 4
keepalive = 75

# IPv6 and IPv4; a kernel without IPv6 has no such file.
address = "[::]" if os.path.exists("/proc/net/if_inet6") else "0.0.0.0"
bind = f"{address}:{os.environ['PORT']}"
# Connections that wait for a worker; the kernel allows no more than net.core.somaxconn.
backlog = 1024

# One line of JSON for each request, on stdout. The client is the one that config/front.py found out.
accesslog = "-"
access_level = "INFO"
access_log_format = (
    '%(h)s "%(r)s" %(s)s %(B)s bytes %(M)s ms request=%({x-request-id}o)s'
)
{%- endif %}

# The request line and a header, in bytes, and how many headers: slightly above what a reverse proxy lets
# through. 8190 is gunicorn's maximum for the request line.
limit_request_line = 8190
limit_request_field_size = 16 * 1024
limit_request_fields = 120

CHUNK = 64 * 1024  # bytes

# What gunicorn itself logs is JSON, too, on stderr.
logconfig_dict = {
    "formatters": {
        "generic": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{message}",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            "style": "{",
            "rename_fields": {
                "asctime": "time",
                "levelname": "level",
                "name": "logger",
            },
        }
    },
    # Not handed on to Django's handler, which would write them a second time.
    "loggers": {
        "gunicorn.access": {
            "level": access_level,
            "handlers": ["console"],
            "propagate": False,
        },
        "gunicorn.error": {
            "level": "INFO",
            "handlers": ["error_console"],
            "propagate": False,
        },
    },
}


def when_ready(server):
    """What is loaded by now is there for good: workers, which share it, need not search it for garbage."""
    gc.freeze()


def post_request(worker, request, environ, response):
    """Read what no view has read: closing a connection on it would destroy the answer on its way."""
    from django.conf import settings  # the project is loaded by now

    for _ in range(0, settings.LARGEST_BODY, CHUNK):
        if not request.body.read(CHUNK):
            return


def post_worker_init(worker):
    """A new worker may come in place of one that was killed: delete the uploads that it left."""
    from config.leftovers import delete_leftovers

    delete_leftovers()
