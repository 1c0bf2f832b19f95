"""Requests per second by workers, threads and cores, for each kind of work, under compose's memory limit."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks import load
from benchmarks.contenders import PAGES_OF_DJANGO
from benchmarks.measures.memory import in_bytes
from benchmarks.plan import Plan
from benchmarks.refusal import Refusal
from tests.helpers.stack import Stack, free_port, run

WORK = ("cpu", "wait", "mixed")
CLIENTS = 32
URL = "http://127.0.0.1:8000"
HEADERS = ("X-Forwarded-Proto: https", "Host: localhost")


def variables(server: str, workers: int, threads: int) -> dict[str, str]:
    """Return the variables that set the workers and threads of an app server."""
    if server == "gunicorn":
        return {"WEB_CONCURRENCY": str(workers), "GUNICORN_CMD_ARGS": f"--threads={threads}"}
    return {"WEB_CONCURRENCY": str(workers), "UWSGI_THREADS": str(threads)}


@contextmanager
def app(stack: Stack, cores: int, env: dict[str, str]) -> Iterator[str]:
    """Run one more container of the app with these variables and so many cores; give its name."""
    flags = [f"--env={name}={value}" for name, value in env.items()]
    container = stack.run_over_tcp(free_port(), *flags)
    try:
        run("docker", "update", f"--cpus={cores}", container)
        wait_until_healthy(container)
        yield container
    finally:
        run("docker", "rm", "--force", container)


def wait_until_healthy(container: str) -> None:
    probe = ("docker", "exec", container, "python", "-B", "/app/docker/app/healthcheck.py")
    for _ in range(100):
        if run(*probe).returncode == 0:
            return
        time.sleep(0.2)
    raise Refusal(f"An app server does not start: {run('docker', 'logs', container).stderr}")


def memory(container: str) -> int:
    shown = run("docker", "stats", "--no-stream", "--format", "json", container).stdout
    return in_bytes(json.loads(shown)["MemUsage"].split(" / ")[0])


def measure(
    stacks: dict[str, Stack], cores: int, plan: Plan, say: Callable[[str], None]
) -> list[dict]:
    """Return a row for each app server, number of cores, workers and threads, with its rates and its memory."""
    rows = []
    for server, stack in stacks.items():
        for quota in [number for number in (1, 2, 4) if number <= cores]:
            for workers in plan.sweep_workers:
                for threads in plan.sweep_threads:
                    say(f"{server}: {quota} cores, {workers} workers, {threads} threads")
                    row = {"server": server, "cores": quota, "workers": workers, "threads": threads}
                    with app(stack, quota, variables(server, workers, threads)) as container:
                        rows.append(
                            row
                            | rates(container, plan.sweep_seconds)
                            | {"bytes": memory(container)}
                        )
    return rows


def rates(container: str, seconds: int) -> dict[str, float]:
    """Return the requests per second of each kind of work."""
    return {
        work: load.wrk(
            container, URL + PAGES_OF_DJANGO[work], CLIENTS, seconds, HEADERS
        ).requests_per_second
        for work in WORK
    }
