"""Responses for health checks, such as Docker's or a load balancer's."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse


class HealthMiddleware:
    """Serve /healthz (this process responds) and /readyz (the database responds, and it is migrated).

    A middleware, because views come after the checks of host name and HTTPS, which a probe fails.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return plain("ok", 200)
        if request.path == "/readyz":
            reason = not_ready_because()
            return plain(reason or "ready", 503 if reason else 200)
        return self.get_response(request)


def plain(text: str, status: int) -> HttpResponse:
    """Return a line of text, with its length: without one the connection could not be kept."""
    response = HttpResponse(f"{text}\n", content_type="text/plain", status=status)
    response["Content-Length"] = len(response.content)
    return response


def not_ready_because() -> str:
    """Return why this process should get no traffic yet, or nothing when it may."""
    try:
        pending = pending_migrations()
    except DatabaseError:
        return "no connection to the database"
    return f"{pending} migrations wait to be applied" if pending else ""


def pending_migrations() -> int:
    """Return how many migrations are not applied. Raises DatabaseError when the database is away."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
