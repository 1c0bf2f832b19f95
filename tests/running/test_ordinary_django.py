"""What Django's documentation writes passes the project's lint and tests, and so does what owners change."""

import shutil

import pytest

from tests.helpers.checkout import replace
from tests.helpers.matrix import ROOT
from tests.helpers.project import a_slug
from tests.helpers.stack import DEVELOPMENT, standing

pytestmark = pytest.mark.containers

APPS = ROOT / "tests/apps"
LAST_APP = '    "django.contrib.staticfiles",\n'
LAST_MIDDLEWARE = '    "django.middleware.clickjacking.XFrameOptionsMiddleware",\n'


@pytest.fixture(scope="module")
def stack(bake_once, engine):
    """Builds and starts a development stack of a project with one more app: about 10 s."""
    project = bake_once(project_slug=a_slug())
    shutil.copytree(APPS / "notes", project.path / "notes")
    replace(project.path, "config/settings.py", LAST_APP, f'{LAST_APP}    "notes",\n')
    with standing() as make:
        stack = make(project.path, DEVELOPMENT)
        stack.up()
        stack.manage("makemigrations", "notes")
        yield stack


def passes(stack, *command: str) -> str:
    done = stack.command("run", "--rm", "--no-TTY", *command)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_it_passes_the_lint(stack):
    passes(stack, "lint")


def test_what_startapp_writes_passes_the_lint(stack):
    stack.manage("startapp", "empty")
    passes(stack, "lint")
    shutil.rmtree(stack.path / "empty")


def test_its_tests_run(stack):
    assert "4 passed" in passes(stack, "tests", "notes")
    assert "Ran 4 tests" in stack.command("run", "--rm", "manage", "test", "notes").stderr


def test_all_tests_include_those_of_an_app(stack):
    assert "notes/tests.py::NoteTests::test_login" in passes(stack, "tests", "--collect-only", "-q")


def test_warnings_are_errors_unless_the_project_says_otherwise(stack):
    (stack.path / "notes/test_warns.py").write_text(
        "import warnings\n\n\ndef test_warns():\n    warnings.warn('old', DeprecationWarning)\n"
    )
    done = stack.command("run", "--rm", "--no-TTY", "tests", "notes/test_warns.py")
    assert (done.returncode, "DeprecationWarning: old" in done.stdout) == (1, True)
    replace(
        stack.path,
        "pyproject.toml",
        '    "error",\n',
        '    "error",\n    "ignore:::notes",\n',
    )
    passes(stack, "tests", "notes/test_warns.py")
    (stack.path / "notes/test_warns.py").unlink()


# The last test of this file, because it leaves little of the project's pages.
def test_the_projects_tests_do_not_depend_on_what_owners_change(stack):
    owner, settings = APPS / "owner", "config/settings.py"
    shutil.copy(owner / "urls.py", stack.path / "config")
    shutil.copy(owner / "middleware.py", stack.path / "notes")
    for page in ("base.html", "404.html"):
        shutil.copy(owner / page, stack.path / "templates")
    shutil.rmtree(stack.path / "templates/account")
    (stack.path / "static/site.css").unlink()
    own = f'{LAST_MIDDLEWARE}    "django.middleware.locale.LocaleMiddleware",\n    "notes.middleware.only_for_staff",\n'
    replace(stack.path, settings, LAST_MIDDLEWARE, own)
    replace(stack.path, settings, '    "django.contrib.admin",\n', "")
    replace(stack.path, settings, 'LANGUAGE_CODE = "en-us"', 'LANGUAGE_CODE = "de"')
    (stack.path / "notes/admin.py").unlink()
    (stack.path / "accounts/admin.py").unlink()
    assert "failed" not in passes(stack, "tests")
