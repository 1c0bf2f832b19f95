"""The home page: in production a short welcome, in development a report of what works.

To have a home page of your own, delete this file, templates/home.html and the line for it in
config/urls.py. Nothing else knows about them.
"""

import platform
from pathlib import Path
from typing import NamedTuple

import django
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.mail import mailers
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import pluralize
from django.views.decorators.http import require_safe

from config.health import pending_migrations


class Check(NamedTuple):
    """One row of the report: what was found, and what the reader can do or type."""

    name: str
    state: str  # works, does not work, note
    detail: str
    advice: str = ""
    command: str = ""


@require_safe
@transaction.non_atomic_requests  # else ATOMIC_REQUESTS needs the database before the page begins
def home(request: HttpRequest) -> HttpResponse:
    """Return the home page with status 200, whatever the checks find."""
    checks = run_checks() if settings.DEBUG else []
    failures = sum(check.state == "does not work" for check in checks)
    return render(request, "home.html", {"checks": checks, "failures": failures})


def run_checks() -> list[Check]:
    """Try each part of the stack now and return one row for each, also where trying it raises."""
    checks = []
    start = "Start it; if it stops again, docker compose logs postgres says why:"
    for check, name, advice, command in (
        (check_database, "Database", start, "docker compose up -d --wait postgres"),
        (
            check_static_files,
            "Static files",
            "Look at STATICFILES_DIRS in config/settings.py.",
            "",
        ),
        (
            check_mail,
            "Mail",
            "Make the folder yours:",
            'sudo chown -R "$(id -u):$(id -g)" mail',
        ),
        (check_versions, "Versions", "", ""),
    ):
        try:
            checks.append(Check(name, *check()))
        except Exception as error:  # noqa: BLE001 - the page that shows faults survives them all
            detail = next(iter(str(error).splitlines()), "") or type(error).__name__
            checks.append(Check(name, "does not work", detail, advice, command))
    return checks


# Each check returns the fields of its row after the name, and raises where its part is broken.


def check_database() -> tuple[str, ...]:
    """Ask the database for its version and for the migrations that it has not had."""
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            "SHOW server_version" if postgresql else "SELECT sqlite_version()"
        )
        server = f"{connection.display_name} {cursor.fetchone()[0].split()[0]}"
    pending = pending_migrations()
    if not pending:
        return "works", f"{server} answers, and all migrations have run."
    detail = (
        f"{server} answers, with {pending} migration{pluralize(pending)} still to run."
    )
    return (
        "does not work",
        detail,
        "Run what waits:",
        "docker compose run --rm manage migrate",
    )


def check_static_files() -> tuple[str, ...]:
    """Look for site.css with the finders that serve static files."""
    if not finders.find("site.css"):
        raise FileNotFoundError("Django does not find site.css.")
    return "works", "Django finds site.css, and your browser uses it."


def check_mail() -> tuple[str, ...]:
    """Look where mail goes: the file backend makes its folder, and raises if it cannot write."""
    mailer = mailers.default
    send = "Send one:", "docker compose run --rm manage sendtestemail you@example.com"
    if not hasattr(mailer, "file_path"):
        return "note", f"Messages leave through {type(mailer).__module__}.", *send
    folder = Path(mailer.file_path)
    messages = sorted(folder.glob("*.log"))
    newest = (
        f"Read the newest: {messages[-1].name}"
        if messages
        else "Each becomes a file there."
    )
    count = f"{len(messages)} message{pluralize(messages)}"
    return "works", f"{count} in {folder.name}/. {newest}", *send


def check_versions() -> tuple[str, ...]:
    """Name what runs this page."""
    return (
        "note",
        f"Python {platform.python_version()}, Django {django.__version__}, DEBUG is on.",
    )
