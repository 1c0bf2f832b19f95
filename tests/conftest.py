import time

import httpx
import pytest

from tests.helpers import shards
from tests.helpers.browser import chromium
from tests.helpers.login import PASSWORD, forget_failures
from tests.helpers.matrix import CONTEXT, label, pairwise
from tests.helpers.project import Project, a_slug
from tests.helpers.scheduling import GroupScheduling
from tests.helpers.site import Site, made_of
from tests.helpers.stack import DEVELOPMENT, PRODUCTION, Stack, free_port, run, standing
from tests.helpers.which_shard import parse

exhaustive = pytest.mark.exhaustive

# They run inside of generated projects: tests/running/test_variants.py, tests/running/test_ordinary_django.py.
collect_ignore = ["apps", "pages"]


def pytest_addoption(parser):
    parser.addoption("--shard", default="1/1", help="run one shard of the tests, such as 2/5")


def pytest_configure(config):
    try:
        parse(config.option.shard)
    except ValueError as refusal:
        raise pytest.UsageError(str(refusal)) from None


def pytest_generate_tests(metafunc):
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "answers" in metafunc.fixturenames and "answers" not in named:
        metafunc.parametrize("answers", pairwise(), ids=label, scope="session")


def pytest_xdist_make_scheduler(config, log):
    """Schedule by our own groups; xdist 3.8 ignores its marker xdist_group under pytest 9.2."""
    if config.option.dist == "loadgroup":
        return GroupScheduling(config, log)
    return None


@pytest.hookimpl(trylast=True)  # after -m and -k have left tests out
def pytest_collection_modifyitems(config, items):
    """Keep the tests of this shard, and sort them: long groups first, gunicorn after uWSGI.

    Each app server's stack is started once then. Tests that restart the engine come last, because
    development stacks do not restart with it.
    """
    chosen = shards.choose(items, config.option.shard)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    totals = shards.totals(chosen)

    def place(item) -> tuple[bool, bool, float, str]:
        name = shards.group(item.nodeid)
        restarts = "restart_engine" in item.fixturenames
        return restarts, name.endswith(" gunicorn"), -totals[name], name

    items[:] = sorted(chosen, key=place)


def pytest_sessionfinish(session, exitstatus):
    """A shard without a test is no failure: there may be more shards than groups."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.option.shard != "1/1":
        session.exitstatus = pytest.ExitCode.OK


def _bake(cookies, **answers) -> Project:
    unknown = answers.keys() - CONTEXT.keys()
    assert not unknown, f"cookiecutter ignores unknown answers in silence: {unknown}"
    result = cookies.bake(extra_context=answers)
    assert result.exception is None, result.exception
    return Project(result.project_path, result.context)


@pytest.fixture
def bake(cookies):
    """bake(project_name="Shop") generates a project, which is removed after the test: 0.3 s each."""
    return lambda **answers: _bake(cookies, **answers)


@pytest.fixture(scope="session")
def bake_once(cookies_session):
    """bake_once(ci="none") generates a project that lasts until the end of the run: 0.3 s each."""
    return lambda **answers: _bake(cookies_session, **answers)


@pytest.fixture
def project(bake, answers) -> Project:
    """Generates the project of a variant, for a test that changes it: 0.3 s for each test."""
    return bake(**answers)


@pytest.fixture(scope="session")
def engine():
    """Fails where no Docker Engine responds; starts nothing: 0.1 s."""
    try:
        found = run("docker", "info")
    except FileNotFoundError:
        pytest.fail("These tests need Docker, and there is no docker command.", pytrace=False)
    if found.returncode:
        pytest.fail(f"No Docker Engine answers: {found.stderr.strip()}", pytrace=False)


@pytest.fixture(scope="session")
def lasting_stacks(engine):
    """lasting_stacks(path, file) returns a Stack that is removed after the last test.

    Starts nothing by itself; removing a stack takes about 5 s.
    """
    with standing() as make:
        yield make


@pytest.fixture
def stacks(engine):
    """stacks(path, file) returns a Stack that is removed after this test.

    Starts nothing by itself; removing a stack takes about 5 s.
    """
    with standing() as make:
        yield make


@pytest.fixture(scope="session")
def baked(bake_once, answers) -> Project:
    """Generates each variant once, for tests that do not change it: 0.3 s for each variant."""
    return bake_once(project_slug=a_slug(), **answers)


@pytest.fixture(scope="session")
def default(bake_once) -> Project:
    """Generates the default project once, for tests of what no option changes: 0.3 s."""
    return bake_once(project_slug=a_slug())


@pytest.fixture(scope="session")
def development(default, lasting_stacks) -> Stack:
    """Builds and starts the default project's development stack, for all tests: about 20 s."""
    stack = lasting_stacks(default.path, DEVELOPMENT)
    stack.up()
    return stack


@pytest.fixture(scope="session", params=["uwsgi", pytest.param("gunicorn", marks=exhaustive)])
def app_server(request) -> str:
    """Runs a test with uWSGI, and in make test-all with gunicorn too; starts nothing."""
    return request.param


@pytest.fixture(scope="session")
def served(bake_once, app_server) -> Project:
    """Generates a default project for each app server: 0.3 s each."""
    return bake_once(project_slug=a_slug(), app_server=app_server)


@pytest.fixture(scope="session")
def production(served, engine):
    """Builds and starts a production stack for each app server, one after the other: about 20 s each."""
    with standing() as make:
        stack = make(served.path, PRODUCTION)
        stack.up()
        yield stack


@pytest.fixture
def rested(production):
    """`production`, for tests that use up what the limits allow; forgets it after the test: 0.3 s."""
    yield production
    forget_failures(production)


@pytest.fixture(scope="session")
def site(bake_once, app_server, engine) -> Site:
    """Builds a production stack for each app server and starts it with bin/deploy: about 40 s each."""
    with standing() as make:
        site = made_of(bake_once(project_slug=a_slug(), app_server=app_server), make)
        site.deploys()
        yield site


@pytest.fixture(scope="session")
def image(production) -> str:
    """Names the image of the app that `production` runs; starts `production`."""
    container = production.container("app")
    return run("docker", "inspect", container, "--format", "{{.Config.Image}}").stdout.strip()


@pytest.fixture
def started(image):
    """started(*options) starts the image alone, with its own command: about 2 s each.

    Returns the address and the ID of the container, which is removed after the test.
    """
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
    """Starts one Chromium for all tests: 1 s."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def admin(production) -> str:
    """Creates the first user of `production`, a superuser with PASSWORD, and names it: about 3 s."""
    production.manage(
        *("createsuperuser", "--no-input", "--username=boss", "--email=boss@example.com"),
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )
    return "boss"


@pytest.fixture
def fresh(bake) -> Project:
    """Generates another default project, for a test that changes it: 0.3 s."""
    return bake(project_slug=a_slug())
