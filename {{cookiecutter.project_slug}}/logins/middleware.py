import math

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from config import errors, request_id
from logins import limits
from logins.tries import Tries, current


class LoginLimitMiddleware:
    """Counts the passwords that a request tries, and responds with 429 where one was refused."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Never a header, which a client can forge: REMOTE_ADDR is the client behind trusted proxies.
        tries = Tries(limits.network_of(request.META.get("REMOTE_ADDR", "")))
        current.set(tries)
        try:
            response = self.get_response(request)
        finally:
            current.set(None)
        limits.save(tries.failures)
        return too_many(request, tries) if tries.refused_until else response


def too_many(request: HttpRequest, tries: Tries) -> HttpResponse:
    """Say when to try again: with the site's page, or in JSON to a client that prefers it."""
    left = tries.refused_until - timezone.now()
    seconds = max(1, math.ceil(left.total_seconds()))
    minutes = math.ceil(seconds / 60)
    wait = f"{minutes} minutes" if minutes > 1 else "a minute"
    headers = {"Retry-After": seconds}
    if (
        request.get_preferred_type(["text/html", "application/json"])
        == "application/json"
    ):
        detail = f"Too many failed logins. Please try again in {wait}."
        return JsonResponse({"detail": detail}, status=429, headers=headers)
    page = errors.page(429, request_id.current.get(), wait=wait)
    return HttpResponse(page, status=429, headers=headers)
