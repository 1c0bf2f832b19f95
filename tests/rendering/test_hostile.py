"""Hostile texts at every free-text answer: refused in one sentence, or in the project unchanged."""

import ast
import functools
import re
import shutil
import tomllib
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from cookiecutter.exceptions import OutputDirExistsException
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.helpers import inprocess
from tests.helpers.command import cookiecutter
from tests.helpers.project import Project
from tests.helpers.refusals import sentences

GOOD = {
    "project_name": "My Site",
    "project_slug": "my-site",
    "description": "A Django project in containers.",
    "author_name": "Your Name",
    "email": "you@example.com",
    "domain_name": "localhost",
    "timezone": "UTC",
}

# --- What is thrown ---

# Each means something to one of the languages that the answers are written into.
WORDS = r"""
' " \ ` $ % # & | ; : < > { } [ ] ( ) ! @ * ? ~ = + - _ , . /
''' \" \' \\ \n \u0041 \N{DASH} \x41 \$ \\$(id) $(id) $$ ${HOME} ${IFS} $5 `id` && || > <<EOF ; !!
{{ }} {% %} {# #} {{7*7}} {%raw%} {%endraw%} {{cookiecutter.email}} {0} {x!r} %(name)s %s %YAML
- key: ? &anchor *anchor |- >+ --- ... !!python/name:os.x null ~ yes no on 0x1F 1e3 2026-01-01 [a] [[a]]
<script> </title> <!-- --> &amp; <b/> ]]> ](javascript:a) ![x](y) == ** __ [^1] --dev -dev _nginx postgres
A z 7 word Ann's ß İ ﬁ Ω שלום 你好 🚀 👩‍🚀 👍🏽 🇩🇪 é a@b .example localhost .. ../ UTC Europe/
"""
SPACES = [*" \t\n\r\v\f\x1c\x85\u00a0\u2028\u2029\u3000", "\r\n", "   "]
INVISIBLE = [*"\0\x07\x1b\x7f\u200b\u200c\u200d\u202e\u2066\ufeff\uffff\ud83d\udcff\U0010ffff"]
LONG = ["x" * 30, "x" * 99, "x" * 5000]
PIECES = [*WORDS.split(), '"""', *SPACES, *INVISIBLE, *LONG]
TIMEZONES = ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Kolkata"]
NO_TIMEZONES = ["../../etc/passwd", "Europe/../UTC", "/etc/localtime", "Europe", "zone.tab", "utc"]

texts = (
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
    | st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=8).map(" ".join)
    | st.text(max_size=90)
)


def nearly(pattern: str) -> st.SearchStrategy[str]:
    """Texts of this pattern, the same with a hostile piece somewhere, and any hostile text."""
    right = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)
    place = st.integers(0, 20)
    wrong = st.builds(lambda t, p, i: t[:i] + p + t[i:], right, st.sampled_from(PIECES), place)
    return right | wrong | texts


def can_be_a_folder(slug: str) -> bool:
    # cookiecutter makes the folder before any hook runs: the tests further down are about the rest.
    name = slug.encode(errors="ignore")
    return 0 < len(name) < 256 and not re.search("^[.]{1,2}$|[/\0\ud800-\udfff]", slug)


HOSTILE = st.fixed_dictionaries(
    {
        "project_name": texts,
        "project_slug": nearly(
            "[a-z0-9_-]{1,52}|[a-z0-9]{1,9}([-_](certbot|dev|nginx|app))?"
        ).filter(can_be_a_folder),
        "description": texts,
        "author_name": texts,
        "email": nearly(r"[A-Za-z0-9_%+-]{1,9}([.'][a-z0-9]{1,3})?@([a-z]{1,9}\.){0,2}[a-z]{1,9}"),
        "domain_name": nearly(r"[a-z][a-z0-9-]{0,64}|([a-z0-9-]{1,4}\.){0,2}[a-z][a-z0-9]{0,9}"),
        "timezone": nearly("|".join(map(re.escape, TIMEZONES)))
        | st.sampled_from(NO_TIMEZONES)
        | st.sampled_from(TIMEZONES).map(str.lower),
    }
)

# --- Where the answers are, as those read them who use the files ---


class Page(HTMLParser):
    """A page, in which every element must be closed in its turn."""

    def __init__(self, text: str):
        super().__init__()
        self.open = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "link", "img", "input", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


PARSERS = {
    ".html": Page,
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}


@functools.cache  # most files are the same in each bake
def parsed(suffix: str, text: str):
    return PARSERS[suffix](text)


def parse_everything(project: Project) -> None:
    for suffix in PARSERS:
        for file in project.path.rglob(f"*{suffix}"):
            parsed(suffix, file.read_text())


def literal(tree: ast.Module, name: str) -> str:
    """Return the last text in what Python assigns to a name: the value itself, or a default."""
    [value] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets) == name
    ]
    return [node.value for node in ast.walk(value) if isinstance(node, ast.Constant)][-1]


def labels(dockerfile: str) -> dict[str, str]:
    """Return the labels of an image as Docker reads them, with a backslash before ", $ and itself."""
    label = r'image\.(\w+)=("(?:[^"\\$]|\\["\\$])*")(?: \\)?$'
    written = re.findall(label, dockerfile, re.MULTILINE)
    return {name: re.sub(r'\\(["\\$])', r"\1", value[1:-1]) for name, value in written}


def held(project: Project) -> dict[str, set[str]]:
    """Return for each answer what stands in the places that it is written to."""
    pyproject = parsed(".toml", project.read("pyproject.toml"))["project"]
    python = parsed(".py", project.read("config/settings.py"))
    production = parsed(".yaml", project.read("compose.prod.yaml"))
    development = parsed(".yaml", project.read("compose.yaml"))
    nginx = parsed(".yaml", project.read("docker/nginx/configure.yaml"))["services"]
    image = labels(project.read("docker/app/Dockerfile"))
    readme = project.read("README.md").split("\n")
    [author] = pyproject["authors"]
    environments = [
        dict(re.findall("^#?([A-Z_]+)=(.*)$", project.read(name), re.MULTILINE))
        for name in (".env.example", ".env")
    ]

    def default(text: str) -> str:
        """Return the slug in ${STACK_NAME:-slug}."""
        return text.removeprefix("${STACK_NAME:-").removesuffix("}")

    def variable(*names: str) -> set[str]:
        return {env[name] for env in environments for name in names}

    return {
        "project_name": {literal(python, "SITE_NAME"), readme[0].removeprefix("# ")},
        "project_slug": {
            project.path.name,
            default(production["name"]),
            default(production["services"]["app"]["image"].removesuffix(":${RELEASE:-latest}")),
            development["name"].removesuffix("-dev"),
            default(nginx["nginx-config"]["image"].removesuffix("-nginx:${RELEASE:-latest}")),
            image["title"],
            literal(python, "SESSION_COOKIE_NAME").removesuffix("-session"),
        },
        "description": {pyproject["description"], readme[2], image["description"]},
        "author_name": {author["name"], image["authors"]},
        "email": {author["email"], literal(python, "DEFAULT_FROM_EMAIL")}
        | variable("DEFAULT_FROM_EMAIL"),
        "domain_name": variable("DOMAIN", "ALLOWED_HOSTS"),
        "timezone": {literal(python, "TIME_ZONE")} | variable("TIME_ZONE"),
    }


# --- Any text ---


@pytest.mark.parametrize("cases", [150, pytest.param(500, marks=pytest.mark.exhaustive)])
def test_a_hostile_text_is_refused_in_one_sentence_or_held_unchanged(cases, tmp_path):
    output = tmp_path / "out"
    refused, accepted = Counter(), Counter()

    @settings(max_examples=cases, derandomize=True, database=None, deadline=None)
    @example(GOOD | {"project_slug": "a--dev"})  # wrong in two ways
    @example(GOOD | {"project_name": "{{ \n", "description": "{% \0", "author_name": "{# \u2028"})
    @example(GOOD | {"project_slug": "0"})  # which YAML takes for a number
    @example(GOOD | {"project_slug": "2026-01-01"})
    @example(GOOD | {"project_slug": "null"})
    @given(HOSTILE)
    def throw(answers):
        said = inprocess.bake(output, typed=answers).said
        wrong = [sentence.split(" must ")[0] for sentence in sentences(said)]
        assert len({*wrong} & answers.keys()) == len(wrong), said
        assert wrong == [] or [*output.iterdir()] == []
        shutil.rmtree(output)

        right = {name: text for name, text in answers.items() if name not in wrong}
        outcome = inprocess.bake(output, typed=GOOD | right)
        assert outcome.said == ""
        project = Project(outcome.project, GOOD | right)
        parse_everything(project)
        assert held(project) == {name: {text} for name, text in project.answers.items()}
        shutil.rmtree(output)
        refused.update(wrong)
        accepted.update(right.keys())

    throw()
    assert min(refused[name] + accepted[name] for name in GOOD) >= cases
    # Each answer meets both often: neither half of this test is an empty one.
    assert min(min(refused[name], accepted[name]) for name in GOOD) >= cases // 6, (
        refused,
        accepted,
    )


# --- What cookiecutter itself does before the hooks ---


@pytest.mark.parametrize(
    ("slug", "reason"),
    [
        pytest.param("", OutputDirExistsException, id="nothing"),
        pytest.param(".", OutputDirExistsException, id="dot"),
        pytest.param("..", OutputDirExistsException, id="two-dots"),
        pytest.param("/", OutputDirExistsException, id="root"),
        pytest.param("/etc", OutputDirExistsException, id="folder-of-the-machine"),
        pytest.param("x" * 256, OSError, id="longer-than-a-name-can-be"),
        pytest.param("a\0b", ValueError, id="nul"),
        pytest.param("a\ud83d", UnicodeEncodeError, id="half-a-character"),
    ],
)
def test_cookiecutter_itself_refuses_a_slug_that_cannot_be_a_new_folder(tmp_path, slug, reason):
    with pytest.raises(reason):
        inprocess.bake(tmp_path / "out", typed={"project_slug": slug})
    assert [*(tmp_path / "out").iterdir()] == []


@pytest.mark.parametrize(
    ("slug", "left"),
    [
        pytest.param("../shop", [], id="outside"),
        pytest.param("./shop", [], id="inside"),
        # cookiecutter makes both folders before it asks the hook, and removes one.
        pytest.param("shop/app", ["shop"], id="two-folders"),
    ],
)
def test_a_slug_that_is_a_path_is_refused(tmp_path, slug, left):
    outcome = inprocess.bake(tmp_path / "out", typed={"project_slug": slug})
    assert outcome.said.startswith("project_slug must be 1 to 50 of a-z and 0-9")
    assert [path.name for path in (tmp_path / "out").rglob("*")] == left
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{{ x", "TemplateSyntaxError", id="open-expression"),
        pytest.param("{% if", "TemplateSyntaxError", id="open-tag"),
        pytest.param("{# x", "TemplateSyntaxError", id="open-comment"),
        pytest.param("{{ 1 / 0 }}", "ZeroDivisionError", id="expression-that-fails"),
    ],
)
def test_cookiecutter_itself_renders_the_command_line(tmp_path, text, reason):
    done = cookiecutter(tmp_path / "out", "--no-input", f"project_name={text}")
    assert done.returncode == 1
    assert reason in done.stderr
    assert [*(tmp_path / "out").iterdir()] == []


# --- Whether a bake in this process is what people get ---


def files(project: Path) -> dict[str, tuple[int, bytes]]:
    secret = re.compile(b"^(SECRET_KEY|POSTGRES_PASSWORD)=.*$", re.MULTILINE)
    return {
        str(path.relative_to(project)): (path.stat().st_mode, secret.sub(b"", path.read_bytes()))
        for path in project.rglob("*")
        if path.is_file()
    }


def test_the_command_makes_the_same_files(tmp_path):
    answers = {
        "project_name": """Ann's "best" ''' \\ $HOME 🚀 #1 }}""",
        "project_slug": "a_1-b",
        "description": r"<b>&amp; \N{DASH} `id` %(name)s",
        "author_name": "שלום \\",
        "email": "a+b%c@d.example",
        "domain_name": "xn--mnchen-3ya.example",
        "timezone": "Etc/GMT+5",
    }
    here = inprocess.bake(tmp_path / "here", typed=answers)
    words = [f"{name}={text}" for name, text in answers.items()]
    done = cookiecutter(tmp_path / "there", "--no-input", *words)
    assert (here.said, done.returncode) == ("", 0), done.stdout
    assert files(here.project) == files(tmp_path / "there" / "a_1-b")


def test_the_command_says_the_same(tmp_path):
    answers = {
        "project_name": "My\nSite",
        "project_slug": "a--b",
        "description": "\u202eA",
        "author_name": " ",
        "email": "a@b@c.example",
        "domain_name": "a..b",
        "timezone": "../../etc/passwd",
    }
    here = inprocess.bake(tmp_path / "here", typed=answers)
    words = [f"{name}={text}" for name, text in answers.items()]
    done = cookiecutter(tmp_path / "there", "--no-input", *words)
    assert len(sentences(here.said)) == 7
    assert done.returncode == 1
    assert sentences(done.stderr) == sentences(here.said)
    assert [*(tmp_path / "there").iterdir()] == [*(tmp_path / "here").iterdir()] == []
