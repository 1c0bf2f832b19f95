"""bin/deploy: put a new version into service without failing a request, or go back to the old one."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from ops import archive, environment
from ops.deploy import history, releases
from ops.deploy.current import find_current
from ops.deploy.deployment import Deployment
from ops.deploy.flow import Wanted, deploy
from ops.deploy.history import SERVES, Deploy
from ops.deploy.interruption import Interrupted, catch_signals
from ops.deploy.listing import table
from ops.deploy.lock import locked
from ops.deploy.report import say
from ops.deploy.site import (
    Refused,
    Site,
    last_line,
    look,
    look_at_docker,
    look_at_files,
    refuse_another_network,
    refuse_what_cannot_be_deployed,
    refuse_windows_line_endings,
    running_nginx,
    state_folder,
)
from ops.docker import Container
from ops.process import CommandFailed

DESCRIPTION = """\
Put a new version into service without failing a request. When it does not become ready, the old
version goes on serving, and the exit status is 1. docs/deploy.md describes each step.
"""


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="bin/deploy", description=DESCRIPTION, allow_abbrev=False
    )
    what = options.add_mutually_exclusive_group()
    what.add_argument(
        "--image",
        metavar="NAME",
        help="deploy a release of --list, or an image of a registry",
    )
    what.add_argument(
        "--previous",
        action="store_true",
        help="deploy the release before this one (bin/rollback)",
    )
    what.add_argument(
        "--list", action="store_true", help="show the last deploys, and change nothing"
    )
    options.add_argument(
        "--pull",
        action="store_true",
        help="build on the newest base images, with security updates",
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
    if options.pull and (options.previous or options.list or options.image is not None):
        parser().error(
            "--pull is for a deploy that builds: not with --image, --previous or --list"
        )
    catch_signals()
    try:
        return run(options)
    except Refused as refused:
        print(" ".join(str(refused).split()), file=sys.stderr)
    except CommandFailed as failed:
        print(f"A Docker command failed: {last_line(failed)}", file=sys.stderr)
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
        print(
            table(
                site, history.read(state_folder(site.stack)), find_current(site).image
            )
        )
        return 0
    refuse_what_cannot_be_deployed(site)
    refuse_bad_limits()
    refuse_a_folder_that_cannot_be_written(state_folder(site.stack))
    with locked(site.stack):
        site = look_at_docker(site)
        refuse_another_network(site)
        return start_or_deploy(site, name, options)


def start_or_deploy(site: Site, name: str, options: argparse.Namespace) -> int:
    """Deploy next to what serves, or start everything when nothing serves."""
    deploys = history.read(state_folder(site.stack))
    current = find_current(site)
    if current.image and not current.has_links:
        refuse_without_consent(options.yes)
    if not current.has_links:
        wanted = what_is_wanted(site, deploys, options, "")
        new = wanted.release or name
        before = "nginx is recreated" if current.image else "nothing serves yet"
        say(f"Release {new}, {before}.")
        return deploy(Deployment(site, new, "", deploys), wanted)
    serving = current.containers
    refuse_another_folder(serving[0], options.yes)
    old = releases.release_of_image(
        site, current.image, releases.order_releases(site, deploys)
    )
    if not old:
        old = releases.name_untagged(site, serving[0])
        site = look(name)
    if history.served_releases(deploys)[:1] != [old]:
        deploys.append(
            Deploy(old, history.moment(serving[0].created), "unknown", "", "up", SERVES)
        )
        history.append(state_folder(site.stack), deploys[-1])
    wanted = what_is_wanted(site, deploys, options, old)
    new = wanted.release or name
    say(f"Release {new}, after {old}.")
    proxy = running_nginx(site)
    return deploy(
        Deployment(site, new, old, deploys, current.links, proxy, serving), wanted
    )


def what_is_wanted(
    site: Site, deploys: list[Deploy], options: argparse.Namespace, current: str
) -> Wanted:
    """Return what a person asked for. Raises Refused for a release that is not here."""
    if options.previous:
        before = [
            name for name in releases.order_releases(site, deploys) if name != current
        ]
        if not before:
            what = "before the one that serves" if current else "that has served"
            raise Refused(
                f"There is no release here {what}; bin/deploy --list shows all."
            )
        return Wanted("rollback", before[0], options.yes, pull=False)
    if options.image is not None:
        releases.check_wanted(site, options.image)
        image = releases.known_release(site, deploys, options.image)
        return Wanted("image", image, options.yes, pull=False)
    return Wanted("deploy", "", options.yes, options.pull)


def refuse_without_consent(agreed: bool) -> None:
    """Raise Refused for a site that an older version of this project started, unless a person agreed."""
    if not agreed:
        raise Refused(
            "This site was started by an older version of this project. nginx must be recreated once; the"
            " site is unavailable for some seconds. To continue, run: bin/deploy --yes"
        )


def refuse_another_folder(serving: Container, agreed: bool) -> None:
    """Raise Refused where another folder's deploys made the site, unless a person agreed.

    A clone for a second site, without a STACK_NAME of its own, would replace the first site.
    """
    # Compose writes the folder as it was typed, with symbolic links in it.
    if serving.folder and Path(serving.folder).resolve() != Path.cwd() and not agreed:
        raise Refused(
            f"This site was deployed from {serving.folder}, not from this folder. For a second site, set"
            " another STACK_NAME in .env. To deploy this site from here from now on, run: bin/deploy --yes"
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
