"""A benchmark that somebody interrupts leaves nothing running, and says so."""

import signal
import subprocess
import sys
import time

import pytest

from tests.helpers.stack import run

pytestmark = pytest.mark.containers

STACKS = "label=com.docker.compose.project"


def left() -> list[str]:
    """Return the names of the benchmark's containers."""
    names = run("docker", "ps", "--all", "--filter", STACKS, "--format", "{{.Names}}").stdout
    return [name for name in names.split() if name.startswith("django-docker-benchmark")]


def test_an_interrupted_run_leaves_nothing_running(engine):
    command = (sys.executable, "-m", "benchmarks", "--quick", "--only", "starting")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said = ""
        while "round 1 of 1: production" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        for _ in range(100):
            if left():
                break
            time.sleep(0.2)
        assert left(), "no stack has started"
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("bench: interrupted; nothing is left running")
    assert left() == []
