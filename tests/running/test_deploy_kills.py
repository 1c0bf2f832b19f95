"""bin/deploy is killed, or ended, at any moment: the site goes on, and the next one works."""

import os
import signal
import time
from contextlib import suppress

import pytest

from tests.helpers.locked import PSQL, wait_for
from tests.helpers.site import (
    GONE_BACK,
    STEP,
    STEPS,
    Site,
    begun,
    done,
    long_migration,
    uwsgi_is_enough,
)
from tests.helpers.stack import run
from tests.helpers.traffic import traffic

pytestmark = [pytest.mark.containers, uwsgi_is_enough]


def kill(process) -> None:
    """Let bin/deploy, and all that it started, die now."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def seconds(site: Site) -> dict[str, float]:
    """Deploy, and return how long each step took, in seconds."""
    took, began = {}, time.monotonic()
    with site.start() as process:
        for line in process.stdout:
            if ended := STEP.match(line):
                began, before = time.monotonic(), began
                took[ended[1]] = began - before
    assert process.returncode == 0
    return took


@pytest.mark.exhaustive
def test_killed_in_each_step_and_after_it_fails_no_request_and_the_next_one_works(site):
    rows = site.rows()
    with traffic(site) as seen:
        took = seconds(site)
        assert list(took) == STEPS
        for step in STEPS:
            site.change()
            process = site.start()
            begun(process, step)
            time.sleep(took[step] / 2)
            kill(process)
            assert site.get(site.style).status_code == 200
        for step in STEPS[:-1]:
            site.change()
            process = site.start()
            done(process, step)
            kill(process)
            assert site.get(site.style).status_code == 200
        version = site.change()
        site.deploys()
    assert seen.failures() == []
    assert len(seen.written) > 100
    assert site.rows() == sorted(rows + seen.written)
    assert site.serves == version
    assert len(site.apps()) == 1
    assert_nothing_is_left(site)


def assert_nothing_is_left(site: Site) -> None:
    """The images of three releases, and no container that somebody ran once."""
    tags = {image.partition(":")[2] for image in site.images()} - {"latest"}
    assert len(tags) == 3
    assert {
        f"{image}:{tag}" for image in ("app", "nginx") for tag in ("latest", *tags)
    } == site.images()
    assert once(site) == ""


def once(site: Site) -> str:
    """The containers that somebody ran for one command, and that are still there."""
    labels = ("oneoff=True", f"project={site.path.name}")
    filters = [f"--filter=label=com.docker.compose.{label}" for label in labels]
    return run("docker", "ps", "--all", "--quiet", *filters).stdout


def test_killed_while_it_migrates_the_migration_goes_on_and_the_next_one_waits_for_it(site):
    before = site.releases()
    with long_migration(site, "0002_long_and_killed"):
        process = site.start()
        begun(process, "Checking settings, migrating")
        wait_for(site, SLEEPERS, 1)
        kill(process)
        site.deploys()
        applied = site.exec("postgres", *PSQL, "SELECT name FROM django_migrations")
    assert applied.split().count("0002_long_and_killed") == 1
    assert [line[0] for line in site.releases()[1:]] == [line[0] for line in before[:19]]


def test_killed_at_the_worst_moments_the_next_one_makes_it_good(site):
    """Between making containers and starting them, and while the database has none."""
    labels = ("service=nginx-config", f"project={site.path.name}", "oneoff=True", "config-hash=x")
    made = run(
        *("docker", "create", *(f"--label=com.docker.compose.{label}" for label in labels)),
        f"{site.path.name}-nginx",
    )
    made.check_returncode()
    site.compose("rm", "--stop", "--force", "postgres", "certbot")
    site.compose("create", "--no-recreate", "certbot")
    version = site.change()
    site.deploys()
    assert site.serves == version
    assert site.get("/readyz").text == "ready\n"
    assert site.compose("ps", "--status", "running", "--quiet", "certbot") != ""
    assert once(site) == ""


def test_a_person_who_ends_it_again_and_again_is_back_at_the_old_version(site):
    before, version = site.apps(), site.serves
    site.change()
    process = site.start()
    begun(process, "Switching to the new version")
    while process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)
    said = process.communicate()[0]
    assert process.returncode == 130
    assert GONE_BACK.search(said), said
    assert (site.apps(), site.serves) == (before, version)


def test_a_reader_who_goes_away_brings_it_back_to_the_old_version(site):
    """As CI does when its connection breaks."""
    before, version = site.apps(), site.serves
    site.change()
    process = site.start()
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=120) != 0
    assert (site.apps(), site.serves) == (before, version)


SLEEPERS = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(12)'"
