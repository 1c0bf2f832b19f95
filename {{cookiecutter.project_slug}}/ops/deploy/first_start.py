"""Start a site of which nothing serves: for the first time, or after `docker compose down`."""

from __future__ import annotations

from ops import compose, docker
from ops.deploy.deployment import Deployment, publish_when_ready
from ops.deploy.planning import required_condition
from ops.deploy.releases import let_up_start
from ops.deploy.site import Site
from ops.deploy.waiting import not_ready, wait
from ops.docker import Container
from ops.process import CommandFailed


def start_everything(deployment: Deployment) -> None:
    """Let Compose start all services, and wait until they are ready. Raises NotReady, CommandFailed.

    `up --wait` would fail for a one-off service that no other one waits for.
    """
    site = deployment.site
    let_up_start(site, deployment.new)
    try:
        compose.compose("up", "--detach", "--no-build", merge=True)
    except CommandFailed:
        raise_for_failed_one_off(site)
        raise
    present = [one for one in docker.containers(site.stack) if belongs_to(site, one)]
    wait(
        {one.id: required_condition(site.services, one.service) for one in present},
        fresh=False,
    )
    deployment.fresh = present


def request_page(deployment: Deployment) -> None:
    """Let each container of the app serve a page. Raises CommandFailed."""
    publish_when_ready(deployment.new, deployment.fresh_of("app"))


def belongs_to(site: Site, container: Container) -> bool:
    """Whether a plain `up` starts this container, or it runs already."""
    service = site.services.get(container.service)
    if service is None or container.oneoff:
        return False
    return container.running or not service.profiles


def raise_for_failed_one_off(site: Site) -> None:
    """Raise NotReady for a service that ended with an error; its log says more than Compose does."""
    for one in docker.containers(site.stack):
        if belongs_to(site, one) and one.state == "exited" and one.exit_code:
            raise not_ready(
                one.id, f"{one.service} ended with exit status {one.exit_code}"
            )
