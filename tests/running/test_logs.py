"""bin/logs finds what containers logged, also when they are gone."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.helpers.stack import PRODUCTION, run

pytestmark = pytest.mark.containers

FAILS = """

def fails(request):
    raise LookupError("no price for article 4711")


urlpatterns += [path("fails", fails)]
"""

ID = "3f4a7e6789f45ccb06f3da41a24cba6f"

# What a deploy does with the containers of a service that it removes.
SAVE = """
from pathlib import Path
from ops import archive, docker, environment
old = [one for one in docker.containers({name!r}) if one.service == {service!r}]
print(archive.save(Path("var", {name!r}), old))
archive.prune(Path("var", {name!r}), *archive.limits(environment.read()))
docker.remove([one.id for one in old])
"""


@pytest.fixture(scope="module")
def shop(bake_once, lasting_stacks):
    """Production with a page that fails; about 30 seconds."""
    project = bake_once(project_slug="tried-logs")
    with (project.path / "config/urls.py").open("a") as urls:
        urls.write(FAILS)
    stack = lasting_stacks(project.path, PRODUCTION)
    stack.up("--build")
    return stack


def logs(stack, *arguments: str, **env: str):
    """Run bin/logs from another folder."""
    return run(stack.path / "bin/logs", *arguments, cwd="/", env=os.environ | stack.ports | env)


def remove(stack, service: str, **env: str) -> str:
    """Save and remove the containers of a service, and start new ones; return the notes."""
    code = SAVE.format(name=stack.path.name, service=service)
    done = run(sys.executable, "-c", code, cwd=stack.path, env=os.environ | stack.ports | env)
    assert done.returncode == 0, done.stderr
    stack.up()
    return done.stdout.strip()


def services(printed: str) -> set[str]:
    """Return the services in the second column of what bin/logs printed."""
    return set(re.findall(r"^\d{4}-\d\d-\d\d [\d:.]+  (\S+) ", printed, re.MULTILINE))


def files(stack) -> list[str]:
    return sorted(path.name for path in stack.path.glob(f"var/{stack.path.name}/logs/*"))


@pytest.fixture(scope="module")
def failed(shop) -> str:
    """The ID of a request that failed, and whose container is removed; about 15 seconds."""
    answer = shop.get("/fails")
    assert answer.status_code == 500
    container = shop.container("app")
    assert remove(shop, "app") == "[]"
    assert shop.container("app") != container
    assert container not in run("docker", "ps", "--all", "--quiet", "--no-trunc").stdout
    return answer.headers["X-Request-ID"]


def test_a_request_is_found_by_its_id_when_its_container_is_gone(shop, failed):
    done = logs(shop, failed)
    assert done.returncode == 0, done.stderr
    assert services(done.stdout) == {"app", "nginx"}
    lines = done.stdout.splitlines()
    (django,) = [line for line in lines if "ERROR django.request: " in line]
    assert f"Internal Server Error: /fails request_id={failed}" in django
    after = lines[lines.index(django) + 1 :]
    assert after[0] == "    Traceback (most recent call last):"
    assert "    LookupError: no price for article 4711" in after
    assert [line for line in lines if "GET /fails HTTP/1.1 500" in line and " nginx: " in line]
    assert all(failed in line for line in lines if not line.startswith("    "))


def test_lines_of_both_containers_come_in_the_order_of_time(shop, failed):
    later = shop.get("/fails").headers["X-Request-ID"]
    printed = logs(shop, "--since", "1h", "--service", "app").stdout
    times = re.findall(r"^\d{4}-\d\d-\d\d [\d:.]+", printed, re.MULTILINE)
    assert times == sorted(times)
    assert services(printed) == {"app"}
    assert printed.index(f"request_id={failed}") < printed.index(f"request_id={later}")
    recent = logs(shop, "--service", "app").stdout
    assert 0 < len(re.findall(r"^\d{4}-", recent, re.MULTILINE)) <= 100


def test_the_files_are_for_their_owner_alone_and_not_for_git_or_images(shop, failed):
    (folder,) = shop.path.glob("var/*/logs")
    modes = [path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())]
    assert modes == [0o700] + [0o600] * (len(modes) - 1)
    assert len(modes) > 1
    run("git", "init", "--quiet", cwd=shop.path)
    assert "var" not in run("git", "status", "--short", cwd=shop.path).stdout
    assert "var" in (shop.path / ".dockerignore").read_text().splitlines()


def test_saving_twice_keeps_one_file_and_each_line_once(shop):
    wanted = shop.get("/fails").headers["X-Request-ID"]
    for _ in range(2):
        assert logs(shop, "--save").returncode == 0
    container = shop.container("app")[:12]
    assert len([name for name in files(shop) if container in name]) == 1
    assert logs(shop, wanted).stdout.count("ERROR django.request") == 1


def test_files_go_after_some_days(shop, failed):
    logs_folder = shop.path / f"var/{shop.path.name}/logs"
    old = "20250101T000000Z-20250102T000000Z-0123456789ab-app.log.gz"
    (logs_folder / old).touch()
    assert logs(shop, "--save", LOGS_KEEP_DAYS="9999").returncode == 0
    assert old in files(shop)
    assert logs(shop, "--save").returncode == 0
    assert old not in files(shop)
    assert files(shop)


def test_a_number_that_is_none_changes_nothing(shop):
    before = files(shop)
    done = logs(shop, "--save", LOGS_KEEP_DAYS="many")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "LOGS_KEEP_DAYS must be a whole number such as 14, not 'many'.\n"
    assert files(shop) == before


def test_a_container_whose_driver_keeps_no_log_is_named(shop):
    extra = "services: {quiet: {image: 'nginx:1.30-trixie', network_mode: none, logging: {driver: none}}}\n"
    (shop.path / "quiet.yaml").write_text(extra)
    both = ("--file", "quiet.yaml")
    try:
        shop.compose(*both, "up", "--detach", "--no-deps", "quiet")
        assert remove(shop, "quiet") == (
            f"['The log of {shop.path.name}-quiet-1 cannot be kept: "
            "configured logging driver does not support reading.']"
        )
    finally:
        shop.compose(*both, "rm", "--stop", "--force", "quiet")


def test_a_folder_of_another_user_is_one_sentence_and_hides_no_running_container(shop):
    assert logs(shop, "--save").returncode == 0
    wanted = shop.get("/fails").headers["X-Request-ID"]
    # A user who may use Docker, and is not the one who deploys.
    group = Path("/var/run/docker.sock").stat().st_gid
    stranger = {"user": 65534, "group": group, "extra_groups": []}
    for folder in [shop.path, *shop.path.parents][:-2]:
        folder.chmod(folder.stat().st_mode | 0o055)
    (shop.path / ".env").chmod(0o644)
    try:
        done = run(
            *(shop.path / "bin/logs", wanted),
            env=os.environ | shop.ports | {"HOME": "/tmp"},
            **stranger,
        )
    finally:
        (shop.path / ".env").chmod(0o600)
    assert done.returncode == 1
    assert "LookupError: no price for article 4711" in done.stdout
    assert done.stderr == (
        "Cannot read the logs of removed containers in "
        f"var/{shop.path.name}/logs: Permission denied.\n"
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(shop):
    folder = shop.path / "var"
    kept = folder.rename(shop.path / "kept") if folder.exists() else None
    folder.write_text("")
    try:
        done = logs(shop, "--save")
    finally:
        folder.unlink()
        if kept:
            kept.rename(folder)
    assert done.returncode == 1
    assert done.stderr.startswith("Cannot write the logs of removed containers in var/")
    assert done.stderr.count("\n") == 1


def test_files_go_beyond_some_megabytes_as_env_says(shop, failed):
    env = shop.path / ".env"
    before = env.read_text()
    env.write_text(f"{before}\nLOGS_KEEP_MB=0\n")
    try:
        assert logs(shop, "--save").returncode == 0
    finally:
        env.write_text(before)
    assert files(shop) == []
    assert logs(shop, failed, "--service", "app").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--service", "sho.p"], "There is no service 'sho.p'; there are: app, certbot, check, "),
        ([ID], f"No line has the request ID {ID}. "),
    ],
)
def test_a_search_without_result_says_why(shop, arguments, sentence):
    done = logs(shop, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(sentence)


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"DOCKER_HOST": "unix:///nowhere.sock"}, "The logs cannot be read: Cannot connect to the"),
        ({"HTTP_PORT": "x"}, "The logs cannot be read: "),
    ],
)
def test_what_compose_and_docker_refuse_is_one_sentence(shop, env, sentence):
    done = logs(shop, **env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_following_shows_new_lines(shop):
    done = run("timeout", "5", shop.path / "bin/logs", "--follow", env=os.environ | shop.ports)
    assert "app-1" in done.stdout
