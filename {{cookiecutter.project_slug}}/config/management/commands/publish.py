from django.core.management.base import BaseCommand

from config import ready
from config.publish import publish


class Command(BaseCommand):
    help = (
        "Hand this version's static files and error pages to nginx. Safe to run again."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--once-ready",
            metavar="HOST",
            nargs="+",
            default=[],
            help="publish nothing unless the containers with these host names serve READY_PAGE of the settings, or /",
        )

    def handle(self, **options):
        for host in options["once_ready"]:
            ready.check(host)
        published, removed = publish()
        self.stdout.write(
            f"Static files: {published} published, {removed} of old releases removed."
        )
