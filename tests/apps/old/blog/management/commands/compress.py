from django.conf import settings
from django.core.management.base import BaseCommand
from django.templatetags.static import static


class Command(BaseCommand):
    help = 'Makes one file of those that were collected, by their URLs, as django-compressor does.'

    def handle(self, **options):
        name = static('old.css').removeprefix(settings.STATIC_URL)
        folder = settings.STATIC_ROOT / 'CACHE'
        folder.mkdir()
        (folder / 'all.css').write_text((settings.STATIC_ROOT / name).read_text())
