"""bin/deploy has no room on a disk, or no registry: the site goes on, and the next deploy works."""

import socket
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.helpers.load import load
from tests.helpers.project import a_slug
from tests.helpers.site import GONE_BACK, Site, made_of, uwsgi_is_enough
from tests.helpers.stack import run, standing

pytestmark = pytest.mark.containers

PAGES = ("GET /", "GET /readyz", "GET /admin/login/")

# Disks


@contextmanager
def full(site: Site, service: str, folder: str):
    """Let no room be left in this folder of a service, for a while."""
    fill = f"cat /dev/zero >{folder}/filler; test -s {folder}/filler"
    run_once = ("run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", "sh", service, "-c")
    site.compose(*run_once, fill)
    try:
        yield
    finally:
        site.compose(*run_once, f"rm {folder}/filler")


@pytest.fixture(scope="module")
def small(bake_once, engine):
    """A site whose volumes for static files and for sockets have room for some megabytes."""
    with standing() as make:
        site = made_of(bake_once(project_slug=a_slug()), make)
        limit(site.path / "docker/nginx/compose.yaml", "static", "uid=10001,gid=10001")
        limit(site.path / "docker/nginx/compose.yaml", "sockets", "uid=10001,gid=10001")
        site.compose("build")
        # What is in memory is gone as soon as no container has it.
        hold = ("run", "--detach", "--rm", "--no-deps", "--entrypoint", "sh")
        site.compose(*hold, "release", "-c", "trap exit TERM; sleep 3600 & wait")
        site.deploys()
        yield site


def limit(file: Path, volume: str, owner: str) -> None:
    """Let this volume of a compose file be in memory, with room for some megabytes."""
    services, top, volumes = file.read_text().partition("\nvolumes:\n")
    options = f"{{driver_opts: {{type: tmpfs, device: tmpfs, o: 'size=8m,{owner}'}}}}"
    file.write_text(services + top + volumes.replace(f"  {volume}:\n", f"  {volume}: {options}\n"))


@pytest.mark.parametrize(
    ("folder", "step"),
    [
        pytest.param("/srv/static", "Requesting a page, publishing", id="static"),
        pytest.param("/run/app", "Switching to the new version", id="sockets"),
    ],
)
def test_a_full_disk_brings_it_back_to_the_old_version(small, folder, step):
    before, version, style = small.apps(), small.serves, small.style
    small.change()
    with load(small, *PAGES, f"GET {style}") as seen:
        with full(small, "release", folder):
            status, said = small.deploy()
        assert small.serves == version
        assert small.apps() == before
        after = small.change()
        small.deploys()
    assert status == 1
    assert f"{step} failed: " in said
    assert "No space left on device" in said
    assert GONE_BACK.search(said), said
    assert seen.failures() == []
    assert small.serves == after


# Registries


@pytest.fixture
def silent_registry():
    """The address of a server that takes every connection and never says a word.

    Not on 127.0.0.1, where Docker lets a registry do without TLS: there a build waits without end.
    """
    gateway = "{{(index .IPAM.Config 0).Gateway}}"
    host = run("docker", "network", "inspect", "bridge", "--format", gateway).stdout.strip()
    taken = []
    with ExitStack() as closing, socket.create_server((host, 0)) as server:

        def take() -> None:
            while True:
                try:
                    taken.append(closing.enter_context(server.accept()[0]))
                except OSError:
                    return

        thread = threading.Thread(target=take)
        thread.start()
        yield f"{host}:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert taken


@uwsgi_is_enough
@pytest.mark.parametrize(
    ("arguments", "env", "step"),
    [
        pytest.param(["--image", "{}/shop:1"], {}, "Fetching {}/shop:1", id="image"),
        pytest.param([], {"REGISTRY": "{}/"}, "Building", id="base-images"),
    ],
)
def test_a_registry_that_does_not_answer_is_given_up(site, silent_registry, arguments, env, step):
    before, version = site.apps(), site.serves
    arguments = [argument.format(silent_registry) for argument in arguments]
    env = {name: value.format(silent_registry) for name, value in env.items()}
    with load(site, *PAGES) as seen:
        status, said = site.deploy(*arguments, **env)
    assert status == 1
    assert f"{step.format(silent_registry)} failed: " in said
    assert GONE_BACK.search(said)
    assert seen.failures() == []
    assert (site.apps(), site.serves) == (before, version)
