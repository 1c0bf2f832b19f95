"""Exactly these files, no more and no fewer. The list is data, and knows nothing of the hooks."""

import os

EXECUTABLE = {
    "bin/init",
    "bin/lock",
    "docker/app/entrypoint.sh",
    "docker/nginx/entrypoint.d/11-server-names.envsh",
    "docker/nginx/entrypoint.d/12-certificate.sh",
    "manage.py",
}

ALWAYS = EXECUTABLE | {
    ".dockerignore",
    ".editorconfig",
    ".env",
    ".env.example",
    ".gitattributes",
    ".gitignore",
    "README.md",
    "accounts/__init__.py",
    "accounts/admin.py",
    "accounts/apps.py",
    "accounts/migrations/0001_initial.py",
    "accounts/migrations/__init__.py",
    "accounts/models.py",
    "compose.prod.yaml",
    "compose.yaml",
    "config/__init__.py",
    "config/asgi.py",
    "config/context_processors.py",
    "config/env.py",
    "config/health.py",
    "config/home.py",
    "config/management/__init__.py",
    "config/management/commands/__init__.py",
    "config/management/commands/migrate.py",
    "config/management/commands/release.py",
    "config/management/commands/wait_for_database.py",
    "config/settings.py",
    "config/urls.py",
    "config/wsgi.py",
    "docker/app/Dockerfile",
    "docker/app/healthcheck.py",
    "docker/app/uwsgi.ini",
    "docker/app/workers.py",
    "docker/nginx/Dockerfile",
    "docker/nginx/nginx.conf",
    "docker/nginx/snippets/limits.conf",
    "docker/nginx/snippets/media.conf",
    "docker/nginx/snippets/proxy.conf",
    "docker/nginx/snippets/static.conf",
    "docker/nginx/snippets/tls.conf",
    "docker/nginx/templates/site.conf.template",
    "docker/nginx/upstream.conf",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
    "static/favicon.svg",
    "static/site.css",
    "templates/400.html",
    "templates/403.html",
    "templates/403_csrf.html",
    "templates/404.html",
    "templates/500.html",
    "templates/base.html",
    "templates/home.html",
    "tests/test_accounts.py",
    "tests/test_database.py",
    "tests/test_health.py",
    "tests/test_errors.py",
    "tests/test_home.py",
    "tests/test_release.py",
    "tests/test_settings.py",
}


def test_exactly_the_expected_files(baked):
    assert baked.files() == ALWAYS


def test_exactly_the_scripts_are_executable(baked):
    assert {file for file in baked.files() if os.access(baked.path / file, os.X_OK)} == EXECUTABLE


def test_no_folder_is_empty(baked):
    assert [path for path in baked.path.rglob("*") if path.is_dir() and not [*path.iterdir()]] == []
