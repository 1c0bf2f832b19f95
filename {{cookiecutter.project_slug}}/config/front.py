"""What a reverse proxy would do: apply the headers of trusted proxies, redirect, and refuse requests.

config/wsgi.py gives each request to it, before Django.
"""

import logging
from collections.abc import Collection
from ipaddress import ip_address, ip_network
from urllib.parse import quote

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from config import errors, request_id

logger = logging.getLogger(__name__)

# A probe requests these paths by the container's address, not by the site's name.
PROBES = {"/healthz", "/readyz"}

EVERYBODY = {ip_network("0.0.0.0/0"), ip_network("::/0")}

FORWARDED = [
    "HTTP_FORWARDED",
    *(f"HTTP_X_FORWARDED_{what}" for what in ("FOR", "HOST", "PORT", "PROTO")),
]


class Front:
    """A WSGI application around another one."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        apply_forwarded_headers(environ)
        # A platform that is no trusted proxy may choose the request ID, too.
        id_ = request_id.valid_or_new(environ.get("HTTP_X_REQUEST_ID", ""))
        environ["HTTP_X_REQUEST_ID"] = id_
        request_id.current.set(id_)
        if location := redirect(environ):
            start_response(
                "308 Permanent Redirect", redirect_headers(environ, location, id_)
            )
            return []
        status, reason = refusal(environ)
        if not status:
            return self.application(environ, start_response)
        logger.warning("%s: %s", status, reason)
        body = errors.page(413 if status.startswith("413") else 400, id_).encode()
        start_response(
            status,
            [
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("X-Request-ID", id_),
            ],
        )
        return [body]


def apply_forwarded_headers(environ: dict) -> None:
    """Use the X-Forwarded-* headers of a trusted proxy; delete those of everybody else."""
    forwarded = {name: environ.pop(name) for name in FORWARDED if name in environ}
    environ["wsgi.url_scheme"] = "http"
    environ["REMOTE_ADDR"] = unmapped(environ["REMOTE_ADDR"])
    if not is_trusted(environ["REMOTE_ADDR"]):
        return
    # Each proxy writes the address that it saw at the end, so what a client made up comes first.
    chain = [
        hop.strip()
        for hop in forwarded.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if hop.strip()
    ]
    if chain:
        environ["REMOTE_ADDR"] = unmapped(without_port(chain.pop()))
    # 0.0.0.0/0 trusts the proxy that connects, wherever it is. Of those before it nothing is known.
    while chain and is_trusted(environ["REMOTE_ADDR"], ignoring=EVERYBODY):
        environ["REMOTE_ADDR"] = unmapped(without_port(chain.pop()))
    host = forwarded.get("HTTP_X_FORWARDED_HOST", "").strip()
    if host and "," not in host:  # two proxies do not agree on one
        environ["HTTP_HOST"] = host
    if forwarded.get("HTTP_X_FORWARDED_PROTO") == "https":
        environ["wsgi.url_scheme"] = "https"


def unmapped(address: str) -> str:
    """Return 192.0.2.1 for ::ffff:192.0.2.1, as a server that listens on IPv6 sees it, and all else as it is."""
    prefix, _, ipv4 = address.rpartition(":")
    return ipv4 if prefix.lower() == "::ffff" and "." in ipv4 else address


def is_trusted(address: str, ignoring: Collection = ()) -> bool:
    """Return whether a network of TRUSTED_PROXIES has this address; a text that is no address is not trusted."""
    networks = [
        network for network in settings.TRUSTED_PROXIES if network not in ignoring
    ]
    try:
        return any(ip_address(address) in network for network in networks)
    except ValueError:
        return False


def without_port(address: str) -> str:
    """Return the address alone: some proxies write 203.0.113.9:4711, or [2001:db8::9]:4711."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def redirect(environ: dict) -> str:
    """Return the URL that a name in REDIRECT_DOMAINS redirects to, and for other names an empty text."""
    host, port = split_domain_port(environ.get("HTTP_HOST", "").lower())
    if environ["PATH_INFO"] in PROBES or host not in settings.REDIRECT_DOMAINS:
        return ""
    # A port stays, if the request came to it over HTTPS.
    port = f":{port}" if port and environ["wsgi.url_scheme"] == "https" else ""
    path = quote(environ["PATH_INFO"], safe="/:@!$&'()*+,;=~", encoding="latin-1")
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    return f"https://{settings.DOMAIN[0].removeprefix('.')}{port}{path}{query}"


def redirect_headers(environ: dict, location: str, id_: str) -> list[tuple[str, str]]:
    """Return the headers of a redirect; browsers insist on HTTPS for its name, as for the site."""
    headers = [
        ("Location", location),
        ("Content-Length", "0"),
        # Browsers would keep it for ever, and go in circles when the two names change places.
        ("Cache-Control", "max-age=3600"),
        ("X-Request-ID", id_),
    ]
    if environ["wsgi.url_scheme"] == "https" and settings.SECURE_HSTS_SECONDS:
        headers.append(
            ("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}")
        )
    return headers


def refusal(environ: dict) -> tuple[str, str]:
    """Return the status and the reason of a refusal, or two empty texts for a request that may pass."""
    host, _ = split_domain_port(environ.get("HTTP_HOST", "").lower())
    if environ["PATH_INFO"] not in PROBES and not validate_host(
        host, settings.ALLOWED_HOSTS
    ):
        return "400 Bad Request", "This is not a name of this site."
    if environ.get("HTTP_TRANSFER_ENCODING"):
        # WSGI cannot tell where such a body ends: Django would take it for an empty one.
        return "411 Length Required", "A body needs a Content-Length here."
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        return "400 Bad Request", "Content-Length must be a number."
    if int(length) > settings.LARGEST_BODY:
        return (
            "413 Content Too Large",
            f"A body may have {settings.LARGEST_BODY} bytes.",
        )
    return "", ""
