"""bin/doctor names each problem, which is made here for real, with the command that fixes it."""

import json
import re
import socket
import time

import httpx
import pytest

from tests.helpers.doctor import (
    HEALTHY,
    HELLO,
    NGINX,
    ROUTER,
    command,
    doctor,
    follow,
    ports_of,
    problems,
    replace,
    set_in_env,
)
from tests.helpers.project import Project, a_slug
from tests.helpers.stack import DEVELOPMENT, PRODUCTION, Stack, free_port, run

pytestmark = pytest.mark.containers


# --- With both stacks ---


@pytest.fixture(scope="module")
def shop(bake_once) -> Project:
    """A project whose .env has free ports, beside what a bake writes."""
    project = bake_once(project_slug=a_slug())
    ports = {name: str(free_port()) for name in ("APP_PORT", "HTTP_PORT", "HTTPS_PORT")}
    for line in ("#APP_PORT=8000", "HTTP_PORT=80", "HTTPS_PORT=443"):
        name = line.strip("#").partition("=")[0]
        replace(project, ".env", f"\n{line}\n", f"\n{name}={ports[name]}\n")
    return project


MAIL = (
    "               # Set EMAIL_URL in .env, such as smtp+tls://user:password@mail.example.com:587."
)
SELF_SIGNED = "ok             production: the certificate of localhost is self-signed"


@pytest.fixture(scope="module")
def running(shop, engine):
    """The shop with both of its stacks started; gives that of production."""
    stacks = [Stack(shop.path, file, ports_of(shop)) for file in (DEVELOPMENT, PRODUCTION)]
    try:
        for stack in stacks:
            stack.up()
        yield stacks[1]
    finally:
        for stack in stacks:
            stack.remove()


def of_both_stacks(project: Project) -> list[str]:
    """Return what the engine has of the project, and git of its files."""
    names = (project.path.name, f"{project.path.name}-dev")
    kinds = (("ps", "--all"), ("volume", "ls"), ("network", "ls"), ("image", "ls"))
    label = "label=com.docker.compose.project="
    asked = [(*kind, f"--filter={label}{name}") for kind in kinds for name in names]
    asked += [("ps", "--all", f"--filter=volume={name}_postgres") for name in names]
    made = [run("docker", *what, "--quiet").stdout for what in asked]
    git = run(
        "git", "status", "--porcelain", "--ignored", "--untracked-files=all", cwd=project.path
    )
    return [*made, git.stdout]


@pytest.mark.usefixtures("engine")
def test_a_project_is_healthy_before_its_first_start(shop):
    code, lines = doctor(shop)
    assert (code, problems(lines), lines[-1]) == (0, [], HEALTHY)


def test_a_project_is_healthy_while_it_runs_and_nothing_changes(shop, running):
    run("git", "init", "--quiet", cwd=shop.path)
    run("git", "add", ".", cwd=shop.path)
    ports = ports_of(shop)
    # Development compiles modules into __pycache__ when the first request needs them.
    for path in ("/", "/readyz"):
        httpx.get(f"http://localhost:{ports['APP_PORT']}{path}")
    before = of_both_stacks(shop)
    code, lines = doctor(shop)
    name = shop.path.name
    lines = [re.sub(r"has \d+ MB", "has some MB", line) for line in lines]
    assert (code, problems(lines), lines[-1]) == (0, [], HEALTHY)
    # Notes, such as old base images, depend on the machine.
    assert [line for line in lines if re.match(r"ok +(development|production): ", line)] == [
        "ok             development: containers write files as you, 0:0",
        "ok             development: each service runs and is healthy",
        f"ok             development: port {ports['APP_PORT']} (APP_PORT) is this project's",
        f"ok             development: http://localhost:{ports['APP_PORT']}/ returns 200",
        "ok             development: the app reaches its database, and no migration waits",
        f"ok             development: the volume {name}-dev_postgres fits PostgreSQL 18",
        "ok             development: the database takes the password, and has some MB",
        "ok             production: the secrets are set",
        "ok             production: each service runs and is healthy",
        f"ok             production: port {ports['HTTP_PORT']} (HTTP_PORT) is this project's",
        f"ok             production: port {ports['HTTPS_PORT']} (HTTPS_PORT) is this project's",
        f"ok             production: https://localhost:{ports['HTTPS_PORT']}/ returns 200",
        "ok             production: the app reaches its database, and no migration waits",
        f"ok             production: the volume {name}_postgres fits PostgreSQL 18",
        "ok             production: the database takes the password, and has some MB",
        "ok             production: localhost needs no DNS",
        f"{SELF_SIGNED}: no public CA signs such a name",
    ]
    assert "note           production: no mail server is set: e-mail is not sent" in lines
    assert MAIL in lines
    assert of_both_stacks(shop) == before


@pytest.mark.usefixtures("running")
def test_one_stack_can_be_looked_at_alone(shop):
    code, lines = doctor(shop, "development")
    assert (code, lines[-1]) == (0, HEALTHY)
    assert [line for line in lines if "production" in line] == []


# Ports


@pytest.mark.usefixtures("running")
def test_a_port_that_a_container_has_is_named(shop):
    port, name = str(free_port()), a_slug()
    publish = f"--publish=127.0.0.1:{port}:80"
    run("docker", "run", "--detach", "--rm", f"--name={name}", publish, NGINX)
    code, lines = doctor(shop, "development", APP_PORT=port)
    run("docker", "rm", "--force", name)
    assert code == 1
    assert problems(lines) == [
        f"development: port {port} (APP_PORT) is taken by the container {name}"
    ]
    assert f"set APP_PORT={int(port) + 1} in .env; then:" in "".join(lines)
    assert command(lines, "docker compose up") == "docker compose up -d --wait"


@pytest.mark.usefixtures("running")
def test_the_ports_that_another_program_has_are_named(shop):
    with (
        socket.create_server(("", 0)) as http,
        socket.create_server(("", 0)) as https,
    ):
        one, two = (str(server.getsockname()[1]) for server in (http, https))
        code, lines = doctor(shop, "production", HTTP_PORT=one, HTTPS_PORT=two)
    assert code == 1
    assert problems(lines) == [
        f"production: port {one} (HTTP_PORT) is taken by a program outside Docker",
        f"production: port {two} (HTTPS_PORT) is taken by a program outside Docker",
    ]
    assert lines.count("               docker compose -f compose.prod.yaml up -d --wait") == 2


@pytest.mark.usefixtures("running")
def test_the_other_stack_of_the_same_project_can_be_in_the_way(shop):
    code, lines = doctor(shop, "production", HTTP_PORT=ports_of(shop)["APP_PORT"])
    assert code == 1
    assert f"is taken by the container {shop.path.name}-dev-app-1" in problems(lines)[0]


# The database

IN_18 = ("postgres:18-trixie", "postgres:/var/lib/postgresql\n")
IN_17 = ("postgres:17-trixie", "postgres:/var/lib/postgresql/data\n")


def move(project: Project, before: tuple[str, str], after: tuple[str, str]) -> None:
    for old, new in zip(before, after, strict=True):
        replace(project, "compose.yaml", old, new)


@pytest.mark.parametrize(
    ("made", "wanted", "back"),
    [
        (IN_17, IN_18, "image postgres:17-trixie, volume postgres:/var/lib/postgresql/data."),
        (IN_18, IN_17, "image postgres:18-trixie, volume postgres:/var/lib/postgresql."),
    ],
    ids=["17-to-18", "18-to-17"],
)
def test_a_volume_of_another_major_version_is_named(made, wanted, back, bake, stacks):
    major = made[0][9:11]
    project = bake(project_slug=a_slug(), postgresql_version=major)
    stack = stacks(project.path, DEVELOPMENT)
    stack.up("postgres")
    stack.compose("down")
    move(project, made, wanted)
    code, lines = doctor(project, "development", **stack.ports)
    volume = f"{project.path.name}-dev_postgres"
    assert code == 1
    assert problems(lines) == [
        f"development: the volume {volume} is of PostgreSQL {major}, and the image of {wanted[0][9:11]}"
    ]
    assert f"               # Put {major} back: {back}" in lines
    dump = "docker compose exec -T postgres pg_dump --username app app >dump.sql"
    assert command(lines, "docker compose exec") == dump
    assert (
        command(lines, "docker compose down") == f"docker compose down && docker volume rm {volume}"
    )
    move(project, wanted, made)
    assert doctor(project, "development", **stack.ports)[0] == 0


def test_a_password_that_the_volume_does_not_know_is_named_and_can_be_changed(shop, running):
    set_in_env(shop, "POSTGRES_PASSWORD", "'an\"other $HOME \\ <one> & ünï'")
    code, lines = doctor(shop, "production")
    assert (code, problems(lines)) == (1, ["production: the database refuses the password"])
    change = command(lines, "docker compose -f compose.prod.yaml exec")
    follow(shop, change.replace("…", 'an\\"other \\$HOME \\\\ <one> & ünï'))
    running.up()  # the app still has the old password
    code, lines = doctor(shop, "production")
    assert (code, lines[-1]) == (0, HEALTHY)


@pytest.mark.usefixtures("running")
def test_a_password_of_development_that_does_not_fit_is_named(shop):
    right = "POSTGRES_USER: app\n      POSTGRES_PASSWORD: development"
    replace(shop, "compose.yaml", "POSTGRES_PASSWORD: development", "POSTGRES_PASSWORD: another")
    code, lines = doctor(shop, "development")
    replace(shop, "compose.yaml", "POSTGRES_PASSWORD: another", "POSTGRES_PASSWORD: development")
    assert right in shop.read("compose.yaml")
    assert (code, problems(lines)) == (1, ["development: the database refuses the password"])
    assert command(lines, "docker compose down").endswith(f"rm {shop.path.name}-dev_postgres")


# DNS


@pytest.fixture
def server(running):
    """server(name, site) starts a server that has this name for the containers of production."""
    started = []

    def start(name: str, site: str) -> None:
        network = f"{running.path.name}_frontend"
        script = f"echo '{site}' >/etc/nginx/conf.d/default.conf; exec nginx -g 'daemon off;'"
        named = (f"--network={network}", f"--network-alias={name}")
        done = run("docker", "run", "--detach", "--rm", *named, NGINX, "sh", "-c", script)
        started.append(done.stdout.strip())

    yield start
    run("docker", "rm", "--force", *started)


def about_names(lines: list[str]) -> list[str]:
    """Return the problems with names; a DOMAIN that nginx does not know yet has others as well."""
    return [problem for problem in problems(lines) if " resolve" in problem]


def test_a_name_that_resolves_here_by_way_of_a_router_is_fine(shop, server):
    server("shop.example.com", ROUTER)
    _, lines = doctor(shop, "production", DOMAIN="shop.example.com")
    assert "ok             production: shop.example.com resolves to this server" in lines
    assert about_names(lines) == []


def test_a_name_that_resolves_to_another_server_is_named(shop, server):
    server("old.example.com", HELLO)
    code, lines = doctor(shop, "production", DOMAIN="localhost, .old.example.com")
    (found,) = about_names(lines)
    assert code == 1
    assert re.fullmatch(r"production: old\.example\.com resolves to another server, [0-9.]+", found)
    assert command(lines, "# Set its A and AAAA records to the addresses of this machine")


@pytest.mark.usefixtures("running")
def test_a_name_that_does_not_resolve_is_named(shop):
    names = {"DOMAIN": "site.test,me.localhost", "REDIRECT_DOMAINS": "shop.no-such-top"}
    code, lines = doctor(shop, "production", **names)
    assert (code, about_names(lines)) == (1, ["production: shop.no-such-top does not resolve"])
    assert command(lines, "# Give it an A record with the address of this machine")


def test_where_nobody_responds_no_alarm_is_given(shop, server):
    server("silent.example.com", HELLO.replace("80", "81"))
    _, lines = doctor(shop, "production", DOMAIN="silent.example.com")
    assert about_names(lines) == []
    assert "not looked at  production: whether silent.example.com resolves" in "\n".join(lines)


# Services


def wait_for(condition) -> None:
    """Wait until the condition holds, for two minutes at most."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture
def healed(shop, running):
    """The stack of production; at the end of the test, whatever stopped in it is started again."""
    yield running
    run("docker", "unpause", *running.compose("ps", "--quiet", "--status", "paused").split())
    running.compose("up", "--detach", "--remove-orphans")
    wait_for(lambda: is_healthy(shop))


def is_healthy(project: Project) -> bool:
    return doctor(project, "production")[1][-1] == HEALTHY


def state(container: str) -> str:
    """Return how a container is, and how often it was restarted: "running 0"."""
    shown = run("docker", "inspect", "--format", "{{.State.Status}} {{.RestartCount}}", container)
    return shown.stdout.strip()


@pytest.mark.parametrize(
    ("service", "action", "became"),
    [
        ("app", "stop", "is stopped: it ended with"),
        ("nginx", "stop", "is stopped: it ended with"),
        ("postgres", "stop", "is stopped: it ended with"),
        ("app", "pause", "is paused"),
        pytest.param("nginx", "pause", "is paused", marks=pytest.mark.exhaustive),
        pytest.param("postgres", "pause", "is paused", marks=pytest.mark.exhaustive),
    ],
)
def test_a_service_that_somebody_stopped_is_named_and_the_command_brings_it_back(
    service, action, became, shop, healed
):
    name = f"{shop.path.name}-{service}-1"
    run("docker", action, name)
    code, lines = doctor(shop, "production")
    (found,) = [found for found in problems(lines) if f"production: {service} " in found]
    assert code == 1
    assert f"production: {service} {became}" in found
    undo = f"docker unpause {name}"
    if action == "stop":
        undo = "docker compose -f compose.prod.yaml up -d --wait"
    assert f"               {undo}" in lines
    follow(shop, undo)
    wait_for(lambda: is_healthy(shop))


def test_what_killed_a_service_is_said(shop, healed):
    run("docker", "kill", healed.container("nginx"))
    code, lines = doctor(shop, "production")
    assert code == 1
    assert "production: nginx is stopped: it ended with exit status 137" in problems(lines)
    assert "               SIGKILL ended it: `docker kill`, " in "\n".join(lines)


# An owner's services; each is broken in its own way.
BROKEN = """
  crash: {<<: *app, command: [sh, -c, "echo no broker >&2; exit 3"], healthcheck: {disable: true}}
  sick:
    <<: *app
    command: [sleep, "1000"]
    healthcheck: {test: [CMD-SHELL, "echo no queue; exit 1"], interval: 1s, retries: 1, start_period: 1s}
  greedy:
    {<<: *app, mem_limit: 60m, restart: "no", command: [python, -c, "x = bytearray(200_000_000)"]}
  eater:
    <<: *app
    mem_limit: 60m
    command: [sh, -c, "python -c 'x = bytearray(200_000_000)'; sleep 1000"]
    healthcheck: {disable: true}
  clash: {<<: *app, ports: ["APP_PORT:1"], command: [sleep, "1000"], healthcheck: {disable: true}}
  fails: {<<: *once, command: [sh, -c, "echo disk is away; exit 7"]}
  succeeds: {<<: *once, command: ["true"]}
  gone: {<<: *app, command: [sleep, "1000"]}
  shell: {<<: *app, profiles: [tools]}

  postgres:
    <<: *hardened
"""
BROKEN_SERVICES = ("crash", "sick", "greedy", "eater", "clash", "fails", "succeeds")


@pytest.fixture
def broken(shop, healed):
    """The shop's production stack with services that an owner added; they are removed at the end."""
    before = shop.read("compose.prod.yaml")
    services = BROKEN.replace("APP_PORT", ports_of(shop)["APP_PORT"])
    replace(shop, "compose.prod.yaml", "\n  postgres:\n    <<: *hardened\n", services)
    healed.command("up", "--detach", "--no-deps", *BROKEN_SERVICES)
    yield
    # `sleep` ends by SIGKILL alone, and Compose would wait 65 seconds.
    run(
        "docker",
        "rm",
        "--force",
        *healed.compose("ps", "--all", "--quiet", *BROKEN_SERVICES).split(),
    )
    (shop.path / "compose.prod.yaml").write_text(before)


@pytest.mark.usefixtures("broken")
def test_each_service_of_an_owner_that_does_not_run_is_named_with_the_reason(shop):
    name, port = shop.path.name, ports_of(shop)["APP_PORT"]
    for service in ("greedy", "fails"):
        wait_for(lambda service=service: state(f"{name}-{service}-1") == "exited 0")
    # From here on Docker waits longer than the doctor takes before it starts the container again.
    wait_for(lambda: state(f"{name}-crash-1") in ("restarting 7", "restarting 8"))
    unhealthy = ("docker", "ps", "--filter", "health=unhealthy", "--format", "{{.Names}}")
    wait_for(lambda: f"{name}-sick-1" in run(*unhealthy).stdout)
    code, lines = doctor(shop, "production")
    found = [re.sub(r"(restarting|restarted), .*", r"\1", one) for one in problems(lines)]
    assert code == 1
    assert found == [
        "production: clash was created and never started",
        "production: crash is restarting",
        "production: fails failed: it ended with exit status 7",
        "production: gone has no container",
        "production: greedy is stopped: it ended with exit status 137",
        "production: sick is unhealthy",
        "production: eater reached its memory limit: the kernel killed 1 process",
        f"production: port {port} (clash) is taken by the container {name}-dev-app-1",
    ]
    said = [line.strip() for line in lines]
    assert "The last line of its log: no broker" in said
    assert "The last line of its log: disk is away" in said
    assert "Its health check failed: no queue" in said
    assert "The kernel killed it: its memory limit was reached. Raise mem_limit." in said
    assert "port is already allocated" in "\n".join(lines)


# What the site needs beside its containers


@pytest.mark.usefixtures("running")
def test_a_variable_that_nothing_reads_is_named_until_a_service_gets_it(shop):
    env, compose = shop.read(".env"), shop.read("compose.prod.yaml")
    (shop.path / ".env").write_text(f"{env}\nSHOP_API_URL=https://api.example.com\n")
    try:
        code, lines = doctor(shop, "production")
        assert (code, problems(lines)) == (1, [".env: nothing reads SHOP_API_URL"])
        assert command(lines, "# Add the name to the environment of x-app in compose.prod.yaml")
        replace(
            shop, "compose.prod.yaml", "    {SECRET_KEY: ,", "    {SHOP_API_URL: , SECRET_KEY: ,"
        )
        assert doctor(shop, "production")[0] == 0
        assert doctor(shop, "development")[0] == 0
    finally:
        (shop.path / ".env").write_text(env)
        (shop.path / "compose.prod.yaml").write_text(compose)


def test_a_mail_server_that_refuses_is_named(shop, healed):
    env = shop.read(".env")
    (shop.path / ".env").write_text(f"{env}\nEMAIL_URL=smtp://ann:open-sesame@127.0.0.1:9\n")
    healed.up()
    code, lines = doctor(shop, "production")
    (shop.path / ".env").write_text(env)
    refused = "production: the mail server 127.0.0.1:9 takes no connection from the app's container"
    assert (code, problems(lines)) == (1, [refused])
    assert "open-sesame" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("times", "problem"),
    [
        (["-days", "5"], "the certificate of localhost ends in 4 days"),
        (
            ["-not_before", "20400101000000Z", "-not_after", "20500101000000Z"],
            "the certificate of localhost is not valid yet",
        ),
    ],
    ids=["ends", "begins"],
)
def test_a_certificate_that_is_not_valid_for_long_is_named(times, problem, shop, running):
    pem = "/etc/nginx/certificates/localhost.pem"
    running.exec("nginx", "rm", pem)
    sign = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    names = ("-nodes", "-subj", "/CN=localhost", "-keyout", pem, "-out", "/tmp/new.pem")
    running.exec("nginx", *sign, *names, *times)
    running.exec("nginx", "sh", "-c", f"cat /tmp/new.pem >>{pem}")
    code, lines = doctor(shop, "production")
    running.exec("nginx", "ln", "-sf", "self-signed/localhost.pem", pem)
    assert (code, problems(lines)) == (1, [f"production: {problem}"])
    assert doctor(shop, "production")[1][-1] == HEALTHY


def test_a_name_that_only_has_a_self_signed_certificate_is_named(shop, running):
    pem = "/etc/nginx/certificates"
    running.exec(
        "nginx", "ln", "-s", f"{pem}/self-signed/localhost.pem", f"{pem}/a.example.com.pem"
    )
    _, lines = doctor(shop, "production", DOMAIN="localhost, a.example.com")
    running.exec("nginx", "rm", f"{pem}/a.example.com.pem")
    assert "production: the certificate of a.example.com is self-signed" in problems(lines)
    _, lines = doctor(shop, "production", DOMAIN="localhost, a.example.com")
    assert "production: nginx has no certificate for a.example.com" in problems(lines)


@pytest.fixture
def releases(shop):
    """releases(name, …) gives the shop's image the names of releases, for this test."""
    made = []

    def make(*names: str) -> None:
        for name in names:
            made.append(f"{shop.path.name}:{name}")
            run("docker", "tag", f"{shop.path.name}:latest", made[-1])

    yield make
    run("docker", "image", "rm", *made)


def test_an_empty_database_on_a_site_with_releases_is_named_and_can_be_migrated(
    shop, running, releases
):
    psql = ("psql", "--username=app", "--command")
    running.exec(
        "postgres", *psql, "DROP SCHEMA public CASCADE", "--command", "CREATE SCHEMA public"
    )
    code, lines = doctor(shop, "production")
    (waiting,) = problems(lines)
    assert code == 1
    assert re.fullmatch(r"production: /readyz says: \d+ migrations wait to be applied", waiting)
    releases("21000101-000000")
    _, lines = doctor(shop, "production")
    empty = "production: the database is empty: it has no migrations"
    assert problems(lines) == [waiting, empty]
    release = "docker compose -f compose.prod.yaml run --rm release"
    assert lines.count(f"               {release}") == 2
    follow(shop, release)
    code, lines = doctor(shop, "production")
    assert (code, problems(lines), lines[-1]) == (0, [], HEALTHY)
    assert "note           production: the database has tables and no data" in lines


@pytest.mark.usefixtures("running")
def test_a_database_that_was_made_after_the_last_deploy_is_named(shop, releases):
    releases("20250102-030405", "20250103-030405")
    code, lines = doctor(shop, "production")
    (found,) = problems(lines)
    assert code == 1
    made = r"production: the database was made at \d{8}-\d{6}, after the last deploy"
    assert re.fullmatch(made, found)


@pytest.mark.usefixtures("running")
def test_findings_are_there_as_json(shop):
    done = run(shop.path / "bin/doctor", "production", "--json", cwd="/")
    findings = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert {finding["level"] for finding in findings} == {"ok", "note"}
    assert {*findings[0]} == {"level", "where", "what", "why", "commands"}


@pytest.mark.usefixtures("running")
def test_a_healthy_site_takes_less_than_five_seconds(shop):
    times = []
    for _ in range(3):
        start = time.monotonic()
        assert doctor(shop, "production")[0] == 0
        times.append(time.monotonic() - start)
    assert min(times) < 5


@pytest.mark.usefixtures("running")
def test_few_calls_of_the_docker_client_are_made(shop, docker_says, tmp_path):
    calls = tmp_path / "calls"
    docker_says(f'echo "$1" >>{calls}; exec "$docker" "$@"')
    assert doctor(shop, "production")[0] == 0
    assert len(calls.read_text().splitlines()) <= 20


@pytest.mark.parametrize("proxy", [pytest.param("nginx", marks=pytest.mark.exhaustive), "none"])
def test_without_certificates_of_its_own_a_site_is_looked_at_too(proxy, bake, stacks):
    project = bake(project_slug=a_slug(), proxy=proxy)
    stack = stacks(project.path, PRODUCTION)
    stack.up()
    port = stack.ports["HTTP_PORT"]
    code, lines = doctor(project, "production", **stack.ports)
    assert (code, lines[-1]) == (0, HEALTHY)
    assert f"ok             production: port {port} (HTTP_PORT) is this project's" in lines
    assert f"ok             production: http://localhost:{port}/ returns 301" in lines
    stack.compose("stop", "app")
    code, lines = doctor(project, "production", **stack.ports)
    assert code == 1
    assert any(found.startswith("production: app is stopped") for found in problems(lines))
