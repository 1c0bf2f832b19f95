import time

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection


class Command(BaseCommand):
    help = "Wait until the database answers; give up after --timeout seconds."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--timeout", type=int, default=60, help="seconds, 60 if not given")

    def handle(self, *, timeout, **options):
        end = time.monotonic() + timeout
        while True:
            try:
                return connection.ensure_connection()
            except OperationalError as error:
                if time.monotonic() > end:
                    reason = str(error).strip().replace("\n", " ")
                    raise CommandError(f"No database after {timeout} seconds: {reason}") from None
            time.sleep(0.5)
