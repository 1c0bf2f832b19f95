"""The CI files of a baked project: each of their commands, in a clone, as a runner would type them."""

import subprocess

import pytest
import yaml

from tests.helpers.project import a_slug
from tests.helpers.stack import DEVELOPMENT, PRODUCTION, run

pytestmark = pytest.mark.containers


def steps_of_github(text: str) -> list[str]:
    steps = yaml.safe_load(text)["jobs"]["ci"]["steps"]
    return [step["run"] for step in steps if "run" in step]


def steps_of_gitlab(text: str) -> list[str]:
    return yaml.safe_load(text)["ci"]["script"]


FILES = {
    "github": (".github/workflows/ci.yml", steps_of_github),
    "gitlab": (".gitlab-ci.yml", steps_of_gitlab),
}


@pytest.fixture(params=FILES)
def ci(request) -> str:
    return request.param


@pytest.fixture
def clone(bake, ci, stacks, tmp_path):
    """Clones a project with this CI; git brings no .env, as on a runner. The steps start its stacks: 30 s."""
    origin = bake(project_slug=a_slug(), ci=ci).path
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "safe.directory=*"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=origin, check=True)
    folder = tmp_path / "clone"
    subprocess.run([*git, "clone", "-q", origin, folder], check=True)
    stacks(folder, DEVELOPMENT)
    stacks(folder, PRODUCTION)
    return folder


def first_failure(folder, ci: str) -> str:
    """Run the steps until one fails, and return that one; nothing when all pass."""
    file, steps_of = FILES[ci]
    for step in steps_of((folder / file).read_text()):
        done = run("sh", "-ec", step, cwd=folder)
        if done.returncode:
            print(done.stdout, done.stderr)
            return step
    return ""


def test_a_fresh_project_passes(clone, ci):
    assert first_failure(clone, ci) == ""
    assert run("docker", "image", "inspect", image_of(clone)).returncode == 0


@pytest.mark.parametrize(
    "ci", ["github", pytest.param("gitlab", marks=pytest.mark.exhaustive)], indirect=True
)
def test_a_project_with_an_error_fails_at_the_step_that_finds_it(clone, ci):
    fails = clone / "tests/test_fails.py"
    fails.write_text("def test_fails():\n    raise AssertionError\n")
    assert first_failure(clone, ci) == "docker compose run --rm tests"
    fails.write_text("import os\n")
    assert first_failure(clone, ci) == "docker compose run --rm --no-deps lint"


def image_of(folder) -> str:
    """Return the name of the production image."""
    image = yaml.safe_load((folder / PRODUCTION).read_text())["services"]["app"]["image"]
    return image.removeprefix("${STACK_NAME:-").removesuffix("}:${RELEASE:-latest}")
