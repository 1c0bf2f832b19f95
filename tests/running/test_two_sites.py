"""Staging and production of one project on one machine, named by STACK_NAME: each is deployed by itself."""

import shutil

import pytest

from tests.helpers.project import a_slug
from tests.helpers.site import Site, made_of
from tests.helpers.stack import DEVELOPMENT, Stack, standing

pytestmark = pytest.mark.containers


@pytest.fixture(scope="module")
def production(bake_once, engine):
    """A site that bin/deploy started; about 30 seconds."""
    with standing() as make:
        site = made_of(bake_once(project_slug=a_slug()), make)
        site.deploys()
        yield site


@pytest.fixture(scope="module")
def staging(production, tmp_path_factory):
    """A second folder of the same project, whose .env names another stack; about 30 seconds."""
    folder = tmp_path_factory.mktemp("staging") / production.path.name
    shutil.copytree(production.path, folder)
    shutil.rmtree(folder / "var")
    with (folder / ".env").open("a") as env:
        env.write(f"STACK_NAME={production.path.name}-staging\n")
    with standing() as make:
        stack = make(folder, production.file)
        site = Site(stack.path, stack.file, stack.ports)
        site.deploys()
        yield site


def test_each_has_its_own_version_database_and_releases(production, staging):
    production_release = production.releases()[0][0]
    rows = production.rows()
    version = staging.change()
    staging.deploys()
    assert (staging.serves, production.serves) == (version, "version 0")
    assert production.releases()[0][0] == production_release
    with staging.client() as client:
        client.post("/slow/", data={"name": "h1-staging"})
    assert "h1-staging" in staging.rows()
    assert production.rows() == rows


def test_a_deploy_of_one_does_not_hold_up_a_deploy_of_the_other(production, staging):
    first = staging.start()
    assert first.stdout.readline().startswith("Release ")
    status, said = production.deploy()
    first.communicate(timeout=300)
    assert (status, first.returncode) == (0, 0), said


def test_a_rollback_of_one_leaves_the_other_as_it_is(production, staging):
    before, version = production.apps(), staging.serves
    staging.change()
    staging.deploys()
    staging.rolls_back()
    assert staging.serves == version
    assert production.apps() == before


def test_the_development_stack_keeps_its_name(staging):
    development = Stack(staging.path, DEVELOPMENT, staging.ports)
    assert f"name: {staging.path.name}-dev\n" in development.compose("config")
