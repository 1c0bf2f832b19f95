""".env and what containers get of it: variables, secrets, the ids of the owner."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ops.doctor.files import text_of
from ops.doctor.findings import Finding, ok, wrong
from ops.doctor.seen import Configuration, Owner, Stack
from ops.environment import assignments, read_file

NEW_SECRET = "LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 64"
# A variable inside of a value: $NAME or ${NAME}; $$ is a $.
REFERENCE = re.compile(
    r"(?<!\$)(?:\$\$)*\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII
)
# Docker's own programs read these.
OF_DOCKER = ("COMPOSE_", "DOCKER_", "BUILDKIT_", "BUILDX_")


def check_configuration(configuration: Configuration) -> list[Finding]:
    """Can Compose read the files of this stack, and .env?"""
    if not configuration.error:
        return []
    file = (
        "compose.prod.yaml" if configuration.stack == "production" else "compose.yaml"
    )
    # Compose quotes what it cannot read of .env, which may be a part of a secret.
    error = re.sub(
        r"(unterminated quoted value|variable name) .*", r"\1", configuration.error
    )
    why = f"{error}\nIn .env, a value with $, #, quotes or spaces belongs in single quotes."
    command = f"{configuration.command} config --quiet  # says what it cannot read"
    return [
        wrong(configuration.stack, f"Compose cannot read {file} or .env", why, command)
    ]


def check_ids(configuration: Configuration, owner: Owner) -> list[Finding]:
    """In development, do containers write files as the owner of the project?"""
    user = str(configuration.said["services"].get("app", {}).get("user", ""))
    mine = f"{owner.uid}:{owner.gid}"
    if user == mine:
        return [ok(configuration.stack, f"containers write files as you, {user}")]
    what = f"containers write files as {user or 'the user of their image'}, and you are {mine}"
    why = "Files that they make, such as migrations, are not yours, and they cannot change your files."
    commands = ["bin/init"]
    if Path(".env").exists():
        first = f"# Set UID={owner.uid} and GID={owner.gid} in .env, then:"
        commands = [first, "docker compose up --wait"]
    return [wrong(configuration.stack, what, why, *commands)]


def check_secrets(stack: Stack) -> list[Finding]:
    """In production, are the secrets set, and strong?"""
    weak = weakness(stack.configuration, "SECRET_KEY")
    if not stack.configuration.database_is_elsewhere:
        weak += weakness(stack.configuration, "POSTGRES_PASSWORD")
    if not weak:
        return [ok(stack.name, "the secrets are set")]
    is_there = Path(".env").exists()
    what = " ".join(weak) if is_there else "there is no .env"
    app = stack.running("app")
    if app:
        why = "The next start fails. Restore .env from your copy; the app that runs has the values too:"
        read = f"docker exec {app.name} printenv SECRET_KEY POSTGRES_PASSWORD"
        return [wrong(stack.name, what, why, read)]
    if is_there:
        why = "It will not start. This prints a new secret, to be written after the name in .env:"
        return [wrong(stack.name, what, why, NEW_SECRET)]
    why = (
        "Production has its secrets in it; development needs none. If the site has a database already, restore"
        " .env from your copy: new secrets do not open it."
    )
    return [wrong(stack.name, what, why, "bin/init")]


def check_dollars() -> list[Finding]:
    """Does Compose replace a part of a value in .env, such as of a password with a $ in it?"""
    known, names = {*os.environ}, set()
    for assignment in assignments(
        Path(".env")
    ):  # a value can have variables of the lines above it
        if not assignment.is_literal and references(assignment.text) - known:
            names.add(assignment.name)
        known.add(assignment.name)
    if not names:
        return []
    what = f"the value of {', '.join(sorted(names))} loses a part: Compose replaces $ and a name by a variable"
    why = "No variable has that name, so nothing is put in its place."
    return [wrong(".env", what, why, "# Put the value in single quotes in .env.")]


def references(value: str) -> set[str]:
    """Return the names of the variables that Compose fills into a value."""
    return {braced or plain for braced, plain in REFERENCE.findall(value)}


def weakness(configuration: Configuration, name: str) -> list[str]:
    """Say what is wrong with a secret, without the secret."""
    value = configuration.value(name)
    if configuration.value(f"{name}_FILE"):
        return []
    if not value:
        return [f"{name} is not set."]
    if value.startswith(("change-me", "django-insecure-")):
        return [f"{name} is a placeholder."]
    if name == "SECRET_KEY" and len(value) < 50:
        return [f"{name} has less than 50 characters."]
    return []


def check_unread_variables(configurations: list[Configuration]) -> list[Finding]:
    """Is each variable of .env read by something?"""
    known = words_in_files()
    for configuration in configurations:
        for service in configuration.services.values():
            known |= {*service.environment}
    names = [name for name in read_file(Path(".env")) if name not in known]
    names = [name for name in names if not name.startswith(OF_DOCKER)]
    if not names:
        return []
    what = f"nothing reads {', '.join(sorted(names))}"
    why = "Containers get only the variables that the compose files list by name."
    command = "# Add the name to the environment of x-app in compose.prod.yaml, or remove it from .env."
    return [wrong(".env", what, why, command)]


def words_in_files() -> set[str]:
    """Return all words of the compose files, of ops/ and of bin/, without comments."""
    found: set[str] = set()
    for path in (
        *Path(".").glob("*.y*ml"),
        *Path("docker").rglob("*.y*ml"),
        *Path("bin").glob("*"),
        *Path("ops").rglob("*.py"),
    ):
        text = re.sub(r"(?m)(^|\s)#.*", "", text_of(path))
        found |= set(re.findall(r"[A-Za-z_]\w*", text))
    return found
