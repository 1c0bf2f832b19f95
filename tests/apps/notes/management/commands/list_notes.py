from django.core.management.base import BaseCommand
from notes.models import Note


class Command(BaseCommand):
    help = "List all notes."

    def add_arguments(self, parser):
        parser.add_argument("titles", nargs="*", type=str)

    def handle(self, *args, **options):
        for note in Note.objects.all():
            print(note.title)
