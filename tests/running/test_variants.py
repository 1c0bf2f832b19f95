"""Each bake of the matrix is built, started, asked and tested, in development and in production.

pytest -k "production and gunicorn and none" runs the ones that are called so.
"""

import re

import pytest

from tests.helpers.stack import DEVELOPMENT, PRODUCTION, run

pytestmark = pytest.mark.containers

MEGABYTE = 1000**2
# What the app's image may add to its base.
LEANEST, WITH_ALLAUTH = 50 * MEGABYTE, 62 * MEGABYTE

# Whoever asks from this machine comes through Docker's own networks.
LOAD_BALANCER = "TRUSTED_PROXIES=172.16.0.0/12 192.168.0.0/16 10.0.0.0/8"

SUPERUSER = ("createsuperuser", "--no-input", "--username=kept", "--email=kept@example.com")
COUNT = "from accounts.models import User; print('rows', User.objects.count())"
RESTARTS = "{{.RestartCount}} {{.State.ExitCode}}"


@pytest.fixture
def names_its_database(answers):
    return f"PostgreSQL {answers['postgresql_version']}"


@pytest.fixture
def sign_up(answers) -> int:
    return {True: 200, False: 404}[answers["use_allauth"]]


@pytest.fixture
def budget(answers) -> int:
    return {True: WITH_ALLAUTH, False: LEANEST}[answers["use_allauth"]]


def test_development_works(baked, names_its_database, sign_up, stacks):
    stack = stacks(baked.path, DEVELOPMENT)
    stack.up()
    page = stack.get("/").text
    assert page.count('<p class="state">works</p>') == 3
    assert names_its_database in page
    assert stack.get("/accounts/signup/").status_code == sign_up
    for service in ("lint", "tests"):
        done = stack.command("run", "--rm", "--no-TTY", service)
        assert done.returncode == 0, done.stdout + done.stderr
    assert survives_down_and_up(stack)


def test_production_works(baked, budget, sign_up, stacks):
    with (baked.path / ".env").open("a") as env:
        env.write(f"{LOAD_BALANCER}\n")
    stack = stacks(baked.path, PRODUCTION)
    stack.up()
    assert stack.get("/readyz").text == "ready\n"
    page = stack.get("/")
    assert (page.status_code, page.headers["x-frame-options"]) == (200, "DENY")
    assert "Welcome to" in page.text
    assert stack.get("/accounts/signup/").status_code == sign_up
    assert stack.get("/admin/login/").status_code == 200
    assert is_kept_for_a_year(stack, re.search(r'href="(/static/site\.[^"]+)"', page.text)[1])
    assert "no issues (2 silenced)" in stack.logs("release")
    assert size_over_base(stack) <= budget
    assert survives_down_and_up(stack)
    stack.compose("stop", "app")
    assert run("docker", "inspect", "--format", RESTARTS, stack.container("app")).stdout == "0 0\n"


def survives_down_and_up(stack) -> bool:
    stack.manage(*SUPERUSER, DJANGO_SUPERUSER_PASSWORD="long enough")
    stack.compose("down")
    stack.up()
    return "rows 1" in stack.manage("shell", "--command", COUNT)


def is_kept_for_a_year(stack, path: str) -> bool:
    """Whether browsers may keep the file for a year or longer without asking again."""
    policy = stack.get(path).headers["cache-control"]
    return int(re.search(r"max-age=(\d+)", policy)[1]) >= 31536000 and "immutable" in policy


def size_over_base(stack) -> int:
    """Return how many bytes the app's image adds to the one that it starts from."""
    image = run("docker", "inspect", "--format", "{{.Image}}", stack.container("app")).stdout
    names = (image.strip(), "python:3.14-slim-trixie")
    sizes = run("docker", "image", "inspect", "--format", "{{.Size}}", *names).stdout.split()
    return int(sizes[0]) - int(sizes[1])
