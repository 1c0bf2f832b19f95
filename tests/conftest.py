import socket
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.browser import chromium
from tests.matrix import CONTEXT, label, pairwise
from tests.site import Site, made_of
from tests.stack import DEVELOPMENT, PRODUCTION, Stack, run

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Project:
    """A baked project and the answers that it was baked with."""

    path: Path
    answers: dict

    def files(self) -> set[str]:
        return {str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_file()}

    def read(self, name: str) -> str:
        return (self.path / name).read_text()


def pytest_generate_tests(metafunc):
    if "answers" in metafunc.fixturenames:
        metafunc.parametrize("answers", pairwise(), ids=label, scope="session")


@pytest.hookimpl(trylast=True)  # after pytest has put together what shares a fixture
def pytest_collection_modifyitems(items):
    """Let what needs no container come first, and what asks the same bake one after the other.

    What restarts the engine comes last: development does not come back by itself.
    """
    bakes = [*map(label, pairwise())]

    def place(item) -> tuple[bool, bool, int]:
        answers = item.callspec.params.get("answers") if hasattr(item, "callspec") else None
        bake = bakes.index(label(answers)) if answers else -1
        last = "restart_engine" in getattr(item, "fixturenames", ())
        return last, item.get_closest_marker("containers") is not None, bake

    items.sort(key=place)


def _bake(cookies, **answers) -> Project:
    unknown = answers.keys() - CONTEXT.keys()
    assert not unknown, f"cookiecutter ignores unknown answers in silence: {unknown}"
    result = cookies.bake(extra_context=answers)
    assert result.exception is None, result.exception
    return Project(result.project_path, result.context)


@pytest.fixture
def bake(cookies):
    """bake(project_name="Shop") returns the baked Project."""
    return lambda **answers: _bake(cookies, **answers)


@pytest.fixture(scope="session")
def bake_once(cookies_session):
    return lambda **answers: _bake(cookies_session, **answers)


@pytest.fixture
def project(bake, answers) -> Project:
    return bake(**answers)


@pytest.fixture(scope="session")
def engine():
    try:
        found = run("docker", "info")
    except FileNotFoundError:
        pytest.fail("These tests need Docker, and there is no docker command.", pytrace=False)
    if found.returncode:
        pytest.fail(f"No Docker Engine answers: {found.stderr.strip()}", pytrace=False)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def standing():
    """Give a function that makes a Stack with ports of its own; remove all of them at the end."""
    made = []

    def make(path: Path, file: str) -> Stack:
        ports = {name: str(free_port()) for name in ("APP_PORT", "HTTP_PORT", "HTTPS_PORT")}
        made.append(Stack(path, file, ports))
        return made[-1]

    try:
        yield make
    finally:
        for stack in made:
            stack.remove()


@pytest.fixture(scope="session")
def lasting_stacks(engine):
    """lasting_stacks(path, file) returns a Stack that is removed after the last test."""
    with standing() as make:
        yield make


@pytest.fixture
def stacks(engine):
    """stacks(path, file) returns a Stack that is removed after this test."""
    with standing() as make:
        yield make


def a_slug() -> str:
    """Return a slug of its own, because Compose finds a project's containers by it."""
    return f"tried-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def baked(bake_once, answers) -> Project:
    """Each bake of the matrix once, with nothing changed, for tests that start it."""
    return bake_once(project_slug=a_slug(), **answers)


@pytest.fixture(scope="session")
def default(bake_once) -> Project:
    """The default answers, for tests of what no answer changes."""
    return bake_once(project_slug=a_slug())


@pytest.fixture(scope="session")
def development(default, lasting_stacks) -> Stack:
    stack = lasting_stacks(default.path, DEVELOPMENT)
    stack.up()
    return stack


@pytest.fixture(scope="session", params=["uwsgi", "gunicorn"])
def app_server(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def served(bake_once, app_server) -> Project:
    """The default answers but for the app server: each in turn."""
    return bake_once(project_slug=a_slug(), app_server=app_server)


@pytest.fixture(scope="session")
def production(served, engine):
    """Both app servers pass the same tests, one after the other."""
    with standing() as make:
        stack = make(served.path, PRODUCTION)
        stack.up()
        yield stack


@pytest.fixture(scope="session")
def site(bake_once, app_server, engine) -> Site:
    """A site that bin/deploy started: the default answers but for the app server."""
    with standing() as make:
        site = made_of(bake_once(project_slug=a_slug(), app_server=app_server), make)
        site.deploys()
        yield site


@pytest.fixture(scope="session")
def image(production) -> str:
    container = production.container("app")
    return run("docker", "inspect", container, "--format", "{{.Config.Image}}").stdout.strip()


@pytest.fixture
def started(image):
    """started(*options) starts the image with its own command; returns its address and its id."""
    ids = []

    def start(*options: str, port: int = 8000) -> tuple[str, str]:
        public = free_port()
        publish = ("--publish", f"127.0.0.1:{public}:{port}")
        ids.append(run("docker", "run", "--detach", *publish, *options, image).stdout.strip())
        address = f"http://127.0.0.1:{public}"
        for _ in range(100):
            time.sleep(0.2)
            try:
                httpx.get(f"{address}/healthz")
            except httpx.TransportError:
                continue
            return address, ids[-1]
        pytest.fail(run("docker", "logs", ids[-1]).stderr)

    yield start
    run("docker", "rm", "--force", *ids)


@pytest.fixture(scope="session")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def admin(production) -> str:
    """The name of production's superuser, its first user, whose password is PASSWORD."""
    production.manage(
        *("createsuperuser", "--no-input", "--username=boss", "--email=boss@example.com"),
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )
    return "boss"


@pytest.fixture
def fresh(bake) -> Project:
    """The default answers once more, for a test that changes the project or its owner."""
    return bake(project_slug=a_slug())
