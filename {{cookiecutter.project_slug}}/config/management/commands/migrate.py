import time
from contextlib import closing, contextmanager, suppress

from django.core.management import CommandError, call_command
from django.core.management.commands import migrate
from django.db import Error, OperationalError, connections
from django.db.backends.postgresql.psycopg_any import errors

# Any number will do, as long as every process that migrates this database takes the same.
LOCK = 6_101_954
# Seconds to wait for another process that migrates.
DEFAULT_WAIT_SECONDS = 300

# A query that needs a table waits behind a migration that waits for the same table. So a migration stops
# waiting after some seconds, lets the queries pass during a pause, and is tried again.
LOCK_TIMEOUT_SECONDS, PAUSE_SECONDS, ATTEMPTS = 3, 5, 3

HOLDERS = """
SELECT concat_ws(' ', 'process', pid, 'of', usename, application_name, 'at', coalesce(host(client_addr), 'a socket'))
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND granted AND datname = current_database()
"""

GAVE_UP = (
    "{} waited {} seconds for a lock, {} times, and was rolled back. Run migrate again at a quieter "
    'moment, or see who holds the lock: docs/operations.md, "A request that never ends".'
)
STILL_HELD = (
    "Nothing was migrated, because another migrate did not end within {} seconds: {} holds the lock of all "
    'migrations. If that process hangs, end it: docs/operations.md, "A request that never ends".'
)


class Command(migrate.Command):
    """Django's migrate, one at a time: a second migrate waits for the first, and then finds nothing left to do.

    A migration does not wait long for a lock. The tables of database caches are created, too.
    """

    current_migration = None

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "--wait",
            type=int,
            metavar="SECONDS",
            default=DEFAULT_WAIT_SECONDS,
            help=f"how long to wait for another process that migrates; {DEFAULT_WAIT_SECONDS} if not given",
        )

    def handle(self, *args, **options):
        """Take the lock of all migrations, migrate, release the lock."""
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            return self.migrate(*args, **options)
        call_command("wait_for_database")
        with self.locked(connection, options["wait"]), lock_timeout(connection):
            return self.migrate_with_timeout(*args, **options)

    @contextmanager
    def locked(self, connection, seconds):
        """Hold the lock of all migrations. Raises CommandError where another process holds it for too long.

        A transaction of a second connection holds the lock. Behind PgBouncer, sessions are shared, so a
        session cannot hold it. An index that is made concurrently waits only for transactions that read.
        """
        end = time.monotonic() + seconds
        is_announced = False
        with closing(connection.copy()) as holder:
            holder.set_autocommit(False)
            while other := self.take_lock(holder):
                holder.rollback()
                if time.monotonic() > end:
                    raise CommandError(STILL_HELD.format(seconds, other))
                if not is_announced:
                    self.stdout.write(f"Waiting for another migrate: {other}")
                    is_announced = True
                time.sleep(0.5)
            yield
            with suppress(Error):  # a connection that was lost has lost the lock too
                holder.rollback()

    def take_lock(self, holder):
        """Return who holds the lock of all migrations, or nothing when this transaction holds it now."""
        with holder.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if cursor.fetchone()[0]:
                return ""
            cursor.execute(HOLDERS, [LOCK])
            return (
                ", ".join(row[0] for row in cursor.fetchall())
                or "a process that ended just now"
            )

    def migrate_with_timeout(self, *args, **options):
        for left in reversed(range(ATTEMPTS)):
            try:
                return self.migrate(*args, **options)
            except OperationalError as error:
                timed_out = isinstance(error.__cause__, errors.LockNotAvailable)
                if not (
                    timed_out
                    and self.current_migration
                    and self.current_migration.atomic
                ):
                    raise
            self.stdout.write(
                f" timed out while it waited for a lock, {left} tries left"
            )
            if left:
                time.sleep(PAUSE_SECONDS)
        raise CommandError(
            GAVE_UP.format(self.current_migration, LOCK_TIMEOUT_SECONDS, ATTEMPTS)
        )

    def migrate(self, *args, **options):
        super().handle(*args, **options)
        if not (options["plan"] or options["check_unapplied"]):  # these only look
            call_command(
                "createcachetable",
                database=options["database"],
                verbosity=options["verbosity"],
                stdout=self.stdout,
            )

    def migration_progress_callback(self, action, migration=None, fake=False):
        super().migration_progress_callback(action, migration, fake)
        if migration:
            self.current_migration = migration


@contextmanager
def lock_timeout(connection):
    """Let each migration wait LOCK_TIMEOUT_SECONDS for a lock, unless it is not atomic: a timeout would leave it half applied.

    SET LOCAL ends with the transaction, also behind PgBouncer, where a session's settings would stay.
    """
    usual = connection.SchemaEditorClass

    class SchemaEditor(usual):
        def __enter__(self):
            super().__enter__()
            if self.atomic_migration:
                self.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
            return self

    connection.SchemaEditorClass = SchemaEditor
    try:
        yield
    finally:
        connection.SchemaEditorClass = usual
