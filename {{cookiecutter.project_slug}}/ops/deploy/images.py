"""Get the images of the release that is to be deployed."""

from __future__ import annotations

from ops import compose, docker
from ops.deploy import releases
from ops.deploy.deployment import Deployment, see_images
from ops.deploy.site import Site


def build(deployment: Deployment, commit: str, pull: bool) -> None:
    """Build all images from this folder, and name them by the release."""
    deployment.built = True
    if deployment.serving:
        deployment.undo_by("image names", lambda: untag_new_release(deployment))
    site = deployment.site
    names = [
        one.name for one in site.services.values() if one.built and site.active(one)
    ]
    compose.build(deployment.new, names, commit, pull)
    deployment.site = see_images(site)
    tag_release(deployment.site, deployment.new)


def fetch(deployment: Deployment, image: str) -> None:
    """Take the app's image from here or from a registry; build what else has no image yet from this folder.

    nginx's configuration is that of this folder.
    """
    deployment.built = True
    if deployment.serving:
        deployment.undo_by("image names", lambda: untag_new_release(deployment))
    site = deployment.site
    if not site.image_id(image):
        docker.pull(image)
    docker.tag(image, f"{site.app.repository}:{deployment.new}")
    names = [
        one.name
        for one in site.services.values()
        if one.built
        and one.repository != site.app.repository
        and not site.image_id(one.image)
    ]
    compose.build(deployment.new, names, "", pull=False)
    deployment.site = see_images(site)
    tag_release(deployment.site, deployment.new)


def tag_release(site: Site, release: str) -> None:
    """Let each image that is built from this folder have the release as a tag, to roll back to.

    Images whose name goes by RELEASE have it already.
    """
    missing = [
        repository
        for repository in releases.repositories(site)
        if not site.image_id(f"{repository}:{release}")
    ]
    releases.keep_as(site, release, missing)


def untag_new_release(deployment: Deployment) -> None:
    """Remove the names of the new release, and let Compose start the images of the old one."""
    site = see_images(deployment.site)
    releases.let_up_start(site, deployment.old)
    mine = releases.repositories(site)
    names = [
        one.name
        for one in site.images
        if one.tag == deployment.new and one.repository in mine
    ]
    if names:
        docker.remove_images(names)


def pull_missing(deployment: Deployment) -> None:
    """Pull the images that the stack needs and that are not here. Others are never asked for."""
    site = deployment.site
    for name in missing(site):
        docker.pull(name)
    deployment.site = see_images(site)


def missing(site: Site) -> list[str]:
    """Return the names of images that are not here, of services that a plain `up` starts."""
    mine = releases.repositories(site)
    return sorted(
        {
            service.image
            for service in site.services.values()
            if site.active(service)
            and service.repository not in mine
            and not site.image_id(service.image)
        }
    )
