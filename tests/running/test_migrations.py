"""Migrations that two releases can live with, and that hold up nobody."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.helpers.checkout import replace
from tests.helpers.locked import PSQL, WAITERS, wait_for
from tests.helpers.project import a_slug
from tests.helpers.stack import DEVELOPMENT, standing

pytestmark = pytest.mark.containers

MODELS = """from django.conf import settings
from django.db import models


class Article(models.Model):
    title = models.CharField(max_length=100)
    subtitle = models.CharField(max_length=100, null=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
"""

MIGRATION = """from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    {kind}
    dependencies = [{after}]
    operations = [{operations}]
"""

# What Django writes for a new app whose tables need those of another.
FIRST = """migrations.CreateModel("Article", [
    ("id", models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )),
    ("title", models.CharField(max_length=100)),
    ("subtitle", models.CharField(max_length=100, null=True)),
])"""
SECOND = """migrations.AddField(
    "article", "author", models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
)"""

# What takes the place of what in the model; the operation; what the check says.
SUBTITLE = "    subtitle = models.CharField(max_length=100, null=True)\n"
BAD = {
    "a column is removed": (
        (SUBTITLE, ""),
        'migrations.RemoveField("article", "subtitle")',
        "DROPPING columns (table: blog_article, column: subtitle)",
    ),
    "a column is renamed": (
        ("subtitle =", "lead ="),
        'migrations.RenameField("article", "subtitle", "lead")',
        "RENAMING columns (table: blog_article, column: subtitle)",
    ),
    "a column must have what the release before does not write": (
        (SUBTITLE, SUBTITLE + '    lead = models.TextField(default="")\n'),
        'migrations.AddField("article", "lead", models.TextField(default=""))',
        "NOT NULL constraint on columns",
    ),
    "a table is renamed": (
        ("class Article", "class Post"),
        'migrations.RenameModel("Article", "Post")',
        "RENAMING tables (table: blog_article)",
    ),
    "an index locks its table": (
        (
            "    title = models.CharField(max_length=100",
            "    title = models.CharField(max_length=100, db_index=True",
        ),
        'migrations.AlterField("article", "title", models.CharField(max_length=100, db_index=True))',
        "CREATE INDEX locks table",
    ),
}

# The recipes of docs/migrations.md, one after the other, and the model that they lead to.
GOOD = [
    'migrations.AddField("article", "lead", models.TextField(null=True))',
    'migrations.AddField("article", "kind", models.TextField(db_default="note"))',
    """migrations.AlterField("article", "subtitle",
        models.CharField(max_length=100, null=True, db_default="")),
    migrations.SeparateDatabaseAndState(
        state_operations=[migrations.RemoveField("article", "subtitle")])""",
    """migrations.AlterField("article", "title",
        models.CharField(max_length=100, db_column="title")),
    migrations.RenameField("article", "title", "headline")""",
]
GOOD_INDEX = 'AddIndexConcurrently("article", models.Index(fields=["lead"], name="blog_lead"))'
GOOD_MODELS = """from django.conf import settings
from django.db import models


class Article(models.Model):
    headline = models.CharField(max_length=100, db_column="title")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    lead = models.TextField(null=True)
    kind = models.TextField(db_default="note")

    class Meta:
        indexes = [models.Index(fields=["lead"], name="blog_lead")]
"""

# What the release before writes, and reads again, after all of these.
SOMEBODY = "from accounts.models import User; User.objects.create()"
OLD_WRITE = (
    "INSERT INTO blog_article (title, subtitle, author_id) SELECT 'a', 'b', id FROM accounts_user"
    " RETURNING title, subtitle, author_id"
)

HOLD = "BEGIN; LOCK TABLE blog_article IN {} MODE; SELECT pg_sleep(90)"
HELD = "SELECT count(*) FROM pg_locks WHERE relation = 'blog_article'::regclass AND granted"
LET_GO = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
)
# As a migrate of an older release held it: for its session.
HOLD_ALL = "SELECT pg_advisory_lock(6101954); SELECT pg_sleep(90)"
ALL_HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
NOBODY_WAITS = "SELECT (count(*) = 0)::int FROM pg_locks WHERE NOT granted"
# The second migrate asks for the lock of all migrations twice a second.
SECOND_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_stat_activity USING%' OR query = 'ROLLBACK'"
COLUMN = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'lead'"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'blog_lead'::regclass"

SENTENCE = (
    "CommandError: blog.0003_change waited 3 seconds for a lock, 3 times, and was rolled back. "
    "Run migrate again at a quieter moment, or see who holds the lock: "
    'docs/operations.md, "A request that never ends".\n'
)


def write(stack, name: str, operations: str, after: tuple[str, str], kind="pass") -> None:
    text = MIGRATION.format(kind=kind, after=after, operations=operations)
    (stack.path / f"blog/migrations/{name}.py").write_text(text)


def change(stack, operation: str) -> None:
    write(stack, "0003_change", operation, after=("blog", "0002_initial"))


@pytest.fixture(scope="module")
def blog(bake_once, engine):
    """Builds and starts a development stack of a project with one more app: about 10 s."""
    project = bake_once(project_slug=a_slug())
    replace(project.path, "config/settings.py", '"accounts",\n', '"accounts",\n    "blog",\n')
    with standing() as make:
        stack = make(project.path, DEVELOPMENT)
        (stack.path / "blog/migrations").mkdir(parents=True)
        for package in ("blog", "blog/migrations"):
            (stack.path / package / "__init__.py").touch()
        (stack.path / "blog/models.py").write_text(MODELS)
        write(stack, "0001_initial", FIRST, ("accounts", "0001_initial"), kind="initial = True")
        write(stack, "0002_initial", SECOND, ("blog", "0001_initial"), kind="initial = True")
        stack.up()
        yield stack


@pytest.fixture
def stack(blog):
    """The same at each test: what a test changes is taken back, in the database too."""
    kept = {name: (blog.path / name).read_text() for name in ("blog/models.py", "pyproject.toml")}
    yield blog
    blog.exec("app", "python", "manage.py", "migrate", "blog", "0002")
    for name, text in kept.items():
        (blog.path / name).write_text(text)
    for migration in blog.path.glob("blog/migrations/0*.py"):
        if not migration.stem.endswith("_initial"):
            migration.unlink()


def check(stack, *options: str):
    return stack.command("run", "--rm", "--no-TTY", *options, "tests", "-k", "migrations", "-rs")


def migrate(stack):
    return stack.command("exec", "--no-TTY", "app", "python", "manage.py", "migrate")


def psql(stack, command: str) -> str:
    return stack.exec("postgres", *PSQL, command).strip()


@contextmanager
def held(stack, mode: str):
    """Let a transaction hold a lock on the table until the end of the block, or for 90 seconds."""
    with ThreadPoolExecutor() as pool:
        pool.submit(stack.command, "exec", "--no-TTY", "postgres", *PSQL, HOLD.format(mode))
        wait_for(stack, HELD, 1)
        try:
            yield pool
        finally:
            psql(stack, LET_GO)


# --- The check of the project's tests ---


def test_migrations_that_both_releases_can_live_with_pass(stack):
    names = ["0002_initial", *(f"{number:04}_good" for number, _ in enumerate(GOOD, 3))]
    for after, name, operations in zip(names, names[1:], GOOD, strict=False):
        write(stack, name, operations, ("blog", after))
    write(stack, "0007_index", GOOD_INDEX, ("blog", names[-1]), kind="atomic = False")
    (stack.path / "blog/models.py").write_text(GOOD_MODELS)
    done = check(stack)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout

    assert migrate(stack).returncode == 0
    stack.exec("app", "python", "manage.py", "shell", "--command", SOMEBODY)
    assert psql(stack, OLD_WRITE).split()[:3] == ["a", "|", "b"]


@pytest.mark.parametrize(("edit", "operation", "words"), BAD.values(), ids=BAD)
def test_the_check_refuses_that(stack, edit, operation, words):
    replace(stack.path, "blog/models.py", *edit)
    change(stack, operation)
    done = check(stack)
    assert done.returncode == 1
    assert f"(blog, 0003_change)... ERR\n\t{words}" in done.stdout
    assert "docs/migrations.md" in done.stdout
    assert re.search("= 1 failed, [1-9]+ passed", done.stdout)

    replace(stack.path, "pyproject.toml", "ignore_name = []", 'ignore_name = ["0003_change"]')
    done = check(stack)
    assert done.returncode == 0, done.stdout


def test_a_model_that_is_ahead_of_its_migrations_is_refused(stack):
    replace(
        stack.path,
        "blog/models.py",
        "    title = models.CharField(max_length=100",
        "    title = models.CharField(max_length=200",
    )
    done = check(stack)
    assert done.returncode == 1
    assert "~ Alter field title on article" in done.stdout


def test_on_sqlite_the_check_is_skipped_with_a_reason(stack):
    done = check(stack, "--env", "POSTGRES_PASSWORD=")
    assert done.returncode == 0, done.stdout
    assert re.search(r"SKIPPED \[1\] tests/test_migrations.py:\d+: reads the SQL", done.stdout)


# --- Locks ---


def test_a_migration_gives_way_to_a_long_transaction(stack):
    change(stack, 'migrations.AddField("article", "lead", models.TextField(null=True))')
    with held(stack, "ACCESS SHARE") as pool:
        migration = pool.submit(migrate, stack)
        longest = 0
        while not migration.done():
            start = time.monotonic()
            psql(stack, "SELECT count(*) FROM blog_article")
            longest = max(longest, time.monotonic() - start)
    assert longest < 15
    done = migration.result()
    assert (done.returncode, done.stderr) == (1, SENTENCE)
    assert psql(stack, COLUMN) == "0"

    assert migrate(stack).returncode == 0
    assert psql(stack, COLUMN) == "1"


def test_a_migration_that_gave_way_is_tried_again(stack):
    change(stack, 'migrations.AddField("article", "lead", models.TextField(null=True))')
    with held(stack, "ACCESS SHARE") as pool:
        migration = pool.submit(migrate, stack)
        wait_for(stack, WAITERS, 1)
        wait_for(stack, NOBODY_WAITS, 1)
    done = migration.result()
    assert done.returncode == 0, done.stderr
    assert "timed out while it waited for a lock" in done.stdout
    assert psql(stack, COLUMN) == "1"


def test_an_index_takes_its_time_while_a_second_migrate_waits(stack):
    write(stack, "0003_lead", GOOD[0], ("blog", "0002_initial"))
    write(stack, "0004_index", GOOD_INDEX, ("blog", "0003_lead"), kind="atomic = False")
    stack.exec("app", "python", "manage.py", "migrate", "blog", "0003")
    with held(stack, "ROW EXCLUSIVE") as pool:
        first = pool.submit(migrate, stack)
        wait_for(stack, WAITERS, 1)
        second = pool.submit(migrate, stack)
        wait_for(stack, SECOND_WAITS, 1)
        time.sleep(4)  # longer than an atomic migration would wait
        waited = not first.done() and not second.done()
    for done in (first.result(), second.result()):
        assert done.returncode == 0, done.stderr
    assert waited
    assert "No migrations to apply" in second.result().stdout
    assert psql(stack, VALID) == "t"


def test_a_migrate_that_cannot_start_says_who_holds_the_lock(stack):
    with ThreadPoolExecutor() as pool:
        pool.submit(stack.command, "exec", "--no-TTY", "postgres", *PSQL, HOLD_ALL)
        wait_for(stack, ALL_HELD, 1)
        try:
            done = stack.command(
                "exec", "--no-TTY", "app", "python", "manage.py", "migrate", "--wait=2"
            )
        finally:
            psql(stack, LET_GO)
    assert done.returncode == 1
    holder = re.search(
        r"^Waiting for another migrate: (process \d+ of app psql at a socket)$",
        done.stdout,
        re.MULTILINE,
    )[1]
    assert done.stderr == (
        f"CommandError: Nothing was migrated, because another migrate did not end within 2 seconds: {holder} holds "
        "the lock of all migrations. If that process hangs, end it: "
        'docs/operations.md, "A request that never ends".\n'
    )
    assert migrate(stack).returncode == 0


def test_migrate_leaves_the_connection_as_it_was(stack):
    change(stack, 'migrations.AddField("article", "lead", models.TextField(null=True))')
    look = (
        "from django.core.management import call_command; from django.db import connection;"
        "call_command('migrate', verbosity=0); cursor = connection.cursor();"
        "cursor.execute('SHOW lock_timeout'); print(*cursor.fetchone())"
    )
    printed = stack.manage("shell", "--command", look, PGOPTIONS="-c lock_timeout=7s")
    assert printed.splitlines()[-1] == "7s"
    assert psql(stack, COLUMN) == "1"
