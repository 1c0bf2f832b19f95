"""The production image by itself: what is in it, and that it needs nothing beside it."""

import gzip
import json
import time
from pathlib import Path

import httpx
import pytest

from tests.helpers.stack import ENOUGH, SECRET, in_image, run, share_packages

pytestmark = pytest.mark.containers


def test_it_runs_alone(started):
    address, _ = started(*ENOUGH)
    answer = httpx.get(f"{address}/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_it_listens_where_port_says(started):
    address, _ = started(*ENOUGH, "--env", "PORT=9000", port=9000)
    assert httpx.get(f"{address}/healthz").status_code == 200


def test_it_migrates_at_the_start_where_it_is_told_to(started):
    address, _ = started(*ENOUGH, "--env", "DJANGO_MANAGEPY_MIGRATE=on")
    assert httpx.get(f"{address}/readyz").text == "ready\n"


def test_it_does_not_migrate_by_itself(started):
    address, _ = started(*ENOUGH)
    assert httpx.get(f"{address}/readyz").status_code == 503


def wait_until_it_is_healthy(container: str) -> None:
    """Wait for the health check. uWSGI serves its first page before it has its handler of SIGTERM."""
    for _ in range(150):
        health = run("docker", "inspect", "--format", "{{.State.Health.Status}}", container).stdout
        if health == "healthy\n":
            return
        time.sleep(0.2)
    raise TimeoutError("never healthy")


@pytest.mark.parametrize("port", [8000, 9000])
def test_it_becomes_healthy(port, started):
    _, container = started(*ENOUGH, "--env", f"PORT={port}", port=port)
    wait_until_it_is_healthy(container)


def test_it_stops_within_seconds_when_idle(started):
    _, container = started(*ENOUGH)
    wait_until_it_is_healthy(container)
    run("docker", "stop", "--timeout", "10", container)
    state = json.loads(run("docker", "inspect", container).stdout)[0]["State"]
    assert state["ExitCode"] == 0


def test_without_a_secret_it_stops_with_one_sentence(image):
    done = in_image(image)
    assert done.returncode == 1
    assert done.stderr == (
        "SECRET_KEY is not set: write it into .env, which bin/init makes with new secrets.\n"
    )


def test_it_gives_up_on_a_database_that_does_not_answer_with_one_sentence(image):
    nowhere = ("--env", f"SECRET_KEY={SECRET}", "--env", "DATABASE_URL=postgres://a:b@127.0.0.1/c")
    wait = ("python", "manage.py", "wait_for_database", "--timeout", "1")
    done = in_image(image, *wait, options=nowhere)
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: No database after 1 seconds: ")
    assert done.stderr.count("\n") == 1


def test_other_commands_do_not_wait_for_the_database(image):
    done = in_image(image, "python", "-c", "print('at once')")
    assert done.stdout == "at once\n"


def test_arguments_reach_the_command_as_they_are(image):
    done = in_image(image, "printf", "[%s]", "two words", "$HOME", "")
    assert done.stdout == "[two words][$HOME][]"


@pytest.mark.parametrize("command", ["gcc", "uv", "pytest", "ruff", "git", "curl"])
def test_no_tool_is_in_it(command, image):
    assert in_image(image, "sh", "-c", f"command -v {command} || echo no").stdout == "no\n"


PRIVATE = [
    ".env", ".env.old", "accounts/.env", ".git/HEAD", ".venv/pyvenv.cfg", "backups/database.dump", "db.sqlite3",
    "mail/1.log", "media/photos/me.png", "tests/test_home.py",
]  # fmt: skip


@pytest.fixture
def built(fresh):
    """Builds the image of a project that contains private files, those of PRIVATE: about 5 s."""
    for name in PRIVATE:
        (fresh.path / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh.path / name).write_text("something private")
    share_packages(fresh.path)
    build = ("docker", "build", "--quiet", "--target", "prod", "--file", "docker/app/Dockerfile")
    done = run(*build, "--tag", fresh.path.name, ".", cwd=fresh.path)
    assert done.returncode == 0, done.stderr
    yield fresh.path.name
    run("docker", "image", "rm", "--force", fresh.path.name)


def test_nothing_private_is_in_it(built):
    known = ("-e", "something private", "-e", "execute_from_command_line")
    found = in_image(built, "grep", "-rlI", *known, "/app").stdout
    assert found == "/app/manage.py\n"
    hidden = in_image(built, "find", "/app", "-name", ".*", "-o", "-name", "tests").stdout
    assert hidden == ""


def test_no_secret_is_in_any_layer_or_in_its_history(image, served, tmp_path):
    secrets = [
        line.split("=", 1)[1]
        for line in served.read(".env").splitlines()
        if line.startswith(("SECRET_KEY=", "POSTGRES_PASSWORD="))
    ]
    assert len(secrets) == 2
    assert run("docker", "save", "--output", tmp_path / "image.tar", image).returncode == 0
    run("tar", "--extract", "--file", tmp_path / "image.tar", cwd=tmp_path)
    (tmp_path / "image.tar").unlink()
    contents = [unpacked(file) for file in tmp_path.rglob("*") if file.is_file()]
    assert any(b"DJANGO_SETTINGS_MODULE" in content for content in contents)  # we can look inside
    for secret in secrets:
        assert not any(secret.encode() in content for content in contents)


def unpacked(file: Path) -> bytes:
    """Return what is in the file; some engines save layers compressed."""
    content = file.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def test_the_code_belongs_to_root_and_the_process_does_not(image):
    owners = in_image(image, "stat", "--format", "%u", "/app/manage.py", "/opt/venv").stdout
    assert owners.split() == ["0", "0"]
    assert in_image(image, "id", "-u").stdout == "10001\n"


def test_bytecode_is_compiled(image):
    """All of it, and not only what collectstatic happens to import during the build."""
    files = in_image(image, "find", "/app", "/opt/venv/lib", "-name", "*.py*").stdout.split()
    sources = {Path(file) for file in files if file.endswith(".py")}
    assert Path("/app/config/wsgi.py") in sources
    cached = {
        source: source.parent / f"__pycache__/{source.stem}.cpython-314.pyc" for source in sources
    }
    assert [str(source) for source in sources if str(cached[source]) not in files] == []


def test_its_labels_say_what_it_is(image, served):
    config = json.loads(run("docker", "image", "inspect", image).stdout)[0]["Config"]
    ours = {k: v for k, v in config["Labels"].items() if k.startswith("org.opencontainers")}
    assert ours == {
        "org.opencontainers.image.title": served.answers["project_slug"],
        "org.opencontainers.image.description": "A Django project in containers.",
        "org.opencontainers.image.authors": "Your Name",
        # bin/deploy fills them in.
        "org.opencontainers.image.revision": "",
        "org.opencontainers.image.version": "",
    }


# The app server's numbers


def workers(container: str) -> int:
    """Return how many processes there are beside process 1 and the master of the server."""
    for _ in range(50):
        if len(processes(container)) > 2:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    return len(processes(container)) - 2


def processes(container: str) -> list[str]:
    """Return the command lines of the container's processes, without those of its health check."""
    shown = run("docker", "top", container, "-eo", "pid,args").stdout.splitlines()[1:]
    return [line for line in shown if "healthcheck.py" not in line]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(["--cpus=1", "--memory=1g"], 4, id="four-for-each-core"),
        pytest.param(["--cpus=0.5"], 2, id="half-a-core"),
        pytest.param(["--memory=128m"], 1, id="little-memory"),
        pytest.param(["--env=WEB_CONCURRENCY=3"], 3, id="as-told"),
    ],
)
def test_workers_fit_the_container(options, expected, started):
    _, container = started(*ENOUGH, *options)
    assert workers(container) == expected
