"""A deploy, as what is known of it and the steps that it takes.

Each step before the switch says by `undo_by` what takes it back. After the switch nothing is taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from ops import compose, docker
from ops.deploy import links, nginx
from ops.deploy.history import Deploy
from ops.deploy.planning import Plan
from ops.deploy.site import Site, read_images, state_folder
from ops.deploy.waiting import wait_until
from ops.docker import Container
from ops.process import CommandFailed, side_by_side

LOG_LINES = 50


@dataclass
class Deployment:
    """The new release `new`, on its way to replace the release `old`.

    `site` is what was seen when the deploy began; `fresh` are the containers that the deploy made.
    """

    site: Site
    new: str
    old: str
    deploys: list[Deploy]  # the history
    # Link -> host name, when the deploy began.
    links: dict[str, str] = field(default_factory=dict)
    nginx: Container | None = None
    # The containers of the app that get the requests; none when nothing serves.
    serving: list[Container] = field(default_factory=list)
    plan: Plan = field(default_factory=lambda: Plan((), ()))
    fresh: list[Container] = field(default_factory=list)
    # Whether the one-off container nginx-config gets another image or other variables.
    renews_nginx_config: bool = False
    # Whether nginx has to read another configuration.
    new_configuration: bool = False
    built: bool = False
    migrated: bool = False
    # Takes back the steps so far.
    undo: ExitStack = field(default_factory=ExitStack)
    not_undone: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where the history and the logs of removed containers are."""
        return state_folder(self.site.stack)

    def fresh_of(self, service: str) -> list[Container]:
        return [one for one in self.fresh if one.service == service]

    @property
    def hosts(self) -> list[str]:
        """The host names of the new containers of the app."""
        return [one.host_name for one in self.fresh_of("app")]

    def undo_by(self, what: str, action: Callable[[], object]) -> None:
        """Add an action that takes something back; when it fails, the others still run."""

        def attempt() -> None:
            try:
                action()
            except Exception as error:  # noqa: BLE001 - whatever it is, the rest has to be taken back
                self.not_undone.append(f"{what}: {error}")

        self.undo.callback(attempt)


def see_images(site: Site) -> Site:
    """Return the same site with the images that are here now."""
    return replace(site, images=read_images(site.services))


def check_nginx(deployment: Deployment) -> None:
    """Let nginx test the new release's configuration, and see whether it is another one."""
    rendered, running = side_by_side(
        lambda: nginx.render(deployment.new),
        lambda: nginx.running_configuration(deployment.nginx.id),
    )
    deployment.new_configuration = rendered != running


def prepare(deployment: Deployment) -> None:
    """Check the settings and migrate, in the one-off service `release`."""
    deployment.migrated = True
    command = ("python", "manage.py", "release", "--keep-current")
    compose.run_once(deployment.new, "release", *command)


def publish(deployment: Deployment) -> None:
    """Request a page from each new container of the app, then add the release's static files to the others.

    Late, because three releases are kept: versions that never served would push out the files of the
    version that does. Raises CommandFailed.
    """
    try:
        publish_when_ready(deployment.new, deployment.fresh_of("app"))
    except CommandFailed:
        raise
    except BaseException:  # a signal: the files may be there already
        deployment.undo_by("static files", lambda: publish_files(deployment.old))
        raise
    deployment.undo_by("static files", lambda: publish_files(deployment.old))


def publish_when_ready(release: str, apps: list[Container]) -> None:
    """Publish, once each of these containers of the app has served a page.

    Raises CommandFailed, with the end of each container's log.
    """
    try:
        publish_files(release, "--once-ready", *[one.host_name for one in apps])
    except CommandFailed as failed:
        # The reason for a status of 500 is a traceback in the log.
        logs = [docker.logs(one.id, LOG_LINES) for one in apps]
        failed.output = "".join(logs) + failed.output
        raise


def publish_files(release: str, *options: str) -> None:
    compose.run_once(release, "release", "python", "manage.py", "publish", *options)


def reload_nginx(deployment: Deployment) -> None:
    """Let nginx read the new release's configuration."""
    deployment.undo_by(
        "nginx's configuration", lambda: load(deployment, deployment.old)
    )
    load(deployment, deployment.new)


def load(deployment: Deployment, release: str) -> None:
    nginx.install(release)
    nginx.reload(deployment.nginx.id)


def switch(deployment: Deployment) -> None:
    """Rename the links to the new containers, and request a page through nginx.

    A connection goes to the old container or to the new one, never nowhere.
    """
    deployment.undo_by("links", lambda: send_back(deployment))
    links.point(deployment.fresh_of("app")[0].id, deployment.hosts)
    nginx.request(deployment.nginx.id)


def send_back(deployment: Deployment) -> None:
    """Let the old containers get the requests again, and wait until the new ones have none.

    Waits up to a minute for an old one that is healthy: the engine may have restarted them all.
    Raises TimeoutError when there is none.
    """
    wait_until(lambda: bool(healthy_containers(deployment.serving)), seconds=60)
    healthy = healthy_containers(deployment.serving)
    hosts = [one.host_name for one in healthy]
    current = links.show(healthy[0].id)
    if not current or set(current.values()) - set(hosts):
        links.point(healthy[0].id, hosts)
    drain(deployment, deployment.hosts)


def healthy_containers(containers: list[Container]) -> list[Container]:
    """Return those of the containers that run and are healthy."""
    seen = docker.conditions_by_id([one.id for one in containers])
    return [
        one
        for one in containers
        if one.id in seen
        and seen[one.id].state == "running"
        and seen[one.id].health in ("", "healthy")
    ]


def drain(deployment: Deployment, hosts: list[str]) -> bool:
    """Wait until nginx has no connection to these containers; return whether that came true."""
    return links.drain(hosts, lambda: nginx.read_table(deployment.nginx.id))
