"""The error pages. They need no user, no database and no base.html, because any of these may be what fails.

The pages are in config/templates/. To replace one, write a page with the same name, such as 404.html, into templates/.
"""

import logging
import sys
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.template.loader import render_to_string

from config import request_id

logger = logging.getLogger(__name__)

# Seconds after which a client may try again while the database is away.
RETRY_AFTER = 10

# Renders the pages of config/templates/, whatever the project has in templates/.
PLAIN = Engine(
    dirs=[Path(__file__).parent / "templates"],
    libraries={"static": "django.templatetags.static"},
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400 for what Django refuses, such as a host name that is not the site's."""
    return HttpResponse(page(400, request_id.current.get()), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 503 while the database is away, full or overloaded, and 500 for every other exception.

    Django calls this while it handles the exception.
    """
    away = isinstance(sys.exception(), (OperationalError, InterfaceError))
    status, headers = (503, {"Retry-After": RETRY_AFTER}) if away else (500, {})
    return HttpResponse(page(status, request_id.current.get()), status=status, headers=headers)


def page(status: int, request_id: str, **context: str) -> str:
    """Return the page for this status, with the request ID in it.

    A page of your own may need a request, and there is none here. Then the log names that page, and the
    plain page is returned.
    """
    name = f"{status}.html"
    context |= {"site_name": settings.SITE_NAME, "request_id": request_id}
    try:
        return render_to_string(name, context)
    except Exception as error:  # whatever a template can raise
        logger.error(
            "templates/%s cannot be rendered without a request (%s: %s), so the plain page is used.",
            name,
            type(error).__name__,
            error,
        )
        return PLAIN.get_template(name).render(Context(context))
