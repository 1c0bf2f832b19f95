"""bin/doctor names each trouble, which is made here for real, and what mends it."""

import os
import re
import socket

import pytest

from tests.helpers.doctor import (
    HEALTHY,
    doctor,
    follow,
    mend,
    replace,
    set_in_env,
    troubles,
)
from tests.helpers.project import Project, a_slug
from tests.helpers.stack import DEVELOPMENT, PRODUCTION, Stack, free_port, run

# What another user's server is made of: an image that is on every machine that runs these tests.
NGINX = "nginx:1.30-trixie"
HELLO = "server { listen 80; location / { return 200 hello; } }"
ROUTER = "server { listen 80; location / { proxy_pass http://nginx:8080; } }"


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


def ports_of(project: Project) -> dict[str, str]:
    return dict(re.findall(r"^(\w+_PORT)=(\d+)$", project.read(".env"), re.MULTILINE))


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


@pytest.mark.containers
@pytest.mark.usefixtures("engine")
def test_a_project_is_healthy_before_its_first_start(shop):
    code, lines = doctor(shop)
    assert (code, troubles(lines), lines[-1]) == (0, [], HEALTHY)


@pytest.mark.containers
def test_a_project_is_healthy_while_it_runs_and_nothing_changes(shop, running):
    run("git", "init", "--quiet", cwd=shop.path)
    run("git", "add", ".", cwd=shop.path)
    before = of_both_stacks(shop)
    code, lines = doctor(shop)
    ports = ports_of(shop)
    name = shop.path.name
    assert code == 0
    assert lines[2:] == [
        "ok             development: containers write files as you, 0:0",
        f"ok             development: port {ports['APP_PORT']} (APP_PORT) is this project's",
        f"ok             development: the volume {name}-dev_postgres fits PostgreSQL 18",
        "ok             development: the database takes the password",
        "ok             production: the secrets are set",
        f"ok             production: port {ports['HTTP_PORT']} (HTTP_PORT) is this project's",
        f"ok             production: port {ports['HTTPS_PORT']} (HTTPS_PORT) is this project's",
        "ok             production: localhost needs no DNS",
        f"ok             production: the volume {name}_postgres fits PostgreSQL 18",
        "ok             production: the database takes the password",
        "Nothing is wrong.",
    ]
    assert of_both_stacks(shop) == before


@pytest.mark.containers
@pytest.mark.usefixtures("running")
def test_one_stack_can_be_looked_at_alone(shop):
    code, lines = doctor(shop, "development")
    assert (code, lines[-1]) == (0, HEALTHY)
    assert [line for line in lines if "production" in line] == []


# Ports


@pytest.mark.containers
@pytest.mark.usefixtures("running")
def test_a_port_that_a_container_has_is_named(shop):
    port, name = str(free_port()), a_slug()
    publish = f"--publish=127.0.0.1:{port}:80"
    run("docker", "run", "--detach", "--rm", f"--name={name}", publish, NGINX)
    code, lines = doctor(shop, "development", APP_PORT=port)
    run("docker", "rm", "--force", name)
    assert code == 1
    assert troubles(lines) == [
        f"development: port {port} (APP_PORT) is taken by the container {name}"
    ]
    assert f"write APP_PORT={int(port) + 1} into .env; then:" in "".join(lines)
    assert mend(lines, "docker compose up") == "docker compose up -d --wait"


@pytest.mark.containers
@pytest.mark.usefixtures("running")
def test_the_ports_that_another_program_has_are_named(shop):
    with (
        socket.create_server(("", 0)) as http,
        socket.create_server(("", 0)) as https,
    ):
        one, two = (str(server.getsockname()[1]) for server in (http, https))
        code, lines = doctor(shop, "production", HTTP_PORT=one, HTTPS_PORT=two)
    assert code == 1
    assert troubles(lines) == [
        f"production: port {one} (HTTP_PORT) is taken by a program outside Docker",
        f"production: port {two} (HTTPS_PORT) is taken by a program outside Docker",
    ]
    assert lines.count("               docker compose -f compose.prod.yaml up -d --wait") == 2


@pytest.mark.containers
@pytest.mark.usefixtures("running")
def test_the_other_stack_of_the_same_project_can_be_in_the_way(shop):
    code, lines = doctor(shop, "production", HTTP_PORT=ports_of(shop)["APP_PORT"])
    assert code == 1
    assert f"is taken by the container {shop.path.name}-dev-app-1" in troubles(lines)[0]


# Secrets and .env


@pytest.fixture
def closed(fresh, engine) -> Project:
    """A project that never started, whose ports are free whatever this machine has on 80 and 443."""
    for name in ("HTTP_PORT", "HTTPS_PORT"):
        set_in_env(fresh, name, str(free_port()))
    return fresh


@pytest.mark.containers
@pytest.mark.parametrize(
    ("key", "password", "weakness"),
    [
        ("", "", "SECRET_KEY is not set. POSTGRES_PASSWORD is not set."),
        (
            "change-me",
            '"change-me"',
            "SECRET_KEY is a placeholder. POSTGRES_PASSWORD is a placeholder.",
        ),
        ("'django-insecure-x $y'", "enough", "SECRET_KEY is a placeholder."),
    ],
    ids=["missing", "placeholder", "insecure"],
)
def test_a_weak_secret_is_named(key, password, weakness, closed):
    set_in_env(closed, "SECRET_KEY", key)
    set_in_env(closed, "POSTGRES_PASSWORD", password)
    code, lines = doctor(closed, "production")
    assert (code, troubles(lines)) == (1, [f"production: {weakness}"])


@pytest.mark.containers
def test_a_short_secret_is_named_and_a_new_one_will_do(closed):
    set_in_env(closed, "SECRET_KEY", "s" * 49)
    code, lines = doctor(closed, "production")
    assert (code, troubles(lines)) == (1, ["production: SECRET_KEY has less than 50 characters."])
    set_in_env(closed, "SECRET_KEY", run("sh", "-c", mend(lines, "LC_ALL=C tr")).stdout)
    code, lines = doctor(closed, "production")
    assert (code, lines[-1]) == (0, HEALTHY)


@pytest.mark.containers
def test_secrets_in_files_and_a_database_elsewhere_will_do(closed):
    set_in_env(closed, "SECRET_KEY", "")
    set_in_env(closed, "POSTGRES_PASSWORD", "")
    set_in_env(closed, "#DATABASE_URL", "\nDATABASE_URL=postgres://a:b@db.example/shop")
    as_list = "    [SECRET_KEY, "
    replace(closed, "compose.prod.yaml", as_list, "    [SECRET_KEY_FILE=/run/secrets/key, ")
    assert "ok             production: the secrets are set" in doctor(closed, "production")[1]


@pytest.mark.containers
def test_without_env_production_is_not_ready_and_init_mends_that(closed):
    ports = ports_of(closed)
    (closed.path / ".env").unlink()
    code, lines = doctor(closed, "production", **ports)
    assert (code, troubles(lines)) == (1, ["production: there is no .env"])
    follow(closed, mend(lines, "bin/init"))
    assert doctor(closed, "production", **ports)[1][-1] == HEALTHY


@pytest.mark.containers
def test_a_clone_without_env_is_ready_for_development(closed):
    (closed.path / ".env").unlink()
    for path in (closed.path, *closed.path.rglob("*")):
        os.chown(path, 1000, 1000)
    code, lines = doctor(closed, "development", APP_PORT=str(free_port()))
    assert (code, lines[-1]) == (0, HEALTHY)


@pytest.mark.containers
def test_ids_of_somebody_else_are_named(closed):
    set_in_env(closed, "UID", "1234")
    code, lines = doctor(closed, "development", APP_PORT=str(free_port()))
    assert code == 1
    assert troubles(lines) == ["development: containers write files as 1234:0, and you are 0:0"]
    assert mend(lines, "write UID=0 and GID=0 into .env, then: docker compose up --wait")
    set_in_env(closed, "UID", "0")
    assert doctor(closed, "development", APP_PORT=str(free_port()))[1][-1] == HEALTHY


@pytest.mark.containers
def test_without_env_init_writes_whose_files_they_are(closed):
    (closed.path / ".env").unlink()
    code, lines = doctor(closed, "development", APP_PORT=str(free_port()))
    assert code == 1
    assert troubles(lines) == ["development: containers write files as 1000:1000, and you are 0:0"]
    follow(closed, mend(lines, "bin/init"))
    assert doctor(closed, "development", APP_PORT=str(free_port()))[1][-1] == HEALTHY


@pytest.mark.containers
def test_an_env_that_cannot_be_read_is_named(closed):
    set_in_env(closed, "POSTGRES_PASSWORD", "'half a secret")
    code, lines = doctor(closed, "production")
    assert (code, troubles(lines)) == (
        1,
        ["production: Compose cannot read compose.prod.yaml or .env"],
    )
    assert mend(lines, "docker compose") == "docker compose -f compose.prod.yaml config --quiet"


# The database

IN_18 = ("postgres:18-trixie", "postgres:/var/lib/postgresql\n")
IN_17 = ("postgres:17-trixie", "postgres:/var/lib/postgresql/data\n")


def move(project: Project, before: tuple[str, str], after: tuple[str, str]) -> None:
    for old, new in zip(before, after, strict=True):
        replace(project, "compose.yaml", old, new)


@pytest.mark.containers
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
    assert troubles(lines) == [
        f"development: the volume {volume} is of PostgreSQL {major}, and the image of {wanted[0][9:11]}"
    ]
    assert f"               Neither reads the other's files. Put {major} back: {back}" in lines
    dump = "docker compose exec -T postgres pg_dump --username app app >dump.sql"
    assert mend(lines, "docker compose exec") == dump
    assert mend(lines, "docker compose down") == f"docker compose down && docker volume rm {volume}"
    move(project, wanted, made)
    assert doctor(project, "development", **stack.ports)[0] == 0


@pytest.mark.containers
def test_a_password_that_the_volume_does_not_know_is_named_and_can_be_changed(shop, running):
    set_in_env(shop, "POSTGRES_PASSWORD", "'an\"other $HOME \\ <one> & ünï'")
    code, lines = doctor(shop, "production")
    assert (code, troubles(lines)) == (1, ["production: the database refuses the password"])
    change = mend(lines, "docker compose -f compose.prod.yaml exec")
    follow(shop, change.replace("…", 'an\\"other \\$HOME \\\\ <one> & ünï'))
    code, lines = doctor(shop, "production")
    assert (code, lines[-1]) == (0, HEALTHY)


@pytest.mark.containers
@pytest.mark.usefixtures("running")
def test_a_password_of_development_that_does_not_fit_is_named(shop):
    right = "POSTGRES_USER: app\n      POSTGRES_PASSWORD: development"
    replace(shop, "compose.yaml", "POSTGRES_PASSWORD: development", "POSTGRES_PASSWORD: another")
    code, lines = doctor(shop, "development")
    replace(shop, "compose.yaml", "POSTGRES_PASSWORD: another", "POSTGRES_PASSWORD: development")
    assert right in shop.read("compose.yaml")
    assert (code, troubles(lines)) == (1, ["development: the database refuses the password"])
    assert mend(lines, "docker compose down").endswith(f"rm {shop.path.name}-dev_postgres")


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


@pytest.mark.containers
def test_a_name_that_leads_here_by_way_of_a_router_is_fine(shop, server):
    server("shop.example.com", ROUTER)
    code, lines = doctor(shop, "production", DOMAIN="shop.example.com")
    assert "ok             production: shop.example.com leads here" in lines
    assert (code, lines[-1]) == (0, HEALTHY)


@pytest.mark.containers
def test_a_name_that_leads_to_another_server_is_named(shop, server):
    server("old.example.com", HELLO)
    code, lines = doctor(shop, "production", DOMAIN="localhost, .old.example.com")
    (found,) = troubles(lines)
    assert code == 1
    assert re.fullmatch(r"production: old\.example\.com leads to another server, [0-9.]+", found)
    assert mend(lines, "Let its A and AAAA records have the address of this machine")


@pytest.mark.containers
@pytest.mark.usefixtures("running")
def test_a_name_that_does_not_resolve_is_named(shop):
    code, lines = doctor(shop, "production", DOMAIN="shop.no-such-top,site.test,me.localhost")
    assert (code, troubles(lines)) == (1, ["production: shop.no-such-top does not resolve"])
    assert mend(lines, "Give it an A record with the address of this machine")


@pytest.mark.containers
def test_where_nobody_answers_no_alarm_is_given(shop, server):
    server("silent.example.com", HELLO.replace("80", "81"))
    code, lines = doctor(shop, "production", DOMAIN="silent.example.com")
    assert (code, troubles(lines)) == (0, [])
    assert lines[-1] == "Nothing is wrong that could be looked at."


@pytest.mark.containers
def test_before_the_first_start_no_name_is_looked_at(closed):
    set_in_env(closed, "DOMAIN", "shop.example.com")
    code, lines = doctor(closed, "production")
    assert (code, troubles(lines)) == (0, [])
    assert "whether shop.example.com leads here: nginx is not running" in "".join(lines)
