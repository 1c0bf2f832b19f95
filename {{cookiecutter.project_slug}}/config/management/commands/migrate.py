from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connections

# Any number will do, so long as every process that migrates this database takes the same.
LOCK = 6_101_954


class Command(migrate.Command):
    """Django's migrate, one at a time: a second one waits, and then finds nothing left to do.

    A cache that is a table of the database is made, too.
    """

    def handle(self, *args, **options):
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            return self.migrate(*args, **options)
        call_command("wait_for_database")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                return self.migrate(*args, **options)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

    def migrate(self, *args, **options):
        super().handle(*args, **options)
        call_command("createcachetable", database=options["database"])
