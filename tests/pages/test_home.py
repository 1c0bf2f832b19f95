"""The first page."""

import re

import pytest
from django.db import ConnectionHandler, connections
from django.db.migrations.recorder import MigrationRecorder

FILE_MAILER = "django.core.mail.backends.filebased.EmailBackend"


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
    settings.SITE_DESCRIPTION = "Berths and moorings."
    settings.ALLOWED_HOSTS = ["testserver"]


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
    for internal in ("Python", "Django", "SQL", "docker", "DEBUG", "admin"):
        assert internal not in page.text


@pytest.mark.parametrize("address", ["/", "/no/such/page"])
def test_names_with_html_are_escaped(client, production, settings, address):
    settings.SITE_NAME = "<b>\"Quay\" & 'Sons'</b> 🚀"
    page = client.get(address).text
    assert "<b>" not in page
    assert "&lt;b&gt;&quot;Quay&quot; &amp; &#x27;Sons&#x27;&lt;/b&gt; 🚀" in page


@pytest.mark.django_db
def test_home_in_development_keeps_the_content_security_policy(client, development):
    page = client.get("/").text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|(src|href)=\"(https?:)?//", page)
