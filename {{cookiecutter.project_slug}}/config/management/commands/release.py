from django.core.management import call_command
from django.core.management.base import BaseCommand
{%- if cookiecutter.proxy != "none" %}

from config.publish import publish
{%- endif %}


class Command(BaseCommand):
    help = (
        "Make this version ready to serve: check the settings, migrate, and hand over what it needs "
        "beside the application. Safe to run again, and twice at the same time."
    )

    def handle(self, **options):
        call_command("check", deploy=True, fail_level="WARNING")
        call_command("migrate", interactive=False)
{%- if cookiecutter.proxy != "none" %}
        published, removed = publish()
        self.stdout.write(
            f"Static files: {published} published, {removed} of old releases removed."
        )
{%- endif %}
