"""A production stack that bin/deploy looks after, and whose versions a test can tell apart."""

import json
import os
import re
import subprocess
from contextlib import contextmanager
from itertools import count

import pytest

from tests.helpers.stack import PRODUCTION, Stack, run
from tests.helpers.traffic import SLOW

# What bin/deploy prints for a step that is done.
STEP = re.compile(r"^  (\w.*?) +\d+\.\d s$", re.MULTILINE)
STEPS = [
    "Building",
    "Creating containers",
    "Starting dependencies",
    "Checking settings, migrating",
    "Starting the new version",
    "Requesting a page, publishing",
    "Switching to the new version",
    "Waiting for the last requests",
    "Stopping the old version",
    "Checking the new containers",
    "Removing old releases",
]
RELEASE = re.compile(r"^Release (\d{8}-\d{6})[,.] ", re.MULTILINE)
GONE_BACK = re.compile(r"^Going back\.\n(\d{8}-\d{6}) serves, as before\.", re.MULTILINE)

uwsgi_is_enough = pytest.mark.parametrize("app_server", ["uwsgi"], indirect=True)

versions = count(1)


class Site(Stack):
    """A production stack that bin/deploy looks after."""

    def start(self, *arguments: str, **env: str) -> subprocess.Popen:
        """Start bin/deploy as the leader of its processes, with nobody at the keyboard."""
        return subprocess.Popen(
            ["bin/deploy", *arguments],
            cwd=self.path,
            env=os.environ | self.ports | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def deploy(self, *arguments: str, **env: str) -> tuple[int, str]:
        """Run bin/deploy and return its exit status and all it printed."""
        process = self.start(*arguments, **env)
        said, _ = process.communicate(timeout=600)
        return process.returncode, said

    def deploys(self, *arguments: str, **env: str) -> str:
        """Run bin/deploy, which must succeed, and return the name of the release."""
        status, said = self.deploy(*arguments, **env)
        assert status == 0, said
        return RELEASE.search(said)[1]

    def releases(self) -> list[list[str]]:
        """Return the lines of bin/deploy --list, without its head, as words."""
        status, said = self.deploy("--list")
        assert status == 0, said
        return [line.split() for line in said.splitlines()[1:]]

    def rolls_back(self) -> None:
        """Run bin/rollback, which must succeed."""
        done = run("bin/rollback", cwd=self.path, env=os.environ | self.ports)
        assert done.returncode == 0, done.stdout

    def change(self) -> str:
        """Write a new version: its page says so, and its style sheet has another name."""
        version = f"version {next(versions)}"
        for file in ("templates/home.html", "static/site.css"):
            path = self.path / file
            path.write_text(re.sub(r"version \d+", version, path.read_text()))
        return version

    @property
    def serves(self) -> str:
        """The version that visitors see."""
        return re.search("<!-- (version .*) -->", self.get("/").text)[1]

    @property
    def style(self) -> str:
        return re.search(r'href="(/static/site\.[^"]+)"', self.get("/").text)[1]

    def apps(self) -> list[str]:
        return self.compose("ps", "--all", "--quiet", "app").split()

    def images(self) -> set[str]:
        """The images of releases that are here, such as app:latest and nginx:20260102-150405."""
        names = {self.path.name: "app", f"{self.path.name}-nginx": "nginx"}
        lines = run("docker", "image", "ls", "--format", "{{.Repository}} {{.Tag}}").stdout
        images = [line.split() for line in lines.splitlines()]
        return {f"{names[name]}:{tag}" for name, tag in images if name in names}

    def rows(self) -> list[str]:
        """The names that POSTs of tests.traffic wrote, each as often as it was written."""
        names = "SELECT name FROM auth_group WHERE name LIKE 'h%-%'"
        psql = ("psql", "--username=app", "--tuples-only", "--command", names)
        return sorted(self.exec("postgres", *psql).split())

    def started(self, service: str) -> str:
        state = run(
            "docker", "inspect", "--format", "{{.State.StartedAt}}", self.container(service)
        )
        return state.stdout

    def links(self) -> dict[str, str]:
        """Return the host name of the app's container behind each link."""
        shown = self.exec("app", "python", "docker/app/links.py", "show")
        return json.loads(shown)["links"]

    @contextmanager
    def variables(self, **values: str):
        """Set variables in .env, for a while."""
        path = self.path / ".env"
        before = path.read_text()
        path.write_text(before + "".join(f"{name}={value}\n" for name, value in values.items()))
        try:
            yield
        finally:
            path.write_text(before)

    @contextmanager
    def edited(self, file: str, old: str, new: str):
        """Put a text into a file of the project, for a while."""
        path = self.path / file
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1))
        try:
            yield
        finally:
            path.write_text(before)


def until(process, text: str) -> None:
    """Read what bin/deploy prints until it has printed this."""
    said = ""
    while text not in said:
        piece = process.stdout.read(1)
        assert piece, f"{text!r} does not come:\n{said}"
        said += piece


def begun(process, step: str) -> None:
    until(process, f"\n  {step} ")


def done(process, step: str) -> None:
    begun(process, step)
    until(process, " s\n")


def made_of(project, make) -> Site:
    """Return the stack of a project that tells its versions apart and has a page that takes long."""
    stack = make(project.path, PRODUCTION)
    site = Site(stack.path, stack.file, stack.ports)
    home, style = project.path / "templates/home.html", project.path / "static/site.css"
    marked = home.read_text().replace(
        "{% block content %}", "{% block content %}<!-- version 0 -->"
    )
    home.write_text(marked)
    style.write_text(style.read_text() + "/* version 0 */\n")
    with (project.path / "config/urls.py").open("a") as urls:
        urls.write(SLOW)
    return site


LONG = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL("SELECT pg_sleep(12)", migrations.RunSQL.noop)]
"""


@contextmanager
def long_migration(site: Site, name: str):
    """Let the next version have a migration that takes 12 seconds."""
    path = site.path / f"accounts/migrations/{name}.py"
    path.write_text(LONG)
    try:
        yield
    finally:
        path.unlink()
