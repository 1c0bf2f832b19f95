"""The engine that the tests use can do what projects ask of it."""

import pytest

from tests.helpers.stack import run

pytestmark = pytest.mark.containers


@pytest.mark.usefixtures("engine")
def test_a_container_can_run_an_init_as_its_first_process():
    """`init: true` in a compose file, which an owner may add to any service."""
    done = run("docker", "run", "--rm", "--init", "nginx:1.30-trixie", "cat", "/proc/1/comm")
    assert (done.returncode, done.stdout, done.stderr) == (0, "docker-init\n", "")
