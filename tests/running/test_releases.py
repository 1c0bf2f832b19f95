"""What bin/deploy keeps: releases, which --list shows, --image deploys again, and bin/rollback goes back to."""

import os
import re
from dataclasses import dataclass

import pytest

from tests.helpers.site import GONE_BACK, uwsgi_is_enough
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
        return Deployed(site.deploys(**SAFE), version, git("rev-parse", "--short", "HEAD"))

    git("init", "--quiet")
    return [deployed() for _ in range(4)]


def test_three_releases_are_kept_and_the_list_shows_which_one_serves(site, four):
    lines = site.releases()
    assert [(line[0], line[3]) for line in lines] == [(d.release, d.revision) for d in four[:0:-1]]
    assert [line[4:] for line in lines] == [["serves"], [], []]
    newest = lines[0]
    assert re.sub(r"\D", "", newest[1] + newest[2]) == newest[0].replace("-", "")
    tags = ["latest", *(d.release for d in four[1:])]
    assert site.images() == {f"{image}:{tag}" for image in ("app", "nginx") for tag in tags}


def test_any_release_that_is_here_can_be_deployed_and_a_rollback_brings_the_one_before(site, four):
    site.deploys("--image", four[1].release)
    assert site.serves == four[1].version
    site.rolls_back()
    assert site.serves == four[3].version
    site.rolls_back()
    assert site.serves == four[1].version


def test_an_unknown_image_is_refused_and_changes_nothing(site):
    before = site.apps(), site.images()
    status, said = site.deploy("--image", "20200101-000000")
    assert status == 1
    assert "Taking 20200101-000000 failed: " in said
    assert GONE_BACK.search(said)
    assert (site.apps(), site.images()) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["--imge"], "bin/deploy does not know --imge;", id="typo"),
        pytest.param(["--image"], "--image needs the name of a release", id="nothing"),
    ],
)
def test_a_wrong_word_is_refused_in_a_sentence(site, arguments, sentence):
    status, said = site.deploy(*arguments)
    assert status == 1
    assert said.startswith(sentence)
    assert said.count("\n") == 1


@pytest.mark.parametrize("script", ["deploy", "rollback"])
def test_whoever_asks_for_help_gets_nothing_else(site, script):
    before = site.apps()
    done = run(f"{site.path.name}/bin/{script}", "--help", cwd=site.path.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Put a new version into service")
    assert done.stdout.count("\n") == 9
    assert site.apps() == before


def test_a_site_by_another_name_that_has_the_same_images_is_refused(site):
    status, said = site.deploy(COMPOSE_PROJECT_NAME="staging")
    assert status == 1
    assert said.startswith(
        f"Compose calls this site staging, but its images are called {site.path.name}:"
    )
    assert said.endswith(" Nothing was changed.\n")
    assert said.count("\n") == 1
