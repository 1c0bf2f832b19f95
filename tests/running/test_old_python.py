"""The commands on a server, with the oldest Python that they run on: 3.9, as in Debian bullseye."""

import pytest

from tests.helpers.project import a_slug
from tests.helpers.stack import run

pytestmark = pytest.mark.containers

DOCKERFILE = """
FROM debian:bullseye-slim
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pytest
"""


@pytest.fixture(scope="module")
def old_python(engine):
    """An image with Python 3.9 and pytest; about 30 seconds."""
    name = a_slug()
    built = run("docker", "build", "--quiet", "--tag", name, "-", input=DOCKERFILE)
    assert built.returncode == 0, built.stderr
    yield name
    run("docker", "image", "rm", "--force", name)


def in_project(image: str, project, *command: str):
    """Run a command in the project's folder, which the container cannot write to."""
    mount = f"--volume={project.path}:/app:ro"
    return run(
        "docker", "run", "--rm", mount, "--workdir=/app", "--env=PYTHONPATH=/app", image, *command
    )


def test_the_unit_tests_of_ops_pass(old_python, default):
    tests = sorted(
        str(path.relative_to(default.path)) for path in default.path.glob("tests/test_ops_*")
    )
    options = ("-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=/app", "-q")
    done = in_project(old_python, default, "python3", "-B", "-m", "pytest", *options, *tests)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(tests) >= 4
    assert " passed" in done.stdout


@pytest.mark.parametrize("command", ["deploy", "doctor", "logs"])
def test_each_command_prints_its_help(old_python, default, command):
    done = in_project(old_python, default, f"bin/{command}", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: bin/{command}" in done.stdout


def test_without_python_a_command_says_so_in_one_sentence(default):
    done = in_project("debian:bullseye-slim", default, "bin/deploy", "--list")
    assert done.returncode == 1
    assert done.stderr.startswith("bin/deploy needs Python 3.9 or newer")
    assert done.stderr.count("\n") == 1
