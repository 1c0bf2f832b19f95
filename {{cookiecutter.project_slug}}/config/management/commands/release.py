from django.core.management import call_command
from django.core.management.base import BaseCommand
{%- if cookiecutter.proxy != "none" %}

from config.publish import name_release
{%- endif %}


class Command(BaseCommand):
    help = (
        "Make this version ready to serve: check the settings, migrate, and publish what it needs "
        "beside the application. Safe to run again, and twice at the same time."
    )
{%- if cookiecutter.proxy != "none" %}

    def add_arguments(self, parser):
        parser.add_argument(
            "--keep-current",
            action="store_true",
            help="check and migrate only: the release that serves now keeps the requests until bin/deploy moves them",
        )
{%- endif %}

    def handle(self, **options):
        call_command("check", deploy=True, fail_level="WARNING")
        call_command("migrate", interactive=False)
{%- if cookiecutter.proxy != "none" %}
        if not options["keep_current"]:
            call_command("publish", stdout=self.stdout)
            name_release()
{%- endif %}
