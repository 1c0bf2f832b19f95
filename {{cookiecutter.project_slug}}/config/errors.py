"""The error pages that need no user and no database: they come when something is wrong with these."""

import sys

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from config import request_id

# Seconds after which a browser, or a program, may try again while the database is away.
RETRY_AFTER = 10


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses, such as a host name that is not the site's, with 400."""
    return HttpResponse(page(400, request_id.current.get()), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer with 503 while the database is away, full or overloaded, and else with 500.

    Django calls this while it handles the exception.
    """
    away = isinstance(sys.exception(), (OperationalError, InterfaceError))
    status, headers = (503, {"Retry-After": RETRY_AFTER}) if away else (500, {})
    return HttpResponse(page(status, request_id.current.get()), status=status, headers=headers)


def page(status: int, request_id: str) -> str:
    """Return the page for this status, with the number of the request in it."""
    context = {"site_name": settings.SITE_NAME, "request_id": request_id}
    return render_to_string(f"{status}.html", context)
