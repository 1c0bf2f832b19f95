from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Make this version ready to serve: check the settings, migrate, and hand over what it needs "
        "beside the application. Safe to run again, and twice at the same time."
    )
{%- if cookiecutter.proxy != "none" %}

    def add_arguments(self, parser):
        parser.add_argument(
            "--without-static",
            action="store_true",
            help="leave static files to `publish`, for when it is sure that this version will serve",
        )
{%- endif %}

    def handle(self, **options):
        call_command("check", deploy=True, fail_level="WARNING")
        call_command("migrate", interactive=False)
{%- if cookiecutter.proxy != "none" %}
        if not options["without_static"]:
            call_command("publish", stdout=self.stdout)
{%- endif %}
