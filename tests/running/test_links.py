"""How nginx finds the app: by links to sockets, which containers of the release that serves claim."""

import json
import time
from contextlib import contextmanager

import pytest
import yaml

from tests.helpers.echo import eventually_status, shown_links
from tests.helpers.project import a_slug
from tests.helpers.site import made_of
from tests.helpers.stack import DEVELOPMENT, run, standing

pytestmark = pytest.mark.containers

# What a project's config/urls.py gets: the client's address as packages read it.
WHOAMI = """

def whoami(request):
    return HttpResponse(request.META["REMOTE_ADDR"])


urlpatterns = [path("whoami/", whoami), *urlpatterns]
"""

# Docker's networks, from which the requests of this machine come.
THIS_MACHINE = "172.16.0.0/12, 192.168.0.0/16, 10.0.0.0/8"


@pytest.fixture(scope="module")
def site(bake_once, app_server, engine):
    """A production stack that a plain `up` started; its versions can be told apart."""
    with standing() as make:
        site = made_of(bake_once(project_slug=a_slug(), app_server=app_server), make)
        with (site.path / "config/urls.py").open("a") as urls:
            urls.write(WHOAMI)
        site.up()
        yield site


def set_copies(site, copies: int) -> None:
    """Write APP_COPIES into .env and run a plain `up`."""
    env = site.path / ".env"
    lines = [line for line in env.read_text().splitlines() if "APP_COPIES=" not in line]
    env.write_text("\n".join([*lines, f"APP_COPIES={copies}", ""]))
    site.up()


def host_names(site) -> list[str]:
    """Return the host names of the app's containers."""
    found = json.loads(run("docker", "inspect", *site.apps()).stdout)
    return sorted(container["Config"]["Hostname"] for container in found)


def linked(site) -> list[str]:
    return sorted(shown_links(site)["links"].values())


@contextmanager
def service_beside(stack, folder, **worker):
    """Run one more service of the app's image for a while, as an owner would add it."""
    file = folder / "override.yaml"
    app = yaml.safe_load((stack.path / stack.file).read_text())["x-app"]
    file.write_text(yaml.safe_dump({"services": {"worker": app | worker}}))
    try:
        yield ("--file", str(file))
    finally:
        stack.compose("--file", str(file), "rm", "--stop", "--force", "worker")


# What nginx is told


def test_nginx_lists_one_server_for_each_copy(site):
    shown = site.exec("nginx", "nginx", "-T")
    assert shown.count("server unix:") == 1
    assert "server unix:/run/app/1.sock max_fails=0;" in shown


@pytest.mark.parametrize("copies", ["01", "-1", "two"])
def test_copies_that_are_no_number_are_refused_in_one_sentence(site, copies):
    run_config = ("run", "--rm", "--no-TTY", "--no-deps", f"--env=APP_COPIES={copies}")
    done = site.command(*run_config, "nginx-config", "test")
    assert done.returncode == 1
    sentence = f"APP_COPIES must be a whole number, 1 or more, not '{copies}'."
    assert done.stderr.splitlines()[0] == sentence


def test_nginx_cannot_change_the_links(site):
    done = site.command("exec", "--no-TTY", "nginx", "rm", "/run/app/1.sock")
    assert "Read-only file system" in done.stderr


def test_the_port_of_the_app_is_for_probes_in_its_own_container(site):
    connect = ("bash", "-c", "timeout 3 bash -c '</dev/tcp/app/8000'")
    assert site.command("exec", "--no-TTY", "nginx", *connect).returncode != 0
    assert site.exec("app", "python", "-c", PROBE) == "200\n"


PROBE = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8000/healthz').status)"


# The client's address


def test_the_app_sees_the_clients_address(site):
    page = site.get("/whoami/", headers={"X-Forwarded-For": "203.0.113.9"})
    assert page.text == site.logged(page)["client"]
    assert page.text not in ("203.0.113.9", "0.0.0.0", "127.0.0.1", "")


def test_the_app_sees_an_address_of_ipv6_too(site):
    nginx = ("up", "--detach", "--wait", "--no-deps", "nginx-config", "nginx")
    site.compose(*nginx, TRUSTED_PROXIES=THIS_MACHINE)
    page = site.get("/whoami/", headers={"X-Forwarded-For": "203.0.113.9, 2001:db8::9"})
    site.compose(*nginx)
    assert page.text == "2001:db8::9"


# Who claims a link


def test_a_plain_up_after_a_change_serves_the_new_version(site):
    version = site.change()
    site.up("--build")
    assert site.serves == version
    assert linked(site) == host_names(site)


def test_a_second_up_changes_nothing(site):
    before = site.apps(), shown_links(site)
    site.up("--build")
    assert (site.apps(), shown_links(site)) == before


def test_two_copies_and_then_one_again(site):
    set_copies(site, 2)
    two, shown = host_names(site), site.exec("nginx", "nginx", "-T")
    links = linked(site)
    answered = {site.get("/").status_code for _ in range(20)}
    set_copies(site, 1)
    assert len(two) == 2
    assert links == two
    assert shown.count("max_fails=0;") == 2
    assert answered == {200}
    assert {site.get("/").status_code for _ in range(20)} == {200}
    assert shown_links(site)["links"]["1"] == host_names(site)[0]
    assert site.exec("nginx", "nginx", "-T").count("server unix:") == 1


def test_a_restarted_container_serves_again(site):
    run("docker", "restart", site.container("app"))
    eventually_status(site, 200)


def test_a_killed_server_ends_its_container_which_docker_restarts(site, app_server):
    before = site.started("app")
    site.exec("app", "sh", "-c", KILL_MASTER)
    eventually_status(site, 200)
    assert site.started("app") != before


KILL_MASTER = "kill -9 $(grep -lP '^PPid:\\t1$' /proc/[0-9]*/status | cut -d/ -f3)"


def test_a_removed_container_is_replaced_by_a_plain_up(site):
    run("docker", "rm", "--force", site.container("app"))
    assert site.get("/").status_code == 502
    site.up()
    assert site.get("/").status_code == 200


def test_a_container_of_another_release_does_not_claim_the_link_of_one_that_dies(site):
    """It waits beside until a deploy, or a plain up, names its release."""
    old, serves = site.container("app"), site.serves
    version = site.change()
    site.compose("build", "app")
    beside = ("up", "--detach", "--wait", "--no-deps", "--no-recreate", "--scale", "app=2", "app")
    site.compose(*beside)
    (new,) = [container for container in site.apps() if not old.startswith(container)]
    link = read_link(new)
    run("docker", "kill", old)
    time.sleep(2)  # it looks for a dead link once a second
    # What its health check does every 30 seconds.
    checked = run("docker", "exec", new, "python", "/app/docker/app/healthcheck.py")
    assert checked.returncode == 0
    assert read_link(new) == link
    assert site.get("/").status_code == 502
    run("docker", "start", old)
    eventually_status(site, 200)
    assert site.serves == serves
    site.up()
    eventually_status(site, 200)
    assert site.serves == version


def read_link(container: str) -> str:
    return run("docker", "exec", container, "readlink", "/run/app/1.sock").stdout


def test_a_deploy_points_and_goes_back(site):
    """What bin/deploy does with links.py, step by step."""
    old, serves = site.container("app"), site.serves
    version = site.change()
    site.compose("build", "app")
    site.compose("run", "--rm", "--no-TTY", "--no-deps", "release", *RELEASE_KEEP)
    beside = ("up", "--detach", "--wait", "--no-deps", "--no-recreate", "--scale", "app=2", "app")
    site.compose(*beside)
    assert site.serves == serves
    (new,) = [container for container in site.apps() if not old.startswith(container)]
    point(new)
    assert site.serves == version
    point(old)
    assert site.serves == serves
    point(new)
    run("docker", "rm", "--force", old)
    assert site.serves == version
    site.up()
    eventually_status(site, 200)
    assert site.serves == version


def point(container: str) -> None:
    """Let nginx send its requests to this container, as bin/deploy does."""
    links = ("docker", "exec", container, "python", "docker/app/links.py")
    run(*links, "point", container[:12]).check_returncode()


RELEASE_KEEP = ("python", "manage.py", "release", "--keep-current")


def test_point_refuses_what_does_not_listen_in_one_sentence(site):
    before = shown_links(site)
    links = ("python", "docker/app/links.py", "point", "nobody")
    done = site.command("exec", "--no-TTY", "app", *links)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "No server listens on /run/app/nobody.sock.\n"
    assert shown_links(site) == before


# Workers of the app's image


def test_a_worker_with_the_servers_command_does_not_take_the_site_over(site, tmp_path):
    before = shown_links(site)
    with service_beside(site, tmp_path) as file:
        site.compose(*file, "up", "--detach", "--wait", "worker")
        worker = site.command(*file, "exec", "--no-TTY", "worker", "ls", "/run/app").stdout
        assert worker == ""
        assert shown_links(site) == before


@pytest.mark.parametrize("init", [False, True])
def test_a_worker_is_healthy_as_long_as_it_runs(site, tmp_path, init):
    sleep = ["python", "-c", "import time; time.sleep(600)"]
    with service_beside(site, tmp_path, command=sleep, init=init, stop_grace_period="1s") as file:
        site.compose(*file, "up", "--detach", "--wait", "worker")


@pytest.mark.parametrize("init", [False, pytest.param(True, marks=pytest.mark.exhaustive)])
def test_a_worker_is_healthy_in_development_too(development, tmp_path, init):
    sleep = ["python", "-c", "import time; time.sleep(600)"]
    assert development.file == DEVELOPMENT
    with service_beside(development, tmp_path, command=sleep, init=init) as file:
        development.compose(*file, "up", "--detach", "--wait", "worker")


def test_a_server_that_waits_for_the_database_is_not_healthy(site):
    alone = ("run", "--detach", "--no-deps", "--env=POSTGRES_HOST=nowhere", "app")
    name = site.compose(*alone).strip()
    try:
        checked = run("docker", "exec", name, "python", "/app/docker/app/healthcheck.py")
    finally:
        run("docker", "rm", "--force", name)
    assert checked.returncode == 1
    assert "Connection refused" in checked.stderr


# A stop


def test_a_stop_removes_the_socket_first_and_ends_well(site):
    app = site.container("app")
    site.compose("stop", "app")
    state = json.loads(run("docker", "inspect", app).stdout)[0]["State"]
    sockets = site.compose("run", "--rm", "--no-TTY", "--no-deps", "release", "ls", "/run/app")
    site.up()
    assert state["ExitCode"] == 0
    assert f"{app[:12]}.sock" not in sockets.split()
