"""Every bake's files are what the linters of their kinds ask for."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.helpers import stack
from tests.helpers.matrix import ROOT
from tests.helpers.nginx import NGINX
from tests.rendering.test_rendered import texts

YAMLLINT = """
extends: default
rules:
  braces: {max-spaces-inside: 1}
  commas: {max-spaces-before: 1}
  comments: {min-spaces-from-content: 1}
  document-start: disable
  line-length: {max: 120}
  truthy: {check-keys: false}
"""

# What hadolint asks for and we do not do.
HADOLINT_IGNORED = {
    "DL3008": "Debian keeps only the newest version of a package, so a pinned one soon fails to build.",
    "DL4006": "No failure hides in the one pipe, uwsgi --help | grep -q: without output grep fails.",
}

# Beside its own choice: pictures say their size, so that the page does not jump, and tags that hold
# nothing end as HTML has it.
DJLINT_ADDED = "H006,H018"

# What gixy says of each proxy's configuration and is not so: Django sends this header, for as long
# as SECURE_HSTS_SECONDS says, and the server that gixy means redirects from plain HTTP.
GIXY_WRONG = {
    "nginx-letsencrypt": [("hsts_header", "https.conf")],
    "nginx": [],
    "none": [],
}

# Prints the variables that the scripts leave to the image's own, which fills in the templates.
SOURCE = 'for script in entrypoint.d/*.envsh; do . "./$script"; done && env -0'


def run(tool: str, *arguments: str | Path, cwd: Path) -> str:
    """Run a tool of this virtual environment, which must find nothing to say."""
    done = stack.run(Path(sys.executable).with_name(tool), *arguments, cwd=cwd)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def scripts(project) -> list[str]:
    """Return the shell scripts, by their first line or by a name that says so."""
    return [
        name
        for name, text in texts(project).items()
        if text.startswith("#!/bin/sh") or name.endswith((".sh", ".envsh"))
    ]


def complete(folder: Path) -> None:
    """Put what the image puts beside the files in this folder, and fill in the templates."""
    done = stack.run("sh", "-euc", SOURCE, cwd=folder, env=os.environ | NGINX)
    assert done.returncode == 0, done.stderr
    variables = dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)
    (folder / "conf.d").mkdir()
    for template in folder.glob("templates/*.template"):
        text = template.read_text()
        for name, value in variables.items():
            text = text.replace(f"${{{name}}}", value)
        assert "${" not in text
        (folder / "conf.d" / template.stem).write_text(text)
    (folder / "mime.types").touch()


def gixy(folder: Path) -> list[tuple[str, str]]:
    tool = Path(sys.executable).with_name("gixy")
    done = stack.run(tool, "--format=json", "nginx.conf", cwd=folder)
    assert done.stderr == ""
    return [(found["plugin"], Path(found["file"]).name) for found in json.loads(done.stdout)]


# --- Code ---


def test_the_project_is_formatted(baked):
    run("ruff", "format", "--diff", "--no-cache", ".", cwd=baked.path)


def test_the_project_lints(baked):
    run("ruff", "check", "--no-cache", ".", cwd=baked.path)


def test_shell_scripts_lint(baked):
    run("shellcheck", "--shell=sh", *scripts(baked), cwd=baked.path)


def test_shell_scripts_are_formatted(baked):
    run("shfmt", "--diff", "--indent=2", *scripts(baked), cwd=baked.path)


def test_pages_lint(baked):
    added = f"--include={DJLINT_ADDED}"
    run("djlint", "--profile=django", "--lint", added, "--quiet", "templates", cwd=baked.path)


# --- What other programs read ---


def test_yaml_lints(baked):
    run("yamllint", "--strict", "--config-data", YAMLLINT, ".", cwd=baked.path)


def test_compose_files_fit_their_schema(baked):
    files = [*baked.path.glob("compose*.yaml"), *baked.path.glob("docker/**/*.yaml")]
    run("check-jsonschema", "--builtin-schema=vendor.compose-spec", *files, cwd=baked.path)


def test_dockerfiles_lint(baked):
    ignored = [f"--ignore={rule}" for rule in HADOLINT_IGNORED]
    files = baked.path.glob("docker/*/Dockerfile")
    run("hadolint", *ignored, *files, cwd=baked.path)


def test_nginx_is_configured_safely(baked, answers, tmp_path):
    found = []
    for file in baked.path.glob("docker/nginx/nginx.conf"):
        folder = tmp_path / "nginx"
        stack.run("cp", "-r", file.parent, folder)
        complete(folder)
        found += gixy(folder)
    assert found == GIXY_WRONG[answers["proxy"]]


@pytest.mark.parametrize(
    ("ci", "file", "schema"),
    [
        ("github", ".github/workflows/ci.yml", "vendor.github-workflows"),
        ("github", ".github/workflows/ci.yml", "custom.github-workflows-require-timeout"),
        ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
@pytest.mark.parametrize("proxy", ["nginx", "none"])  # with and without a job that deploys
def test_a_ci_file_fits_its_schema(bake, proxy, ci, file, schema):
    project = bake(proxy=proxy, ci=ci)
    run("check-jsonschema", f"--builtin-schema={schema}", file, cwd=project.path)


@pytest.mark.parametrize("proxy", ["nginx", "none"])
def test_the_workflow_is_safe(bake, proxy):
    project = bake(proxy=proxy, ci="github")
    run("zizmor", "--offline", "--persona=auditor", ".github", cwd=project.path)


def test_the_workflow_of_this_repository_is_safe():
    run("zizmor", "--offline", "--persona=auditor", ".github", cwd=ROOT)
