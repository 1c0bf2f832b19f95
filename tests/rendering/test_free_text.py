"""Names and sentences that people type arrive unchanged, whatever characters they hold."""

import ast
import re
import tomllib

import pytest

TEXTS = {
    "double-quotes": 'The "best" shop',
    "single-quotes": "Ann's shop, 'open'",
    "both-quotes": """It's "open" ''' \"""",
    "triple-quotes": "A ''' and \"\"\" shop",
    "backslashes": r"C:\new\table \u0041 \N{DASH} \x41",
    "backslash-at-the-end": "Shop \\",
    "backslash-before-a-quote": '\\" and \\\\"',
    "dollars": "$HOME ${PATH} $(id) $$ \\$5",
    "backticks": "`id` and more",
    "braces": "} a { b } {c} { {",
    "percent": "100 % %(name)s %}",
    "hash": "# one #two",
    "colon": "shop: open, [a, b]",
    "html": "<script>alert(1)</script> & <!-- -->",
    "ampersands": "&& exit; | tee > file",
    "leading-dash": "- not a list",
    "spaces": "  wide  open  ",
    "emoji": "Rocket 🚀 shop 👩‍🚀",
    "accents": "Łódź Größe naïve Đào",
    "right-to-left": "שלום עולם",
    "chinese": "你好",
}

# What stands in the Dockerfile, where $, " and \ mean something.
LABELS = {
    "double-quotes": r'"The \"best\" shop"',
    "backslashes": r'"C:\\new\\table \\u0041 \\N{DASH} \\x41"',
    "backslash-at-the-end": r'"Shop \\"',
    "backslash-before-a-quote": r'"\\\" and \\\\\""',
    "dollars": r'"\$HOME \${PATH} \$(id) \$\$ \\\$5"',
    "single-quotes": '''"Ann's shop, 'open'"''',
    "emoji": '"Rocket 🚀 shop 👩‍🚀"',
}

LABEL = r"org\.opencontainers\.image\.{}=(\"(?:[^\"\\$]|\\[\"\\$])*\")( \\)?$"


@pytest.fixture(scope="module", params=TEXTS.values(), ids=TEXTS)
def text(request):
    return request.param


@pytest.fixture(scope="module")
def bake_of(bake_once):
    """bake_of(text) is the project in which everything that people may word has this text."""

    def bake(text):
        return bake_once(project_name=text, description=text, author_name=text, project_slug="shop")

    return bake


@pytest.fixture(scope="module")
def project(bake_of, text):
    return bake_of(text)


def label(project, name: str) -> str:
    """Return what Docker reads in the Dockerfile for this label."""
    written = re.search(LABEL.format(name), project.read("docker/app/Dockerfile"), re.MULTILINE)
    assert written, project.read("docker/app/Dockerfile")
    return re.sub(r"\\([\"\\$])", r"\1", written[1][1:-1])


def test_pyproject_describes_the_project(project, text):
    assert tomllib.loads(project.read("pyproject.toml"))["project"]["description"] == text


def test_pyproject_names_the_author(project, text):
    authors = tomllib.loads(project.read("pyproject.toml"))["project"]["authors"]
    assert authors == [{"name": text, "email": "you@example.com"}]


def test_settings_name_the_site(project, text):
    values = [
        node.value
        for node in ast.parse(project.read("config/settings.py")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets) == "SITE_NAME"
    ]
    assert [ast.literal_eval(value) for value in values] == [text]


def test_the_readme_begins_with_name_and_description(project, text):
    assert project.read("README.md").startswith(f"# {text}\n\n{text}\n")


@pytest.mark.parametrize("name", ["description", "authors"])
def test_the_image_is_labelled(project, text, name):
    assert label(project, name) == text


@pytest.mark.parametrize(("case", "label"), LABELS.items(), ids=LABELS)
def test_labels_are_quoted_for_docker(bake_of, case, label):
    dockerfile = bake_of(TEXTS[case]).read("docker/app/Dockerfile")
    assert f"org.opencontainers.image.description={label} \\\n" in dockerfile
    assert f"org.opencontainers.image.authors={label}\n" in dockerfile


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        pytest.param("My Site", "my-site", id="words"),
        pytest.param("Łódź & Größe, Ltd.", "lodz-grosse-ltd", id="accents"),
        pytest.param("Snake_case", "snake-case", id="underscore"),
        pytest.param("🚀", "my-site", id="nothing-to-make-one-of"),
        pytest.param("a" * 49 + " b", "a" * 49, id="cut-at-a-hyphen"),
        pytest.param("a" * 60, "a" * 50, id="too-long"),
    ],
)
def test_a_name_makes_a_slug(bake, name, slug):
    assert bake(project_name=name).path.name == slug
