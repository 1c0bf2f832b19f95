import time

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

WRONG_PASSWORD = (
    "The database refuses the password: it keeps the one that its volume was first used with. "
    "Put that one back, or change it in the database too; README.md says how, under Settings."
)


class Command(BaseCommand):
    help = "Wait until the database answers; give up after --timeout seconds."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument(
            "--timeout", type=int, default=60, help="seconds, 60 if not given"
        )

    def handle(self, *, timeout, **options):
        end = time.monotonic() + timeout
        while True:
            try:
                return connection.ensure_connection()
            except OperationalError as error:
                reason = str(error).strip().replace("\n", " ")
            if "password authentication failed" in reason:
                raise CommandError(WRONG_PASSWORD)
            if time.monotonic() > end:
                raise CommandError(f"No database after {timeout} seconds: {reason}")
            time.sleep(0.5)
