"""A project takes the changes of its template with cruft, and keeps what its people changed."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.helpers.checkout import copy_files, git, replace
from tests.helpers.matrix import ROOT
from tests.helpers.stack import run

pytestmark = pytest.mark.copies

# The last commit before the answers app_server, proxy, use_allauth and ci.
EARLIER = "52064e386df2aed9ccad1327eb84b0f5190cc48e"

DEFAULT = {"project_slug": "shop"}
LEANEST = DEFAULT | {"app_server": "gunicorn", "proxy": "none", "use_allauth": False, "ci": "none"}

# What people do in their project: file, what the bake has there, what they make of it.
EDITS = [
    ("config/settings.py", '    "accounts",\n', '    "accounts",\n    "catalog",\n'),
    ("config/urls.py", "import path\n", "import include, path\n"),
    ("config/urls.py", "admin.site.urls),\n", 'admin.site.urls),\n    path("", include("catalog")),\n'),
    ("pyproject.toml", '    "django~', '    "celery>=5.6",\n    "django~'),
    ("requirements.txt", "\ndjango==", "\ncelery==5.6.0 \\\n    --hash=sha256:0\ndjango=="),
    ("compose.yaml", "\nvolumes:\n", "\n  redis:\n    image: redis:8\n\nvolumes:\n"),
    ("docker/app/Dockerfile", " AS prod\n", " AS prod\nRUN apt-get install libmagic1\n"),
    ("templates/home.html", "<h1>Welcome to", "<h1>Flowers and trees of"),
    ("README.md", "\nA Django project in containers.\n", "\nThe shop for gardens.\n"),
    ("README.md", "\n## Day one\n", "\nAsk Ann before you deploy.\n\n## Day one\n"),
]  # fmt: skip

# What the template's next version changes: file, what it has now, what comes.
NEWS = [
    ("config/settings.py", 'LANGUAGE_CODE = "en-us"', 'LANGUAGE_CODE = "en-gb"'),
    ("pyproject.toml", "dependencies = [\n", 'dependencies = [\n    "argon2-cffi",\n'),
    (
        "requirements.txt",
        "\nasgiref==",
        "\nargon2-cffi==25.1.0 \\\n    --hash=sha256:0\n    # via -r (pyproject.toml)\nasgiref==",
    ),
    (".env.example", "\n# --- Builds ---\n", "\n#LANGUAGE=\n\n# --- Builds ---\n"),
]


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Changed")


def cruft(*arguments: str | Path, cwd: Path):
    return run(Path(sys.executable).with_name("cruft"), *arguments, cwd=cwd)


@pytest.fixture(scope="module", autouse=True)
def _own_settings(tmp_path_factory):
    """Keep out the settings of the person who runs the tests, whom git may not know at all."""
    with pytest.MonkeyPatch.context() as environment:
        config = tmp_path_factory.mktemp("config") / "cookiecutter.yaml"
        folder = config.parent
        config.write_text(f"replay_dir: {folder}\ncookiecutters_dir: {folder}\n")
        environment.setenv("COOKIECUTTER_CONFIG", str(config))
        for role in ("AUTHOR", "COMMITTER"):
            environment.setenv(f"GIT_{role}_NAME", "Ann")
            environment.setenv(f"GIT_{role}_EMAIL", "ann@example.com")
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A clone with three versions: `earlier`; `now`, with what is not committed yet; and `next`."""
    if run("git", "cat-file", "-e", f"{EARLIER}^{{commit}}", cwd=ROOT).returncode:
        pytest.fail(
            f"These tests need the history back to {EARLIER[:7]}: git fetch --unshallow",
            pytrace=False,
        )
    clone = tmp_path_factory.mktemp("template") / "django-docker"
    git(ROOT, "clone", "--quiet", "--no-tags", ROOT, clone)
    git(clone, "tag", "earlier", EARLIER)

    shutil.rmtree(clone / "{{cookiecutter.project_slug}}")  # so that what was deleted is not there
    copy_files(clone)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "Now")
    git(clone, "tag", "now")

    project = clone / "{{cookiecutter.project_slug}}"
    for news in NEWS:
        replace(project, *news)
    (project / "docs/next.md").write_text("# Next\n")
    (project / "tests/test_errors.py").unlink()
    commit(clone)
    git(clone, "tag", "next")
    return clone


@pytest.fixture
def create(template, tmp_path):
    """create("now", {"ci": "none"}) makes a project of that version, with its first commit."""

    def make(version: str, answers: dict, folder: str = "mine") -> Path:
        output = tmp_path / folder
        output.mkdir()
        options = ("--no-input", "--output-dir", output, "--checkout", version)
        # EARLIER did not have the lines in pyproject.toml that say so.
        options += ("--skip", ".env") * (version == "earlier")
        done = cruft(
            "create", template, *options, "--extra-context", json.dumps(answers), cwd=output
        )
        assert done.returncode == 0, done.stdout + done.stderr
        git(output / "shop", "init", "--quiet")
        commit(output / "shop")
        return output / "shop"

    return make


def work_on(project: Path) -> None:
    """Change the project as its people would, and commit that."""
    for edit in EDITS:
        replace(project, *edit)
    (project / "catalog").mkdir()
    (project / "catalog/__init__.py").write_text("urlpatterns = []\n")
    with (project / ".env").open("a") as env:
        env.write("MINE=1\n")
    commit(project)


def update(project: Path, *options: str) -> None:
    done = cruft("update", "--skip-apply-ask", *options, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr


def contents(project: Path) -> dict[str, bytes]:
    """Return the content of all files, but for what is each project's own."""
    names = git(project, "ls-files", "--cached", "--others", "--exclude-standard").split()
    return {
        name: (project / name).read_bytes()
        for name in names
        if name != ".cruft.json" and (project / name).exists()
    }


def undo_the_work(project: Path) -> None:
    """Take back what work_on changed; this fails where some of it is not there any more."""
    for name, old, new in reversed(EDITS):
        replace(project, name, new, old)
    shutil.rmtree(project / "catalog")


@pytest.mark.parametrize(
    ("version", "newer", "chosen"),
    [
        pytest.param("earlier", "now", DEFAULT, id="an-earlier-commit-to-this"),
        pytest.param("now", "next", DEFAULT, id="this-to-the-next"),
        pytest.param("now", "next", LEANEST, id="the-leanest-to-the-next"),
    ],
)
def test_an_update_brings_all_changes_and_keeps_all_edits(create, version, newer, chosen):
    project = create(version, chosen)
    work_on(project)
    env = (project / ".env").read_bytes()

    update(project, "--checkout", newer)

    assert (project / ".env").read_bytes() == env
    undo_the_work(project)
    assert contents(project) == contents(create(newer, chosen, folder="fresh"))


def test_an_updated_project_is_up_to_date(create):
    project = create("now", DEFAULT)
    assert cruft("check", "--checkout", "next", cwd=project).returncode == 1
    update(project, "--checkout", "next")
    commit(project)
    assert cruft("check", "--checkout", "next", cwd=project).returncode == 0


@pytest.mark.parametrize(
    ("change", "comes", "goes"),
    [
        ({"ci": "gitlab"}, ".gitlab-ci.yml", ".github/workflows/ci.yml"),
        ({"app_server": "gunicorn"}, "docker/app/gunicorn.conf.py", "docker/app/uwsgi.ini"),
        ({"use_allauth": False}, "accounts/models.py", "accounts/adapter.py"),
    ],
    ids=["ci", "app_server", "use_allauth"],
)
def test_an_answer_can_be_changed_later(create, change, comes, goes):
    project = create("now", DEFAULT)
    work_on(project)

    update(project, "--checkout", "now", "--variables-to-update", json.dumps(change))

    assert (project / comes).exists()
    assert not (project / goes).exists()
    undo_the_work(project)
    assert contents(project) == contents(create("now", DEFAULT | change, folder="fresh"))


def test_a_project_of_plain_cookiecutter_can_be_linked(template, create, tmp_path):
    cookiecutter = Path(sys.executable).with_name("cookiecutter")
    options = ("--no-input", "--output-dir", tmp_path, "--checkout", "now")
    done = run(cookiecutter, f"git+file://{template}", *options, "project_slug=shop", "ci=gitlab")
    assert done.returncode == 0, done.stdout + done.stderr
    project = tmp_path / "shop"
    git(project, "init", "--quiet")
    commit(project)
    work_on(project)

    answers = DEFAULT | {"ci": "gitlab"}
    link = ("--no-input", "--checkout", "now", "--extra-context", json.dumps(answers))
    assert cruft("link", template, *link, cwd=project).returncode == 0
    commit(project)
    update(project, "--checkout", "next")

    undo_the_work(project)
    assert contents(project) == contents(create("next", answers, folder="fresh"))


def test_a_conflict_is_marked_in_the_file_and_ends_with_success(create):
    project = create("now", DEFAULT)
    replace(project, "config/settings.py", '"en-us"', '"fr"')
    commit(project)
    update(project, "--checkout", "next")
    assert "<<<<<<< ours" in (project / "config/settings.py").read_text()
    assert "UU config/settings.py\n" in git(project, "status", "--short")


def test_without_the_bake_in_git_a_conflict_is_left_in_a_rej_file(create):
    project = create("now", DEFAULT)
    replace(project, "config/settings.py", '"en-us"', '"fr"')
    shutil.rmtree(project / ".git")
    git(project, "init", "--quiet")
    commit(project)
    update(project, "--checkout", "next")
    assert '+LANGUAGE_CODE = "en-gb"' in (project / "config/settings.py.rej").read_text()
    assert (project / "docs/next.md").exists()
