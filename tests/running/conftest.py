"""Fixtures of tests that look at a stack."""

import os
import shutil

import pytest


@pytest.fixture
def docker_says(tmp_path, monkeypatch):
    """docker_says(script) puts a script before the docker client; "$docker" is the real one."""

    def make(script: str) -> None:
        (tmp_path / "docker").write_text(f"#!/bin/sh\ndocker={shutil.which('docker')}\n{script}\n")
        (tmp_path / "docker").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return make
