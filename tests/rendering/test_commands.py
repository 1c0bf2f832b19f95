"""Each command in bin/ says how it is used, and does nothing else then."""

import os

import pytest

from tests.helpers.stack import run

COMMANDS = ["deploy", "deploy-commit", "doctor", "init", "lock", "logs", "rollback"]


def contents(folder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_command_is_listed_here(default):
    assert sorted(path.name for path in (default.path / "bin").iterdir()) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_all_that_help_does(bake, tmp_path, command):
    project = bake()
    (project.path / ".env").unlink()
    # A docker client that leaves a trace.
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    docker.chmod(0o755)
    before = contents(project.path)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = run(f"bin/{command}", "--help", cwd=project.path, env=env)
    assert done.returncode == 0, done.stderr
    assert f"bin/{command}" in done.stdout
    assert contents(project.path) == before
    assert not (tmp_path / "called").exists()
