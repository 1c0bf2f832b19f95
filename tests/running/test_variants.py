"""Each variant is built, started, used over HTTP and tested, in development and in production.

`make test ARGS="-k 'production and gunicorn and none'"` runs the variants whose names hold these words.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.helpers.matrix import ROOT, once_for_each
from tests.helpers.stack import DEVELOPMENT, PRODUCTION, run, standing

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


# The volume's path depends on the version of PostgreSQL, and on nothing else.
each_database = pytest.mark.parametrize(
    "answers", once_for_each("postgresql_version"), scope="session"
)


# The pages that a project starts with depend on this option, and on no other.
with_and_without_accounts = pytest.mark.parametrize(
    "answers", once_for_each("use_allauth"), scope="session"
)


@pytest.fixture(scope="module")
def development(baked, engine):
    """Builds and starts a variant's development stack: about 10 s for each variant."""
    with standing() as make:
        stack = make(baked.path, DEVELOPMENT)
        stack.up()
        yield stack


@pytest.fixture(scope="module")
def production(baked, engine):
    """Builds and starts a variant's production stack: about 15 s for each variant."""
    with (baked.path / ".env").open("a") as env:
        env.write(f"{LOAD_BALANCER}\n")
    with standing() as make:
        stack = make(baked.path, PRODUCTION)
        stack.up()
        yield stack


def test_development_works(development, names_its_database, sign_up):
    page = development.get("/").text
    assert page.count('<p class="state">works</p>') == 3
    assert names_its_database in page
    has_icon_and_names(development, cookie=f"{development.path.name}-csrftoken")
    assert development.get("/accounts/signup/").status_code == sign_up


@pytest.mark.parametrize("service", ["lint", "tests"])
def test_the_projects_own_checks_pass(development, service):
    done = development.command("run", "--rm", "--no-TTY", service)
    assert done.returncode == 0, done.stdout + done.stderr


@with_and_without_accounts
def test_the_pages_that_a_project_starts_with_work(development, answers):
    """They are the owner's to change, so a generated project does not contain tests of them."""
    pages = ROOT / "tests/pages"
    files = [pages / "test_home.py", pages / "test_accounts.py"]
    if answers["use_allauth"]:
        files.append(pages / "test_signup.py")
    copies = [Path(shutil.copy(file, development.path)) for file in files]
    names = [copy.name for copy in copies]
    done = development.command("run", "--rm", "--no-TTY", "tests", *names)
    for copy in copies:
        copy.unlink()
    assert done.returncode == 0, done.stdout + done.stderr


@each_database
def test_rows_of_development_survive_down_and_up(development):
    assert survives_down_and_up(development)


def test_production_works(production, sign_up):
    stack = production
    assert stack.get("/readyz").text == "ready\n"
    page = stack.get("/")
    assert (page.status_code, page.headers["x-frame-options"]) == (200, "DENY")
    assert "Welcome to" in page.text
    assert stack.get("/accounts/signup/").status_code == sign_up
    has_icon_and_names(stack, cookie=f"__Host-{stack.path.name}-csrftoken")
    assert is_kept_for_a_year(stack, re.search(r'href="(/static/site\.[^"]+)"', page.text)[1])
    # Scripts that make up the names of files find them, and ask again after each deploy.
    plain = stack.get("/static/admin/css/base.css")
    assert plain.status_code == 200
    assert plain.headers["cache-control"] in ("no-cache", "max-age=0, public")
    assert "no issues (2 silenced)" in stack.logs("release")


def test_the_image_is_lean(production, budget):
    assert size_over_base(production) <= budget


@each_database
def test_rows_of_production_survive_down_and_up(production):
    assert survives_down_and_up(production)


# The last test of a variant, because it leaves the app stopped.
def test_the_app_stops_without_an_error(production):
    production.compose("stop", "app")
    container = production.container("app")
    assert run("docker", "inspect", "--format", RESTARTS, container).stdout == "0 0\n"


def has_icon_and_names(stack, cookie: str) -> None:
    """Assert that browsers find an icon, and that the admin and its cookie have the project's name."""
    icon = stack.get("/favicon.ico")
    assert (icon.status_code, icon.content[:4]) == (200, bytes([0, 0, 1, 0]))
    login = stack.get("/admin/login/")
    assert login.status_code == 200
    assert "<title>Log in | My Site</title>" in login.text
    assert list(login.cookies) == [cookie]


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
