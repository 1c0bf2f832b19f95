"""The stack's own database: read it, and judge it."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

from ops.docker import execute
from ops.doctor.findings import Finding, note, ok, unseen, wrong
from ops.doctor.seen import Configuration, Database, Machine, Stack
from ops.process import CommandFailed

SECONDS = 20
FOLDER = "/var/lib/postgresql"
# By the service's name, because from 127.0.0.1 the database asks for no password. The first line of stdin
# is the password, the rest is for psql.
ASK = (
    "IFS= read -r PGPASSWORD; export PGPASSWORD PGCONNECT_TIMEOUT=5;"
    ' exec psql --host=postgres --username="$0" --dbname="$1" --no-psqlrc --quiet --tuples-only --no-align'
)
# Tables that migrations fill do not count as filled.
QUERY = r"""
SELECT to_regclass('django_migrations') IS NOT NULL AS migrated \gset
\if :migrated
SELECT count(*) AS migrations, coalesce(to_char(min(applied) AT TIME ZONE 'UTC', 'YYYYMMDD-HH24MISS'), '') AS first
FROM django_migrations \gset
\else
\set migrations -1
\set first ''
\endif
SELECT json_build_object(
  'major', (current_setting('server_version_num')::int / 10000)::text,
  'size', pg_database_size(current_database()),
  'migrations', :migrations,
  'first_migration', :'first',
  'filled_tables', (
    SELECT count(*) FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
    AND table_name NOT IN ('django_migrations', 'django_content_type', 'auth_permission', 'django_site',
      'cache')
    AND query_to_xml(format('SELECT 1 FROM %I.%I LIMIT 1', table_schema, table_name), false, true, '')::text <> ''
  )
);
"""


def read_database(configuration: Configuration, container: str) -> Database:
    """Ask the database in this container, with the password that the files say."""
    user = configuration.value("POSTGRES_USER") or "postgres"
    name = configuration.value("POSTGRES_DB") or user
    stdin = f"{configuration.value('POSTGRES_PASSWORD')}\n{QUERY}"
    try:
        printed = execute(
            container, "sh", "-c", ASK, user, name, stdin=stdin, timeout=SECONDS
        )
        return Database(**json.loads(printed))
    except CommandFailed as failed:
        return Database(error=failed.output.strip() or "It printed nothing.")
    except (ValueError, TypeError):
        return Database(error=f"psql printed {printed.strip()[:100]}")


def volume_of(configuration: Configuration) -> str:
    """Return the name of the volume in which the database keeps its files, or ""."""
    volumes = configuration.said.get("volumes") or {}
    mounts = configuration.said["services"].get("postgres", {}).get("volumes") or ()
    for mount in mounts:
        if mount["type"] == "volume" and mount["target"].startswith(FOLDER):
            return volumes.get(mount.get("source"), {}).get("name", "")
    return ""


def wanted_major(configuration: Configuration) -> str:
    """Return the major version of PostgreSQL in the image that the files name, or ""."""
    service = configuration.services.get("postgres")
    found = re.match(r"(\d+)", service.tag) if service else None
    return found[1] if found else ""


def check_database(stack: Stack, machine: Machine) -> list[Finding]:
    """Does the volume fit the image, and does the database take the password and have its tables?"""
    configuration = stack.configuration
    volume, wanted = volume_of(configuration), wanted_major(configuration)
    if "postgres" not in configuration.services:
        return []
    if not volume:  # its files are in a folder of the owner's
        return [check_password(stack, volume), *check_content(stack)]
    if volume not in machine.volumes:
        return [
            ok(
                stack.name,
                "the database has no volume yet: the first start makes one, with the password in .env",
            )
        ]
    major = (stack.database.major if stack.database else "") or stack.volume_major
    if major and wanted and major != wanted:
        return [other_major(configuration, volume, major, wanted)]
    fits = ok(stack.name, f"the volume {volume} fits PostgreSQL {wanted}")
    if not major:
        fits = unseen(stack.name, f"the volume {volume}: no container could read it")
    return [fits, check_password(stack, volume), *check_content(stack)]


def check_password(stack: Stack, volume: str) -> Finding:
    """Does the database take the password that .env has?"""
    configuration, database = stack.configuration, stack.database
    what = "the database's password"
    if configuration.database_is_elsewhere:
        return ok(stack.name, "DATABASE_URL names another database")
    if not configuration.value("POSTGRES_PASSWORD"):
        return unseen(stack.name, f"{what}: .env does not have it")
    if not database:
        return unseen(stack.name, f"{what}: the database is not running")
    if not database.error:
        return ok(
            stack.name,
            f"the database takes the password, and has {database.size / 1e6:.0f} MB",
        )
    lines = database.error.splitlines()
    if "password authentication failed" not in database.error:
        return wrong(
            stack.name,
            "the database does not respond",
            lines[-1],
            f"{configuration.command} logs --tail 50 postgres",
        )
    return refused(stack, volume)


def refused(stack: Stack, volume: str) -> Finding:
    """Say how the database and .env can have the same password again."""
    configuration = stack.configuration
    user, say = configuration.value("POSTGRES_USER"), configuration.command
    why = (
        "Its volume keeps the password that it was first used with. Put that one back in .env, or set this one"
        " in the database."
    )
    alter = f"{say} exec postgres psql --username {user} --command \"ALTER ROLE {user} PASSWORD '…'\""
    deploy = (
        "bin/deploy"
        if stack.name == "production" and Path("bin/deploy").exists()
        else ""
    )
    commands = [
        alter,
        f"{deploy or f'{say} up -d --wait'}  # until then the app cannot connect",
    ]
    if volume and not stack.releases:
        commands.append(
            "# Or, if you need nothing of what is in it, remove the volume:"
        )
        commands.append(f"{say} down && docker volume rm {volume}")
    return wrong(
        configuration.stack, "the database refuses the password", why, *commands
    )


def other_major(
    configuration: Configuration, volume: str, made: str, wanted: str
) -> Finding:
    say, user = configuration.command, configuration.value("POSTGRES_USER")
    database = configuration.value("POSTGRES_DB") or user
    return wrong(
        configuration.stack,
        f"the volume {volume} is of PostgreSQL {made}, and the image of {wanted}",
        "Neither can read the other's files. Put the old image back, or dump with it and restore with the new.",
        f"# Put {made} back: image postgres:{made}-trixie, volume postgres:{mount_point(made)}.",
        f"# Or dump with {made}, remove the volume, set image postgres:{wanted}-trixie and volume"
        f" postgres:{mount_point(wanted)}, and restore:",
        f"{say} exec -T postgres pg_dump --username {user} {database} >dump.sql",
        f"{say} down && docker volume rm {volume}",
        f"{say} up -d --wait postgres && {say} exec -T postgres psql --username {user} {database} <dump.sql",
    )


def mount_point(major: str) -> str:
    """Return where the image of a major version has its volume."""
    return FOLDER if int(major) >= 18 else f"{FOLDER}/data"


def check_content(stack: Stack) -> list[Finding]:
    """Has the database of a site that was deployed before its tables and its data?"""
    database, releases = stack.database, stack.releases
    if (
        not database
        or database.error
        or not releases
        or stack.configuration.database_is_elsewhere
    ):
        return []
    why = (
        f"Release {releases[0]} of this site is on this machine, so its database should have data."
        " Is the volume the right one?"
    )
    if database.migrations < 1:
        migrate = f"{stack.configuration.command} run --rm release"
        return [
            wrong(
                stack.name, "the database is empty: it has no migrations", why, migrate
            )
        ]
    if is_newer(database.first_migration, releases):
        what = f"the database was made at {database.first_migration}, after the last deploy"
        restore = "# Restore a backup. If you wanted a new database: the next deploy ends this finding."
        return [wrong(stack.name, what, why, "docker volume ls", restore)]
    if not database.filled_tables:
        return [note(stack.name, "the database has tables and no data", why)]
    return []


def is_newer(first_migration: str, releases: tuple[str, ...]) -> bool:
    """Whether the database was made after the newest release. The first deploy makes it, in an hour at most."""
    times = [
        datetime.strptime(text, "%Y%m%d-%H%M%S")
        for text in (first_migration, releases[0])
    ]
    tolerance = timedelta(hours=1 if len(releases) == 1 else 0)
    return times[0] > times[1] + tolerance
