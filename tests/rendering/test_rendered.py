"""What a bake writes is whole: it parses, it is tidy, and it needed nothing."""

import ast
import re
import tomllib
from xml.etree import ElementTree

import pytest
import yaml
from packaging.requirements import Requirement

from tests.helpers.command import cookiecutter

# A Python that cannot reach the network; hooks inherit it.
NO_NETWORK = """
import socket

def refuse(*arguments, **options):
    raise SystemExit("A bake asked for the network.")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""

SHOWN = """
Your project is in shop/. Next:

  cd shop
  docker compose up --wait
  docker compose run --rm manage createsuperuser

Then open http://localhost:8000 and read README.md.

"""


def uwsgi_ini(text: str) -> None:
    """Read the dialect of uWSGI, where a key may stand twice: one section, options, closed conditions."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "[uwsgi]"
    options = [re.fullmatch(r"([a-z-]+) = ?(.*)", line) for line in lines[1:]]
    assert all(options)
    conditions = [option[1] for option in options if re.match("if-|end-if", option[1])]
    opened, closed = conditions[::2], conditions[1::2]
    assert all(name.startswith("if-") for name in opened)
    assert closed == ["end-if"] * len(opened)


def texts(project) -> dict[str, str]:
    """Return the text of each file; an icon has none."""
    names = [name for name in sorted(project.files()) if not name.endswith(".ico")]
    return {name: project.read(name) for name in names}


def error(parse, text: str) -> str:
    try:
        parse(text)
    except (AssertionError, SyntaxError, ValueError, yaml.YAMLError) as found:
        return repr(found)
    return ""


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+) ", lock, re.MULTILINE))


def direct(project, *groups: str) -> list[Requirement]:
    """Return what pyproject.toml asks for by itself, and in these groups."""
    pyproject = tomllib.loads(project.read("pyproject.toml"))
    chosen = [pyproject["dependency-groups"][group] for group in groups]
    return [Requirement(line) for line in sum(chosen, pyproject["project"]["dependencies"])]


# --- Every file ---


def test_no_file_knows_of_cookiecutter(baked):
    assert [name for name, text in texts(baked).items() if "cookiecutter" in text] == []


def test_no_tag_is_left_to_render(baked):
    # Django's templates, and what has examples of them, have tags of their own.
    ours = {
        name for name, text in texts(baked).items() if "{%" in text and "templates/" not in name
    }
    examples = {"docs/content-security-policy.md", "docs/recipes.md", "tests/test_errors.py"}
    assert ours == examples


@pytest.mark.parametrize(
    ("suffix", "parse"),
    [
        pytest.param(".ini", uwsgi_ini, id="ini"),
        pytest.param(".py", ast.parse, id="py"),
        pytest.param(".svg", ElementTree.fromstring, id="svg"),
        pytest.param(".toml", tomllib.loads, id="toml"),
        pytest.param((".yaml", ".yml"), yaml.safe_load, id="yaml"),
    ],
)
def test_a_file_parses(baked, suffix, parse):
    files = {name: text for name, text in texts(baked).items() if name.endswith(suffix)}
    assert {name: error(parse, text) for name, text in files.items()} == dict.fromkeys(files, "")


def test_there_are_files_of_each_kind(default):
    suffixes = {name.rpartition(".")[2] for name in default.files()}
    assert suffixes >= {"ini", "py", "svg", "toml", "yaml", "yml"}


def test_no_guard_leaves_empty_lines_behind(baked):
    # Python has two between functions, also in a page of examples.
    found = texts(baked)
    runs = {
        name: "\n\n\n\n" if name.endswith((".py", "/recipes.md")) else "\n\n\n" for name in found
    }
    assert [name for name, run in runs.items() if run in found[name]] == []


def test_files_end_in_one_newline(baked):
    ends = re.compile(r"(\A|[^\n]\n)\Z")
    assert [name for name, text in texts(baked).items() if not ends.search(text)] == []


def test_no_file_begins_with_an_empty_line(baked):
    assert [name for name, text in texts(baked).items() if text.startswith("\n")] == []


def test_no_line_ends_in_a_space(baked):
    space = re.compile(r"[ \t]$", re.MULTILINE)
    assert [name for name, text in texts(baked).items() if space.search(text)] == []


# --- Locked requirements ---


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_has_a_hash(baked, lock):
    blocks = re.split(r"\n(?=\S)", re.sub("^#.*\n", "", baked.read(lock), flags=re.MULTILINE))
    pin = re.compile(
        r"[a-z0-9-]+==\S+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+(\n    #.*)+\n?"
    )
    assert [block for block in blocks if not pin.fullmatch(block)] == []


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
@pytest.mark.parametrize("address", ["://", "--index", "--extra-index", "--find-links"])
def test_a_lock_names_no_address(baked, lock, address):
    assert address not in baked.read(lock)


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        pytest.param("requirements.txt", ["server"], id="production"),
        pytest.param("requirements-dev.txt", ["server", "dev"], id="development"),
    ],
)
def test_every_direct_dependency_is_locked_at_a_version_that_fits(baked, lock, groups):
    locked = pins(baked.read(lock))
    wanted = direct(baked, *groups)
    assert wanted
    assert [w for w in wanted if not w.specifier.contains(locked.get(w.name, "0"))] == []


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_says_which_project_it_is_for(bake, lock):
    assert "# via big-shop (pyproject.toml)" in bake(project_slug="big_shop").read(lock)


def test_development_adds_to_the_packages_of_production(baked):
    development = pins(baked.read("requirements-dev.txt"))
    assert pins(baked.read("requirements.txt")).items() < development.items()


# --- The bake itself ---


def test_a_bake_needs_no_network_and_no_other_program(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK)
    (tmp_path / "nothing").mkdir()
    env = {"PATH": str(tmp_path / "nothing"), "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
    done = cookiecutter(tmp_path / "out", "--no-input", env=env)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_a_bake_ends_with_the_commands_to_type_next(tmp_path):
    done = cookiecutter(tmp_path / "out", "--no-input", "project_slug=shop")
    assert done.stdout == SHOWN, done.stderr
