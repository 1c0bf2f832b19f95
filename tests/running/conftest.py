"""Fixtures of tests that look at a stack."""

import os
import shutil

import pytest

from tests.helpers.large import large_views


@pytest.fixture
def docker_says(tmp_path, monkeypatch):
    """docker_says(script) puts a script before the docker client; "$docker" is the real one."""

    def make(script: str) -> None:
        (tmp_path / "docker").write_text(f"#!/bin/sh\ndocker={shutil.which('docker')}\n{script}\n")
        (tmp_path / "docker").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return make


THREE_SECONDS = {"uwsgi": "UWSGI_HARAKIRI=3", "gunicorn": "GUNICORN_CMD_ARGS=--timeout 3"}


@pytest.fixture(scope="module")
def views(production, app_server, tmp_path_factory):
    """Starts an app with the views of helpers/large.py for `production`; a request may take 3 s: 5 s."""
    folder = tmp_path_factory.mktemp("views")
    with large_views(production, folder, f"--env={THREE_SECONDS[app_server]}"):
        yield production
