"""Two releases share the database: while a new one is put into service, and when it goes back."""

import tomllib

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django_migration_linter import MigrationLinter

TOOLS = tomllib.loads(
    (settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8")
)["tool"]
ACCEPTED = TOOLS["django_migration_linter"]["ignore_name"]
APPLIED_BEFORE = TOOLS["applied_before"]
OWN = [app.label for app in apps.get_app_configs() if "site-packages" not in app.path]
# Nobody could write to the table for as long as these last.
LOCKING = ["CREATE_INDEX", "CREATE_INDEX_EXCLUSIVE", "DROP_INDEX", "REINDEX"]
ADVICE = """
docs/migrations.md says how to write it so that the release before can live with it, and no visitor
waits. To accept it as it is, add its name to ignore_name in pyproject.toml."""


class Linter(MigrationLinter):
    """Checks the migrations that were written in this project."""

    def should_ignore_migration(self, app_label, migration_name, *args, **kwargs):
        if (app_label, migration_name) in applied_before(self.migration_loader.graph):
            return True
        return super().should_ignore_migration(
            app_label, migration_name, *args, **kwargs
        )


def applied_before(graph) -> set[tuple[str, str]]:
    """Return app and name of the migrations up to those that pyproject.toml names."""
    plans = [graph.forwards_plan((app, name)) for app, name in APPLIED_BEFORE.items()]
    return {key for plan in plans for key in plan if key[0] in APPLIED_BEFORE}


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="reads the SQL for PostgreSQL"
)
@pytest.mark.usefixtures("django_db_setup")
def test_the_release_before_can_live_with_each_migration(
    django_db_blocker, capsys, caplog
):
    caplog.set_level("WARNING", "django_migration_linter")
    with (
        django_db_blocker.unblock()
    ):  # no transaction: in one, no index is made concurrently
        linter = Linter(
            include_apps=OWN,
            ignore_initial_migrations=True,
            ignore_name=ACCEPTED,
            warnings_as_errors_tests=LOCKING,
            quiet=["ok", "ignore", "warning"],
        )
        linter.lint_all_migrations()
    if linter.has_errors:
        pytest.fail(capsys.readouterr().out + ADVICE, pytrace=False)
