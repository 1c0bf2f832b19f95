"""What the settings make of the environment."""

import importlib
import os
import re
import subprocess
import sys
from types import ModuleType
from unittest.mock import patch

import pytest

SECRET = "not-a-real-secret-0123456789-" * 2
PRODUCTION = {"SECRET_KEY": SECRET, "POSTGRES_PASSWORD": "secret"}


# What compose.yaml and a person's shell may set. Variables of your own, which your settings may need, stay.
UNSET = re.compile(
    r"(SECRET_KEY|POSTGRES_\w+|DATABASE_URL|DEBUG|DOMAIN|REDIRECT_DOMAINS|ALLOWED_HOSTS|CSRF_TRUSTED_ORIGINS|EMAIL_URL"
    r"|TRUSTED_PROXIES|UPLOAD_LIMIT_MB|SECURE_HSTS_\w+|TIME_ZONE|LOG_LEVEL)(_FILE)?"
)


def environment(**variables: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not UNSET.fullmatch(name)
    }
    return kept | variables


def settings(**variables: str) -> ModuleType:
    """Import the settings anew, with these variables; Django keeps those that it has."""
    environ = environment(**variables)
    with (
        patch.dict(os.environ, environ, clear=True),
        patch.dict(sys.modules),
        patch("config.settings"),  # which an import of the module changes
    ):
        for name in [*sys.modules]:  # settings may be a package
            if name.startswith("config.settings"):
                del sys.modules[name]
        return importlib.import_module("config.settings")


def setting(name: str, **variables: str):
    return getattr(settings(**variables), name)


def refusal(**variables: str) -> str:
    """Return the sentence with which a program stops when it imports the settings."""
    with pytest.raises(SystemExit) as stop:
        settings(**variables)
    return stop.value.code


def test_production_is_the_default():
    assert setting("DEBUG", **PRODUCTION) is False
    assert setting("SECURE_SSL_REDIRECT", **PRODUCTION) is True


def test_development_needs_debug_alone():
    database = setting("DATABASES", DEBUG="1")["default"]
    assert database["ENGINE"] == "django.db.backends.sqlite3"


def test_a_missing_secret_stops_with_one_sentence():
    assert refusal() == (
        "SECRET_KEY is not set: write it into .env, which bin/init makes with new secrets."
    )


@pytest.mark.parametrize("name", ["SECRET_KEY", "POSTGRES_PASSWORD"])
def test_a_placeholder_stops_with_one_sentence(name):
    assert refusal(**PRODUCTION | {name: "change-me"}) == (
        f"{name} is still a placeholder: put a secret of your own into .env."
    )


def test_without_any_database_production_stops():
    assert refusal(SECRET_KEY=SECRET).startswith("POSTGRES_PASSWORD is not set")


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text(f"{SECRET}")
    env = {"SECRET_KEY_FILE": str(tmp_path / "key"), "POSTGRES_PASSWORD": "secret"}
    assert setting("SECRET_KEY", **env) == SECRET


def test_a_secret_file_that_is_not_there_is_named():
    assert "SECRET_KEY_FILE cannot be read" in refusal(SECRET_KEY_FILE="/nowhere")


@pytest.mark.parametrize(
    "password", ["p@ss/w:rd?#%", "  spaces ", "üñí🚀", "$HOME '\"\\"]
)
def test_any_password_reaches_the_database_unchanged(password):
    database = setting("DATABASES", SECRET_KEY=SECRET, POSTGRES_PASSWORD=password)[
        "default"
    ]
    assert database["PASSWORD"] == password
    assert database["HOST"] == "postgres"


def test_database_url_wins_and_connections_are_checked():
    url = "postgres://a:b@db.example.com:6432/shop?sslmode=require"
    database = setting("DATABASES", **PRODUCTION, DATABASE_URL=url)["default"]
    assert (database["HOST"], database["PORT"], database["NAME"]) == (
        "db.example.com",
        6432,
        "shop",
    )
    assert database["CONN_HEALTH_CHECKS"] is True
    assert database["OPTIONS"] == {"connect_timeout": 5, "sslmode": "require"}


def test_a_bad_database_url_stops_without_showing_the_password():
    message = refusal(**PRODUCTION, DATABASE_URL="postgres://a:hunter2@host:port/name")
    assert (
        message
        == "DATABASE_URL must look like postgres://user:password@host:5432/name."
    )


def test_hosts_and_origins_come_from_domain():
    env = PRODUCTION | {"DOMAIN": "example.com, .example.org"}
    assert setting("ALLOWED_HOSTS", **env) == ["example.com", ".example.org"]
    assert setting("CSRF_TRUSTED_ORIGINS", **env) == [
        "https://example.com",
        "https://*.example.org",
    ]


def test_a_name_that_redirects_is_no_host_of_django():
    env = PRODUCTION | {
        "DOMAIN": "example.com",
        "REDIRECT_DOMAINS": "www.example.com, b.org",
    }
    assert setting("REDIRECT_DOMAINS", **env) == ["www.example.com", "b.org"]
    assert setting("ALLOWED_HOSTS", **env) == ["example.com"]


@pytest.mark.parametrize(
    "name",
    [".example.org", "https://example.org", "192.0.2.1", "*", "a:80", "A.org", "a;b"],
)
def test_what_is_no_host_name_does_not_redirect(name):
    assert refusal(**PRODUCTION, REDIRECT_DOMAINS=f"www.example.com {name}") == (
        f"REDIRECT_DOMAINS must be host names such as www.example.com, not {name!r}."
    )


@pytest.mark.parametrize(
    "domain", ["b.org example.com", ".example.com", "b.org, .example.com"]
)
def test_a_name_of_the_site_does_not_redirect(domain):
    env = PRODUCTION | {
        "DOMAIN": domain,
        "REDIRECT_DOMAINS": "www.example.com,example.com",
    }
    assert (
        refusal(**env)
        == "REDIRECT_DOMAINS must not have 'example.com', which is in DOMAIN."
    )


def test_mail_goes_to_the_server_in_email_url():
    url = "smtp+tls://me%40example.com:p%2Fw@mail.example.com:2525"
    mailer = setting("MAILERS", **PRODUCTION, EMAIL_URL=url)["default"]
    assert mailer["OPTIONS"] == {
        "host": "mail.example.com",
        "port": 2525,
        "username": "me@example.com",
        "password": "p/w",
        "use_tls": True,
        "timeout": 10,
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@mail.example.com",
        "smtp:mail.example.com",
        "smtp://me:hunter[2@mail.example.com",
        "smtp://me:hunter℀@mail.example.com",
    ],
)
def test_a_bad_email_url_stops_without_showing_the_password(url):
    message = refusal(**PRODUCTION, EMAIL_URL=url)
    assert (
        message
        == "EMAIL_URL must look like smtp+tls://user:password@mail.example.com:587."
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("DOMAIN", "https://example.com"),
        ("DOMAIN", "192.0.2.1"),
        ("DOMAIN", "*"),
        ("DOMAIN", ","),
        ("LOG_LEVEL", "loud"),
        ("SECURE_HSTS_SECONDS", "1y"),
        ("TIME_ZONE", "Mars/Olympus"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(name, value):
    assert refusal(**PRODUCTION | {name: value}).startswith(f"{name} must ")


def test_production_passes_djangos_deployment_checks():
    # As compose.prod.yaml does. Checks of models may connect to the database, which has another password here.
    flags = ["--deploy", "--fail-level=WARNING", "--tag=security", "--tag=mail"]
    done = subprocess.run(
        [sys.executable, "manage.py", "check", *flags],
        check=False,
        env=environment(**PRODUCTION),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("level", "is_logged"), [("WARNING", True), ("ERROR", False)])
def test_the_log_level_holds_for_what_django_logs(level, is_logged):
    code = (
        "import django, logging; django.setup();"
        "print(logging.getLogger('django.request').isEnabledFor(logging.WARNING))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env=environment(
            DJANGO_SETTINGS_MODULE="config.settings", LOG_LEVEL=level, **PRODUCTION
        ),
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{is_logged}\n"


def test_the_largest_request_is_a_file_of_75_mb_and_its_form():
    assert setting("LARGEST_BODY", **PRODUCTION) == 78_708_736
    assert setting("LARGEST_BODY", **PRODUCTION, UPLOAD_LIMIT_MB="1") == 1_114_112


@pytest.mark.parametrize(
    "value", ["abc", "0", "-5", "7.5", "75MB", "075", " 75", "1000000", "٧٥"]
)
def test_a_limit_that_is_no_number_of_mb_stops_with_one_sentence(value):
    assert refusal(**PRODUCTION, UPLOAD_LIMIT_MB=value) == (
        f"UPLOAD_LIMIT_MB must be a whole number of MB from 1 to 999999, not {value!r}."
    )
