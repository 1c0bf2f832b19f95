"""The stacks that are compared: generated projects, and the floor."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import load
from benchmarks.refusal import Refusal
from tests.helpers.stack import Stack, free_port, run

ROOT = Path(__file__).resolve().parent.parent
FLOOR = Path(__file__).parent / "floor"
PAGES = Path(__file__).parent / "pages.py"
SLUG = "django-docker-benchmark"
STATIC_FILE = "benchmark.css"
STATIC_BYTES = 20 * 1024

# The values of options that differ from the defaults.
OPTIONS = {
    "uwsgi": [],
    "gunicorn": ["app_server=gunicorn"],
    "no proxy": ["proxy=none"],
    "lean": ["use_allauth=false"],
}


@dataclass(frozen=True)
class Contender:
    """A running stack, and how the load generator reaches its pages."""

    stack: Stack
    service: str  # the load is in the network namespace of this service's container
    url: str  # as seen from there, without a path
    headers: tuple[str, ...] = ()
    paths: dict[str, str] = field(default_factory=dict)  # the path of each page that it has

    @property
    def container(self) -> str:
        return self.stack.container(self.service)

    def check(self, page: str) -> None:
        """Raise Refusal if a page does not have status 200."""
        load.check(self.container, self.url + self.paths[page], self.headers)

    def load(self, page: str, clients: int, seconds: int) -> load.Result:
        """Load a page; see load.wrk()."""
        return load.wrk(self.container, self.url + self.paths[page], clients, seconds, self.headers)


def cookiecutter(template: Path, scratch: Path, *answers: str) -> None:
    """Generate a project in a scratch folder, and keep no answers in the home folder of the person.

    Raises Refusal if that fails, with the reason.
    """
    config = scratch / "cookiecutter.yaml"
    config.write_text(f"cookiecutters_dir: {scratch}\nreplay_dir: {scratch}\n")
    command = (sys.executable, "-m", "cookiecutter", template, "--no-input", *answers)
    done = run(*command, "--config-file", config, "--output-dir", scratch)
    if done.returncode:
        raise Refusal(f"A project cannot be generated: {done.stderr.strip().splitlines()[-1]}")


def generate(scratch: Path, name: str) -> Path:
    """Generate a project, with the benchmark's pages and its static file; return its folder."""
    slug = f"{SLUG}-{name.replace(' ', '-')}"
    cookiecutter(ROOT, scratch, f"project_slug={slug}", *OPTIONS[name])
    folder = scratch / slug
    shutil.copy(PAGES, folder / "benchmark.py")
    (folder / "static" / STATIC_FILE).write_text(css())
    with (folder / "config/urls.py").open("a") as urls:
        urls.write("\nfrom benchmark import urlpatterns as pages\n\nurlpatterns += pages\n")
    if name == "no proxy":
        # The load comes from within the app's network namespace, and says that it came over HTTPS.
        with (folder / ".env").open("a") as env:
            env.write("TRUSTED_PROXIES=127.0.0.0/8\n")
    return folder


def css() -> str:
    """Return a style sheet of 20 KB."""
    rule = ".benchmark { color: #123456 }\n"
    return rule * (STATIC_BYTES // len(rule))


def floor(scratch: Path, project: Path) -> Path:
    """Put a generated project into the leanest containers; return its folder."""
    folder = scratch / "floor"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(*NOT_IN_THE_FLOOR))
    shutil.copytree(FLOOR, folder, dirs_exist_ok=True)
    (folder / "certificate").mkdir()
    (folder / "certificate/certificate.pem").write_text(in_tools(*SELF_SIGNED))
    count = in_tools("python", "-", script=(project / "docker/app/workers.py").read_text())
    (folder / ".env").write_text(f"WEB_CONCURRENCY={count}")
    return folder


# Services of the floor that no other measurement needs.
REFERENCES = ("startproject", "two-lines")
NOT_IN_THE_FLOOR = ("docker", "ops", "bin", "docs", "tests", ".*", "compose*.yaml")
# As docker/nginx/entrypoint.d/13-certificates.sh signs one, so that TLS costs both the same.
SELF_SIGNED = (
    *("openssl", "req", "-x509", "-nodes", "-subj", "/CN=localhost", "-keyout", "-"),
    *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
)
# As docker/hardened.yaml does.
MEMORY_LIMIT = "768m"


def in_tools(program: str, *arguments: str, script: str = "") -> str:
    """Run a program in the image of the load generator and return what it prints."""
    command = ("docker", "run", "--rm", "--interactive", f"--memory={MEMORY_LIMIT}")
    return run(*command, f"--entrypoint={program}", load.IMAGE, *arguments, input=script).stdout


class Floor(Stack):
    """The stack of floor/compose.yaml."""

    @property
    def address(self) -> str:
        return f"https://localhost:{self.ports['HTTPS_PORT']}"


def stack(folder: Path, file: str, kind: type[Stack] = Stack) -> Stack:
    """Return a stack with free ports of this machine."""
    ports = {name: str(free_port()) for name in ("APP_PORT", "HTTP_PORT", "HTTPS_PORT")}
    return kind(folder, file, ports)


@contextmanager
def removed_at_the_end(*stacks: Stack) -> Iterator[None]:
    """Remove these stacks before the block, where an earlier run was killed, and after it."""
    with ExitStack() as removing:
        for one in stacks:
            one.remove()
            removing.callback(one.remove)
        yield


def build(stack: Stack) -> None:
    """Build the images of a stack.

    Raises Refusal if that fails, with the reason.
    """
    done = stack.command("build", timeout=1200)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
        raise Refusal(f"The image of {stack.path.name} cannot be built: {reason}")


def start(stack: Stack, *services: str, **env: str) -> None:
    """Start a stack and wait until it is healthy.

    Raises Refusal if that fails, with the reason.
    """
    done = stack.command("up", "--detach", "--wait", *services, **env)
    if done.returncode:
        raise Refusal(f"{stack.path.name} does not start: {done.stderr.strip().splitlines()[-1]}")


def image_of_app(stack: Stack) -> str:
    """Return the name of the image of a stack's app."""
    return json.loads(stack.compose("config", "--format", "json"))["services"]["app"]["image"]


PAGES_OF_DJANGO = {
    "trivial": "/benchmark/trivial/",
    "query": "/benchmark/query/",
    "login": "/accounts/login/",
    "cpu": "/benchmark/cpu/",
    "wait": "/benchmark/wait/",
    "mixed": "/benchmark/mixed/",
}


def generated(stack: Stack) -> Contender:
    """Return a generated project, seen by its clients: through nginx where it has one."""
    find = f"from django.templatetags.static import static; print(static('{STATIC_FILE}'))"
    paths = {
        **PAGES_OF_DJANGO,
        "static": stack.manage("shell", "--verbosity=0", "-c", find).strip(),
    }
    if stack.ends_https:
        return Contender(stack, "nginx", THROUGH_NGINX, paths=paths)
    return Contender(stack, "app", BARE, OVER_HTTPS, paths)


def app_alone(stack: Stack) -> Contender:
    """Return the app of a generated project without its nginx, by TCP."""
    return Contender(stack, "app", BARE, OVER_HTTPS, PAGES_OF_DJANGO)


def floors(stack: Stack) -> dict[str, Contender]:
    """Return the floor by itself and behind nginx with TLS, and two references."""
    static = {"static": f"/static/{STATIC_FILE}"}
    return {
        "floor": Contender(stack, "app", BARE, OVER_HTTPS, PAGES_OF_DJANGO),
        "floor behind nginx": Contender(
            stack, "nginx", THROUGH_NGINX, paths={**PAGES_OF_DJANGO, **static}
        ),
        "startproject's settings": Contender(stack, "startproject", BARE, paths=PAGES_OF_DJANGO),
        "two lines": Contender(stack, "two-lines", BARE, paths={"trivial": "/"}),
    }


THROUGH_NGINX = "https://localhost:8443"
BARE = "http://127.0.0.1:8000"
# What nginx, or a load balancer, would say.
OVER_HTTPS = ("Host: localhost", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https")
