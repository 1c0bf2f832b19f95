"""What bin/deploy does about a change to nginx itself: a reload, or a restart to which somebody agrees."""

import os
import pty
import subprocess
from contextlib import suppress

import pytest

from tests.helpers.ipv6 import requests_from
from tests.helpers.site import GONE_BACK, Site, uwsgi_is_enough
from tests.helpers.stack import run
from tests.helpers.traffic import traffic

pytestmark = [pytest.mark.containers, uwsgi_is_enough]


def test_a_new_configuration_of_nginx_drops_no_connection(site):
    before, old = site.started("nginx"), site.serves
    new = site.change()
    app = "docker/nginx/snippets/app.conf"
    with traffic(site) as seen:
        with site.edited(app, "location / {", f"{TEAPOT}location / {{"):
            site.deploys()
        assert (site.get("/teapot").status_code, site.serves) == (418, new)
        site.rolls_back()
    assert (site.get("/teapot").status_code, site.serves) == (404, old)
    assert seen.failures() == []
    assert len(seen.answers) > 100
    assert site.started("nginx") == before


TEAPOT = "location = /teapot { return 418; }\n"


@pytest.mark.exhaustive
def test_a_configuration_that_only_the_running_nginx_refuses_brings_it_back(site):
    """The test finds nothing wrong with it: nginx cannot give the memory of a limit another meaning."""
    before, version = site.apps(), site.serves
    site.change()
    limits, key = "docker/nginx/templates/uploads.conf.template", "$client_that_uploads zone"
    with site.edited(limits, key, "$remote_addr zone"):
        status, said = site.deploy()
    assert status == 1
    assert "Reloading nginx failed: nginx keeps its old configuration: " in said
    assert 'limit_conn_zone "uploads" uses the "$remote_addr" key' in said
    assert GONE_BACK.search(said)
    assert (site.apps(), site.serves) == (before, version)


def test_nginx_is_reloaded_for_another_configuration_only(site):
    workers = nginx_workers(site)
    site.change()
    site.deploys()
    assert nginx_workers(site) == workers
    # Another image with the same configuration, as after `docker builder prune`.
    with site.edited("docker/nginx/Dockerfile", "\nCOPY", "\nLABEL made=anew\nCOPY"):
        site.deploys()
        site.up()
    assert nginx_workers(site) == workers


def nginx_workers(site: Site) -> str:
    return site.exec("nginx", "sh", "-c", "grep -l '^nginx: worker' /proc/[0-9]*/cmdline")


RESTART = "nginx has changed and must restart"
STAYS = "nginx stays as it is; to restart it, run: bin/deploy --yes"


def test_nginx_is_restarted_when_a_person_agrees_and_never_else(site):
    with site.edited(
        "docker/nginx/compose.yaml", "stop_grace_period: 65s", "stop_grace_period: 66s"
    ):
        before, version = site.started("nginx"), site.change()
        for status, said in (nobody(site), a_person(site, "n"), who_sees_no_question(site)):
            assert status == 0, said
            assert STAYS in said
        assert (site.started("nginx"), site.serves) == (before, version)
        status, said = a_person(site, "y")
        assert status == 0, said
        assert STAYS not in said
        assert site.started("nginx") != before
    before = site.started("nginx")
    site.deploys("--yes")
    assert site.started("nginx") != before
    assert site.get("/").status_code == 200


def nobody(site: Site) -> tuple[int, str]:
    return site.deploy()


def a_person(site: Site, answer: str) -> tuple[int, str]:
    """Run bin/deploy at a terminal where a person sits, who gives this answer when asked."""
    ours, process = at_a_terminal(site)
    said = ""
    with suppress(OSError):  # nobody has the other side any more
        while piece := os.read(ours, 4096).decode():
            said += piece
            if piece.endswith("[y/N] "):
                os.write(ours, f"{answer}\n".encode())
    os.close(ours)
    assert RESTART in said
    return process.wait(timeout=600), said


def who_sees_no_question(site: Site) -> tuple[int, str]:
    """Run bin/deploy at a terminal, and let what it prints go elsewhere."""
    ours, process = at_a_terminal(site, stdout=subprocess.PIPE)
    said, _ = process.communicate(timeout=120)
    os.close(ours)
    return process.returncode, said


def at_a_terminal(site: Site, **changed) -> tuple[int, subprocess.Popen]:
    """Start bin/deploy at a terminal; return the side of it that a person has, and the process."""
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, **changed}
    process = subprocess.Popen(
        ["bin/deploy"], cwd=site.path, env=os.environ | site.ports, text=True, **streams
    )
    os.close(theirs)
    return ours, process


def test_a_network_that_docker_would_make_anew_stops_a_deploy_before_it_begins(site):
    """Compose would stop all containers in it, even for a one-off container."""
    before = site.apps(), site.started("nginx"), site.serves
    with site.variables(DUAL_STACK="false"), traffic(site) as seen:
        status, said = site.deploy("--yes")
    assert status == 1
    assert said == (
        f"The network {site.path.name}_frontend must be made anew, without IPv6: the site is unavailable for about"
        " half a minute. Nothing was changed. To do it now, run: docker compose -f compose.prod.yaml up -d --build --wait\n"
    )
    assert (site.apps(), site.started("nginx"), site.serves) == before
    assert seen.failures() == []


@pytest.mark.exhaustive
def test_the_documented_command_makes_the_network_anew(site):
    """As on a site from before DUAL_STACK: without IPv6 first, then with it."""
    command = "docker compose -f compose.prod.yaml up -d --build --wait"
    assert f"```sh\n{command}\n```" in (site.path / "docs/https.md").read_text()
    clients = ["2001:db8:a::1", "2001:db8:b::1"]
    for value, seen in (("false", []), ("true", clients)):
        with site.variables(DUAL_STACK=value):
            done = run(*command.split(), cwd=site.path, env=os.environ | site.ports)
            assert done.returncode == 0, done.stderr
            site.change()
            site.deploys()
            answers = requests_from(site, f"{site.path.name}:latest", clients)
            logged = [site.logged(answer)["client"] for answer in answers]
            assert [client for client in logged if client in clients] == seen
