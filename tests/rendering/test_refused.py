"""Answers that cannot become a project are refused with one sentence, and nothing is written."""

import json
import os
import shlex

import pytest

from tests.helpers import inprocess
from tests.helpers.command import cookiecutter
from tests.helpers.matrix import CHOICES, ROOT
from tests.helpers.refusals import AGAIN, sentences

PROJECT_NAME = "project_name must be one line of text, with 1 to 80 characters."
DESCRIPTION = "description must be one line of text, with 1 to 200 characters."
AUTHOR_NAME = "author_name must be one line of text, with 1 to 100 characters."
TAG = "must not hold an opening tag of a template: a brace before a brace, % or #."
SLUG = "project_slug must be 1 to 50 of a-z and 0-9, with single - or _ between them."
TAKEN = (
    "project_slug must not be the name of a base image, and not end in -certbot, -dev or -nginx."
)
EMAIL = "email must be an address such as you@example.com."
DOMAIN = "domain_name must be a host name such as example.com, in small letters."
TIMEZONE = (
    "timezone must be UTC or a place such as Europe/Berlin, not an old name such as US/Eastern."
)
POSTGRESQL = "postgresql_version must be one of 18, 17."
APP_SERVER = "app_server must be one of uwsgi, gunicorn."
PROXY = "proxy must be one of nginx-letsencrypt, nginx, none."
ALLAUTH = "use_allauth must be one of True, False."
CI = "ci must be one of github, gitlab, none."


@pytest.fixture(scope="module")
def remembered(tmp_path_factory) -> dict:
    """What cookiecutter remembers of a bake, for --replay."""
    folder = tmp_path_factory.mktemp("remembered")
    inprocess.bake(folder / "out", no_input=True)
    return json.loads((folder / "replay" / f"{ROOT.name}.json").read_text())["cookiecutter"]


@pytest.fixture
def replay(remembered, tmp_path):
    """replay(email="nobody") is the path of a replay file with that answer."""

    def write(**answers) -> str:
        file = tmp_path / "replay.json"
        file.write_text(json.dumps({"cookiecutter": remembered | answers}))
        return str(file)

    return write


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
        pytest.param("project_slug", "x" * 200, SLUG, id="slug-of-200-letters"),
        pytest.param("project_slug", "acme_", SLUG, id="slug-ends-in-underscore"),
        pytest.param("project_slug", "-a", SLUG, id="slug-starts-with-hyphen"),
        pytest.param("project_slug", "a--b", SLUG, id="slug-with-two-hyphens"),
        pytest.param("project_slug", "a_-b", SLUG, id="slug-with-underscore-and-hyphen"),
        pytest.param("project_slug", "UPPER", SLUG, id="slug-in-capitals"),
        pytest.param("project_slug", "a.b", SLUG, id="slug-with-dot"),
        pytest.param("project_slug", "größe", SLUG, id="slug-with-umlaut"),
        pytest.param("project_slug", "a" * 51, SLUG, id="slug-too-long"),
        pytest.param("project_slug", "postgres", TAKEN, id="slug-of-a-base-image"),
        pytest.param("project_slug", "shop-certbot", TAKEN, id="slug-of-a-certbot-image"),
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
    outcome = inprocess.bake(tmp_path / "out", no_input=True, extra_context={answer: value})
    assert sentences(outcome.said) == [sentence]
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
        pytest.param("app_server", "daphne", APP_SERVER, id="app-server-unknown"),
        pytest.param("proxy", "caddy", PROXY, id="proxy-unknown"),
        pytest.param("proxy", "", PROXY, id="proxy-empty"),
        pytest.param("use_allauth", "true", ALLAUTH, id="allauth-as-text"),
        pytest.param("ci", "jenkins", CI, id="ci-unknown"),
        pytest.param("ci", None, CI, id="ci-missing"),
        pytest.param("project_name", 5, PROJECT_NAME, id="name-is-a-number"),
        pytest.param("project_slug", ["shop"], SLUG, id="slug-is-a-list"),
        pytest.param("email", None, EMAIL, id="email-missing"),
        pytest.param("timezone", {}, TIMEZONE, id="timezone-is-an-object"),
    ],
)
def test_a_wrong_answer_in_a_replay_is_refused(tmp_path, replay, answer, value, sentence):
    outcome = inprocess.bake(tmp_path / "out", replay=replay(**{answer: value}))
    assert sentences(outcome.said) == [sentence]
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_refuses_another_value(tmp_path, replay, choice):
    outcome = inprocess.bake(tmp_path / "out", replay=replay(**{choice: "another"}))
    assert outcome.said.startswith(f"{choice} must be one of ")
    assert list((tmp_path / "out").iterdir()) == []


# --- What a person types ---


def test_every_wrong_answer_gets_its_sentence(tmp_path):
    done = cookiecutter(tmp_path / "out", "--no-input", "email=nobody", "timezone=Mars/Olympus")
    assert done.returncode == 1
    assert sentences(done.stderr) == [EMAIL, TIMEZONE]
    assert list((tmp_path / "out").iterdir()) == []


def test_the_other_answers_are_not_lost(tmp_path):
    given = ["project_name=Bob's Shop", "proxy=none", "use_allauth=false", "timezone=Mars/Olympus"]
    refused = cookiecutter(tmp_path / "out", "--no-input", *given)
    _, template, *answers = shlex.split(AGAIN.search(refused.stderr)[1])
    assert template == str(ROOT)
    made = cookiecutter(tmp_path / "out", "--no-input", *answers, "timezone=Asia/Kolkata")
    assert made.returncode == 0, made.stderr
    readme = (tmp_path / "out/bob-s-shop/README.md").read_text()
    assert readme.startswith("# Bob's Shop\n")
    assert (tmp_path / "out/bob-s-shop/docs/platform.md").exists()
    assert not (tmp_path / "out/bob-s-shop/docs/accounts.md").exists()


def test_an_answer_that_is_wrong_in_two_ways_gets_one_sentence(tmp_path):
    done = cookiecutter(tmp_path / "out", "--no-input", "project_slug=shop--dev")
    assert done.returncode == 1
    assert sentences(done.stderr) == [SLUG]
    assert list((tmp_path / "out").iterdir()) == []


def test_a_wrong_choice_in_a_replay_gets_its_sentence(tmp_path, replay):
    done = cookiecutter(tmp_path / "out", "--replay-file", replay(use_allauth="false"))
    assert done.returncode == 1
    assert sentences(done.stderr) == [ALLAUTH]
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        pytest.param("ci=jenkins", "jenkins provided for choice variable ci", id="choice"),
        pytest.param("use_allauth=perhaps", "perhaps provided for variable", id="yes-or-no"),
    ],
)
def test_cookiecutter_itself_refuses_a_wrong_choice(tmp_path, value, sentence):
    done = cookiecutter(tmp_path / "out", "--no-input", value)
    assert done.returncode == 1
    assert f"ValueError: {sentence}" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_a_refusal_leaves_a_project_that_is_there_alone(tmp_path):
    mine = tmp_path / "out" / "my-site" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("Mine.")
    cookiecutter(tmp_path / "out", "--no-input", "--overwrite-if-exists", "email=nobody")
    assert list(mine.parent.iterdir()) == [mine]


# --- What is unusual, and right ---


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
def test_an_unusual_answer_is_accepted(tmp_path, answer, value):
    outcome = inprocess.bake(tmp_path / "out", no_input=True, extra_context={answer: value})
    assert outcome.said == ""
    assert (outcome.project / "README.md").is_file()


def test_time_zones_are_known_where_the_system_has_none(tmp_path):
    # As on Windows: the table comes from a package that cookiecutter needs.
    windows = os.environ | {"PYTHONTZPATH": ""}
    done = cookiecutter(tmp_path / "out", "--no-input", "timezone=Europe/Berlin", env=windows)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
