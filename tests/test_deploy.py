"""bin/deploy and bin/rollback: nobody notices a new version, and a broken one goes back by itself."""

import os
import pty
import re
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.conftest import a_slug, standing
from tests.load import load
from tests.site import GONE_BACK, Site, made_of
from tests.stack import run
from tests.traffic import HTTP1_CLIENTS, HTTP2_STREAMS, traffic

pytestmark = pytest.mark.containers


@pytest.fixture(scope="module")
def site(bake_once, app_server, engine):
    """A site that bin/deploy started."""
    with standing() as make:
        site = made_of(bake_once(project_slug=a_slug(), app_server=app_server), make)
        site.deploys()
        yield site


uwsgi_is_enough = pytest.mark.parametrize("app_server", ["uwsgi"], indirect=True)

FAILING = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL("SELECT 1/0")]
"""


@contextmanager
def failing_migration(site: Site):
    path = site.path / "accounts/migrations/0002_fails.py"
    path.write_text(FAILING)
    try:
        yield
    finally:
        path.unlink()


# What breaks a version, the step that it fails in, and what is said of it.
BROKEN = {
    "build": (
        lambda site: site.edited("docker/app/Dockerfile", "collectstatic", "collectstatc"),
        "Building failed: ",
        "Unknown command: 'collectstatc'",
    ),
    "nginx": (
        lambda site: site.edited("docker/nginx/nginx.conf", "server_tokens", "server_tokns"),
        "Testing nginx's configuration failed: ",
        'unknown directive "server_tokns"',
    ),
    "migration": (
        failing_migration,
        "Checking settings, migrating failed: ",
        "division by zero",
    ),
    "start": (
        lambda site: site.edited("config/wsgi.py", "import os", "import os, nowhere"),
        "Starting the new version failed: It ended soon after its start.",
        "No module named 'nowhere'",
    ),
    "page": (
        lambda site: site.edited("templates/home.html", "{% load static %}", "{% load nowhere %}"),
        "Asking it for a page failed: CommandError: / answers 500",
        "'nowhere' is not a registered tag library",
    ),
}


def test_twenty_deploys_of_which_five_are_broken_fail_no_request(site):
    workers = int(site.exec("app", "python", "docker/app/workers.py"))
    assert workers < HTTP1_CLIENTS + HTTP2_STREAMS
    version, releases, styles, faults = site.change(), [], [], iter(BROKEN.items())
    site.deploys()
    with traffic(site) as seen:
        for number in range(20):
            if number % 4 == 3:
                kind, (broken, where, why) = next(faults)
                before, site_version = site.apps(), version
                site.change()
                with broken(site):
                    status, said = site.deploy()
                assert (kind, status) == (kind, 1), said
                assert where in said
                assert why in said
                assert GONE_BACK.search(said), said
                assert site.apps() == before
                assert site.serves == site_version
            else:
                version = site.change()
                releases.append(site.deploys())
                assert site.serves == version
                styles.append(site.style)
            assert {site.get(style).status_code for style in styles[-3:]} == {200}
    assert seen.failures() == []
    kinds = [
        f"{protocol} {method}" for protocol in ("HTTP/1.1", "HTTP/2") for method in ("GET", "POST")
    ]
    assert all(len(seen.of(kind)) > 100 for kind in kinds), {k: len(seen.of(k)) for k in kinds}
    rows = site.exec("postgres", "psql", "--username=app", "--tuples-only", "--command", NAMES)
    assert sorted(rows.split()) == sorted(seen.written)
    assert len({*releases}) == 15
    assert len({*styles}) == 15
    assert site.get(styles[0]).status_code == 404


NAMES = "SELECT name FROM auth_group WHERE name LIKE 'h%-%'"


# Releases


def releases(site: Site) -> list[list[str]]:
    """Return the lines of bin/deploy --list, without its head, as words."""
    status, said = site.deploy("--list")
    assert status == 0, said
    return [line.split() for line in said.splitlines()[1:]]


def images(site: Site) -> set[str]:
    """Return the tags of both images that a release has, for those that are here."""
    name = site.path.name
    names = run("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
    return {image for image in names if image.startswith((f"{name}:", f"{name}-nginx:"))}


# Git takes a folder of another owner, as pytest's may be, only where it is told to.
SAFE = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}


@dataclass(frozen=True)
class Deployed:
    release: str
    version: str
    revision: str


@pytest.fixture(scope="module")
def four(site) -> list[Deployed]:
    """Four releases, each of a commit, of which the last one serves."""
    env = os.environ | SAFE

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        done = run("git", *who, *arguments, cwd=site.path, env=env)
        done.check_returncode()
        return done.stdout.strip()

    def deployed() -> Deployed:
        version = site.change()
        git("add", ".")
        git("commit", "--quiet", "--message=one more")
        return Deployed(site.deploys(**SAFE), version, git("rev-parse", "--short", "HEAD"))

    git("init", "--quiet")
    return [deployed() for _ in range(4)]


@uwsgi_is_enough
def test_three_releases_are_kept_and_the_list_shows_which_one_serves(site, four):
    lines = releases(site)
    assert [(line[0], line[3]) for line in lines] == [(d.release, d.revision) for d in four[:0:-1]]
    assert [line[4:] for line in lines] == [["serves"], [], []]
    newest = lines[0]
    assert re.sub(r"\D", "", newest[1] + newest[2]) == newest[0].replace("-", "")
    name = site.path.name
    tags = ["latest", *(d.release for d in four[1:])]
    assert images(site) == {f"{image}:{tag}" for image in (name, f"{name}-nginx") for tag in tags}


@uwsgi_is_enough
def test_any_release_that_is_here_can_be_deployed_and_a_rollback_brings_the_one_before(site, four):
    site.deploys("--image", four[1].release)
    assert site.serves == four[1].version
    rollback(site)
    assert site.serves == four[3].version
    rollback(site)
    assert site.serves == four[1].version


def rollback(site: Site) -> None:
    done = run("bin/rollback", cwd=site.path, env=os.environ | site.ports)
    assert done.returncode == 0, done.stdout


@uwsgi_is_enough
def test_an_unknown_image_is_refused_and_changes_nothing(site):
    before = site.apps(), images(site)
    status, said = site.deploy("--image", "20200101-000000")
    assert status == 1
    assert "Taking 20200101-000000 failed: " in said
    assert GONE_BACK.search(said)
    assert (site.apps(), images(site)) == before


@uwsgi_is_enough
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["--imge"], "bin/deploy does not know --imge;", id="typo"),
        pytest.param(["--image"], "--image needs the name of a release", id="nothing"),
    ],
)
def test_a_wrong_word_is_refused_in_a_sentence(site, arguments, sentence):
    status, said = site.deploy(*arguments)
    assert status == 1
    assert said.startswith(sentence)
    assert said.count("\n") == 1


# With others


@uwsgi_is_enough
def test_a_second_deploy_is_refused_while_one_is_at_work(site):
    first = site.start()
    assert first.stdout.readline().startswith("Release ")
    status, said = site.deploy()
    assert (status, said) == (
        1,
        "Another deploy is at work in this folder. Nothing was changed.\n",
    )
    first.communicate(timeout=600)
    assert first.returncode == 0


@uwsgi_is_enough
def test_a_plain_up_after_a_deploy_changes_nothing(site):
    site.change()
    site.deploys()
    before = site.apps(), site.started("app"), site.started("nginx")
    site.up()
    assert (site.apps(), site.started("app"), site.started("nginx")) == before


@uwsgi_is_enough
def test_two_containers_are_replaced_by_two(site):
    site.up("--no-recreate", "--scale", "app=2", "app")
    before = site.apps()
    version = site.change()
    site.deploys()
    after = site.apps()
    assert (len(before), len(after), set(before) & set(after)) == (2, 2, set())
    assert {site.serves for _ in range(10)} == {version}
    site.up()
    assert len(site.apps()) == 1


@uwsgi_is_enough
def test_what_somebody_runs_aside_is_left_alone(site):
    aside = ("run", "--detach", "--rm", "--no-deps", "--entrypoint", "sleep")
    names = [site.compose(*aside, service, "600").strip() for service in ("app", "manage")]
    version = site.change()
    site.deploys()
    states = run("docker", "inspect", "--format", "{{.State.Running}}", *names).stdout.split()
    run("docker", "rm", "--force", *names)
    assert states == ["true", "true"]
    assert site.serves == version


@uwsgi_is_enough
def test_what_compose_started_is_deployed_over(site):
    """nginx is told of the app by its service's name then, which a new container has too."""
    site.compose("up", "--detach", "--force-recreate", "app", "nginx-config")
    site.up()
    version = site.change()
    with traffic(site) as seen:
        site.deploys()
    assert site.serves == version
    assert seen.failures() == []
    assert len(seen.answers) > 100


@uwsgi_is_enough
def test_a_site_that_is_down_is_started(site):
    site.compose("down")
    version = site.change()
    site.deploys()
    assert site.serves == version


# nginx


@uwsgi_is_enough
def test_a_new_configuration_of_nginx_drops_no_connection(site):
    before = site.started("nginx")
    with traffic(site) as seen:
        with site.edited(
            "docker/nginx/snippets/app.conf", "location / {", f"{TEAPOT}location / {{"
        ):
            site.deploys()
        told, version = site.get("/teapot").status_code, site.serves
        rollback(site)
    assert (told, site.get("/teapot").status_code) == (418, 404)
    assert site.serves == version  # it was the release before, which had the same pages
    assert seen.failures() == []
    assert len(seen.answers) > 100
    assert site.started("nginx") == before


TEAPOT = "location = /teapot { return 418; }\n"


@uwsgi_is_enough
def test_a_configuration_that_only_the_running_nginx_refuses_brings_it_back(site):
    """The test finds nothing wrong with it: nginx cannot give the memory of a limit another meaning."""
    before, version = site.apps(), site.serves
    site.change()
    key = "limit_req_zone $client_that_logs_in"
    with site.edited("docker/nginx/snippets/limits.conf", key, "limit_req_zone $remote_addr"):
        status, said = site.deploy()
    assert status == 1
    assert "Moving requests to it failed: nginx goes on with its old configuration." in said
    assert 'limit_req "logins" uses the "$remote_addr" key' in said
    assert GONE_BACK.search(said)
    assert (site.apps(), site.serves) == (before, version)


@pytest.fixture
def other_nginx(site):
    """The site with a service of nginx that only a restart can give it; at the end it has that."""
    with site.edited(
        "docker/nginx/compose.yaml", "stop_grace_period: 65s", "stop_grace_period: 66s"
    ):
        yield
    site.deploys("--yes")


RESTART = "nginx itself has changed, and takes that by a restart"


@uwsgi_is_enough
@pytest.mark.usefixtures("other_nginx")
def test_without_anybody_to_ask_nginx_is_not_restarted_and_the_rest_is_deployed(site):
    before, version = site.started("nginx"), site.change()
    status, said = site.deploy()
    assert status == 0
    assert "nginx stays as it is; to restart it: bin/deploy --yes" in said
    assert (site.started("nginx"), site.serves) == (before, version)
    status, said = site.deploy("--yes")
    assert status == 0
    assert site.started("nginx") != before
    assert site.get("/").status_code == 200


@uwsgi_is_enough
@pytest.mark.usefixtures("other_nginx")
@pytest.mark.parametrize(("answer", "restarted"), [("n", False), ("", False), ("y", True)])
def test_a_person_is_asked_before_nginx_is_restarted(site, answer, restarted):
    before = site.started("nginx")
    status, said = at_a_terminal(site, answer)
    assert status == 0, said
    assert RESTART in said
    assert (site.started("nginx") != before) is restarted


def at_a_terminal(site: Site, answer: str) -> tuple[int, str]:
    """Run bin/deploy where a person sits, who gives this answer when asked."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["bin/deploy"],
        cwd=site.path,
        env=os.environ | site.ports,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.write(ours, f"{answer}\n".encode())
    said, _ = process.communicate(timeout=600)
    os.close(ours)
    os.close(theirs)
    return process.returncode, said


# The database


LONG = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL("SELECT pg_sleep(12)", migrations.RunSQL.noop)]
"""


@uwsgi_is_enough
def test_a_long_migration_does_not_hold_up_traffic(site):
    migration = site.path / "accounts/migrations/0002_long.py"
    migration.write_text(LONG)
    with load(site, "GET /", "GET /readyz", "GET /admin/login/") as seen:
        began = time.monotonic()
        site.deploys()
        took = time.monotonic() - began
    assert took > 12
    assert seen.failures() == []
    assert seen.longest_seconds() < 6
    assert site.get("/readyz").text == "ready\n"


# The other proxy, and the first start


def test_behind_a_load_balancer_it_works_the_same(bake, stacks):
    project = bake(project_slug=a_slug(), proxy="nginx", app_server="gunicorn")
    with (project.path / ".env").open("a") as env:
        env.write("TRUSTED_PROXIES=172.16.0.0/12 192.168.0.0/16 10.0.0.0/8\n")
    site = made_of(project, stacks)
    site.deploys()
    version = site.change()
    with load(site, "GET /", "POST /") as seen:
        site.deploys()
    assert site.serves == version
    assert seen.statuses() == {200, 403}  # 403: a form without its token


def test_a_first_start_that_fails_says_why(fresh, stacks):
    site = made_of(fresh, stacks)
    with site.edited(".env", "SECRET_KEY=", "SECRET_KEY=\n#"):
        status, said = site.deploy()
    assert status == 1
    assert "Starting everything failed: " in said
    assert "SECRET_KEY is not set" in said
    site.deploys()
    assert site.get("/").status_code == 200
