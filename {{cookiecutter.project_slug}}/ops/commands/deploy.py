"""bin/deploy: put a new version into service without failing a request, or go back to the old one."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from ops import archive, environment
from ops.deploy import history, links, releases
from ops.deploy.deployment import Deployment
from ops.deploy.flow import Wanted, deploy
from ops.deploy.history import SERVES, Deploy
from ops.deploy.interruption import Interrupted, catch_signals
from ops.deploy.links import Links
from ops.deploy.listing import table
from ops.deploy.lock import locked
from ops.deploy.report import say
from ops.deploy.site import (
    Refused,
    Site,
    look,
    look_at_docker,
    look_at_files,
    refuse_what_cannot_be_deployed,
    refuse_windows_line_endings,
    running_nginx,
    state_folder,
    words,
)
from ops.deploy.tidying import all_serve, serving_containers
from ops.docker import Container
from ops.process import CommandFailed

DESCRIPTION = """\
Put a new version into service without failing a request. When it does not become ready, the old
version goes on serving, and the exit status is 1. docs/deploy.md describes each step.
"""


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="bin/deploy", description=DESCRIPTION)
    what = options.add_mutually_exclusive_group()
    what.add_argument(
        "--image", metavar="NAME", help="deploy a release of --list, or an image of a registry"
    )
    what.add_argument(
        "--previous", action="store_true", help="deploy the release before this one (bin/rollback)"
    )
    what.add_argument(
        "--list", action="store_true", help="show the last deploys, and change nothing"
    )
    options.add_argument(
        "--pull", action="store_true", help="build on the newest base images, with security updates"
    )
    options.add_argument(
        "--yes",
        action="store_true",
        help="restart nginx, the database and what else users would notice, without a question",
    )
    return options


def main(arguments: list[str]) -> int:
    """Run bin/deploy with these arguments and return its exit status."""
    options = parser().parse_args(arguments)
    catch_signals()
    try:
        return run(options)
    except Refused as refused:
        print(" ".join(str(refused).split()), file=sys.stderr)
    except CommandFailed as failed:
        print(f"Docker does not do what it was asked: {words(failed)}", file=sys.stderr)
    except OSError as error:
        with suppress(OSError):
            print(error, file=sys.stderr)
    except Interrupted as signal:
        return signal.status
    return 1


def run(options: argparse.Namespace) -> int:
    """Look at the site, refuse what cannot work, and do what was asked for."""
    refuse_windows_line_endings(Path(".env"))
    name = releases.new_name()
    site = look_at_files(name)
    if options.list:
        site = look_at_docker(site)
        print(table(site, history.read(state_folder(site.stack)), find_current(site)[0]))
        return 0
    refuse_what_cannot_be_deployed(site)
    refuse_bad_limits()
    refuse_a_folder_that_cannot_be_written(state_folder(site.stack))
    with locked(site.stack):
        return start_or_deploy(look_at_docker(site), name, options)


def find_current(site: Site) -> tuple[str, list[Container], Links | None]:
    """Return the image (its ID) that serves, its containers, and the links; "" when nothing serves.

    The links are None where an older version of this project started the site, and empty where no
    deploy left anything behind: then all containers of the app serve, and nobody has to be asked.
    """
    app = next((one for one in site.containers_of("app") if one.running), None)
    if not app or not running_nginx(site):
        return "", [], None
    if all_serve(site):
        return app.image, site.containers_of("app"), Links("", {})
    current = links.show(app.id)
    if current is None:
        return app.image, [], None
    serving = serving_containers(site, current)
    return (serving[0].image if serving else ""), serving, current


def start_or_deploy(site: Site, name: str, options: argparse.Namespace) -> int:
    """Deploy next to what serves, or start everything when nothing serves."""
    deploys = history.read(state_folder(site.stack))
    image, serving, current = find_current(site)
    if image and not serving:
        refuse_without_consent(options.yes)
    if not serving:
        wanted = what_is_wanted(site, deploys, options, "")
        new = wanted.release or name
        before = "nginx is recreated" if image else "nothing serves yet"
        say(f"Release {new}, {before}.")
        return deploy(Deployment(site, new, "", deploys), wanted)
    old = releases.release_of_image(site, image, releases.order_releases(site, deploys))
    if not old:
        old = releases.name_untagged(site, serving[0])
        site = look(name)
    if history.served_releases(deploys)[:1] != [old]:
        deploys.append(Deploy(old, history.moment(serving[0].created), "unknown", "", "up", SERVES))
        history.append(state_folder(site.stack), deploys[-1])
    wanted = what_is_wanted(site, deploys, options, old)
    new = wanted.release or name
    say(f"Release {new}, after {old}.")
    proxy = running_nginx(site)
    return deploy(Deployment(site, new, old, deploys, current, proxy, serving), wanted)


def what_is_wanted(
    site: Site, deploys: list[Deploy], options: argparse.Namespace, current: str
) -> Wanted:
    """Return what a person asked for. Raises Refused for a release that is not here."""
    if options.previous:
        before = [name for name in releases.order_releases(site, deploys) if name != current]
        if not before:
            raise Refused(
                "There is no release here before the one that serves; bin/deploy --list shows all."
            )
        return Wanted("rollback", before[0], options.yes, pull=False)
    if options.image is not None:
        releases.check_wanted(site, options.image)
        return Wanted("image", options.image, options.yes, pull=False)
    return Wanted("deploy", "", options.yes, options.pull)


def refuse_without_consent(agreed: bool) -> None:
    """Raise Refused for a site that an older version of this project started, unless a person agreed."""
    if not agreed:
        raise Refused(
            "This site was started by an older version of this project. nginx must be recreated once; the"
            " site is unavailable for some seconds. To continue, run: bin/deploy --yes"
        )


def refuse_bad_limits() -> None:
    """Raise Refused when the variables that limit the kept logs are no numbers."""
    try:
        archive.limits(environment.read())
    except environment.BadVariable as error:
        raise Refused(f"{error} Nothing was changed.") from error


def refuse_a_folder_that_cannot_be_written(folder: Path) -> None:
    """Raise Refused when the history of deploys cannot be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise Refused(
            f"{folder} cannot be written: {error.strerror}. Nothing was changed."
        ) from error
