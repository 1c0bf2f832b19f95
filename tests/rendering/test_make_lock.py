"""make lock: it asks for the packages of all variants at once."""

import importlib.util
import tomllib
from importlib.machinery import SourceFileLoader

import pytest
from packaging.requirements import Requirement

from tests.helpers.matrix import ROOT

LOCKS = ("requirements.txt", "requirements-dev.txt")


@pytest.fixture
def make_lock():
    """What make lock runs, as a module."""
    loader = SourceFileLoader("make_lock", str(ROOT / ".ci/lock"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_lock", loader))
    loader.exec_module(module)
    return module


def test_make_lock_asks_for_what_any_variant_needs(make_lock, tmp_path):
    asked = tomllib.loads(make_lock.everything(tmp_path))
    groups = {"": asked["project"]["dependencies"], **asked["dependency-groups"]}
    names = {group: [Requirement(line).name for line in lines] for group, lines in groups.items()}
    assert names == {
        "": [
            *("dj-database-url", "django", "django-allauth", "psycopg2-binary"),
            *("python-json-logger", "whitenoise"),
        ],
        "dev": ["django-migration-linter", "pytest-django", "ruff"],
        "server": ["uwsgi", "gunicorn"],
    }


def test_make_lock_puts_the_placeholder_back(make_lock, tmp_path, monkeypatch):
    placeholder = "# via {{ cookiecutter.__distribution }} (pyproject.toml)\n"
    for name in LOCKS:
        (tmp_path / name).write_text(placeholder)
    seen = []

    def compile_lock(folder, python, command, output, *options):
        seen.append((python, command, output, *options, (folder / output).read_text()[:24]))

    monkeypatch.setattr(make_lock, "TEMPLATE", tmp_path)
    monkeypatch.setattr(make_lock, "compile_lock", compile_lock)
    make_lock.main()
    server, dev = "--group=server", "--group=dev"
    assert seen == [
        ("3.11", "make lock", "requirements.txt", "# This file was autogene"),
        ("3.14", "bin/lock", "requirements.txt", server, "# via the-baked-project "),
        ("3.14", "bin/lock", "requirements-dev.txt", server, dev, "# via the-baked-project "),
    ]
    assert [(tmp_path / name).read_text() for name in LOCKS] == [placeholder, placeholder]
