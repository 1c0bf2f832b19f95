import os
from http.client import HTTPConnection

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

# Django does not serve the site's own host name: the settings are wrong, whatever the page is.
BAD_REQUEST = 400
SERVER_ERROR = 500


class Command(BaseCommand):
    help = (
        "Check that the server in this container can take over the site: the project has no errors, the "
        "database is ready, and the home page is served as nginx would request it. READY_PAGE in the "
        "settings names another page."
    )

    def handle(self, **options):
        status, text = request("/readyz")
        if status != 200:
            raise CommandError(f"/readyz responds {status}: {text}")
        page = getattr(settings, "READY_PAGE", "/")
        status, text = request(page)
        # A page that asks for a login (401, 403, a redirect) works; so does an API without a page here.
        if status == BAD_REQUEST or status >= SERVER_ERROR:
            raise CommandError(f"{page} responds {status} {text}".strip())
        self.stdout.write("Ready.")


def request(path: str) -> tuple[int, str]:
    """Return the status of the server's response, and its text where that is one line."""
    connection = HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=60)
    host = settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"
    connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "https"})
    response = connection.getresponse()
    text = response.read().decode(errors="replace").strip()
    return response.status, "" if "\n" in text else text
