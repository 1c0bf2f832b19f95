import os
from unittest.mock import patch

from django.core.management import call_command
from django.db import connection


def test_containers_test_on_postgresql(db):
    expected = "postgresql" if "POSTGRES_PASSWORD" in os.environ else "sqlite"
    assert connection.vendor == expected


def test_what_only_looks_at_migrations_creates_no_table(db):
    with patch("config.management.commands.migrate.call_command") as called:
        call_command("migrate", plan=True)
    assert "createcachetable" not in [call.args[0] for call in called.call_args_list]


def test_no_model_is_ahead_of_its_migrations(db):
    call_command("makemigrations", check=True, dry_run=True)
