"""Read settings from the environment.

Every variable NAME may also be given as NAME_FILE, the path of a file that holds the value (Docker
secrets). An empty value counts as unset. What cannot be used ends the program with one sentence.
"""

import logging
import os
import re
import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import dj_database_url

# Not an address: a browser that is given one asks for no name, and so gets no certificate.
HOST = re.compile(r"\.?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?")
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
SMTP_OPTIONS = {
    "smtp": {},
    "smtp+tls": {"use_tls": True},
    "smtp+ssl": {"use_ssl": True},
}


def text(name: str, default: str = "") -> str:
    """Return the value of NAME, or the content of the file at NAME_FILE without its last newline."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().removesuffix("\n") or default
        except (OSError, UnicodeDecodeError) as error:
            sys.exit(f"{name}_FILE cannot be read: {error}")
    return os.environ.get(name) or default


def boolean(name: str) -> bool:
    """Return NAME as true (1, true, yes, on) or false (0, false, no, off, unset)."""
    value = text(name, "0").lower()
    if value not in TRUE | FALSE:
        sys.exit(f"{name} must be 1 or 0, not {value!r}.")
    return value in TRUE


def integer(name: str, default: int) -> int:
    """Return NAME as a whole number."""
    value = text(name, str(default))
    if not value.isdecimal():
        sys.exit(f"{name} must be a whole number, not {value!r}.")
    return int(value)


def megabytes(name: str, default: int) -> int:
    """Return NAME, a whole number of MB from 1 to 999999, in bytes."""
    value = text(name, str(default))
    if not re.fullmatch("[1-9][0-9]{0,5}", value):
        sys.exit(
            f"{name} must be a whole number of MB from 1 to 999999, not {value!r}."
        )
    return int(value) * 1024**2


def words(name: str, default: str = "") -> list[str]:
    """Return NAME as a list; spaces or commas stand between its items."""
    return text(name, default).replace(",", " ").split()


def time_zone(name: str, default: str) -> str:
    """Return NAME as a time zone of the IANA database."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        sys.exit(f"{name} must be a time zone such as Europe/Berlin, not {value!r}.")
    return value


def hosts(name: str, default: str) -> list[str]:
    """Return NAME as a list of host names; .example.com is example.com and all hosts below it."""
    for host in (names := words(name, default)):
        if not HOST.fullmatch(host):
            sys.exit(f"{name} must be host names such as example.com, not {host!r}.")
    if not names:
        sys.exit(f"{name} must have a host name such as example.com.")
    return names


def redirect_hosts(name: str, site: list[str]) -> list[str]:
    """Return NAME as a list of host names, none of which is a name of the site."""
    for host in (names := words(name)):
        if host.startswith(".") or not HOST.fullmatch(host):
            sys.exit(
                f"{name} must be host names such as www.example.com, not {host!r}."
            )
        if host in [own.removeprefix(".") for own in site]:
            sys.exit(f"{name} must not have {host!r}, which is in DOMAIN.")
    return names


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return NAME as a list of networks; an address is a network of one."""
    try:
        return [ip_network(word) for word in words(name)]
    except ValueError as error:
        sys.exit(f"{name} must be addresses or networks such as 10.0.0.0/8: {error}.")


def log_level(name: str, default: str) -> str:
    """Return NAME as one of logging's levels."""
    value = text(name, default).upper()
    if value not in logging.getLevelNamesMapping():
        sys.exit(f"{name} must be DEBUG, INFO, WARNING or ERROR, not {value!r}.")
    return value


def secret(name: str, development: str = "") -> str:
    """Return the secret NAME, or `development` where it is unset; refuse a placeholder and nothing."""
    value = text(name, development)
    if not value:
        sys.exit(
            f"{name} is not set: write it into .env, which bin/init makes with new secrets."
        )
    if value != development and value.startswith(("change-me", "django-insecure-")):
        sys.exit(f"{name} is still a placeholder: put a secret of your own into .env.")
    return value


def mailer(name: str, default: str) -> dict:
    """Return the MAILERS entry for a URL such as smtp+tls://user:password@mail.example.com:587.

    Schemes: smtp, smtp+tls (STARTTLS), smtp+ssl, and file:///folder, which writes a file for each
    message. User and password are percent-encoded.
    """
    try:
        url = urlsplit(text(name, default))
        if url.scheme == "file":
            backend = "django.core.mail.backends.filebased.EmailBackend"
            return {"BACKEND": backend, "OPTIONS": {"file_path": unquote(url.path)}}
        options = SMTP_OPTIONS[url.scheme] | {
            "host": url.hostname,
            "port": url.port,
            "username": unquote(url.username or ""),
            "password": unquote(url.password or ""),
            "timeout": 10,
        }
        if not url.hostname:
            raise ValueError
    except (KeyError, ValueError):
        sys.exit(
            f"{name} must look like smtp+tls://user:password@mail.example.com:587."
        )
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": options,
    }


def database(url: str, keep: int) -> dict:
    """Return the DATABASES entry for a URL such as postgres://user:password@host:5432/name.

    A connection is kept for `keep` seconds and looked at before the request that uses it, so that a
    database that was restarted costs nobody an error page.
    """
    try:
        entry = dj_database_url.parse(url, conn_max_age=keep, conn_health_checks=True)
    except ValueError:  # whose own message repeats the URL, with the password
        sys.exit("DATABASE_URL must look like postgres://user:password@host:5432/name.")
    if entry["ENGINE"].endswith(".postgresql"):
        # A lost database should fail a request in seconds, not hold its worker for minutes.
        entry["OPTIONS"] = {"connect_timeout": 5} | entry.get("OPTIONS", {})
    return entry
