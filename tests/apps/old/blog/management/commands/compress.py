from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = 'Makes a static file from others, as build tools do.'

    def handle(self, **options):
        changes = (settings.BASE_DIR / 'CHANGELOG.md').read_text()
        (settings.BASE_DIR / 'static/made.css').write_text('/* %s */' % changes)
