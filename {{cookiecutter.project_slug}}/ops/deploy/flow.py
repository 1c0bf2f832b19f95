"""bin/deploy from its first step to its last."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial

from ops import docker
from ops.compose import Service
from ops.deploy import history, images, releases
from ops.deploy.consent import agreed_restarts
from ops.deploy.creating import create
from ops.deploy.deployment import (
    Deployment,
    check_nginx,
    prepare,
    publish,
    reload_nginx,
    switch,
)
from ops.deploy.finishing import finish
from ops.deploy.first_start import request_page, start_everything
from ops.deploy.history import Deploy
from ops.deploy.interruption import Interrupted, hold_signals, ignore_signals
from ops.deploy.planning import nginx_may_change, plan
from ops.deploy.report import StepFailed, explain, say, say_if_possible, step
from ops.deploy.site import Site, look
from ops.deploy.starting import settle, start_dependencies, start_new
from ops.deploy.tidying import leftovers, tidy_up
from ops.deploy.waiting import wait_until
from ops.process import CommandFailed

Step = Callable[[Deployment], None]


@dataclass(frozen=True)
class Wanted:
    """What a person asked for."""

    kind: str  # deploy, rollback or image
    image: str  # a release or an image; "" to build this folder
    yes: bool  # agrees to restarts that users notice
    pull: bool  # build on the newest base images

    @property
    def release(self) -> str:
        """The release that is here and was asked for, or "" for a new one."""
        return self.image if releases.NAME.fullmatch(self.image) else ""


def deploy(deployment: Deployment, wanted: Wanted) -> int:
    """Put a release into service, or leave the site as it was; return the exit status."""
    commit = releases.revision() if wanted.kind == "deploy" else ""
    agreed: list[Service] = []
    try:
        with deployment.undo:
            try:
                agreed += put_into_service(deployment, wanted, commit)
                hold_signals()
            except BaseException as error:
                begin_to_go_back(deployment, error)
                raise
            deployment.undo.pop_all()
    except StepFailed as failed:
        return went_back(deployment, wanted, commit, failed.reason, 1)
    except Interrupted as signal:
        return went_back(deployment, wanted, commit, str(signal), signal.status)
    except BrokenPipeError:
        return went_back(deployment, wanted, commit, "nobody read its output", 141)
    record(deployment, wanted, commit, history.SERVES)
    return finish(deployment, agreed)


def put_into_service(
    deployment: Deployment, wanted: Wanted, commit: str
) -> list[Service]:
    """Take all steps until the new release serves; return the services that may restart afterwards."""
    take = partial(take_step, deployment)
    if deployment.serving:
        tidy_first(deployment)
    if wanted.kind == "deploy":
        take("Building", lambda one: images.build(one, commit, wanted.pull))
    elif not wanted.release:
        take(f"Fetching {wanted.image}", lambda one: images.fetch(one, wanted.image))
    if images.missing(deployment.site):
        take("Pulling images", images.pull_missing)
    if not deployment.serving:
        take("Starting everything", start_everything)
        take("Requesting a page", request_page)
        return []
    deployment.plan = plan(deployment.site, deployment.new)
    agreed = agreed_restarts(deployment, wanted.yes)
    name_orphans(deployment.site)
    replace_version(deployment)
    return agreed


def replace_version(deployment: Deployment) -> None:
    """Start the new release next to the one that serves, and move the requests to it."""
    take = partial(take_step, deployment)
    deployment.renews_nginx_config = nginx_may_change(deployment.site, deployment.new)
    if deployment.renews_nginx_config:
        take("Testing nginx's configuration", check_nginx)
    take("Creating containers", create)
    take("Starting dependencies", start_dependencies)
    take("Checking settings, migrating", prepare)
    take("Starting the new version", start_new)
    take("Requesting a page, publishing", publish)
    if deployment.new_configuration:
        take("Reloading nginx", reload_nginx)
    take("Switching to the new version", move_requests)


def move_requests(deployment: Deployment) -> None:
    """Check once more that the new containers are ready, then rename the links."""
    settle(deployment)
    switch(deployment)


def take_step(deployment: Deployment, name: str, action: Step) -> None:
    """Take one step: print its name and its seconds; raise StepFailed when it fails."""
    with step(name):
        action(deployment)


def name_orphans(site: Site) -> None:
    """Say which containers are of services that compose.prod.yaml does not have any more."""
    for one in site.containers:
        if not one.oneoff and one.service not in site.services:
            say(
                f"  {one.service} is in no compose file any more; to remove it: docker rm -f {one.name}"
            )


def tidy_first(deployment: Deployment) -> None:
    """Remove what a deploy that was killed left behind."""
    left = leftovers(
        deployment.site, deployment.links.values(), deployment.serving, deployment.old
    )
    if left:
        with step("Removing what a killed deploy left"):
            tidy_up(deployment.site, deployment.old, deployment.serving, left)
            deployment.site = look(deployment.new)


def begin_to_go_back(deployment: Deployment, error: BaseException) -> None:
    """Say why, and let nothing interrupt what comes; wait for an engine that restarts."""
    ignore_signals()
    if isinstance(error, StepFailed):
        explain(error)
    elif isinstance(error, Interrupted):
        say_if_possible(f"interrupted ({error})")
    else:
        say_if_possible(f"failed: {error}")
    say_if_possible("\nGoing back." if deployment.serving else "")
    with suppress(TimeoutError):
        wait_until(engine_responds, seconds=60)


def engine_responds() -> bool:
    try:
        docker.images()
    except CommandFailed:
        return False
    return True


def went_back(
    deployment: Deployment, wanted: Wanted, commit: str, reason: str, status: int
) -> int:
    """Say what serves, write it down, and return the exit status."""
    record(deployment, wanted, commit, history.WENT_BACK, reason)
    if deployment.not_undone:
        for problem in deployment.not_undone:
            say_if_possible(f"    {problem}")
        say_if_possible(
            "These steps could not be undone. Run bin/deploy again to clean up, or bin/doctor to find the cause."
        )
        return status
    if not deployment.serving:
        say_if_possible(
            "The containers that started keep running. Fix the problem and run bin/deploy again."
        )
        return status
    migrated = " Migrations that were applied stay." if deployment.migrated else ""
    say_if_possible(f"{deployment.old} serves, as before.{migrated}")
    return status


def record(
    deployment: Deployment, wanted: Wanted, commit: str, outcome: str, reason: str = ""
) -> None:
    """Write the deploy into the history; a history that cannot be written does not stop a deploy."""
    row = Deploy(
        release=deployment.new,
        time=history.moment(datetime.now(timezone.utc)),
        user=history.user_name(),
        commit=commit or releases.commit_of(deployment.deploys, deployment.new),
        kind=wanted.kind,
        outcome=outcome,
        reason=reason,
    )
    try:
        history.append(deployment.folder, row)
    except OSError as error:
        say_if_possible(f"The history could not be written: {error}")
