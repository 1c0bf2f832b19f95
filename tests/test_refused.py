"""Answers that cannot become a project are refused with one sentence, and nothing is written."""

import json
import os
import subprocess
import sys

import pytest

from tests.matrix import ROOT

PROJECT_NAME = "project_name must be one line of text, with 1 to 80 characters."
DESCRIPTION = "description must be one line of text, with 1 to 200 characters."
AUTHOR_NAME = "author_name must be one line of text, with 1 to 100 characters."
TAG = "must not hold an opening tag of a template: a brace before a brace, % or #."
SLUG = "project_slug must be 1 to 50 of a-z and 0-9, with single - or _ between them."
TAKEN = "project_slug must not be the name of a base image, and not end in -dev or -nginx."
EMAIL = "email must be an address such as you@example.com."
DOMAIN = "domain_name must be a host name such as example.com, in small letters."
TIMEZONE = (
    "timezone must be UTC or a place such as Europe/Berlin, not an old name such as US/Eastern."
)
POSTGRESQL = "postgresql_version must be one of 18, 17."


def cookiecutter(output, *arguments, **options) -> subprocess.CompletedProcess:
    """Run the command that a person types, into the folder `output`, and return how it ended."""
    config = output.parent / "cookiecutter.yaml"
    config.write_text(f"replay_dir: {output.parent}/replay\n")
    output.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "cookiecutter", ROOT, "--config-file", config]
    command += ["--output-dir", output, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)


@pytest.mark.parametrize(
    ("answer", "value", "sentence"),
    [
        pytest.param("project_name", "", PROJECT_NAME, id="name-empty"),
        pytest.param("project_name", "   ", PROJECT_NAME, id="name-of-spaces"),
        pytest.param("project_name", "x" * 81, PROJECT_NAME, id="name-too-long"),
        pytest.param("project_name", "My\nSite", PROJECT_NAME, id="name-of-two-lines"),
        pytest.param("description", "", DESCRIPTION, id="description-empty"),
        pytest.param("description", "x" * 201, DESCRIPTION, id="description-too-long"),
        pytest.param("description", "One\rtwo", DESCRIPTION, id="description-of-two-lines"),
        pytest.param("description", "A \x1b[31mred one", DESCRIPTION, id="description-with-colour"),
        pytest.param("author_name", "", AUTHOR_NAME, id="author-empty"),
        pytest.param("author_name", "x" * 101, AUTHOR_NAME, id="author-too-long"),
        pytest.param("author_name", "Ann\u2028Bee", AUTHOR_NAME, id="author-of-two-lines"),
        pytest.param("author_name", "Ann\u202eBee", AUTHOR_NAME, id="author-written-backwards"),
        pytest.param("project_slug", "acme_", SLUG, id="slug-ends-in-underscore"),
        pytest.param("project_slug", "-a", SLUG, id="slug-starts-with-hyphen"),
        pytest.param("project_slug", "a--b", SLUG, id="slug-with-two-hyphens"),
        pytest.param("project_slug", "a_-b", SLUG, id="slug-with-underscore-and-hyphen"),
        pytest.param("project_slug", "UPPER", SLUG, id="slug-in-capitals"),
        pytest.param("project_slug", "a.b", SLUG, id="slug-with-dot"),
        pytest.param("project_slug", "größe", SLUG, id="slug-with-umlaut"),
        pytest.param("project_slug", "a" * 51, SLUG, id="slug-too-long"),
        pytest.param("project_slug", "postgres", TAKEN, id="slug-of-a-base-image"),
        pytest.param("project_slug", "shop-dev", TAKEN, id="slug-of-a-development-stack"),
        pytest.param("project_slug", "shop_nginx", TAKEN, id="slug-of-an-nginx-image"),
        pytest.param("email", "example.com", EMAIL, id="email-without-at"),
        pytest.param("email", "y ou@example.com", EMAIL, id="email-with-space"),
        pytest.param("email", "you@exam\nple.com", EMAIL, id="email-of-two-lines"),
        pytest.param("email", "You <you@example.com>", EMAIL, id="email-with-name"),
        pytest.param("email", "a..b@example.com", EMAIL, id="email-with-two-dots"),
        pytest.param("domain_name", "", DOMAIN, id="domain-empty"),
        pytest.param("domain_name", "exa mple.com", DOMAIN, id="domain-with-space"),
        pytest.param("domain_name", "https://example.com", DOMAIN, id="domain-with-scheme"),
        pytest.param("domain_name", "example.com:8000", DOMAIN, id="domain-with-port"),
        pytest.param("domain_name", "Example.com", DOMAIN, id="domain-in-capitals"),
        pytest.param("domain_name", "192.0.2.1", DOMAIN, id="domain-is-an-address"),
        pytest.param("domain_name", "a..b", DOMAIN, id="domain-with-two-dots"),
        pytest.param("domain_name", "-a.example", DOMAIN, id="domain-starts-with-hyphen"),
        pytest.param("domain_name", f"{'a' * 64}.example", DOMAIN, id="domain-label-too-long"),
        pytest.param("domain_name", "a." * 126 + "aa", DOMAIN, id="domain-too-long"),
        pytest.param("timezone", "Mars/Olympus", TIMEZONE, id="timezone-unknown"),
        # Debian's images have only the current names, and Django does not start with another.
        pytest.param("timezone", "US/Eastern", TIMEZONE, id="timezone-by-country"),
        pytest.param("timezone", "Asia/Calcutta", TIMEZONE, id="timezone-renamed"),
        pytest.param("timezone", "localtime", TIMEZONE, id="timezone-of-the-machine"),
    ],
)
def test_a_wrong_answer_is_refused(tmp_path, answer, value, sentence):
    done = cookiecutter(tmp_path / "out", "--no-input", f"{answer}={value}")
    assert (done.returncode, done.stderr) == (1, f"{sentence}\n"), done.stdout
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "value", "sentence"),
    [
        # On the command line cookiecutter itself renders these, before a hook could see them.
        pytest.param("project_name", "A {{ b", f"project_name {TAG}", id="name-with-expression"),
        pytest.param("description", "A {% if", f"description {TAG}", id="description-with-tag"),
        pytest.param("author_name", "A {# b", f"author_name {TAG}", id="author-with-comment"),
        pytest.param("project_name", "My\0Site", PROJECT_NAME, id="name-with-nul"),
        pytest.param("project_name", "My \ud83d", PROJECT_NAME, id="name-with-half-a-character"),
        # Rendering drops a newline at the end.
        pytest.param("project_name", "My Site\n", PROJECT_NAME, id="name-with-newline"),
        pytest.param("project_slug", "my-site\n", SLUG, id="slug-with-newline"),
        pytest.param("email", "you@example.com\n", EMAIL, id="email-with-newline"),
        pytest.param("domain_name", "example.com\n", DOMAIN, id="domain-with-newline"),
        pytest.param("postgresql_version", "16", POSTGRESQL, id="postgresql-too-old"),
    ],
)
def test_a_wrong_answer_in_a_replay_is_refused(bake, tmp_path, answer, value, sentence):
    replay = tmp_path / "replay.json"
    replay.write_text(json.dumps({"cookiecutter": bake().answers | {answer: value}}))
    done = cookiecutter(tmp_path / "out", "--replay-file", replay)
    assert (done.returncode, done.stderr) == (1, f"{sentence}\n"), done.stdout
    assert list((tmp_path / "out").iterdir()) == []


def test_every_wrong_answer_gets_its_sentence(tmp_path):
    done = cookiecutter(tmp_path / "out", "--no-input", "email=nobody", "timezone=Mars/Olympus")
    assert done.stderr == f"{EMAIL}\n{TIMEZONE}\n", done.stdout


def test_a_refusal_leaves_a_project_that_is_there_alone(tmp_path):
    mine = tmp_path / "out" / "my-site" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("Mine.")
    cookiecutter(tmp_path / "out", "--no-input", "--overwrite-if-exists", "email=nobody")
    assert list(mine.parent.iterdir()) == [mine]


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        pytest.param("project_name", "x" * 80, id="name-of-80"),
        pytest.param("project_name", "👩\u200d🚀 Log", id="name-with-a-joiner"),
        pytest.param("description", "x" * 200, id="description-of-200"),
        pytest.param("description", "Sets {a, b}: 100 % #1", id="description-with-single-braces"),
        pytest.param("author_name", "Nguyễn Thị Đào", id="author-with-accents"),
        pytest.param("project_slug", "a", id="slug-of-one-letter"),
        pytest.param("project_slug", "a_b-c2", id="slug-with-hyphen-and-underscore"),
        pytest.param("project_slug", "2fast", id="slug-starts-with-digit"),
        pytest.param("project_slug", "a" * 50, id="slug-of-50"),
        pytest.param("email", "first.last+tag@mail.example.co.uk", id="email-with-tag"),
        pytest.param("email", "me@localhost", id="email-on-this-machine"),
        pytest.param("domain_name", "sub.example.co.uk", id="domain-of-four-labels"),
        pytest.param("domain_name", "xn--mnchen-3ya.example", id="domain-in-punycode"),
        pytest.param("domain_name", f"{'a' * 63}.example", id="domain-label-of-63"),
        pytest.param("timezone", "Etc/GMT+5", id="timezone-by-offset"),
        pytest.param("timezone", "America/Argentina/Buenos_Aires", id="timezone-of-three-parts"),
        pytest.param("timezone", "Asia/Kolkata", id="timezone-with-its-new-name"),
    ],
)
def test_an_unusual_answer_is_accepted(bake, answer, value):
    assert bake(**{answer: value}).answers[answer] == value


def test_time_zones_are_known_where_the_system_has_none(tmp_path):
    # As on Windows: the table comes from a package that cookiecutter needs.
    windows = os.environ | {"PYTHONTZPATH": ""}
    done = cookiecutter(tmp_path / "out", "--no-input", "timezone=Europe/Berlin", env=windows)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
