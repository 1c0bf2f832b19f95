"""What keeps the template small, and free of parts that nothing uses."""

import re
from fnmatch import fnmatch

import pytest
import yaml

from tests.helpers import inprocess
from tests.helpers.matrix import CONTEXT, ROOT, label, pairwise
from tests.helpers.project import Project

FOLDER = "{{cookiecutter.project_slug}}"
NAMES = [
    str(path.relative_to(ROOT / FOLDER))
    for path in sorted((ROOT / FOLDER).rglob("*"))
    if path.is_file() and path.suffix != ".ico"  # which has no text
]
COPIED = [
    name
    for name in NAMES
    if any(fnmatch(name, pattern) for pattern in CONTEXT["_copy_without_render"])
]
RENDERED = sorted({*NAMES} - {*COPIED})

ASKED = [name for name in CONTEXT if not name.startswith("_")]
DERIVED = [name for name in CONTEXT if name.startswith("__") and name != "__prompts__"]

VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


# What cookiecutter leaves as it is, such as Django's own tags.
RAW = re.compile(r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}", re.DOTALL)


def source(name: str) -> str:
    return (ROOT / FOLDER / name).read_text()


def tags(name: str) -> list[str]:
    """Return the words that cookiecutter's own tags in a file begin with."""
    return re.findall(r"\{%-?\s*(\w+)", RAW.sub("", source(name)))


def expand(text: str, values: dict) -> str:
    """Fill in ${NAME} and ${NAME:-default}, as a shell would."""
    return VARIABLE.sub(lambda match: values.get(match[1]) or match[2] or "", text)


def bases(dockerfile: str) -> set[str]:
    """Return the images that a Dockerfile starts from when no build argument is given."""
    arguments = dict(re.findall(r"^ARG (\w+)=(.*)$", dockerfile, re.MULTILINE))
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile, re.MULTILINE))
    named = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    return {expand(image, arguments) for image in named} - stages


def pulled(compose: str) -> set[str]:
    """Return the images that a compose file names and does not build."""
    services = yaml.safe_load(compose)["services"].values()
    built = {expand(service["image"], {}) for service in services if "build" in service}
    return {expand(service["image"], {}) for service in services} - built


def images(project) -> set[str]:
    dockerfiles = project.path.glob("docker/*/Dockerfile")
    composes = [*project.path.glob("compose*.yaml"), *project.path.glob("docker/*/*.yaml")]
    return set().union(
        *(bases(file.read_text()) for file in dockerfiles),
        *(pulled(file.read_text()) for file in composes),
    )


def used(name: str) -> bool:
    """Whether a file of the project, a variable derived for one, or the hook that prunes names it."""
    hook = (ROOT / "hooks/post_gen_project.py").read_text()
    texts = [hook, *map(source, RENDERED), *(CONTEXT[derived] for derived in DERIVED)]
    return (
        any(re.search(rf"\bcookiecutter\.{name}\b", text) for text in texts) or f'"{name}"' in hook
    )


@pytest.mark.parametrize("name", RENDERED)
def test_a_file_has_few_guards(name):
    assert tags(name).count("if") <= 4


def test_there_are_no_tags_but_plain_guards():
    assert {tag for name in RENDERED for tag in tags(name)} == {"if", "endif"}


def test_no_value_has_a_condition():
    condition = re.compile(r"\{\{[^}]*\b(if|else)\b")
    assert [name for name in RENDERED if condition.search(RAW.sub("", source(name)))] == []
    assert [name for name in DERIVED if condition.search(CONTEXT[name])] == []


def test_no_file_name_has_a_condition():
    assert [name for name in NAMES if "{" in name] == []


def test_the_entrypoint_becomes_the_command():
    assert source("docker/app/entrypoint.sh").endswith('\nexec "$@"\n')


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_is_used(name):
    assert used(name)


@pytest.mark.parametrize("name", DERIVED)
def test_a_derived_variable_is_used(name):
    assert used(name)


@pytest.mark.parametrize("pattern", CONTEXT["_copy_without_render"])
def test_a_pattern_of_copied_files_matches_one(pattern):
    assert any(fnmatch(name, pattern) for name in NAMES)


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_has_a_prompt(name):
    assert CONTEXT["__prompts__"].keys() >= {name}


@pytest.mark.parametrize("name", [name for name in ASKED if isinstance(CONTEXT[name], list)])
def test_a_choice_explains_each_value(name):
    assert list(CONTEXT["__prompts__"][name]) == ["__prompt__", *CONTEXT[name]]


def test_ci_has_exactly_the_images_that_projects_name(tmp_path):
    lines = (ROOT / ".ci/images").read_text().splitlines()
    listed = [line for line in lines if not line.startswith("#")]
    bakes = {label(answers): answers for answers in pairwise()}
    named = set()
    for name, answers in bakes.items():
        outcome = inprocess.bake(tmp_path / name, no_input=True, extra_context=answers)
        named |= images(Project(outcome.project, answers))
    assert sorted(listed) == sorted(named)
