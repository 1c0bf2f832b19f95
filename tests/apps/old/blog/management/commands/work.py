import time
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def handle(self, **options):
        print('working', flush=True)
        while True:
            time.sleep(1)
