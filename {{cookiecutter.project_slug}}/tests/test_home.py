"""The first page and the error pages."""

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import ConnectionHandler, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.urls import include, path

FILE_MAILER = "django.core.mail.backends.filebased.EmailBackend"


def refuse(request):
    raise PermissionDenied("the-secret-reason")


def crash(request):
    raise RuntimeError("the-secret-reason")


# The site's own addresses, and two that fail.
urlpatterns = [
    path("refuse", refuse),
    path("crash", crash),
    path("", include("config.urls")),
]


@pytest.fixture
def development(settings, tmp_path):
    settings.DEBUG = True
    settings.SITE_NAME = "Harbour"
    settings.MAILERS = {
        "default": {"BACKEND": FILE_MAILER, "OPTIONS": {"file_path": tmp_path / "mail"}}
    }


@pytest.fixture
def production(settings):
    settings.DEBUG = False
    settings.SITE_NAME = "Harbour"
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.ROOT_URLCONF = __name__


def rows(response) -> dict[str, str]:
    """Return the report on the page as name -> everything its row says."""
    assert response.status_code == 200
    items = re.findall(r"<li class=.*?</li>", response.text, re.DOTALL)
    texts = [re.sub(r"<.*?>", " ", item).strip() for item in items]
    return dict(re.split(r"\s{2,}", text, maxsplit=1) for text in texts)


@pytest.mark.django_db
def test_home_in_development_says_that_the_database_works(client, development, settings):
    name = {"postgresql": "PostgreSQL", "sqlite3": "SQLite"}
    vendor = settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]
    database = rows(client.get("/"))["Database"]
    assert re.match(rf"works\s+{name[vendor]} \d+\.\d+\S* answers", database)


@pytest.mark.django_db
def test_home_in_development_says_what_to_do_when_migrations_wait(client, development):
    MigrationRecorder.Migration.objects.filter(app="sessions").delete()
    database = rows(client.get("/"))["Database"]
    assert database.startswith("does not work")
    assert "1 migration still to run" in database
    assert "docker compose run --rm manage migrate" in database


@pytest.mark.django_db
def test_home_in_development_survives_a_database_that_is_down(client, development, monkeypatch):
    nobody_listens = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": "1",
        "NAME": "app",
    }
    connection = ConnectionHandler({"default": nobody_listens})["default"]
    monkeypatch.setattr("config.home.connection", connection)
    report = rows(client.get("/"))
    assert report["Database"].startswith("does not work")
    assert "docker compose up -d --wait postgres" in report["Database"]
    assert report["Mail"].startswith("works")


@pytest.mark.django_db
def test_home_in_development_says_that_static_files_work(client, development):
    assert rows(client.get("/"))["Static files"].startswith("works")


@pytest.mark.django_db
def test_home_in_development_says_what_to_do_when_static_files_are_lost(
    client, development, settings
):
    settings.STATICFILES_DIRS = []
    static_files = rows(client.get("/"))["Static files"]
    assert static_files.startswith("does not work")
    assert "STATICFILES_DIRS" in static_files


@pytest.mark.django_db
def test_home_in_development_counts_the_mail(client, development, tmp_path):
    assert "0 messages in mail/" in rows(client.get("/"))["Mail"]
    tmp_path.joinpath("mail", "20260102-030405-1.log").write_text("Subject: Hello")
    mail = rows(client.get("/"))["Mail"]
    assert mail.startswith("works")
    assert "1 message in mail/" in mail
    assert "20260102-030405-1.log" in mail
    assert "docker compose run --rm manage sendtestemail you@example.com" in mail


@pytest.mark.django_db
def test_home_in_development_says_when_mail_cannot_be_written(client, development, tmp_path):
    tmp_path.joinpath("mail").write_text("a file where the folder should be")
    mail = rows(client.get("/"))["Mail"]
    assert mail.startswith("does not work")
    assert "chown" in mail


@pytest.mark.django_db
def test_home_in_development_sums_up(client, development, settings):
    assert "Everything it needs is in place." in client.get("/").text
    settings.STATICFILES_DIRS = []
    assert "1 thing does not work yet." in client.get("/").text


def test_home_in_production_shows_no_internals(client, production, monkeypatch):
    # There is no django_db mark, so touching the database fails this test.
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    page = client.get("/")
    assert page.status_code == 200
    assert "Welcome to" in page.text
    assert 'href="/admin/"' in page.text
    for internal in ("Python", "Django", "SQL", "docker", "DEBUG"):
        assert internal not in page.text


ERROR_PAGES = [
    (400, "We could not read that request", {"path": "/", "headers": {"host": "other.example"}}),
    (403, "This page is not open to you", {"path": "/refuse"}),
    (404, "There is nothing here", {"path": "/the-secret-path"}),
    (500, "Something went wrong on our side", {"path": "/crash"}),
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


def test_error_page_for_a_form_without_a_token_says_what_to_do(production):
    page = Client(enforce_csrf_checks=True).post("/refuse")
    assert page.status_code == 403
    assert "<h1>Please send that form again</h1>" in page.text
    assert "cookies" in page.text
    assert "CSRF" not in page.text


@pytest.mark.parametrize("address", ["/", "/the-secret-path"])
def test_names_with_html_are_escaped(client, production, settings, address):
    settings.SITE_NAME = "<b>\"Quay\" & 'Sons'</b> 🚀"
    page = client.get(address).text
    assert "<b>" not in page
    assert "&lt;b&gt;&quot;Quay&quot; &amp; &#x27;Sons&#x27;&lt;/b&gt; 🚀" in page


@pytest.mark.django_db
def test_home_in_development_keeps_the_content_security_policy(client, development):
    page = client.get("/").text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|(src|href)=\"(https?:)?//", page)
