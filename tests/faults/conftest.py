"""Fixtures of tests that take parts of a stack away."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.helpers.faults import log_in
from tests.helpers.matrix import ROOT
from tests.helpers.stack import run

UNPACKED = Path("/run/django-docker-engine/docker.pid")


@pytest.fixture
def restart_engine(engine):
    """restart_engine() stops Docker and starts it again: about 10 s, and all containers of the machine.

    Only where nobody else needs the engine: it is one that .ci/engine unpacked, or RESTART_ENGINE=1.
    """
    labels = run("docker", "info", "--format", "{{.Labels}}").stdout
    if "django-docker.engine=unpacked" in labels:
        return restart_ours
    if os.environ.get("RESTART_ENGINE") == "1":
        return lambda: run("systemctl", "restart", "docker").check_returncode()
    pytest.skip("All containers of this machine would stop: RESTART_ENGINE=1 allows that.")


def restart_ours() -> None:
    """Do with the engine of .ci/engine what systemd does with another one."""
    pid = int(UNPACKED.read_text())
    os.kill(pid, signal.SIGTERM)
    for _ in range(300):
        if not UNPACKED.exists():
            break
        time.sleep(0.2)
    run(ROOT / ".ci/engine").check_returncode()


@pytest.fixture(scope="module")
def member(production, admin) -> dict[str, str]:
    """Logs a user of `production` in; gives the headers of a client whose forms have their token: 1 s."""
    return log_in(production, admin)
