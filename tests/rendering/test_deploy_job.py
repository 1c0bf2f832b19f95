"""The deploy job of a CI file: which variants have it, and when it runs."""

import pytest
import yaml

from tests.helpers.pipeline import FILES, jobs


@pytest.mark.parametrize("ci", FILES)
@pytest.mark.parametrize(
    ("proxy", "names"),
    [
        ("nginx-letsencrypt", {"ci", "deploy"}),
        ("nginx", {"ci", "deploy"}),
        ("none", {"ci"}),
    ],
)
def test_a_job_deploys_where_bin_deploy_can(bake, ci, proxy, names):
    project = bake(proxy=proxy, ci=ci)
    assert jobs(ci, project.read(FILES[ci])).keys() == names
    assert ("bin/deploy-commit" in project.files()) == ("deploy" in names)


def test_on_github_the_job_is_off_until_it_knows_where_to(bake):
    job = jobs("github", bake(ci="github").read(FILES["github"]))["deploy"]
    assert job["if"] == "github.event_name == 'push' && vars.DEPLOY_TO != ''"
    assert job["needs"] == "ci"
    assert job["environment"] == "production"


def test_on_gitlab_the_job_is_off_until_it_knows_where_to(bake):
    job = jobs("gitlab", bake(ci="gitlab").read(FILES["gitlab"]))["deploy"]
    assert job["rules"] == [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $DEPLOY_TO"}]
    assert job["stage"] == "deploy"  # by default after `test`, where a job is that names none
    assert job["environment"] == "production"


def test_on_github_a_newer_push_ends_tests_and_no_deploy(bake):
    text = bake(ci="github").read(FILES["github"])
    assert "concurrency" not in yaml.safe_load(text)
    of = {name: job["concurrency"] for name, job in jobs("github", text).items()}
    assert of["ci"]["cancel-in-progress"] is True
    assert of["deploy"] == {"group": "production", "cancel-in-progress": False}


def test_on_gitlab_a_newer_push_ends_tests_and_no_deploy(bake):
    found = jobs("gitlab", bake(ci="gitlab").read(FILES["gitlab"]))
    assert found["ci"]["interruptible"] is True
    assert "interruptible" not in found["deploy"]
    assert found["deploy"]["resource_group"] == "production"
