"""Exactly these files, no more and no fewer. The list is data, and knows nothing of the hooks."""

import os

import pytest

ALWAYS = {
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
    "bin/doctor",
    "bin/init",
    "bin/lock",
    "compose.prod.yaml",
    "compose.yaml",
    "config/__init__.py",
    "config/asgi.py",
    "config/context_processors.py",
    "config/env.py",
    "config/errors.py",
    "config/health.py",
    "config/home.py",
    "config/management/__init__.py",
    "config/management/commands/__init__.py",
    "config/management/commands/migrate.py",
    "config/management/commands/release.py",
    "config/management/commands/wait_for_database.py",
    "config/media.py",
    "config/request_id.py",
    "config/settings.py",
    "config/urls.py",
    "config/wsgi.py",
    "docker/app/Dockerfile",
    "docker/app/entrypoint.sh",
    "docker/app/healthcheck.py",
    "docker/app/workers.py",
    "docker/hardened.yaml",
    "docs/migrations.md",
    "docs/operations.md",
    "docs/updating.md",
    "manage.py",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
    "static/favicon.svg",
    "static/site.css",
    "templates/400.html",
    "templates/403.html",
    "templates/403_csrf.html",
    "templates/404.html",
    "templates/413.html",
    "templates/500.html",
    "templates/503.html",
    "templates/base.html",
    "templates/error.html",
    "templates/home.html",
    "tests/test_accounts.py",
    "tests/test_database.py",
    "tests/test_errors.py",
    "tests/test_health.py",
    "tests/test_healthcheck.py",
    "tests/test_home.py",
    "tests/test_media.py",
    "tests/test_migrations.py",
    "tests/test_request_id.py",
    "tests/test_settings.py",
}

NGINX = {
    "bin/deploy",
    "bin/deploy-commit",
    "bin/rollback",
    "config/client_address.py",
    "config/management/commands/publish.py",
    "config/management/commands/ready.py",
    "config/publish.py",
    "docker/app/links.py",
    "docker/app/listen.py",
    "docker/app/serve.py",
    "docker/deploy/containers.sh",
    "docker/deploy/nginx.sh",
    "docker/deploy/releases.sh",
    "docker/deploy/steps.sh",
    "docker/nginx/Dockerfile",
    "docker/nginx/compose.yaml",
    "docker/nginx/configure.sh",
    "docker/nginx/configure.yaml",
    "docker/nginx/entrypoint.d/11-names.envsh",
    "docker/nginx/nginx.conf",
    "docker/nginx/snippets/app.conf",
    "docker/nginx/snippets/errors.conf",
    "docker/nginx/snippets/health.conf",
    "docker/nginx/snippets/limits.conf",
    "docker/nginx/snippets/maps.conf",
    "docker/nginx/snippets/media.conf",
    "docker/nginx/snippets/proxy.conf",
    "docker/nginx/snippets/static.conf",
    "docker/nginx/templates/trusted.conf.template",
    "docker/nginx/templates/upstream.conf.template",
    "docs/deploy.md",
    "templates/429.html",
    "templates/502.html",
    "templates/504.html",
    "tests/test_client_address.py",
    "tests/test_links.py",
    "tests/test_publish.py",
}

# Answer, value, and the files that are there for that value alone.
OPTIONAL = [
    ("app_server", "uwsgi", {"docker/app/uwsgi.ini", "docs/uwsgi.md"}),
    ("app_server", "gunicorn", {"docker/app/gunicorn.conf.py", "docs/gunicorn.md"}),
    (
        "proxy",
        "nginx-letsencrypt",
        NGINX
        | {
            "docker/certbot/Dockerfile",
            "docker/certbot/certificates.py",
            "docker/certbot/certbot.conf",
            "docker/certbot/compose.yaml",
            "docker/nginx/entrypoint.d/12-certificates.envsh",
            "docker/nginx/entrypoint.d/13-certificates.sh",
            "docker/nginx/snippets/acme.conf",
            "docker/nginx/snippets/tls.conf",
            "docker/nginx/templates/https.conf.template",
            "docs/https.md",
            "tests/test_certificates.py",
        },
    ),
    (
        "proxy",
        "nginx",
        NGINX
        | {
            "docker/nginx/entrypoint.d/12-known-hosts.envsh",
            "docker/nginx/templates/load-balancer.conf.template",
            "docs/load-balancer.md",
        },
    ),
    ("proxy", "none", {"config/front.py", "docs/platform.md", "tests/test_front.py"}),
    (
        "use_allauth",
        True,
        {
            "accounts/adapter.py",
            "accounts/urls.py",
            "accounts/views.py",
            "docs/accounts.md",
            "static/account.css",
            "templates/429.html",
            "templates/account/account.html",
            "templates/account/email/base_message.txt",
            "templates/account/email/email_confirmation_message.txt",
            "templates/account/email/password_reset_key_message.txt",
            "templates/account/email_change.html",
            "templates/account/email_confirm.html",
            "templates/account/links.html",
            "templates/account/login.html",
            "templates/account/messages/email_confirmation_sent.txt",
            "templates/account/messages/logged_in.txt",
            "templates/account/password_reset.html",
            "templates/account/password_reset_done.html",
            "templates/account/password_reset_from_key.html",
            "templates/account/password_reset_from_key_done.html",
            "templates/account/signup.html",
            "templates/account/verification_sent.html",
            "templates/allauth/elements/button.html",
            "templates/allauth/elements/fields.html",
            "templates/allauth/layouts/base.html",
            "tests/test_signup.py",
        },
    ),
    ("ci", "github", {".github/workflows/ci.yml"}),
    ("ci", "gitlab", {".gitlab-ci.yml"}),
]

EXECUTABLE = {
    "bin/deploy",
    "bin/deploy-commit",
    "bin/doctor",
    "bin/init",
    "bin/lock",
    "bin/rollback",
    "docker/nginx/configure.sh",
    "docker/app/entrypoint.sh",
    "docker/nginx/entrypoint.d/11-names.envsh",
    "docker/nginx/entrypoint.d/12-certificates.envsh",
    "docker/nginx/entrypoint.d/13-certificates.sh",
    "docker/nginx/entrypoint.d/12-known-hosts.envsh",
    "manage.py",
}


@pytest.fixture
def expected(answers) -> set[str]:
    return ALWAYS.union(*(files for name, value, files in OPTIONAL if answers[name] == value))


def test_exactly_the_expected_files(baked, expected):
    assert baked.files() == expected


def test_exactly_the_scripts_are_executable(baked, expected):
    executable = {file for file in baked.files() if os.access(baked.path / file, os.X_OK)}
    assert executable == expected & EXECUTABLE


def test_no_folder_is_empty(baked):
    assert [path for path in baked.path.rglob("*") if path.is_dir() and not [*path.iterdir()]] == []
