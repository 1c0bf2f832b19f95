"""bin/deploy: put a new version into service without failing a request, or go back to the old one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ops import archive, environment
from ops.deploy import history, links, releases
from ops.deploy.deployment import Deployment
from ops.deploy.flow import Wanted, deploy
from ops.deploy.history import Deploy
from ops.deploy.interruption import catch_signals
from ops.deploy.listing import current_release, table
from ops.deploy.lock import locked
from ops.deploy.report import say
from ops.deploy.site import (
    Refused,
    Site,
    look,
    refuse_what_cannot_be_deployed,
    refuse_windows_line_endings,
    running_nginx,
    state_folder,
)
from ops.deploy.tidying import serving_containers

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
        print(f"{refused}".replace("\n", " "), file=sys.stderr)
        return 1


def run(options: argparse.Namespace) -> int:
    """Look at the site, refuse what cannot work, and do what was asked for."""
    refuse_windows_line_endings(Path(".env"))
    name = releases.new_name()
    site = look(name)
    deploys = history.read(state_folder(site.stack))
    if options.list:
        print(table(site, deploys))
        return 0
    refuse_what_cannot_be_deployed(site)
    wanted = what_is_wanted(site, deploys, options)
    refuse_bad_limits()
    refuse_a_folder_that_cannot_be_written(state_folder(site.stack))
    with locked(site.stack):
        return begin(look(name), name, deploys, wanted)


def what_is_wanted(site: Site, deploys: list[Deploy], options: argparse.Namespace) -> Wanted:
    """Return what a person asked for. Raises Refused for a release that is not here."""
    if options.previous:
        order = releases.in_order(site, deploys)
        current = current_release(site, deploys)
        before = [name for name in order if name != current]
        if not before:
            raise Refused(
                "There is no release here before the one that serves; bin/deploy --list shows all."
            )
        return Wanted("rollback", before[0], options.yes, pull=False)
    if options.image is not None:
        releases.check_wanted(site, options.image)
        return Wanted("image", options.image, options.yes, pull=False)
    return Wanted("deploy", "", options.yes, options.pull)


def begin(site: Site, name: str, deploys: list[Deploy], wanted: Wanted) -> int:
    """Deploy next to what serves, or start everything when nothing serves."""
    new = wanted.image if releases.NAME.fullmatch(wanted.image) else name
    app = next((one for one in site.containers_of("app") if one.running), None)
    proxy = running_nginx(site)
    current = links.show(app.id) if app and proxy else None
    if current is None:
        if app and proxy:
            refuse_without_consent(wanted)
        say(f"Release {new}. Nothing serves yet.")
        return deploy(Deployment(site, new, "", deploys), wanted)
    serving = serving_containers(site, current)
    old = releases.name_of(site, serving[0].image, releases.in_order(site, deploys))
    if not old:
        row = releases.name_old(site, serving[0])
        history.append(state_folder(site.stack), row)
        deploys = [*deploys, row]
        old = row.release
        site = look(name)
    say(f"Release {new}, after {old}.")
    return deploy(Deployment(site, new, old, deploys, current, proxy, serving), wanted)


def refuse_without_consent(wanted: Wanted) -> None:
    """Raise Refused for a site that an older version of this project started, unless a person agreed."""
    if not wanted.yes:
        raise Refused(
            "This site was started by an older version of this project, and nginx has to be made anew"
            " once: the site is away for some seconds. Agree to that with: bin/deploy --yes"
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
