"""The locked requirements are what uv makes of pyproject.toml; bin/lock renews them, make lock all."""

import importlib.util
import tomllib
from importlib.machinery import SourceFileLoader

import pytest
from packaging.requirements import Requirement

from tests.conftest import a_slug
from tests.matrix import ROOT
from tests.stack import run

LOCKS = ("requirements.txt", "requirements-dev.txt")


def lock(project) -> dict[str, str]:
    done = run("bin/lock", cwd=project.path)
    assert done.returncode == 0, done.stderr
    return {name: project.read(name) for name in LOCKS}


@pytest.fixture
def make_lock():
    """What make lock runs, as a module."""
    loader = SourceFileLoader("make_lock", str(ROOT / ".ci/lock"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_lock", loader))
    loader.exec_module(module)
    return module


@pytest.mark.containers
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("use_allauth", [True, False], ids=["allauth", "no-allauth"])
@pytest.mark.parametrize("app_server", ["uwsgi", "gunicorn"])
def test_locking_again_changes_nothing(bake, app_server, use_allauth):
    project = bake(project_slug=a_slug(), app_server=app_server, use_allauth=use_allauth)
    before = {name: project.read(name) for name in LOCKS}
    assert lock(project) == before


@pytest.mark.containers
@pytest.mark.usefixtures("engine")
def test_a_new_dependency_is_locked_with_its_hashes(fresh):
    project = fresh.path / "pyproject.toml"
    project.write_text(
        project.read_text().replace('    "whitenoise', '    "six==1.17.0",\n    "whitenoise')
    )
    after = lock(fresh)
    for text in after.values():
        assert "six==1.17.0 \\\n    --hash=sha256:" in text
    assert "django==6.1.3" in after["requirements.txt"]
    assert "pytest==" not in after["requirements.txt"]


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
