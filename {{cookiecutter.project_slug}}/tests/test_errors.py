"""The error pages."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.urls import include, path


def refuse(request):
    raise PermissionDenied("the-secret-reason")


def crash(request):
    raise RuntimeError("the-secret-reason")


def lose_the_database(request):
    raise OperationalError("the-secret-reason")


def lose_the_connection(request):
    raise InterfaceError("the-secret-reason")


# The site's own addresses and error pages, and some that fail.
handler400 = "config.errors.bad_request"
handler500 = "config.errors.server_error"
urlpatterns = [
    path("refuse", refuse),
    path("crash", crash),
    path("lose-the-database", lose_the_database),
    path("lose-the-connection", lose_the_connection),
    path("", include("config.urls")),
]


@pytest.fixture
def production(settings):
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.ROOT_URLCONF = __name__


ERROR_PAGES = [
    (400, "We could not read that request", {"path": "/", "headers": {"host": "other.example"}}),
    (403, "This page is not open to you", {"path": "/refuse"}),
    (404, "There is nothing here", {"path": "/the-secret-path"}),
    (500, "Something went wrong on our side", {"path": "/crash"}),
    (503, "We will be back in a moment", {"path": "/lose-the-database"}),
    (503, "We will be back in a moment", {"path": "/lose-the-connection"}),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "heading", "request_"), ERROR_PAGES)
def test_error_pages_look_like_the_site_and_leak_nothing(
    client, production, status, heading, request_
):
    client.raise_request_exception = False
    page = client.get(**request_)
    assert page.status_code == status
    assert f"<h1>{heading}</h1>" in page.text
    assert "/static/site" in page.text
    assert "the-secret" not in page.text
    assert f"<code>{page.headers['X-Request-ID']}</code>" in page.text


def test_without_its_database_the_site_says_when_to_come_back(client, production):
    client.raise_request_exception = False
    assert client.get("/lose-the-database").headers["Retry-After"] == "10"
    assert "Retry-After" not in client.get("/crash").headers


def test_error_page_for_a_form_without_a_token_says_what_to_do(production):
    page = Client(enforce_csrf_checks=True).post("/refuse")
    assert page.status_code == 403
    assert "<h1>Please send that form again</h1>" in page.text
    assert "cookies" in page.text
    assert "CSRF" not in page.text
