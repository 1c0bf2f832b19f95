import os

from django.core.management import call_command
from django.db import connection


def test_containers_test_on_postgresql(db):
    expected = "postgresql" if "POSTGRES_PASSWORD" in os.environ else "sqlite"
    assert connection.vendor == expected


def test_no_model_is_ahead_of_its_migrations(db):
    call_command("makemigrations", check=True, dry_run=True)
