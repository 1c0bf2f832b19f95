from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = 'Makes a source of static files from others, as a compiler of Sass does.'

    def handle(self, **options):
        changes = (settings.BASE_DIR / 'CHANGELOG.md').read_text()
        (settings.BASE_DIR / 'static/made.css').write_text('/* %s */' % changes)
