import pytest
from django.db import DatabaseError
from django.db.migrations.recorder import MigrationRecorder

pytestmark = pytest.mark.usefixtures("bare_project")


def test_healthz_needs_no_database(client):
    response = client.get("/healthz")
    assert response.content == b"ok\n"
    assert response["Content-Length"] == "3"  # a connection is kept after it


def test_readyz_answers_when_the_database_does(client, db):
    assert client.get("/readyz").status_code == 200


def test_readyz_says_that_migrations_wait(client, db):
    MigrationRecorder.Migration.objects.latest("id").delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert b"wait to be applied" in response.content


def test_readyz_says_that_the_database_does_not_answer(client, monkeypatch):
    def fails(connection):
        raise DatabaseError

    monkeypatch.setattr("config.health.MigrationExecutor", fails)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content == b"no connection to the database\n"


def test_probes_need_no_known_host_and_no_https(client, settings):
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz", headers={"host": "10.0.0.7:8000"}).status_code == 200
