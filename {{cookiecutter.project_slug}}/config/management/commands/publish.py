from django.core.management.base import BaseCommand

from config.publish import publish


class Command(BaseCommand):
    help = "Hand this version's static files and error pages to nginx. Safe to run again."

    def handle(self, **options):
        published, removed = publish()
        self.stdout.write(
            f"Static files: {published} published, {removed} of old releases removed."
        )
