import os
from http.client import HTTPConnection

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

# What a new version must show before bin/deploy sends it visitors.
PAGES = ("/readyz", "/")


class Command(BaseCommand):
    help = (
        "Say whether the server in this container may have visitors: the project has no errors, and "
        "each of PAGES is shown. It asks as nginx does."
    )

    def handle(self, **options):
        for path in PAGES:
            status, text = ask(path)
            if not 200 <= status < 400:
                raise CommandError(f"{path} answers {status} {text}".strip())
        self.stdout.write("Ready.")


def ask(path: str) -> tuple[int, str]:
    """Return the status of the server's answer, and its text where that is one line."""
    connection = HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=60)
    host = settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"
    connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "https"})
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace").strip()
    return answer.status, "" if "\n" in text else text
