"""What a deploy does after requests have moved. Nothing here takes the deploy back."""

from __future__ import annotations

from collections.abc import Callable

from ops import compose, docker
from ops.compose import Service
from ops.deploy import releases
from ops.deploy.deployment import Deployment, drain, see_images
from ops.deploy.history import read
from ops.deploy.in_place import replace_service
from ops.deploy.interruption import Interrupted, release_signals
from ops.deploy.report import StepFailed, explain, say, say_if_possible, step
from ops.deploy.retiring import retire
from ops.deploy.starting import settle


def finish(deployment: Deployment, agreed: list[Service]) -> int:
    """Retire the old version, replace what cannot run twice, and return the exit status."""
    status = 0
    steps: list[tuple[str, Callable[[], None]]] = []
    if deployment.serving:
        steps += [
            (
                "Waiting for the last requests",
                lambda: wait_for_last_requests(deployment),
            ),
            ("Stopping the old version", lambda: stop_old(deployment)),
        ]
    if deployment.renews_nginx_config:
        steps.append(("Renewing nginx-config", lambda: renew_nginx_config(deployment)))
    for service in agreed:
        steps.append(
            (f"Replacing {service.name}", lambda one=service: replace_service(one))
        )
    if deployment.serving:
        # One that ends some seconds after its start, such as a worker without its queue.
        steps.append(
            ("Checking the new containers", lambda: settle_others(deployment, agreed))
        )
    steps.append(("Removing old releases", lambda: remove_old_releases(deployment)))
    try:
        release_signals()
        for name, action in steps:
            status = max(status, attempt(name, action))
    except (Interrupted, BrokenPipeError) as error:
        say_if_possible(
            f"interrupted\n\n{deployment.new} serves. The next bin/deploy does what is left."
        )
        return error.status if isinstance(error, Interrupted) else 141
    if status:
        say_if_possible(
            f"{deployment.new} serves. Run bin/deploy to repeat the steps that failed."
        )
    else:
        say_if_possible(f"{deployment.new} serves.")
    return status


def settle_others(deployment: Deployment, replaced: list[Service]) -> None:
    """Look once more at the new containers, without those that were replaced a moment ago."""
    names = {service.name for service in replaced}
    deployment.fresh = [one for one in deployment.fresh if one.service not in names]
    settle(deployment)


def attempt(name: str, action: Callable[[], None]) -> int:
    """Take a step; when it fails, say why. Returns 1 then, and 0 else."""
    try:
        with step(name):
            action()
    except StepFailed as failed:
        explain(failed)
        return 1
    return 0


def wait_for_last_requests(deployment: Deployment) -> None:
    """Wait until nginx has no connection to the old containers any more."""
    if not drain(deployment, [one.host_name for one in deployment.serving]):
        say("    Some requests took longer than 65 seconds; their connections end now.")


def stop_old(deployment: Deployment) -> None:
    """Stop the containers that new ones have replaced, keep their logs, and remove them."""
    site = deployment.site
    old = [
        one
        for service in deployment.plan.beside
        for one in site.containers_of(service.name)
    ]
    retire(site.stack, old)


def renew_nginx_config(deployment: Deployment) -> None:
    """Let the one-off container nginx-config be that of the new release, as after a plain `up`.

    A plain `up` would otherwise replace it, and restart nginx for that.
    """
    docker.remove([one.id for one in deployment.site.containers_of("nginx-config")])
    compose.create({"nginx-config": 1})
    present = docker.containers(deployment.site.stack)
    docker.start(
        [one.id for one in present if one.service == "nginx-config" and not one.oneoff]
    )


def remove_old_releases(deployment: Deployment) -> None:
    """Remove the images of all releases but the last three that served."""
    site = see_images(deployment.site) if deployment.built else deployment.site
    order = releases.order_releases(site, read(deployment.folder))
    names = releases.stale_images(site, order, deployment.new)
    if names:
        docker.remove_images(names)
