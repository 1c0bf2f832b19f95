"""Show what the containers of the production stack logged, also those that a deploy removed.

bin/logs                            the last 100 lines of all services
bin/logs 3f4a7e6789f45ccb           all lines of the request with this ID, or with one that begins so
bin/logs --service app              lines of one service; can be repeated
bin/logs --since 2h                 lines of the last two hours
bin/logs --save                     keep what is there, before docker compose replaces containers
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from datetime import datetime
from pathlib import Path

from ops import archive, docker, process
from ops.compose import FILE, read_project
from ops.environment import BadVariable, read
from ops.loglines import BadTime, Query, moment, printed, search
from ops.reasons import reason

LAST = 100  # lines, where nothing else is asked for


class Refused(Exception):
    """What was asked for makes no sense; the message is a sentence."""


class Parser(argparse.ArgumentParser):
    """A parser that explains a mistake in one sentence."""

    def error(self, message: str) -> None:
        self.exit(2, f"{message}; {self.prog} --help shows what is possible.\n")


def main(argv: list[str]) -> int:
    """Run bin/logs with these arguments; return its exit status, 1 where no line was found."""
    options = parser().parse_args(argv)
    try:
        return save() if options.save else show(options)
    except (BadTime, BadVariable, Refused, archive.ArchiveFailed) as error:
        print(error, file=sys.stderr)
    except process.CommandFailed as error:
        print(f"The logs cannot be read: {reason(error.output)}", file=sys.stderr)
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 1


def parser() -> Parser:
    """Return the parser of the command line."""
    about, _, examples = __doc__.partition("\n\n")
    made = Parser(
        prog="bin/logs",
        description=about,
        epilog=f"{examples}\nTimes are in the time zone of this machine.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "request_id", nargs="?", default="", help="ID of a request, or its beginning"
    )
    made.add_argument(
        "--service", action="append", default=[], help="only lines of this service"
    )
    made.add_argument(
        "--since", metavar="TIME", default="", help="2h, yesterday, 2026-11-25T10:00"
    )
    made.add_argument(
        "--until", metavar="TIME", default="", help="only lines before this time"
    )
    made.add_argument(
        "--save", action="store_true", help="save the logs of all containers"
    )
    made.add_argument(
        "--follow", action="store_true", help="go on with new lines as they come"
    )
    return made


def show(options: argparse.Namespace) -> int:
    """Print the lines that are asked for, then why some are missing; return the exit status."""
    query = make_query(options)
    stack, services = read_project("latest")
    containers = docker.containers(stack)
    problems: list[Exception] = []
    archives = find_archives(stack, problems)
    known = {*services, *(one.service for one in [*containers, *archives])}
    refuse_unknown(query.services, known)
    if options.request_id in known:
        name = options.request_id
        raise Refused(f"{name} is a service; its lines: bin/logs --service {name}")
    if options.follow:
        follow = ("logs", "--follow", "--tail", str(LAST), *sorted(query.services))
        process.replace("docker", "compose", "--file", FILE, *follow)
    width = max(len(name) for name in query.services or known)
    status = 1
    for line in search(containers, archives, query, problems):
        print(printed(line, width))
        status = 0
    sys.stdout.flush()
    if status and not problems:
        print(nothing_found(query), file=sys.stderr)
    for problem in problems:
        print(problem_sentence(problem), file=sys.stderr)
    return 1 if problems else status


def save() -> int:
    """Save the logs of all containers of the stack, and delete files that are too old or too many."""
    keep_days, keep_mb = archive.limits(read())
    stack, _ = read_project("latest")
    stack_folder = Path("var", stack)
    for note in archive.save(stack_folder, docker.containers(stack)):
        print(note, file=sys.stderr)
    archive.prune(stack_folder, keep_days, keep_mb)
    print(f"The logs are in {archive.folder(stack_folder)}.")
    return 0


def make_query(options: argparse.Namespace) -> Query:
    """Return what was asked for. Raises BadTime and Refused."""
    if not re.fullmatch(r"[\w-]{0,64}", options.request_id, re.ASCII):
        raise Refused(
            f"{options.request_id!r} is not a request ID. A request ID has only letters, digits, - and _."
        )
    if options.follow and (options.request_id or options.since or options.until):
        raise Refused(
            "--follow shows new lines: leave out the request ID, --since and --until."
        )
    now = datetime.now()
    since, until = (
        typed and moment(typed, now) for typed in (options.since, options.until)
    )
    if since and until and since >= until:
        raise Refused("--since must be before --until.")
    everything = options.request_id or since or until
    services = frozenset(options.service)
    return Query(options.request_id, services, since, until, 0 if everything else LAST)


def find_archives(stack: str, problems: list[Exception]) -> list[archive.Archive]:
    try:
        return archive.archives(Path("var", stack))
    except archive.ArchiveFailed as error:
        problems.append(error)
        return []


def refuse_unknown(asked: frozenset[str], known: set[str]) -> None:
    for name in sorted(asked - known):
        raise Refused(
            f"There is no service {name!r}; there are: {', '.join(sorted(known))}."
        )


def nothing_found(query: Query) -> str:
    """Return the sentence for a search without a result."""
    if query.request_id:
        return (
            f"No line has the request ID {query.request_id}. Lines of removed containers are kept "
            "for LOGS_KEEP_DAYS and up to LOGS_KEEP_MB."
        )
    return "No line was logged."


def problem_sentence(problem: Exception) -> str:
    if isinstance(problem, process.CommandFailed):
        return f"The log of container {problem.command[-1][:12]} cannot be read: {reason(problem.output)}"
    return str(problem)
