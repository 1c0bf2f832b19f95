"""What tests of faults ask of production, and how they change it for a while."""

import json
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.helpers.echo import eventually_status
from tests.helpers.login import PASSWORD, csrf_token, post_login
from tests.helpers.stack import run

# They do without the database.
PLAIN = ("GET /", "GET /healthz", "POST /", "GET /admin/login/")
WELL = {200, 403}  # 403: a form without its token
# For somebody who is logged in: they need the database.
MEMBER = ("GET /admin/", "POST /admin/", "GET /admin/auth/group/")


def log_in(stack, name: str) -> dict[str, str]:
    """Log a user with PASSWORD in, and return the headers of requests whose forms have the token."""
    with stack.client() as client:
        assert post_login(client, name, PASSWORD).status_code == 302
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
        token = csrf_token(client)
    return {"Cookie": cookies, "X-CSRFToken": token, "Origin": stack.address}


def inspect(*containers: str) -> list[dict]:
    return json.loads(run("docker", "inspect", *containers).stdout)


def starts(stack, *services: str) -> list[str]:
    """Return when the containers of these services, or of all that run, were last started."""
    containers = stack.compose("ps", "--all", "--quiet", *services).split()
    return [container["State"]["StartedAt"] for container in inspect(*containers)]


@contextmanager
def changed(stack, folder: Path, *services: str, **override: dict):
    """Run these services with what `override` adds to the compose file, for a while."""
    file = folder / "override.yaml"
    file.write_text(yaml.safe_dump(override))
    up = ("up", "--detach", "--wait", *services)
    try:
        stack.compose("--file", str(file), *up)
        eventually_status(stack, 200)
        yield
    finally:
        stack.compose(*up)
        for volume in override.get("volumes", {}):
            run("docker", "volume", "rm", f"{stack.path.name}_{volume}")
        eventually_status(stack, 200)
