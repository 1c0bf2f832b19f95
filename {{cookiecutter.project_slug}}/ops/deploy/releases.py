"""Releases: the images of one version, tagged with the time when it was built, such as 20260102-150405."""

from __future__ import annotations

import re
import time
from datetime import timezone
from functools import partial

from ops import docker
from ops.deploy import history
from ops.deploy.site import Refused, Site
from ops.docker import Container
from ops.process import CommandFailed, run, side_by_side

NAME = re.compile(r"\d{8}-\d{6}")
# How an image may be called: no space and nothing that a shell or Docker reads as something else.
IMAGE = re.compile(r"[a-z0-9][\w.\-/:@]{0,254}", re.ASCII)
KEPT = 3  # config/publish.py keeps the static files of as many


def new_name() -> str:
    """Return a name for a release that is made now, in UTC."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime())


def repositories(site: Site) -> list[str]:
    """Return the repositories of all images that are built from this folder, the app's first."""
    built = [service.repository for service in site.services.values() if service.built]
    return [site.app.repository, *sorted({*built} - {site.app.repository})]


def local_releases(site: Site) -> list[str]:
    """Return the releases whose image of the app is on this machine, the newest name first."""
    tags = {one.tag for one in site.images if one.repository == site.app.repository}
    return sorted(filter(NAME.fullmatch, tags), reverse=True)


def order_releases(site: Site, deploys: list[history.Deploy]) -> list[str]:
    """Return the releases that have served and are here, the one that served last first.

    Where the history says nothing about them, as in another folder of this site, all that are here.
    """
    releases = local_releases(site)
    return [
        name for name in history.served_releases(deploys) if name in releases
    ] or releases


def release_of_image(site: Site, image: str, order: list[str]) -> str:
    """Return the release that this image (an ID) was deployed as last, or ""."""
    repository = site.app.repository
    tags = [
        one.tag
        for one in site.images
        if (one.repository, one.id) == (repository, image)
    ]
    names = sorted(filter(NAME.fullmatch, tags), reverse=True)
    return next((name for name in [*order, *names] if name in names), "")


def known_release(site: Site, deploys: list[history.Deploy], wanted: str) -> str:
    """Return the release that an image is, where it is one that is here; else the image's name as it is.

    Else one version under several names would push the other releases out.
    """
    image = site.image_id(wanted)
    if not image or NAME.fullmatch(wanted):
        return wanted
    return release_of_image(site, image, order_releases(site, deploys)) or wanted


def name_untagged(site: Site, serving: Container) -> str:
    """Tag the images of a release that a plain `up` started, so that it can be rolled back to.

    Returns its name: the time when the container was made.
    """
    name = serving.created.astimezone(timezone.utc).strftime("%Y%m%d-%H%M%S")
    docker.tag(serving.image, f"{site.app.repository}:{name}")
    others = [one for one in repositories(site) if one != site.app.repository]
    keep_as(site, name, others)
    return name


def describe_local_releases(site: Site) -> str:
    """Return the names of the releases that are here, as the end of a sentence."""
    return f"Releases here: {', '.join(local_releases(site)) or 'none'}; bin/deploy --list says more."


def check_wanted(site: Site, wanted: str) -> None:
    """Raise Refused for the name of a release or image that cannot be deployed."""
    if NAME.fullmatch(wanted):
        if wanted not in local_releases(site):
            raise Refused(
                f"There is no release {wanted} here. {describe_local_releases(site)}"
            )
    elif not IMAGE.fullmatch(wanted):
        raise Refused(f"{wanted!r} is not the name of a release or an image.")


def plain_tags(site: Site) -> dict[str, str]:
    """Return, for each repository that is built from this folder, the tag that a plain `up` starts.

    That is latest for images that go by RELEASE, and what the file says for the others.
    """
    tags = {site.app.repository: "latest"}
    for service in site.services.values():
        if service.built:
            tag = "latest" if NAME.fullmatch(service.tag) else service.tag
            tags.setdefault(service.repository, tag)
    return tags


def keep_as(site: Site, release: str, repositories: list[str]) -> None:
    """Tag the images of these repositories that a plain `up` starts with the name of a release."""
    tags = plain_tags(site)
    copy_tags(
        site, [(f"{one}:{tags[one]}", f"{one}:{release}") for one in repositories]
    )


def let_up_start(site: Site, release: str) -> None:
    """Let a plain `up` start the images of this release."""
    tags = plain_tags(site).items()
    copy_tags(site, [(f"{one}:{release}", f"{one}:{tag}") for one, tag in tags])


def copy_tags(site: Site, names: list[tuple[str, str]]) -> None:
    """Give each image the second name too, where it is there and has another image's name now."""
    missing = []
    for source, target in names:
        image = site.image_id(source)
        if image and image != site.image_id(target):
            missing.append(partial(docker.tag, source, target))
    side_by_side(*missing)


def stale_images(site: Site, order: list[str], current: str) -> list[str]:
    """Return the image names of releases to remove: all but the current one and those before it.

    Releases that never served are stale, too.
    """
    kept = {current, *[name for name in order if name != current][: KEPT - 1]}
    mine = repositories(site)
    return [
        one.name
        for one in site.images
        if one.repository in mine and NAME.fullmatch(one.tag) and one.tag not in kept
    ]


def commit_of(deploys: list[history.Deploy], release: str) -> str:
    """Return the commit that a release was built from, as far as the history knows."""
    return next(
        (one.commit for one in deploys if one.release == release and one.commit), ""
    )


def revision() -> str:
    """Return the commit of this folder, with -dirty when its files are not those of it; "" without git."""
    try:
        commit = run("git", "rev-parse", "--short", "HEAD").strip()
        return (
            f"{commit}-dirty" if run("git", "status", "--porcelain").strip() else commit
        )
    except CommandFailed:
        return ""
