"""The locked requirements are what uv makes of pyproject.toml; bin/lock renews them."""

import pytest

from tests.stack import run

pytestmark = pytest.mark.containers


def lock(project, *flags: str):
    done = run("bin/lock", *flags, cwd=project.path)
    assert done.returncode == 0, done.stderr
    return {name: project.read(name) for name in ("requirements.txt", "requirements-dev.txt")}


@pytest.mark.usefixtures("engine")
def test_locking_again_changes_nothing(fresh):
    before = {name: fresh.read(name) for name in ("requirements.txt", "requirements-dev.txt")}
    assert lock(fresh) == before


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
