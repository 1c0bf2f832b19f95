"""Each bake of the matrix comes up in development and in production, and keeps its rows."""

import pytest

from tests.conftest import DEVELOPMENT, PRODUCTION

pytestmark = pytest.mark.containers

SUPERUSER = ("createsuperuser", "--no-input", "--username=kept", "--email=kept@example.com")
COUNT = "from accounts.models import User; print('rows', User.objects.count())"


@pytest.fixture
def names_its_database(answers):
    return f"PostgreSQL {answers['postgresql_version']}"


def test_development_works(baked, names_its_database, stacks):
    stack = stacks(baked.path, DEVELOPMENT)
    stack.up()
    page = stack.get("/").text
    assert page.count('<p class="state">works</p>') == 3
    assert names_its_database in page
    done = stack.command("run", "--rm", "--no-TTY", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert survives_down_and_up(stack)


def test_production_works(baked, stacks):
    stack = stacks(baked.path, PRODUCTION)
    stack.up()
    assert stack.get("/readyz").text == "ready\n"
    assert "Welcome to" in stack.get("/").text
    assert survives_down_and_up(stack)


def survives_down_and_up(stack) -> bool:
    stack.manage(*SUPERUSER, DJANGO_SUPERUSER_PASSWORD="long enough")
    stack.compose("down")
    stack.up()
    return "rows 1" in stack.manage("shell", "--command", COUNT)
