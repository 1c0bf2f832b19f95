"""How gunicorn runs this project. GUNICORN_CMD_ARGS="--timeout 120" wins over each setting here."""

import os
import runpy
{%- if cookiecutter.proxy != "none" %}
from ipaddress import ip_network
from pathlib import Path
{%- endif %}

wsgi_app = "config.wsgi"
bind = f"0.0.0.0:{os.environ['PORT']}"
# The project is loaded once and shared by the workers, memory and all.
preload_app = True
workers = os.environ.get("WEB_CONCURRENCY") or runpy.run_path("docker/app/workers.py")["workers"]()

# Workers show that they are alive by touching a file: in memory, because a disk may make them wait.
worker_tmp_dir = "/dev/shm"
control_socket_disable = True

# Seconds. On SIGTERM workers finish the requests that they have accepted.
graceful_timeout = 60

# Workers are replaced now and then, so that a small leak stays small, and not all at once.
max_requests = 2000
max_requests_jitter = 200

# Requests that wait for a worker; the kernel allows no more than net.core.somaxconn.
backlog = 1024
{%- if cookiecutter.proxy != "none" %}

# One request at a time for each worker. A request that takes longer is given up and its worker
# replaced; nginx waits a little longer, and so does compose.prod.yaml for a stop.
worker_class = "sync"
timeout = 60
client = "%({x-forwarded-for}i)s"  # as nginx says


def neighbours() -> str:
    """Return the networks of this container, where nginx is the only one that talks to it."""
    routes = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    # Addresses are in hexadecimal, the last byte first. What has a gateway is somewhere else.
    direct = [(route[1], route[7]) for route in routes if route[2] == "00000000"]
    numbers = [[int.from_bytes(bytes.fromhex(n), "little") for n in pair] for pair in direct]
    return ",".join(f"{ip_network((address, mask.bit_count()))}" for address, mask in numbers)


forwarded_allow_ips = neighbours()
{%- endif %}
{%- if cookiecutter.proxy == "none" %}

# A load balancer keeps connections open: they wait here for longer than there (60 seconds), so that
# it never sends a request into a connection that is closing.
worker_class = "gthread"
threads = 4
keepalive = 75
client = "%(h)s"  # as config/front.py found out
{%- endif %}

# The request line and a header, in bytes, and how many headers: a little more than comes through. Of
# the request line gunicorn takes no more.
limit_request_line = 8190
limit_request_field_size = 16 * 1024
limit_request_fields = 120

# Bytes; a little more than the largest body that comes through.
LARGEST_BODY = 11 * 1024**2
CHUNK = 64 * 1024

# One line of JSON for each request, on stdout; what gunicorn itself has to say is on stderr.
accesslog = "-"
access_log_format = client + ' "%(r)s" %(s)s %(B)s bytes %(M)s ms request=%({x-request-id}o)s'
logconfig_dict = {
    "formatters": {
        "generic": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{message}",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            "style": "{",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    # Not handed on to Django's handler, which would write them a second time.
    "loggers": {
        "gunicorn.access": {"level": "INFO", "handlers": ["console"], "propagate": False},
        "gunicorn.error": {"level": "INFO", "handlers": ["error_console"], "propagate": False},
    },
}


def post_request(worker, request, environ, response):
    """Read what no view has read: closing a connection on it would destroy the answer on its way."""
    for _ in range(0, LARGEST_BODY, CHUNK):
        if not request.body.read(CHUNK):
            return
