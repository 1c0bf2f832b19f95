"""The error pages. They need no user, no database and no base.html, because any of these may be what fails.

The pages are in config/templates/. To replace one, write a page with the same name, such as 404.html, into templates/.
"""

import errno
import logging
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import (
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.template.loader import render_to_string

from config import request_id

logger = logging.getLogger(__name__)

# Seconds after which a client may try again while the database is away or a disk is full.
RETRY_AFTER = 10

TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)

# Renders the pages of config/templates/, whatever the project has in templates/.
PLAIN = Engine(
    dirs=[Path(__file__).parent / "templates"],
    libraries={"static": "django.templatetags.static"},
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 413 for what is too large for memory and for forms with too many fields or files.

    Return 400 for everything else that Django refuses, such as a host name that is not the site's.
    """
    status = 400
    if isinstance(exception, TOO_LARGE):
        status = 413
        delete_uploads(request, exception)
    return HttpResponse(page(status, request_id.current.get()), status=status)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 503 while the database is away or overloaded or a disk is full, and 500 for every other exception.

    Django calls this while it handles the exception.
    """
    exception = sys.exception()
    status, headers = (
        (503, {"Retry-After": RETRY_AFTER}) if will_pass(exception) else (500, {})
    )
    if isinstance(exception, OSError):
        delete_uploads(request, exception)
    return HttpResponse(
        page(status, request_id.current.get()), status=status, headers=headers
    )


def will_pass(exception: BaseException | None) -> bool:
    """Return whether the same request may succeed later, without a change to the code."""
    if isinstance(exception, OSError):
        return exception.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(exception, (OperationalError, InterfaceError))


def delete_uploads(request: HttpRequest, exception: BaseException) -> None:
    """Delete the temporary files of a form that could not be read to its end.

    Django would delete them when Python collects garbage, and until then a full disk would stay full.
    """
    for handler in request.upload_handlers:
        with suppress(OSError):  # what it has not yet written does not fit either
            handler.upload_interrupted()
    # The files before the last one are in the local variables of the parser.
    traceback.clear_frames(exception.__traceback__)


def page(name: int | str, request_id: str, **context: str) -> str:
    """Return the error page of this name, which is a status for most, with the request ID in it.

    A page of your own may need a request, and there is none here. Then the log names that page, and the
    plain page is returned.
    """
    file = f"{name}.html"
    context |= {"site_name": settings.SITE_NAME, "request_id": request_id}
    try:
        return render_to_string(file, context)
    except Exception as error:  # whatever a template can raise
        logger.error(
            "templates/%s cannot be rendered without a request (%s: %s), so the plain page is used.",
            file,
            type(error).__name__,
            error,
        )
        return PLAIN.get_template(file).render(Context(context))
