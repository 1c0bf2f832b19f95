"""A number for each request, by which its lines are found in all logs, and its visitor's question too."""

import logging
import re
import uuid
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

current = ContextVar("request_id", default="")

# What a proxy may choose: nothing that could break a line of a log or a page.
GIVEN = re.compile(r"[\w-]{1,64}", re.ASCII)


def chosen(given: str) -> str:
    """Return the number that a proxy gave this request, or one of our own where it gave none."""
    return given if GIVEN.fullmatch(given) else uuid.uuid4().hex


class RequestIdMiddleware:
    """Take over the request's number from X-Request-ID, or make one, and put it into the answer."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = chosen(request.headers.get("X-Request-ID", ""))
        # It stays until the next request: Django logs a bad answer after all middleware has ended.
        current.set(request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Add the number of the request that is being answered, or an empty text, to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        return True
