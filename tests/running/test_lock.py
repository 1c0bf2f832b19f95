"""The locked requirements are what uv makes of pyproject.toml; bin/lock renews them, make lock all."""

import pytest

from tests.helpers.project import a_slug
from tests.helpers.stack import run

LOCKS = ("requirements.txt", "requirements-dev.txt")


def lock(project) -> dict[str, str]:
    done = run("bin/lock", cwd=project.path)
    assert done.returncode == 0, done.stderr
    return {name: project.read(name) for name in LOCKS}


@pytest.mark.containers
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("app_server", "use_allauth"),
    [
        pytest.param("uwsgi", True, id="uwsgi-allauth"),
        pytest.param("gunicorn", False, id="gunicorn-no-allauth"),
        pytest.param("uwsgi", False, id="uwsgi-no-allauth", marks=pytest.mark.exhaustive),
        pytest.param("gunicorn", True, id="gunicorn-allauth", marks=pytest.mark.exhaustive),
    ],
)
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
