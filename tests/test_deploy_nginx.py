"""What bin/deploy does about a change to nginx itself: a reload, or a restart to which somebody agrees."""

import os
import pty
import subprocess
from contextlib import suppress

import pytest

from tests.site import GONE_BACK, Site, uwsgi_is_enough
from tests.traffic import traffic

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


def test_nginx_tests_where_requests_go_before_it_is_told(site):
    before = site.apps()
    with site.edited("docker/nginx/upstream.conf", "max_fails", "max_falls"):
        status, said = site.deploy()
    assert status == 1
    assert "Testing nginx's configuration failed: " in said
    assert 'invalid parameter "max_falls=0"' in said
    assert site.apps() == before
    assert site.get("/").status_code == 200


@pytest.fixture
def other_nginx(site):
    """The site with a service of nginx that only a restart can give it; at the end it has that."""
    with site.edited(
        "docker/nginx/compose.yaml", "stop_grace_period: 65s", "stop_grace_period: 66s"
    ):
        yield
    site.deploys("--yes")


RESTART = "nginx itself has changed, and takes that by a restart"


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


@pytest.mark.usefixtures("other_nginx")
@pytest.mark.parametrize(("answer", "restarted"), [("n", False), ("y", True)])
def test_a_person_is_asked_before_nginx_is_restarted(site, answer, restarted):
    before = site.started("nginx")
    status, said = at_a_terminal(site, answer)
    assert status == 0, said
    assert RESTART in said
    assert (site.started("nginx") != before) is restarted


def at_a_terminal(site: Site, answer: str) -> tuple[int, str]:
    """Run bin/deploy where a person sits, who gives this answer when asked."""
    ours, process = started_at_a_terminal(site)
    said = ""
    with suppress(OSError):  # nobody has the other side any more
        while piece := os.read(ours, 4096).decode():
            said += piece
            if piece.endswith("[y/N] "):
                os.write(ours, f"{answer}\n".encode())
    os.close(ours)
    return process.wait(timeout=600), said


def started_at_a_terminal(site: Site, **changed) -> tuple[int, subprocess.Popen]:
    """Start bin/deploy at a terminal; return the side of it that a person has, and the process."""
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, **changed}
    process = subprocess.Popen(
        ["bin/deploy"], cwd=site.path, env=os.environ | site.ports, text=True, **streams
    )
    os.close(theirs)
    return ours, process


@pytest.mark.usefixtures("other_nginx")
def test_nobody_is_asked_where_the_question_goes_into_a_file(site):
    before = site.started("nginx")
    ours, process = started_at_a_terminal(site, stdout=subprocess.PIPE)
    said, _ = process.communicate(timeout=120)
    os.close(ours)
    assert process.returncode == 0, said
    assert "nginx stays as it is" in said
    assert site.started("nginx") == before
