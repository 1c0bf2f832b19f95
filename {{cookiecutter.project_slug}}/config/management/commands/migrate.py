import time
from contextlib import suppress

from django.core.management import CommandError, call_command
from django.core.management.commands import migrate
from django.db import Error, OperationalError, connections
from psycopg2.errors import LockNotAvailable

# Any number will do, so long as every process that migrates this database takes the same.
LOCK = 6_101_954

# Who asks for a table waits behind a migration that waits for it. So a migration stops waiting after
# some seconds, lets the others pass during a pause, and is tried again.
SECONDS, PAUSE, TRIES = 3, 5, 3

GAVE_UP = (
    "{} could not have a lock that it needs within {} seconds, {} times; nothing of it was kept, and "
    "nobody waited longer for it. Run it again at a quieter moment, or see who holds the lock: "
    'docs/operations.md, "A request that never ends".'
)


class Command(migrate.Command):
    """Django's migrate, one at a time: a second one waits, and then finds nothing left to do.

    A migration does not wait long for a lock. A cache that is a table of the database is made, too.
    """

    waiting_migration = None

    def handle(self, *args, **options):
        """Take the lock of all migrations, migrate, release the lock."""
        self.connection = connections[options["database"]]
        if self.connection.vendor != "postgresql":
            return self.migrate(*args, **options)
        call_command("wait_for_database")
        with self.connection.cursor() as cursor:
            # Not pg_advisory_lock, which waits inside a statement: an index that the first one makes
            # concurrently waits for every statement to end, and so the two would wait for each other.
            while not self.takes_lock(cursor):
                time.sleep(0.5)
            try:
                return self.migrate_with_timeout(*args, **options)
            finally:
                with suppress(Error):  # a connection that was lost has lost the lock too
                    cursor.execute("RESET lock_timeout")
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

    def takes_lock(self, cursor):
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return cursor.fetchone()[0]

    def migrate_with_timeout(self, *args, **options):
        for left in reversed(range(TRIES)):
            try:
                return self.migrate(*args, **options)
            except OperationalError as error:
                if not self.waiting_migration or not isinstance(error.__cause__, LockNotAvailable):
                    raise
            self.stdout.write(f" timed out while it waited for a lock, {left} tries left")
            if left:
                time.sleep(PAUSE)
        raise CommandError(GAVE_UP.format(self.waiting_migration, SECONDS, TRIES))

    def migrate(self, *args, **options):
        super().handle(*args, **options)
        call_command("createcachetable", database=options["database"])

    def migration_progress_callback(self, action, migration=None, fake=False):
        super().migration_progress_callback(action, migration, fake)
        if migration and self.connection.vendor == "postgresql":
            # One that is not atomic would leave a half behind, such as an index that is not valid.
            starts = action in ("apply_start", "unapply_start")
            self.set_lock_timeout(migration if starts and migration.atomic else None)

    def set_lock_timeout(self, migration):
        self.waiting_migration = migration
        with self.connection.cursor() as cursor:
            cursor.execute("SET lock_timeout TO %s", [f"{SECONDS}s" if migration else "0"])
