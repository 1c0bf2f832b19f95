"""Give each request an ID, which is in its response, on error pages and in all its log lines."""

import logging
import re
import uuid
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

current = ContextVar("request_id", default="")

# The IDs that a proxy may choose: they cannot break a log line or a page.
VALID = re.compile(r"[\w-]{1,64}", re.ASCII)


def valid_or_new(given: str) -> str:
    """Return the ID that a proxy gave this request, or a new ID if it gave none or an invalid one."""
    return given if VALID.fullmatch(given) else uuid.uuid4().hex


class RequestIdMiddleware:
    """Take the ID of the request from X-Request-ID, or make a new one, and put it into the response."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = valid_or_new(request.headers.get("X-Request-ID", ""))
        # It stays until the next request, because Django logs a failed response after all middleware has ended.
        current.set(request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Add the ID of the current request, or an empty text, to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        return True
