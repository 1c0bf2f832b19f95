"""The engine restarts during bin/deploy: the site goes on, and the next deploy works."""

import pytest

from tests.helpers.site import done, uwsgi_is_enough
from tests.helpers.stack import wait_until_it_is_ready

pytestmark = pytest.mark.containers


@uwsgi_is_enough
@pytest.mark.parametrize(
    "step",
    [
        pytest.param("Checking settings, migrating", marks=pytest.mark.exhaustive),
        "Starting the new version",
    ],
)
def test_an_engine_that_restarts_brings_it_back_to_the_old_version(restart_engine, site, step):
    version = site.serves
    site.change()
    process = site.start()
    done(process, step)
    restart_engine()
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "Going back." in said
    wait_until_it_is_ready(site)
    assert site.serves == version
    after = site.change()
    site.deploys()
    assert site.serves == after
    assert len(site.apps()) == 1
