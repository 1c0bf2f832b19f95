"""nginx: its configuration, and what it says about the app."""

from __future__ import annotations

import time

from ops import compose, docker
from ops.process import CommandFailed

# Its health check's address: nginx passes the request to the app.
HEALTH = "http://127.0.0.1:8081/healthz"
REQUEST = (
    "curl",
    "--fail",
    "--silent",
    "--show-error",
    "--noproxy",
    "*",
    "--max-time",
    "60",
    HEALTH,
)
TABLE = "/proc/net/unix"


class NginxFailed(Exception):
    """nginx refuses a configuration, or gets no response from the app. The text says why."""


def render(release: str) -> str:
    """Return the whole configuration of this release, which nginx has tested. Raises CommandFailed."""
    return compose.run_once(release, "nginx-config", "test")


def running_configuration(container: str) -> str:
    """Return the whole configuration that is on nginx's volume now."""
    return docker.execute(container, "nginx", "-T")


def install(release: str) -> None:
    """Put the configuration of this release on nginx's volume. nginx reads it at the next reload."""
    compose.run_once(release, "nginx-config")


def workers(container: str) -> set[str]:
    """Return the process IDs of nginx's workers."""
    command = "grep -las '^nginx: worker process' /proc/[0-9]*/cmdline || true"
    return {
        path.split("/")[2]
        for path in docker.execute(container, "sh", "-c", command).split()
    }


def reload(container: str) -> None:
    """Let nginx read its configuration again, and wait until its new workers run.

    Raises NginxFailed when it keeps the old configuration: some errors, such as another key for an
    existing limit_req_zone, appear only here.
    """
    before = workers(container)
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    docker.execute(container, "nginx", "-s", "reload")
    for _ in range(50):
        if workers(container) - before:
            return
        time.sleep(0.2)
    lines = docker.logs_since(container, since).splitlines()
    reason = next(
        (line for line in lines if "[emerg]" in line), "it started no new workers"
    )
    raise NginxFailed(f"nginx keeps its old configuration: {reason}")


def request(container: str) -> None:
    """Request /healthz from the app through nginx. Raises NginxFailed when the app does not respond."""
    try:
        docker.execute(container, *REQUEST)
    except CommandFailed as failed:
        reason = failed.output.strip() or str(failed)
        raise NginxFailed(
            f"nginx gets no response from the new version: {reason}"
        ) from failed


def read_table(container: str) -> str:
    """Return nginx's /proc/net/unix, which lists its connections to the app. Raises CommandFailed."""
    return docker.execute(container, "cat", TABLE)
