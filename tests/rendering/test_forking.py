"""What docs/forking.md promises to an organisation that makes the template its own."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from tests.helpers.checkout import copy_files
from tests.helpers.command import cookiecutter
from tests.helpers.stack import run

# --- Defaults ---


def test_a_configuration_file_has_defaults_for_all_bakes(tmp_path):
    config = tmp_path / "ours.yaml"
    config.write_text(
        f"replay_dir: {tmp_path}\n"
        "default_context: {author_name: Platform team, app_server: gunicorn, use_allauth: false}\n"
    )
    done = cookiecutter(tmp_path / "out", "--no-input", "--config-file", config)
    assert done.returncode == 0, done.stderr
    project = tmp_path / "out" / "my-site"
    assert 'name = "Platform team"' in (project / "pyproject.toml").read_text()
    assert (project / "docker/app/gunicorn.conf.py").exists()
    assert not (project / "accounts/adapter.py").exists()


# --- A registry of one's own ---


def test_every_base_image_comes_from_the_registry_that_is_set(baked):
    dockerfiles = "\n".join(file.read_text() for file in baked.path.glob("docker/*/Dockerfile"))
    stages = re.findall(r" AS (\w+)$", dockerfiles, re.MULTILINE)
    bases = {*re.findall(r"^FROM (\S+)", dockerfiles, re.MULTILINE)} - {*stages}
    assert {re.match(r"\$\{REGISTRY[}:]", base) is not None for base in bases} == {True}

    composes = [*baked.path.glob("compose*.yaml"), *baked.path.glob("docker/*/compose.yaml")]
    services = [yaml.safe_load(file.read_text())["services"] for file in composes]
    for service in (service for file in services for service in file.values()):
        build = service.get("build", {"args": {"REGISTRY": "${REGISTRY:-}"}})
        assert build["args"] == {"REGISTRY": "${REGISTRY:-}"}
    pulled = {
        service["image"]
        for file in services
        for name, service in file.items()
        if name == "postgres"
    }
    assert {image.startswith("${REGISTRY:-}postgres:") for image in pulled} == {True}


# --- One more answer, in the five steps of docs/forking.md ---

PROJECT = "{{cookiecutter.project_slug}}"

PIECE = '''"""Log the requests that took long."""

import logging
import time

logger = logging.getLogger(__name__)


class SlowRequestMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        start = time.monotonic()
        response = self.get_response(request)
        if (seconds := time.monotonic() - start) > 1:
            logger.warning("%s took %.1f seconds", request.path, seconds)
        return response
'''

TEST = """import pytest


@pytest.mark.parametrize("chosen", [True, False])
def test_slow_requests_are_logged_where_that_was_chosen(bake, chosen):
    settings = bake(log_slow=chosen).read("config/settings.py")
    assert settings.count('"config.slow.SlowRequestMiddleware",') == chosen
"""

OWN, MANIFEST = (
    "tests/rendering/test_slow.py",
    "tests/rendering/test_manifest.py::test_exactly_the_expected_files",
)

# The parts of the steps: the file, the text before which something is added, what is added, and the
# test that is red without it.
PARTS = {
    "1-answer": ("cookiecutter.json", '  "ci": [', '  "log_slow": false,\n', OWN),
    "1-prompt": (
        "cookiecutter.json",
        '    "ci": {',
        '    "log_slow": "Log slow requests",\n',
        "tests/rendering/test_template.py::test_an_answer_has_a_prompt",
    ),
    "2-file": (f"{PROJECT}/config/slow.py", "", PIECE, OWN),
    "2-page": (f"{PROJECT}/docs/slow.md", "", "# Slow requests\n\nThe log names them.\n", OWN),
    "2-row": (
        "hooks/post_gen_project.py",
        '    "ci": {\n',
        '    "log_slow": {True: ["config/slow.py", "docs/slow.md"]},\n',
        MANIFEST,
    ),
    "3-plug": (
        f"{PROJECT}/config/settings.py",
        '\n    "django.middleware.security.SecurityMiddleware",',
        '\n{%- if cookiecutter.log_slow %}\n    "config.slow.SlowRequestMiddleware",\n{%- endif %}',
        OWN,
    ),
    "3-readme": (
        f"{PROJECT}/README.md",
        "\n- [docs/updating.md]",
        "\n{%- if cookiecutter.log_slow %}\n- [docs/slow.md](docs/slow.md): the log\n{%- endif %}",
        "tests/rendering/test_docs.py::test_the_readme_of_a_bake_lists_every_page",
    ),
    "4-files": (
        "tests/rendering/test_manifest.py",
        '    ("ci", "github", {',
        '    ("log_slow", True, {"config/slow.py", "docs/slow.md"}),\n',
        MANIFEST,
    ),
    "4-values": (
        "tests/rendering/test_matrix.py",
        '    "ci": [',
        '    "log_slow": [False, True],\n',
        "tests/rendering/test_matrix.py::test_the_choices_are_those_of_the_template",
    ),
    "4-default": (
        "tests/rendering/test_matrix.py",
        '    "ci": "github",\n',
        '    "log_slow": False,\n',
        "tests/rendering/test_matrix.py::test_the_default_answers_are_the_first_bake",
    ),
    "4-pairs": (
        "tests/rendering/test_matrix.py",
        "57",
        "24 + ",  # two values, each with the twelve that there are
        "tests/rendering/test_matrix.py::test_every_pair_of_answers_meets_in_a_bake",
    ),
    "4-bakes": (
        "tests/rendering/test_matrix.py",
        " 10\n",
        " 2 +",
        "tests/rendering/test_matrix.py::test_there_are_far_fewer_bakes_than_combinations",
    ),
    "5-choice": (
        "hooks/pre_gen_project.py",
        '    "ci": [',
        '    "log_slow": [True, False],\n',
        "tests/rendering/test_refused.py::test_every_choice_refuses_another_value",
    ),
    "5-page": (
        "docs/log_slow.md",
        "",
        "# log_slow\n\nWhether the log names slow requests.\n",
        "tests/rendering/test_docs.py::test_links_lead_somewhere",
    ),
    "5-index": (
        "docs/README.md",
        "- [Decisions](",
        "- [log_slow](log_slow.md)\n",
        "tests/rendering/test_docs.py::test_every_page_is_listed",
    ),
}


@pytest.fixture
def fork(tmp_path) -> Path:
    """A copy of this repository, with a test of the new answer and nothing else of it."""
    copy_files(tmp_path / "fork")
    (tmp_path / "fork" / OWN).write_text(TEST)
    return tmp_path / "fork"


def take(fork: Path, part: str) -> None:
    name, before, addition, _ = PARTS[part]
    text = (fork / name).read_text() if before else ""
    assert text.count(before) == 1, f"{name} has {text.count(before)} times {before!r}"
    (fork / name).write_text(text.replace(before, addition + before))


def outcome(fork: Path, *names: str):
    """Run tests of the fork, up to the first that fails."""
    options = ("-x", "-q", "-p", "no:cacheprovider", "-m", "not containers")
    return run(sys.executable, "-m", "pytest", *options, *names, cwd=fork)


@pytest.mark.copies
def test_an_answer_is_added_in_five_steps(fork):
    for part in PARTS:
        take(fork, part)
    guards = {guard for *_, guard in PARTS.values()}
    done = outcome(
        fork, *sorted(guards), "tests/rendering/test_template.py", "tests/rendering/test_docs.py"
    )
    assert done.returncode == 0, done.stdout


# Without them the test that counts is red at once; the others are what somebody could overlook.
COUNTED = {"4-default", "4-pairs", "4-bakes"}


@pytest.mark.copies
@pytest.mark.parametrize("forgotten", [part for part in PARTS if part not in COUNTED])
def test_a_forgotten_part_of_a_step_is_noticed(fork, forgotten):
    for part in PARTS.keys() - {forgotten}:
        take(fork, part)
    done = outcome(fork, PARTS[forgotten][-1])
    assert done.returncode == 1, done.stdout
