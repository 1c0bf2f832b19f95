"""What bin/deploy keeps: releases, which --list shows, --image deploys again, and bin/rollback goes back to."""

import getpass
import os
from dataclasses import dataclass

import pytest

from tests.helpers.site import uwsgi_is_enough
from tests.helpers.stack import run

pytestmark = [pytest.mark.containers, uwsgi_is_enough]


# Git takes a folder of another owner, as pytest's may be, only where it is told to.
SAFE = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}


@dataclass(frozen=True)
class Deployed:
    release: str
    version: str
    style: str
    revision: str


@pytest.fixture(scope="module")
def four(site) -> list[Deployed]:
    """Four releases, each of a commit, of which the last one serves."""
    env = os.environ | SAFE

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        done = run("git", *who, *arguments, cwd=site.path, env=env)
        done.check_returncode()
        return done.stdout.strip()

    def deployed() -> Deployed:
        version = site.change()
        git("add", ".")
        git("commit", "--quiet", "--message=one more")
        release = site.deploys(**SAFE)
        return Deployed(release, version, site.style, git("rev-parse", "--short", "HEAD"))

    git("init", "--quiet")
    return [deployed() for _ in range(4)]


def test_three_releases_are_kept_and_the_list_shows_what_became_of_each_deploy(site, four):
    lines = site.releases()
    newest_first = four[::-1]
    assert [(line[0], line[4]) for line in lines[:4]] == [
        (one.release, one.revision) for one in newest_first
    ]
    assert [line[5:] for line in lines[:4]] == [["serves"], [], [], ["its", "image", "is", "gone"]]
    assert {line[3] for line in lines[:4]} == {getpass.getuser()}
    tags = ["latest", *(one.release for one in four[1:])]
    assert site.images() == {f"{image}:{tag}" for image in ("app", "nginx") for tag in tags}
    assert [site.get(one.style).status_code for one in four] == [404, 200, 200, 200]


def test_any_release_that_is_here_can_be_deployed_and_a_rollback_brings_the_one_before(site, four):
    site.deploys("--image", four[1].release)
    assert site.serves == four[1].version
    site.rolls_back()
    assert site.serves == four[3].version
    site.rolls_back()
    assert site.serves == four[1].version
    newest, before = site.releases()[:2]
    assert (newest[0], newest[4:]) == (four[1].release, [four[1].revision, "serves,", "rollback"])
    assert (before[0], before[4:]) == (four[3].release, [four[3].revision, "rollback"])


def test_a_deploy_that_went_back_is_in_the_list_with_its_reason(site):
    with site.edited("docker/app/Dockerfile", "collectstatic", "collectstatc"):
        status, _ = site.deploy()
    assert status == 1
    said = " ".join(site.releases()[0][5:])
    assert said.startswith("went back: ")
    assert "Unknown command: 'collectstatc'" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            ["--image", "20200101-000000"], "There is no release 20200101-000000 here.", id="gone"
        ),
        pytest.param(["--image", "shop;reboot"], "'shop;reboot' is not the name of", id="shell"),
        pytest.param(["--image", ""], "'' is not the name of", id="empty"),
    ],
)
def test_what_is_no_release_is_refused_with_the_list_and_changes_nothing(site, arguments, sentence):
    before = site.apps(), site.images()
    status, said = site.deploy(*arguments)
    assert status == 1
    assert said.startswith(sentence)
    assert said.count("\n") == 1
    assert (site.apps(), site.images()) == before


def test_the_list_of_releases_that_are_here_comes_with_a_refusal(site, four):
    _, said = site.deploy("--image", "20200101-000000")
    assert four[-1].release in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["--imge"], "unrecognized arguments: --imge", id="typo"),
        pytest.param(["--image"], "argument --image: expected one argument", id="nothing"),
        pytest.param(["--image", "x", "--list"], "not allowed with argument", id="two-things"),
    ],
)
def test_a_wrong_word_is_refused_in_a_sentence(site, arguments, sentence):
    status, said = site.deploy(*arguments)
    assert status == 2
    assert sentence in said.splitlines()[-1]


@pytest.mark.parametrize("script", ["deploy", "deploy-commit", "rollback"])
def test_help_is_printed_and_nothing_else_happens(site, script):
    before = site.apps(), (site.path / "var").stat().st_mtime
    done = run(f"{site.path.name}/bin/{script}", "--help", cwd=site.path.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: bin/deploy")
    assert (site.apps(), (site.path / "var").stat().st_mtime) == before


def test_a_stack_that_compose_calls_by_another_name_is_refused(site):
    status, said = site.deploy(COMPOSE_PROJECT_NAME="staging")
    assert status == 1
    assert said.startswith(
        f"Compose calls this stack staging, but its image is called {site.path.name}."
    )
    assert "STACK_NAME" in said
    assert said.count("\n") == 1
