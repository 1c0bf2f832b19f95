"""bin/deploy and bin/rollback: nobody notices a new version, and a broken one goes back by itself."""

import os
import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.helpers.load import load
from tests.helpers.project import a_slug
from tests.helpers.site import GONE_BACK, Site, long_migration, made_of, uwsgi_is_enough
from tests.helpers.stack import run
from tests.helpers.traffic import traffic

pytestmark = pytest.mark.containers

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


# What breaks a version, the step that it fails in, and what the headline says.
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
        "Starting the new version failed: ",
        "No module named 'nowhere'",
    ),
    "page": (
        lambda site: site.edited("templates/home.html", "{% load static %}", "{% load nowhere %}"),
        "Requesting a page, publishing failed: / responds 500",
        "'nowhere' is not a registered tag library",
    ),
}


def test_deploys_under_load_fail_no_request_and_broken_versions_go_back(site):
    # A build that fails is in test_releases.py.
    deploy_under_load(site, 2, ["nginx", "migration", "start", "page"])


@pytest.mark.exhaustive
def test_twenty_deploys_of_which_five_are_broken_fail_no_request(site):
    deploy_under_load(site, 20, [*BROKEN])


def deploy_under_load(site, deploys: int, broken: list[str]) -> None:
    """Deploy that many good versions, and one of each broken kind between them; nobody notices."""
    rows = site.rows()
    version = site.change()
    site.deploys()
    releases, styles = [], []
    with traffic(site) as seen:
        for number in range(deploys):
            for kind in broken[number::deploys]:
                goes_back(site, kind, version)
            version = site.change()
            releases.append(site.deploys())
            assert site.serves == version
            styles.append(site.style)
            assert {site.get(style).status_code for style in styles[-3:]} == {200}
    assert seen.failures() == []
    kinds = [
        f"{protocol} {method}" for protocol in ("HTTP/1.1", "HTTP/2") for method in ("GET", "POST")
    ]
    assert all(len(seen.of(kind)) > 50 for kind in kinds), {k: len(seen.of(k)) for k in kinds}
    assert site.rows() == sorted(rows + seen.written)
    assert (len({*releases}), len({*styles})) == (deploys, deploys)


def goes_back(site: Site, kind: str, version: str) -> None:
    """Deploy a version that is broken in this way: the old one serves as before, and the reason comes first."""
    breaks, step, why = BROKEN[kind]
    before = site.apps()
    site.change()
    with breaks(site):
        status, said = site.deploy()
    assert (kind, status) == (kind, 1), said
    (headline,) = [line for line in said.splitlines() if line.startswith(step)]
    assert why in headline
    assert GONE_BACK.search(said), said
    assert site.apps() == before
    assert site.serves == version


# With others


@uwsgi_is_enough
def test_a_second_deploy_is_refused_while_one_is_at_work(site, tmp_path):
    other_folder = replace(site, path=shutil.copytree(site.path, tmp_path / "other"))
    first = site.start()
    assert first.stdout.readline().startswith("Release ")
    for second in (site, other_folder):
        assert second.deploy() == (1, BUSY)
    first.communicate(timeout=600)
    assert first.returncode == 0
    status, said = other_folder.deploy()
    assert status == 1
    assert said.startswith(f"This site was deployed from {site.path}, not from this folder.")


BUSY = "Another deploy of this site is running. Nothing was changed.\n"


@uwsgi_is_enough
def test_a_plain_up_after_a_deploy_changes_nothing(site):
    site.change()
    site.deploys()
    before = site.apps(), site.started("app"), site.started("nginx")
    site.up()
    assert (site.apps(), site.started("app"), site.started("nginx")) == before


@uwsgi_is_enough
def test_a_deploy_without_a_build_calls_docker_at_most_15_times(site, tmp_path):
    """Each call takes a tenth of a second or more. Looks while it waits do not count."""
    calls = tmp_path / "calls"
    client = tmp_path / "docker"
    client.write_text(f'#!/bin/sh\necho "$*" >>{calls}\nexec {shutil.which("docker")} "$@"\n')
    client.chmod(0o755)
    site.change()
    site.deploys()
    site.deploys("--previous", PATH=f"{tmp_path}:{os.environ['PATH']}")
    looks = re.compile(r"inspect \S+|exec .* cat /proc/net/unix")
    counted = [call for call in calls.read_text().splitlines() if not looks.fullmatch(call)]
    assert 10 < len(counted) <= 15, counted


@uwsgi_is_enough
def test_two_containers_are_replaced_by_two(site):
    with site.variables(APP_COPIES="2"):
        site.deploys()
        before = site.apps()
        version = site.change()
        with traffic(site) as seen:
            site.deploys()
        after = site.apps()
        assert (len(before), len(after), set(before) & set(after)) == (2, 2, set())
        assert sorted(site.links().values()) == sorted(one[:12] for one in after)
        assert {site.serves for _ in range(10)} == {version}
        assert seen.failures() == []
    site.deploys()
    assert len(site.apps()) == 1
    assert list(site.links().values()) == [one[:12] for one in site.apps()]


@pytest.mark.exhaustive
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
    site.change()
    site.up("--build")
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


# The database


@uwsgi_is_enough
def test_a_long_migration_does_not_hold_up_traffic(site):
    pages = ("GET /", "GET /readyz", "GET /admin/login/")
    with long_migration(site, "0002_long"), load(site, *pages) as seen:
        began = time.monotonic()
        site.deploys()
        took = time.monotonic() - began
    assert took > 12
    assert seen.failures() == []
    assert seen.longest_seconds() < 6
    assert site.get("/readyz").text == "ready\n"


# The other proxy, and the first start


@pytest.mark.exhaustive
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
    with site.edited("templates/home.html", "{% load static %}", "{% load nowhere %}"):
        status, said = site.deploy()
    assert status == 1
    assert "Requesting a page failed: / responds 500" in said
    site.deploys()
    assert site.get("/").status_code == 200
