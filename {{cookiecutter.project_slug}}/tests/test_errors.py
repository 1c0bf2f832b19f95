"""The error pages."""

import errno

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import InterfaceError, OperationalError
from django.shortcuts import render
from django.test import Client
from django.urls import path

from config import errors


def refuse(request):
    raise PermissionDenied("the-secret-reason")


def crash(request):
    raise RuntimeError("the-secret-reason")


def lose_the_database(request):
    raise OperationalError("the-secret-reason")


def lose_the_connection(request):
    raise InterfaceError("the-secret-reason")


def crash_in_a_template(request):
    return render(request, "no-such-page.html")


def fill_the_disk(request):
    raise OSError(errno.ENOSPC, "the-secret-reason")


def miss_a_file(request):
    raise OSError(errno.ENOENT, "the-secret-reason")


def read_the_form(request):
    return request.POST


def read_the_body(request):
    return request.body


handler400 = "config.errors.bad_request"
handler500 = "config.errors.server_error"
urlpatterns = [
    path("refuse", refuse),
    path("crash", crash),
    path("crash-in-a-template", crash_in_a_template),
    path("lose-the-database", lose_the_database),
    path("lose-the-connection", lose_the_connection),
    path("fill-the-disk", fill_the_disk),
    path("miss-a-file", miss_a_file),
    path("read-the-form", read_the_form),
    path("read-the-body", read_the_body),
]


@pytest.fixture
def production(bare_project):
    bare_project.ROOT_URLCONF = __name__
    return bare_project


@pytest.fixture
def own_page(production, tmp_path):
    """own_page(name, text) replaces an error page of the project, as a file in templates/ does."""
    production.TEMPLATES = [production.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    return lambda name, text: (tmp_path / name).write_text(text)


ERROR_PAGES = [
    (
        400,
        "We could not read that request",
        {"path": "/refuse", "headers": {"host": "other.example"}},
    ),
    (403, "This page is not open to you", {"path": "/refuse"}),
    (404, "There is nothing here", {"path": "/the-secret-path"}),
    (500, "Something went wrong on our side", {"path": "/crash"}),
    (500, "Something went wrong on our side", {"path": "/crash-in-a-template"}),
    (503, "We will be back in a moment", {"path": "/lose-the-database"}),
    (500, "Something went wrong on our side", {"path": "/miss-a-file"}),
    (503, "We will be back in a moment", {"path": "/lose-the-connection"}),
    (503, "We will be back in a moment", {"path": "/fill-the-disk"}),
]


@pytest.mark.parametrize(("status", "heading", "request_"), ERROR_PAGES)
def test_error_pages_look_like_the_site_and_leak_nothing(
    client, production, status, heading, request_
):
    client.raise_request_exception = False
    page = client.get(**request_)
    assert page.status_code == status
    assert f"<h1>{heading}</h1>" in page.text
    assert "/static/config/error" in page.text
    assert "the-secret" not in page.text
    assert f"<code>{page.headers['X-Request-ID']}</code>" in page.text


def test_without_its_database_the_site_says_when_to_come_back(client, production):
    client.raise_request_exception = False
    assert client.get("/lose-the-database").headers["Retry-After"] == "10"
    assert client.get("/fill-the-disk").headers["Retry-After"] == "10"
    assert "Retry-After" not in client.get("/crash").headers


def test_what_is_too_large_for_memory_is_refused_as_too_large(client, production):
    page = client.put("/read-the-body", b"x" * 2_621_441)
    assert page.status_code == 413
    assert "<h1>That was too large</h1>" in page.text


def form(number: int) -> dict:
    """Return a form with so many files, which together are too large for memory."""
    large = SimpleUploadedFile("film.mp4", b"x" * 3_000_000)
    small = {f"file-{n}": SimpleUploadedFile("a", b"a") for n in range(number - 1)}
    return {"large": large} | small


def test_a_form_with_too_many_files_leaves_none_of_them(
    client, production, settings, tmp_path
):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    page = client.post("/read-the-form", form(101))
    assert page.status_code == 413
    assert list(tmp_path.iterdir()) == []


def test_a_form_for_which_there_is_no_room_leaves_nothing(
    client, production, settings, tmp_path, monkeypatch
):
    def fail_at_the_third(self, data, start):
        self.file.write(data)
        if len(list(tmp_path.iterdir())) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(
        TemporaryFileUploadHandler, "receive_data_chunk", fail_at_the_third
    )
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    client.raise_request_exception = False
    assert client.post("/read-the-form", form(4)).status_code == 503
    assert list(tmp_path.iterdir()) == []


def test_error_page_for_a_form_without_a_token_says_what_to_do(production):
    page = Client(enforce_csrf_checks=True).post("/refuse")
    assert page.status_code == 403
    assert "<h1>Please send that form again</h1>" in page.text
    assert "cookies" in page.text
    assert "CSRF" not in page.text


def test_a_page_of_the_project_replaces_the_plain_one(client, own_page):
    client.raise_request_exception = False
    own_page("404.html", "{{ request.path }} of ours")
    own_page("500.html", "sorry")
    assert client.get("/the-path").text == "/the-path of ours"
    assert client.get("/crash").text == "sorry"


# What the pages of real projects use, and what does not exist without a request.
NEEDS_A_REQUEST = [
    "{% querystring page=1 %}",
    "{% url 'no-such-name' %}",
    "{% include 'no-such-page.html' %}",
    "{% extends 'no-such-page.html' %}",
    "{% if %}",
]


@pytest.mark.parametrize("text", NEEDS_A_REQUEST)
def test_a_page_that_needs_a_request_is_named_and_the_plain_one_is_used(
    own_page, caplog, text
):
    own_page("503.html", text)
    plain = errors.page(503, "the-request-id")
    assert "<h1>We will be back in a moment</h1>" in plain
    assert "<code>the-request-id</code>" in plain
    assert caplog.messages[0].startswith(
        "templates/503.html cannot be rendered without a request ("
    )


@pytest.mark.django_db
def test_a_lost_database_is_503_also_when_the_page_for_it_fails(client, own_page):
    client.raise_request_exception = False
    own_page("503.html", "{% querystring page=1 %}")
    assert client.get("/lose-the-database").status_code == 503
