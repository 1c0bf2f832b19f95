"""Run bin/doctor, read what it prints, and follow its commands."""

import os
import re

from tests.helpers.environment import with_value
from tests.helpers.project import Project
from tests.helpers.stack import run

USAGE = "usage: bin/doctor [development | production] [--json]\n"
HEALTHY = "Nothing is wrong."
TOOLS = ("dirname", "sh", "sleep", "tr")
# What another user's server is made of: an image that is on every machine that runs these tests.
NGINX = "nginx:1.30-trixie"
HELLO = "server { listen 80; location / { return 200 hello; } }"
ROUTER = "server { listen 80; location / { proxy_pass http://nginx:8080; } }"


def doctor(project: Project, *arguments: str, **env: str) -> tuple[int, list[str]]:
    """Run bin/doctor from another folder; return its exit status and what it says, line by line."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("UID", "GID", "DOMAIN")}
    done = run(project.path / "bin/doctor", *arguments, cwd="/", env=inherited | env)
    assert done.stderr == ""
    for line in secrets(project):
        assert line.partition("=")[2].strip("'") not in done.stdout
    return done.returncode, done.stdout.splitlines()


def secrets(project: Project) -> list[str]:
    """Return the lines of .env that hold a secret, and not a placeholder."""
    text = "".join(env.read_text() for env in project.path.glob(".env"))
    return re.findall(r"^(?:SECRET_KEY|POSTGRES_PASSWORD)=(?!change-me).{6,}$", text, re.MULTILINE)


def problems(lines: list[str]) -> list[str]:
    return [line.removeprefix("wrong          ") for line in lines if line.startswith("wrong")]


def command(lines: list[str], beginning: str) -> str:
    """Return the one command that is printed and begins so."""
    (command,) = [line.strip() for line in lines if line.startswith(f"               {beginning}")]
    return command


def follow(project: Project, command: str) -> None:
    done = run("sh", "-c", command, cwd=project.path)
    assert done.returncode == 0, done.stderr


def set_in_env(project: Project, name: str, value: str) -> None:
    env = project.path / ".env"
    env.write_text(with_value(env.read_text(), name, value))


def replace(project: Project, file: str, old: str, new: str) -> None:
    text = project.read(file)
    assert old in text
    (project.path / file).write_text(text.replace(old, new))


def ports_of(project: Project) -> dict[str, str]:
    return dict(re.findall(r"^(\w+_PORT)=(\d+)$", project.read(".env"), re.MULTILINE))
