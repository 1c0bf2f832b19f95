"""Run bin/doctor and read what it prints."""

import os
import re

from tests.helpers.environment import with_value
from tests.helpers.project import Project
from tests.helpers.stack import run

HEALTHY = "Nothing is wrong."


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


def troubles(lines: list[str]) -> list[str]:
    return [line.removeprefix("trouble        ") for line in lines if line.startswith("trouble")]


def mend(lines: list[str], beginning: str) -> str:
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
