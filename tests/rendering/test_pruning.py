"""What was not chosen leaves no trace: no file, no word, no package. The table of pieces is strict."""

import ast
import re
import shutil

import pytest

from tests.helpers import inprocess
from tests.helpers.matrix import CHOICES, ROOT, pairwise
from tests.helpers.project import Project
from tests.rendering.test_rendered import texts

FOLDER = "{{cookiecutter.project_slug}}"
HOOK = "hooks/post_gen_project.py"

# Answer, the values that bring a word with them, and the word. No other bake holds it anywhere.
TRACES = [
    ("postgresql_version", {"18"}, r"postgres(ql)?[ :]18"),
    ("postgresql_version", {"17"}, r"postgres(ql)?[ :]17|postgresql/data"),
    ("app_server", {"uwsgi"}, "uwsgi"),
    ("app_server", {"gunicorn"}, "gunicorn"),
    ("proxy", {"nginx-letsencrypt", "nginx"}, "nginx|upstream"),
    ("proxy", {"nginx-letsencrypt", "nginx"}, "deploy[-_.](commit|md|to)"),
    ("proxy", {"nginx-letsencrypt"}, r"letsencrypt|HTTPS_PORT|self-signed|site\.(crt|key)"),
    ("proxy", {"nginx"}, "known-hosts|by_trusted_proxy|load-balancer"),
    ("proxy", {"none"}, r"config\.front|front\.py|platform\.md"),
    ("use_allauth", {True}, r"allauth|sign-?up|\baccount_"),
    ("ci", {"github"}, r"\.github/|github actions|workflow"),
    ("ci", {"gitlab"}, "gitlab"),
    ("ci", {"github", "gitlab"}, "DEPLOY_(FOLDER|KEY|KNOWN|TO)"),
]

# The packages of production: always, and with a value of an answer.
PACKAGES = {
    "asgiref",
    "dj-database-url",
    "django",
    "psycopg2-binary",
    "python-json-logger",
    "sqlparse",
    "tzdata",
    "whitenoise",
}
PACKAGES_OF = [
    ("app_server", "uwsgi", {"uwsgi"}),
    ("app_server", "gunicorn", {"gunicorn"}),
    ("use_allauth", True, {"django-allauth"}),
]
DEVELOPMENT = {
    "appdirs",
    "colorama",
    "django-migration-linter",
    "iniconfig",
    "packaging",
    "pluggy",
    "pygments",
    "pytest",
    "pytest-django",
    "ruff",
    "toml",
}

LOCKS = ["requirements.txt", "requirements-dev.txt"]

# Two packages that need each other, for the sake of one that nothing needs without uWSGI.
MADE_UP = """\
one==1.0 \\
    --hash=sha256:1
    # via uwsgi
three==1.0 \\
    --hash=sha256:3
    # via two
two==1.0 \\
    --hash=sha256:2
    # via
    #   one
    #   three
"""


def pieces() -> dict:
    """Return the hook's table. It stands there as plain data, with one name for what is shared."""
    wanted = [
        node
        for node in ast.parse((ROOT / HOOK).read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets) in ("NGINX", "PIECES")
    ]
    found = {}
    exec(compile(ast.Module(wanted, []), HOOK, "exec"), found)  # noqa: S102
    return found["PIECES"]


def packages(lock: str) -> dict[str, list[str]]:
    """Return each package of a lock and who needs it."""
    blocks = re.findall(r"^([a-z0-9-]+)==[^#]*((?:    #.*\n)+)", lock, re.MULTILINE)
    return {name: re.findall(r"    # (?:via |  )(.+)\n", needed) for name, needed in blocks}


@pytest.fixture
def template(tmp_path):
    """A copy of the template, to break."""
    copy = tmp_path / "template"
    copy.mkdir()
    shutil.copy(ROOT / "cookiecutter.json", copy)
    shutil.copytree(ROOT / "hooks", copy / "hooks")
    shutil.copytree(ROOT / FOLDER, copy / FOLDER)
    return copy


@pytest.fixture
def bake_here(tmp_path):
    """bake_here(ci="none") returns the project, which is in the same place each time."""

    def bake(**answers) -> Project:
        how = {"no_input": True, "overwrite_if_exists": True, "extra_context": answers}
        outcome = inprocess.bake(tmp_path / "out", **how)
        assert outcome.said == ""
        return Project(outcome.project, answers)

    return bake


# --- The table ---


def test_every_piece_is_in_the_template():
    paths = [path for values in pieces().values() for owned in values.values() for path in owned]
    assert len(paths) >= 30
    assert [path for path in paths if not (ROOT / FOLDER / path).exists()] == []


def test_every_value_with_pieces_is_one_that_can_be_chosen():
    wrong = {answer: values.keys() - {*CHOICES[answer]} for answer, values in pieces().items()}
    assert wrong == {answer: set() for answer in pieces()}


@pytest.mark.parametrize(
    ("piece", "answer", "value"),
    [
        ("docs/uwsgi.md", "app_server", "gunicorn"),
        ("docker/nginx", "proxy", "none"),
        ("docker/nginx/snippets/tls.conf", "proxy", "nginx"),
        ("config/front.py", "proxy", "nginx-letsencrypt"),
        ("templates/account", "use_allauth", False),
        (".github", "ci", "none"),
    ],
)
def test_a_misspelt_piece_fails_the_bake_that_prunes_it(tmp_path, template, piece, answer, value):
    hook = template / HOOK
    written = hook.read_text()
    assert written.count(f'"{piece}"') == 1
    hook.write_text(written.replace(f'"{piece}"', f'"{piece}x"'))
    answers = {answer: value}
    how = {"template": template, "no_input": True, "extra_context": answers}
    outcome = inprocess.bake(tmp_path / "out", **how)
    assert "FileNotFoundError" in outcome.said
    assert f"{piece}x" in outcome.said
    assert [*(tmp_path / "out").iterdir()] == []


# --- Words ---


def lines_with(word: str, project: Project) -> list[str]:
    """Return the lines of all files, and the names of files, that hold a word."""
    word = re.compile(word, re.IGNORECASE)
    # One page tells how to change an option; one file has the output of other projects.
    files = texts(project)
    del files["docs/updating.md"], files["tests/failures.txt"]
    lines = [(name, line) for name, text in files.items() for line in [name, *text.splitlines()]]
    return [f"{name}: {line}" for name, line in lines if word.search(line)]


def test_no_word_tells_of_an_answer_that_was_not_given(baked, answers):
    words = [word for answer, values, word in TRACES if answers[answer] not in values]
    assert lines_with("|".join(words), baked) == []


@pytest.mark.parametrize(("answer", "values", "word"), TRACES)
def test_each_word_is_there_with_its_answer(bake_here, answer, values, word):
    assert [value for value in values if not lines_with(word, bake_here(**{answer: value}))] == []


# --- Packages ---


def test_production_locks_exactly_what_it_needs(baked, answers):
    optional = [names for answer, value, names in PACKAGES_OF if answers[answer] == value]
    locked = packages(baked.read("requirements.txt"))
    assert locked.keys() == PACKAGES.union(*optional)


def test_development_adds_exactly_its_tools(baked):
    production, development = (packages(baked.read(lock)).keys() for lock in LOCKS)
    assert development - production == DEVELOPMENT


@pytest.mark.parametrize("lock", LOCKS)
def test_what_needs_a_package_is_locked_too(baked, lock):
    locked = packages(baked.read(lock))
    project = re.search('^name = "(.+)"', baked.read("pyproject.toml"), re.MULTILINE)[1]
    sources = {f"{project} (pyproject.toml{group})" for group in ("", ":server", ":dev")}
    assert {name for name, needed in locked.items() if not needed} == set()
    assert set().union(*locked.values()) - locked.keys() <= sources


def test_packages_that_need_each_other_alone_are_dropped(tmp_path, template):
    for lock in LOCKS:
        file = template / FOLDER / lock
        file.write_text(file.read_text().replace("tzdata==", f"{MADE_UP}tzdata=="))
    left = {
        app_server: inprocess.bake(
            tmp_path / app_server,
            template=template,
            no_input=True,
            extra_context={"app_server": app_server},
        )
        for app_server in ("uwsgi", "gunicorn")
    }
    locked = {
        name: packages((outcome.project / lock).read_text()).keys() & {"one", "two", "three"}
        for name, outcome in left.items()
        for lock in LOCKS
    }
    assert locked == {"uwsgi": {"one", "two", "three"}, "gunicorn": set()}


# --- Once more ---


def contents(project: Project) -> dict[str, bytes]:
    return {name: (project.path / name).read_bytes() for name in project.files()}


def test_a_second_bake_changes_nothing(bake_here, answers):
    before = contents(bake_here(**answers))
    assert contents(bake_here(**answers)) == before


def test_a_bake_over_another_leaves_nothing_of_it(tmp_path, bake_here):
    one, other, *_ = pairwise()
    first = contents(bake_here(**one))
    second = contents(bake_here(**other))
    alone = inprocess.bake(tmp_path / "alone", no_input=True, extra_context=other)
    expected = contents(Project(alone.project, other))
    assert second[".env"] == first[".env"] != expected[".env"]
    assert second | {".env": ""} == expected | {".env": ""}
