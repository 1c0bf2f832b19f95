"""A Docker Compose stack of a baked project, for tests to start, ask, break and remove."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import httpx
import pytest

DEVELOPMENT = "compose.yaml"
PRODUCTION = "compose.prod.yaml"


def run(*command: str | Path, **options) -> subprocess.CompletedProcess:
    """Run a command and return how it ended, with what it printed; never raises for that."""
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)


COMPOSE_PATH = '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}'


@cache
def compose_program() -> str:
    """Return the path of Compose itself.

    `docker compose` starts it too, but only after all other plugins, which takes twice the CPU time.
    """
    return run("docker", "info", "--format", COMPOSE_PATH).stdout.strip()


def share_packages(project: Path) -> None:
    """Take the project's name out of the comments of its locks.

    Projects with the same packages then share the image's layer with them, and uWSGI is compiled
    once instead of once for each project.
    """
    for lock in project.glob("requirements*.txt"):
        shared = re.sub(r"[\w-]+ \(pyproject\.toml", "project (pyproject.toml", lock.read_text())
        lock.write_text(shared)


@dataclass(frozen=True)
class Stack:
    """The stack that `file` in the folder `path` describes, with these ports on this machine."""

    path: Path
    file: str
    ports: dict[str, str]

    def __post_init__(self):
        share_packages(self.path)

    def command(
        self, *arguments: str, timeout: int = 600, **env: str
    ) -> subprocess.CompletedProcess:
        """Run docker compose with these arguments and return how it ended; never raises for that."""
        # A person's .env decides about these; the shell that runs the tests does not.
        inherited = {k: v for k, v in os.environ.items() if k not in ("UID", "GID", "DOMAIN")}
        return run(
            *(compose_program(), "--file", self.file, *arguments),
            cwd=self.path,
            env=inherited | self.ports | env,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    def compose(self, *arguments: str, timeout: int = 600, **env: str) -> str:
        """Run docker compose, which must succeed, and return what it printed on stdout."""
        done = self.command(*arguments, timeout=timeout, **env)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def up(self, *arguments: str) -> None:
        self.compose("up", "--detach", "--wait", *arguments)

    def logs(self, *services: str) -> str:
        return self.command("logs", "--no-color", "--no-log-prefix", *services).stdout

    def exec(self, service: str, *command: str) -> str:
        return self.compose("exec", "--no-TTY", service, *command)

    def manage(self, *command: str, **env: str) -> str:
        flags = [flag for name, value in env.items() for flag in ("--env", f"{name}={value}")]
        return self.compose("run", "--rm", "--no-TTY", *flags, "manage", *command)

    def run_over_tcp(self, port: int, *flags: str) -> str:
        """Start one more container of the app that anybody can reach at this port; return its name.

        It is no service of the site: it has the app's image and variables, and no socket for nginx.
        """
        command = run(
            "docker", "inspect", "--format", "{{json .Config.Cmd}}", self.container("app")
        )
        publish = f"--publish=127.0.0.1:{port}:8000"
        alone = ("run", "--detach", "--rm", "--no-deps", "--entrypoint=/entrypoint.sh", publish)
        return self.compose(*alone, *flags, "manage", *json.loads(command.stdout)).strip()

    def logged(self, answer: httpx.Response) -> dict:
        """Return what nginx logged about the request of this answer; it writes once a second."""
        for _ in range(50):
            newest = self.compose("logs", "--no-log-prefix", "--tail=200", "nginx")
            for line in newest.splitlines():
                if f'"request_id":"{answer.headers["X-Request-ID"]}"' in line:
                    return json.loads(line)
            time.sleep(0.1)
        raise TimeoutError("nginx never logged the request")

    def container(self, service: str) -> str:
        """Return the id of the service's container, running or not."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    @property
    def ends_https(self) -> bool:
        return self.file == PRODUCTION and (self.path / "docs/https.md").exists()

    @property
    def address(self) -> str:
        if self.ends_https:
            return f"https://localhost:{self.ports['HTTPS_PORT']}"
        port = self.ports["APP_PORT" if self.file == DEVELOPMENT else "HTTP_PORT"]
        return f"http://localhost:{port}"

    def client(self, **options) -> httpx.Client:
        """Return a client for the stack's pages. It believes in the self-signed certificate.

        Where a load balancer is to end HTTPS, the client speaks as one; TRUSTED_PROXIES decides.
        """
        options = {"timeout": 30} | options
        client = httpx.Client(base_url=self.address, verify=False, **options)
        if self.file == PRODUCTION and not self.ends_https:
            client.headers["X-Forwarded-Proto"] = "https"
        return client

    def get(self, path: str, **options) -> httpx.Response:
        with self.client() as client:
            return client.get(path, **options)

    def remove(self) -> None:
        """Remove containers, networks, volumes, and the images that were built for this stack."""
        name = json.loads(self.compose("config", "--format", "json"))["name"]
        self.command("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5")
        ours = ("--filter", f"label=com.docker.compose.project={name}", "--quiet")
        images = run("docker", "image", "ls", "--all", *ours).stdout.split()
        run("docker", "image", "rm", "--force", *set(images))
        kinds = (("ps", "--all"), ("network", "ls"), ("volume", "ls"), ("image", "ls", "--all"))
        left = [run("docker", *kind, *ours).stdout for kind in kinds]
        assert left == ["", "", "", ""], f"{name} left something behind: {left}"


def ports() -> Iterator[int]:
    """Yield ports, others in each process of a run; outgoing connections of a Linux machine have none of them."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + 2_500 * (worker % 5)
    # Start somewhere else each time: another run may be under way.
    yield from (first + (os.getpid() + number) % 2_500 for number in count())


PORTS = ports()


def free_port() -> int:
    """Return a port that nobody listens on, and no other test of this run gets."""
    for port in PORTS:
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("", port))
            return port
    raise AssertionError("PORTS has no end")


@contextmanager
def standing():
    """Give a function that makes a Stack with ports of its own; remove all of them at the end."""
    made = []

    def make(path: Path, file: str) -> Stack:
        ports = {name: str(free_port()) for name in ("APP_PORT", "HTTP_PORT", "HTTPS_PORT")}
        made.append(Stack(path, file, ports))
        return made[-1]

    try:
        yield make
    finally:
        for stack in made:
            stack.remove()


def wait_until_it_answers(address: str) -> None:
    for _ in range(100):
        try:
            httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"{address} never answered")


def wait_until_it_is_ready(stack) -> None:
    for _ in range(150):
        try:
            if stack.get("/readyz").text == "ready\n":
                return
        except httpx.TransportError:
            pass
        time.sleep(0.4)
    pytest.fail("never ready")


# What the production image needs to run by itself.
SECRET = "not-a-real-secret-0123456789-" * 2
ENOUGH = ("--env", f"SECRET_KEY={SECRET}", "--env", "DATABASE_URL=sqlite:////tmp/db.sqlite3")


def in_image(image: str, *command: str, options=()):
    return run("docker", "run", "--rm", *options, image, *command)
