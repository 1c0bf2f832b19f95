"""What clients see while copies of the app stop, die or are flooded, and what a full volume does."""

import io
import json
import re
import time

import pycurl
import pytest

from tests.helpers.echo import shown_links
from tests.helpers.project import a_slug
from tests.helpers.site import made_of
from tests.helpers.stack import ENOUGH, in_image, run, standing
from tests.helpers.traffic import traffic

pytestmark = pytest.mark.containers

SLEEP = """

def doze(request):
    time.sleep(0.05)
    return HttpResponse("rested")


urlpatterns = [path("doze/", doze), *urlpatterns]
"""


@pytest.fixture(scope="module")
def site(bake_once, app_server, engine):
    """A production stack with two copies of the app."""
    with standing() as make:
        project = bake_once(project_slug=a_slug(), app_server=app_server)
        site = made_of(project, make)
        with (site.path / "config/urls.py").open("a") as urls:
            urls.write(SLEEP)
        with (site.path / ".env").open("a") as env:
            env.write("APP_COPIES=2\n")
        site.up()
        yield site


def clients_of(site) -> int:
    """Return how many requests tests.traffic has in flight at a time."""
    workers = int(site.exec("app", "python", "docker/app/workers.py"))
    return workers + workers * 3 // 4


# Copies that stop and die


def test_a_copy_that_is_stopped_fails_no_request(site):
    first, second = site.apps()
    with traffic(site) as seen:
        for copy in (first, second):
            time.sleep(2)
            run("docker", "stop", copy)
            run("docker", "start", copy)
            wait_until_healthy(copy)
        time.sleep(2)
    assert seen.failures() == []
    assert len(seen.answers) > 50
    assert site.rows() == sorted(seen.written)


def wait_for_answers(seen, count: int) -> None:
    for _ in range(600):
        if len(seen.answers) >= count:
            return
        time.sleep(0.1)
    pytest.fail(f"never got {count} answers")


def wait_until_healthy(container: str) -> None:
    for _ in range(300):
        state = run("docker", "inspect", "--format", "{{.State.Health.Status}}", container)
        if state.stdout == "healthy\n":
            return
        time.sleep(0.2)
    pytest.fail(f"{container} never became healthy")


@pytest.mark.parametrize("end", [("kill",), ("rm", "--force")])
def test_a_copy_that_is_killed_costs_no_more_than_the_requests_in_flight(site, end):
    first, _ = site.apps()
    clients = clients_of(site)
    with traffic(site) as seen:
        wait_for_answers(seen, 2 * clients)
        run("docker", *end, first)
        killed = len(seen.answers)
        wait_for_answers(seen, killed + 6 * clients)
    site.up()
    failures = seen.failures()
    # While its processes die one after the other, a client may get there once more.
    assert len(failures) <= 2 * clients
    # A response whose first half was sent cannot become a 502 any more: it is cut off.
    cut_off = re.compile("stream .* not closed cleanly|incomplete|transfer closed")
    assert [a for a in failures if a.status != 502 and not cut_off.search(a.error)] == []
    # Whatever was in flight ends now; afterwards the other copy serves everybody.
    assert [answer for answer in seen.answers[killed + 2 * clients :] if answer.status != 200] == []
    # A POST that failed may have been done, and is never done twice.
    assert len(set(site.rows())) == len(site.rows())
    assert len(shown_links(site)["links"]) == 2


def test_a_paused_copy_holds_back_its_own_requests_only(site):
    """A full backlog and a paused server are alive: nobody claims their links."""
    first, second = site.apps()
    before = shown_links(site)
    run("docker", "pause", first)
    try:
        time.sleep(3)
        links = ("docker", "exec", second, "python", "docker/app/links.py", "show")
        during = json.loads(run(*links).stdout)
    finally:
        run("docker", "unpause", first)
    assert during == before


# Many at once


def test_2000_requests_at_once_are_all_answered(site):
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
    handles = [doze(site) for _ in range(2000)]
    for handle in handles:
        multi.add_handle(handle)
    running, end = 1, time.monotonic() + 180
    while running and time.monotonic() < end:
        multi.select(0.1)
        _, running = multi.perform()
    statuses = [handle.getinfo(pycurl.RESPONSE_CODE) for handle in handles]
    assert {status: statuses.count(status) for status in statuses} == {200: 2000}
    versions = {handle.getinfo(pycurl.INFO_HTTP_VERSION) for handle in handles}
    assert versions == {pycurl.CURL_HTTP_VERSION_2_0}


def doze(site) -> pycurl.Curl:
    """Return a request for a page that takes 50 ms."""
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, f"{site.address}/doze/")
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
    curl.setopt(pycurl.PIPEWAIT, 1)
    curl.setopt(pycurl.SSL_VERIFYPEER, 0)
    curl.setopt(pycurl.TIMEOUT, 170)
    curl.setopt(pycurl.WRITEFUNCTION, io.BytesIO().write)
    return curl


def test_nginx_has_the_connections_and_the_files_for_them(site):
    shown = site.exec("nginx", "nginx", "-T")
    connections = int(re.search(r"worker_connections (\d+);", shown)[1])
    files = int(re.search(r"worker_rlimit_nofile (\d+);", shown)[1])
    worker = (
        "cd /proc && cat $(grep -l 'worker process' [0-9]*/cmdline | head -1 | cut -d/ -f1)/limits"
    )
    limits = site.exec("nginx", "sh", "-c", worker)
    assert connections == 4096
    # One for the client and one for the app, and a file each.
    assert files >= 2 * connections
    assert re.search(rf"Max open files +{files} ", limits)


def test_the_backlog_is_what_the_kernel_allows(site, app_server):
    allowed = site.exec("app", "cat", "/proc/sys/net/core/somaxconn").strip()
    if app_server == "uwsgi":
        assert f"listen backlog is limited to {allowed} connections" in site.logs("app")
    else:
        command = ("gunicorn", "--config", "docker/app/gunicorn.conf.py", "--print-config")
        assert re.search(rf"^backlog += {allowed}$", site.exec("app", *command), re.MULTILINE)


# A full volume

# Lets two servers listen, fills the volume, and asks for a change.
FULL = """
import os, socket, subprocess, sys

os.chdir("/run/app")
servers = [socket.socket(socket.AF_UNIX) for _ in "ab"]
for host, server in zip("ab", servers):
    server.bind(f"{host}.sock")
    server.listen()
links = [sys.executable, "/app/docker/app/links.py"]
subprocess.run([*links, "point", "a"], check=True, stdout=subprocess.DEVNULL)
open("release", "w").write("old")
before = sorted(os.listdir()), subprocess.check_output([*links, "show"])
if sys.argv[1] == "inodes":
    try:
        for number in range(1000):
            open(f"file{number}", "x").close()
    except OSError:
        pass
else:
    try:
        open("large", "wb", buffering=0).write(b"x" * 1_000_000)
        open("larger", "wb", buffering=0).write(b"x" * 1_000_000)
    except OSError:
        pass
done = subprocess.run([*links, "point", "b"], capture_output=True, text=True)
for name in os.listdir():
    if name.startswith(("file", "large")):
        os.unlink(name)
after = sorted(os.listdir()), subprocess.check_output([*links, "show"])
print(done.returncode, after == before, done.stderr)
"""


@pytest.mark.parametrize("full", ["inodes", "blocks"])
def test_a_change_on_a_full_volume_changes_nothing_and_says_so(site, full):
    image = f"{site.path.name}:latest"
    volume = ("--tmpfs", "/run/app:uid=10001,size=64k,nr_inodes=20")
    done = in_image(image, "python", "-c", FULL, full, options=[*ENOUGH, *volume])
    status, unchanged, said = done.stdout.strip().split(" ", 2)
    assert (status, unchanged) == ("1", "True"), done
    assert said.startswith("The links could not be changed: [Errno 28] No space left on device")
    assert "\n" not in said
