"""bin/doctor in a project whose stacks were never started: its files, .env, the machine."""

import hashlib
import io
import json
import os
import re
import shutil
import tarfile

import pytest

from tests.helpers.doctor import (
    HEALTHY,
    command,
    doctor,
    follow,
    ports_of,
    problems,
    replace,
    set_in_env,
)
from tests.helpers.project import Project
from tests.helpers.stack import free_port, run

pytestmark = pytest.mark.containers


@pytest.fixture
def closed(fresh, engine) -> Project:
    """A project that never started, whose ports are free whatever this machine has on 80 and 443."""
    for name in ("HTTP_PORT", "HTTPS_PORT"):
        set_in_env(fresh, name, str(free_port()))
    return fresh


@pytest.mark.parametrize(
    ("key", "password", "weakness"),
    [
        ("", "", "SECRET_KEY is not set. POSTGRES_PASSWORD is not set."),
        (
            "change-me",
            '"change-me"',
            "SECRET_KEY is a placeholder. POSTGRES_PASSWORD is a placeholder.",
        ),
        ("'django-insecure-x $y'", "enough", "SECRET_KEY is a placeholder."),
    ],
    ids=["missing", "placeholder", "insecure"],
)
def test_a_weak_secret_is_named(key, password, weakness, closed):
    set_in_env(closed, "SECRET_KEY", key)
    set_in_env(closed, "POSTGRES_PASSWORD", password)
    code, lines = doctor(closed, "production")
    assert (code, problems(lines)) == (1, [f"production: {weakness}"])


def test_a_short_secret_is_named_and_a_new_one_will_do(closed):
    set_in_env(closed, "SECRET_KEY", "s" * 49)
    code, lines = doctor(closed, "production")
    assert (code, problems(lines)) == (1, ["production: SECRET_KEY has less than 50 characters."])
    set_in_env(closed, "SECRET_KEY", run("sh", "-c", command(lines, "LC_ALL=C tr")).stdout)
    code, lines = doctor(closed, "production")
    assert (code, lines[-1]) == (0, HEALTHY)


def test_secrets_in_files_and_a_database_elsewhere_will_do(closed):
    set_in_env(closed, "SECRET_KEY", "")
    set_in_env(closed, "POSTGRES_PASSWORD", "")
    set_in_env(closed, "#DATABASE_URL", "\nDATABASE_URL=postgres://a:b@db.example/shop")
    variables = "    {SECRET_KEY: ,"
    replace(closed, "compose.prod.yaml", variables, "    {SECRET_KEY_FILE: /run/secrets/key,")
    assert "ok             production: the secrets are set" in doctor(closed, "production")[1]


def test_without_env_production_is_not_ready_and_init_mends_that(closed):
    ports = ports_of(closed)
    (closed.path / ".env").unlink()
    code, lines = doctor(closed, "production", **ports)
    assert (code, problems(lines)) == (1, ["production: there is no .env"])
    follow(closed, command(lines, "bin/init"))
    assert doctor(closed, "production", **ports)[1][-1] == HEALTHY


def test_a_clone_without_env_is_ready_for_development(closed):
    (closed.path / ".env").unlink()
    for path in (closed.path, *closed.path.rglob("*")):
        os.chown(path, 1000, 1000)
    code, lines = doctor(closed, "development", APP_PORT=str(free_port()))
    assert (code, lines[-1]) == (0, HEALTHY)


def test_ids_of_somebody_else_are_named(closed):
    set_in_env(closed, "UID", "1234")
    code, lines = doctor(closed, "development", APP_PORT=str(free_port()))
    assert code == 1
    assert problems(lines) == ["development: containers write files as 1234:0, and you are 0:0"]
    assert command(lines, "# Set UID=0 and GID=0 in .env, then:")
    assert command(lines, "docker compose up --wait")
    set_in_env(closed, "UID", "0")
    assert doctor(closed, "development", APP_PORT=str(free_port()))[1][-1] == HEALTHY


def test_without_env_init_writes_whose_files_they_are(closed):
    (closed.path / ".env").unlink()
    code, lines = doctor(closed, "development", APP_PORT=str(free_port()))
    assert code == 1
    assert problems(lines) == ["development: containers write files as 1000:1000, and you are 0:0"]
    follow(closed, command(lines, "bin/init"))
    assert doctor(closed, "development", APP_PORT=str(free_port()))[1][-1] == HEALTHY


def test_an_env_that_cannot_be_read_is_named(closed):
    set_in_env(closed, "POSTGRES_PASSWORD", "'half a secret")
    code, lines = doctor(closed, "production")
    assert (code, problems(lines)) == (
        1,
        ["production: Compose cannot read compose.prod.yaml or .env"],
    )
    assert command(lines, "docker compose").startswith(
        "docker compose -f compose.prod.yaml config --quiet"
    )
    assert "half a" not in "".join(lines)


def test_before_the_first_start_no_name_is_looked_at(closed):
    set_in_env(closed, "DOMAIN", "shop.example.com")
    set_in_env(closed, "#EMAIL_URL", "\nEMAIL_URL=smtp://mail.example.com")
    code, lines = doctor(closed, "production")
    assert (code, problems(lines)) == (0, [])
    assert lines[-1] == "Nothing is wrong that could be looked at."
    assert "whether shop.example.com resolves to this server: nginx is not running" in "".join(
        lines
    )


def test_a_public_site_without_a_mail_server_is_a_problem(closed):
    set_in_env(closed, "DOMAIN", "shop.example.com")
    code, lines = doctor(closed, "production")
    missing = "production: no mail server is set: e-mail is not sent"
    assert (code, problems(lines)) == (1, [missing])


def an_old_image(path, created: str) -> None:
    """Write an image of one empty layer that was made at this time, as `docker load` takes it."""
    layer = io.BytesIO()
    tarfile.open(fileobj=layer, mode="w").close()
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": {},
        "history": [{"created": created, "created_by": "debian"}],
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [f"{path.stem}:1"], "Layers": ["layer.tar"]}]
    files = {
        "layer.tar": layer.getvalue(),
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def test_an_old_base_image_is_noted(closed, tmp_path):
    archive = tmp_path / f"{closed.path.name}-old.tar"
    an_old_image(archive, "2025-01-02T03:04:05Z")
    run("docker", "load", "--input", archive)
    service = f"\nservices:\n  old: {{image: '{archive.stem}:1', profiles: [tools]}}\n"
    replace(closed, "compose.prod.yaml", "\nservices:\n", service)
    code, lines = doctor(closed, "production")
    run("docker", "image", "rm", f"{archive.stem}:1")
    (found,) = [line for line in lines if "base images older than 30 days" in line]
    assert code == 0
    assert re.search(rf"older than 30 days: {archive.stem}:1 \(\d+ days\)$", found)
    assert command(lines, "bin/deploy") == "bin/deploy --pull"


# An engine with 31 networks, and with the address ranges that every engine has by default.
MANY_NETWORKS = """
case "$1 $2" in
  "network ls") seq 31 ;;
  "info "*) "$docker" "$@" | sed 's/"DefaultAddressPools":[[][^]]*]/"DefaultAddressPools":null/' ;;
  *) exec "$docker" "$@" ;;
esac
"""


def test_address_ranges_that_are_used_up_are_named(closed, docker_says):
    docker_says(MANY_NETWORKS)
    code, lines = doctor(closed, "production")
    problem = "Docker: 31 networks use nearly all address ranges"
    assert (code, problems(lines)) == (1, [problem])
    assert command(lines, "docker network prune")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a file system")
def test_a_disk_that_is_full_is_named(closed, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", small)
    try:
        shutil.copytree(closed.path, small / closed.path.name)
        project = Project(small / closed.path.name, closed.answers)
        code, lines = doctor(project, "production")
    finally:
        run("umount", small)
    (found,) = problems(lines)
    assert code == 1
    assert found.startswith(f"machine: the disk of {project.path} is ")
    assert command(lines, "docker system df")


def test_a_folder_that_nobody_may_write_to_is_looked_at(closed):
    for path in (closed.path, *closed.path.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    before = sorted(map(str, closed.path.rglob("*")))
    assert doctor(closed, "production")[1][-1] == HEALTHY
    assert sorted(map(str, closed.path.rglob("*"))) == before
    for path in (closed.path, *closed.path.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


def test_a_compose_file_that_does_not_parse_is_named(closed):
    with (closed.path / "compose.prod.yaml").open("a") as file:
        file.write("services: ]\n")
    code, lines = doctor(closed, "production")
    unreadable = "production: Compose cannot read compose.prod.yaml or .env"
    assert (code, problems(lines)) == (1, [unreadable])
    assert "yaml: " in "\n".join(lines)
