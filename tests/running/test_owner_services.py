"""Services that an owner adds to compose.prod.yaml: a deploy brings them along, and a rollback takes them back."""

import json

import pytest

from tests.helpers.load import load
from tests.helpers.project import a_slug
from tests.helpers.site import GONE_BACK, Site, made_of
from tests.helpers.stack import DEVELOPMENT, Stack, run, standing
from tests.helpers.traffic import traffic

pytestmark = pytest.mark.containers

WAIT = 'python, -c, "import signal; signal.signal(15, lambda *_: exit()); signal.pause()"'
# An image that is on this machine alone: its name has no tag, and no registry has it.
LOCAL = "tried-only-here"
# An image of a build whose tag does not go by RELEASE.
TAGGED = "tried-tagged:1.0"

SERVICES = f"""
  worker:
    <<: *app
    init: true
    command: [{WAIT}]

  seed:
    <<: *app
    restart: "no"
    command: [python, manage.py, check]

  scheduler:
    <<: *app
    command: [{WAIT}]
    deploy: {{update_config: {{order: stop-first}}}}

  api:
    build: {{context: docker/api}}
    networks: [frontend]

  tagged:
    build: {{context: docker/api}}
    image: {TAGGED}
    networks: [frontend]

  store.local:
    image: {LOCAL}
    networks: [frontend]

  metrics:
    image: {LOCAL}
    ports: ["127.0.0.1::80"]
    networks: [frontend]

  tool:
    image: {LOCAL}
    profiles: [extra]
"""
UNCHANGED = ("store.local", "metrics", "postgres")
NEW = ("worker", "seed", "scheduler", "api", "tagged", "store.local", "metrics")


@pytest.fixture(scope="module")
def shop(bake_once, engine):
    """A site that bin/deploy started, to which an owner has added services; about 60 seconds."""
    run("docker", "tag", "nginx:1.30-trixie", LOCAL).check_returncode()
    with standing() as make:
        site = made_of(bake_once(project_slug=a_slug()), make)
        site.deploys()
        api = site.path / "docker/api"
        api.mkdir()
        (api / "Dockerfile").write_text("FROM nginx:1.30-trixie\nRUN echo 1 >/version\n")
        add(site, SERVICES)
        yield site
    run("docker", "image", "rm", LOCAL)


def add(site: Site, services: str) -> None:
    """Add services to compose.prod.yaml, after the app."""
    file = site.path / "compose.prod.yaml"
    before = "\n  # Before the database,"
    file.write_text(file.read_text().replace(before, f"{services}{before}", 1))


def containers(site: Site, service: str) -> list[dict]:
    ids = site.compose("--profile", "*", "ps", "--all", "--quiet", service).split()
    return json.loads(run("docker", "inspect", *ids).stdout) if ids else []


def only(site: Site, service: str) -> dict:
    (container,) = containers(site, service)
    return container


def image(name: str) -> str:
    return run("docker", "image", "inspect", "--format", "{{.Id}}", name).stdout.strip()


def test_new_services_start_with_the_version_that_brings_them(shop):
    with traffic(shop) as seen:
        release = shop.deploys()
    assert seen.failures() == []
    for service in NEW:
        state = only(shop, service)["State"]
        assert (service, state["Status"]) == (service, "exited" if service == "seed" else "running")
        assert state["ExitCode"] == 0
    assert containers(shop, "tool") == []
    name = shop.path.name
    for service in ("worker", "seed", "scheduler"):
        assert only(shop, service)["Image"] == image(f"{name}:{release}")
    assert only(shop, "store.local")["Image"] == image(LOCAL)


def test_those_that_changed_are_replaced_by_a_deploy_and_taken_back_by_a_rollback(shop):
    dockerfile = shop.path / "docker/api/Dockerfile"
    old = {service: only(shop, service)["Image"] for service in NEW}
    unchanged = {service: only(shop, service)["Id"] for service in UNCHANGED}
    shop.change()
    dockerfile.write_text(dockerfile.read_text().replace("echo 1", "echo 2"))
    release = shop.deploys()
    name = shop.path.name
    for service in ("worker", "seed", "scheduler"):
        assert only(shop, service)["Image"] == image(f"{name}:{release}")
    assert shop.exec("api", "cat", "/version") == "2\n"
    assert {service: only(shop, service)["Id"] for service in UNCHANGED} == unchanged
    shop.rolls_back()
    assert {service: only(shop, service)["Image"] for service in NEW} == old
    assert shop.exec("api", "cat", "/version") == "1\n"


def test_a_service_of_a_profile_is_deployed_once_somebody_has_started_it(shop):
    shop.compose("--profile", "extra", "up", "--detach", "--no-deps", "tool")
    with shop.edited("compose.prod.yaml", "profiles: [extra]", "profiles: [extra]\n    init: true"):
        before = only(shop, "tool")["Id"]
        shop.deploys()
        after = only(shop, "tool")
    assert after["Id"] != before
    assert after["State"]["Running"]
    shop.compose("--profile", "extra", "rm", "--stop", "--force", "tool")


@pytest.mark.parametrize(
    ("service", "breaks"),
    [
        pytest.param("worker", ("init: true", "init: false"), id="worker"),
        pytest.param("seed", ("manage.py, check]", "manage.py, chekc]"), id="one-off"),
    ],
)
def test_a_service_that_fails_to_start_takes_the_deploy_back(shop, service, breaks):
    before, version = only(shop, service)["Id"], shop.serves
    shop.change()
    old, new = breaks
    if service == "worker":
        new = f"{new}\n    entrypoint: [python, -c, 'import nowhere']"
    with load(shop, "GET /") as seen, shop.edited("compose.prod.yaml", old, new):
        status, said = shop.deploy()
    assert status == 1
    assert f"-{service}-" in said
    assert GONE_BACK.search(said), said
    assert only(shop, service)["Id"] == before
    assert (shop.serves, seen.failures()) == (version, [])


@pytest.mark.parametrize(
    ("service", "breaks"),
    [
        pytest.param(
            *("scheduler", "entrypoint: [python, -c, 'import nowhere']"),
            id="scheduler",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param("metrics", "entrypoint: [sh, -c, 'exit 3']", id="published-port"),
    ],
)
def test_a_service_that_cannot_run_twice_is_put_back_when_its_new_container_fails(
    shop, service, breaks
):
    before, version = only(shop, service)["Id"], shop.change()
    with shop.edited("compose.prod.yaml", f"  {service}:\n", f"  {service}:\n    {breaks}\n"):
        status, said = shop.deploy()
    assert status == 1
    assert f"Replacing {service} failed: " in said
    container = only(shop, service)
    assert (container["Id"], container["State"]["Running"]) == (before, True)
    assert shop.serves == version


# What the app depends on

NEEDS_CACHE = """

def needs_cache(get_response):
    import socket

    def middleware(request):
        socket.create_connection(("cache", 80), timeout=2).close()
        return get_response(request)

    return middleware
"""
CACHE = f"""
  cache:
    image: {LOCAL}
    networks: [frontend]
    entrypoint: [sh, -c, "sleep 4; exec nginx -g 'daemon off;'"]
    healthcheck: {{test: [CMD, curl, --fail, --silent, localhost], interval: 1s, retries: 10}}
"""
ON_RELEASE = "release: {condition: service_completed_successfully}"


def test_what_the_new_version_depends_on_is_healthy_before_it_starts(shop):
    settings = shop.path / "config/settings.py"
    settings.write_text(
        settings.read_text().replace(
            "MIDDLEWARE = [", 'MIDDLEWARE = [\n    "config.home.needs_cache",', 1
        )
    )
    home = shop.path / "config/home.py"
    home.write_text(home.read_text() + NEEDS_CACHE)
    add(shop, CACHE)
    file = shop.path / "compose.prod.yaml"
    file.write_text(
        file.read_text().replace(
            ON_RELEASE, f"{ON_RELEASE}, cache: {{condition: service_healthy}}", 1
        )
    )
    version = shop.change()
    with traffic(shop) as seen:
        shop.deploys()
    assert shop.serves == version
    assert seen.failures() == []


def test_a_dependency_that_never_gets_healthy_takes_the_deploy_back(shop):
    version = shop.serves
    shop.change()
    sick = f"""
  sick:
    image: {LOCAL}
    networks: [frontend]
    healthcheck: {{test: [CMD, "false"], interval: 1s, retries: 2}}
"""
    needs = f"{ON_RELEASE}, sick: {{condition: service_healthy}}"
    with load(shop, "GET /") as seen, shop.edited("compose.prod.yaml", ON_RELEASE, needs):
        text = (shop.path / "compose.prod.yaml").read_text()
        add(shop, sick)
        status, said = shop.deploy()
        (shop.path / "compose.prod.yaml").write_text(text)
    assert status == 1
    assert "is unhealthy" in said
    assert GONE_BACK.search(said), said
    assert (
        run("docker", "ps", "--all", "--quiet", f"--filter=name={shop.path.name}-sick").stdout == ""
    )
    assert (shop.serves, seen.failures()) == (version, [])


# What cannot be deployed


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param("  app:\n", "  app:\n    hostname: shop\n", "fixed hostname", id="hostname"),
        pytest.param(
            "    init: true\n",
            '    init: true\n    volumes: ["sockets:/run/app"]\n',
            "mounts the volume sockets",
            id="sockets",
        ),
        pytest.param("services:\n", "services:\n  broken: [\n", "cannot read", id="no-yaml"),
    ],
)
def test_a_stack_that_cannot_be_deployed_is_refused_in_one_sentence(shop, old, new, words):
    before = shop.apps()
    with shop.edited("compose.prod.yaml", old, new):
        status, said = shop.deploy()
    assert (status, said.count("\n")) == (1, 1), said
    assert words in said
    assert shop.apps() == before


@pytest.mark.parametrize("file", [DEVELOPMENT, "compose.prod.yaml"])
def test_up_wait_succeeds_with_a_worker_beside_the_app(fresh, stacks, file):
    text = fresh.read(file)
    worker = f"  worker:\n    <<: *app\n    command: [{WAIT}]\n"
    (fresh.path / file).write_text(text.replace("services:\n", f"services:\n{worker}", 1))
    stack: Stack = stacks(fresh.path, file)
    stack.up()
    assert "worker" in stack.compose("ps", "--services", "--status", "running")
