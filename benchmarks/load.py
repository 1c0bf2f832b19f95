"""Load from wrk, in the network namespace of the container that it loads.

Load that comes through a published port of this machine passes docker-proxy; requests of other machines do not.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from benchmarks.refusal import Refusal
from tests.helpers.stack import run

IMAGE = "django-docker-benchmark-wrk"
FOLDER = Path(__file__).parent / "wrk"
THREADS = 2


@dataclass(frozen=True)
class Result:
    """What wrk measured; latencies in milliseconds, failed requests as their number."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def build() -> None:
    """Build wrk's image.

    Raises Refusal if that fails, with the reason.
    """
    done = run("docker", "build", "--quiet", "--tag", IMAGE, FOLDER)
    if done.returncode:
        raise Refusal(f"wrk's image cannot be built: {done.stderr.strip().splitlines()[-1]}")


def in_network(container: str, program: str, *arguments: str | Path) -> CompletedProcess:
    """Run a program of wrk's image in the network namespace of a container."""
    network = f"--network=container:{container}"
    return run("docker", "run", "--rm", network, f"--entrypoint={program}", IMAGE, *arguments)


def check(container: str, url: str, headers: tuple[str, ...] = ()) -> None:
    """Raise Refusal if a page does not have status 200: wrk would count a redirect as a success."""
    flags = [f"--header={header}" for header in headers]
    shown = in_network(
        container,
        "curl",
        "--insecure",
        "--silent",
        "--output=/dev/null",
        "--write-out=%{http_code}",
        *flags,
        url,
    )
    if shown.stdout != "200":
        raise Refusal(f"{url} has status {shown.stdout}, and not 200. {shown.stderr}")


def wrk(
    container: str, url: str, clients: int, seconds: int, headers: tuple[str, ...] = ()
) -> Result:
    """Request a page for so many seconds from so many clients, as seen from within a container's network.

    Raises Refusal if that fails.
    """
    flags = [f"--header={header}" for header in headers]
    done = in_network(
        *(container, "wrk", f"--threads={min(THREADS, clients)}", f"--connections={clients}"),
        *(f"--duration={seconds}s", "--script=/report.lua", "--timeout=10s", *flags, url),
    )
    if done.returncode:
        raise Refusal(f"wrk cannot load {url}: {done.stdout}{done.stderr}")
    report = json.loads(done.stdout.strip().splitlines()[-1])
    failed = report["not_2xx"] + report["broken"]
    return Result(
        report["requests"] / report["seconds"], report["p50_ms"], report["p99_ms"], failed
    )


def sockets_in_time_wait(container: str) -> int:
    """Return how many TCP sockets of a container's network wait for stray packets."""
    shown = in_network(container, "cat", "/proc/net/sockstat")
    words = shown.stdout.split("TCP:")[1].split()
    return int(words[words.index("tw") + 1])
