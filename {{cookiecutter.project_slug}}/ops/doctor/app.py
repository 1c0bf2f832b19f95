"""The app: one page through the reverse proxy, its readiness, the links, mail."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from ops.docker import execute
from ops.doctor.findings import Finding, note, ok, unseen, wrong
from ops.doctor.ports import HTTPS, port_of_site
from ops.doctor.seen import Configuration, Inside, Machine, Page, Stack
from ops.process import CommandFailed

SECONDS_FOR_A_PAGE = 10
SECONDS = 20
REASONS = {
    502: "The reverse proxy gets no response from the app.",
    503: "The database does not respond, or the site is in maintenance.",
    504: "The app takes too long to respond to the reverse proxy.",
}
SCRIPT = Path(__file__).parent / "inside.py"
LOCAL = (
    ".example",
    ".home.arpa",
    ".internal",
    ".invalid",
    ".local",
    ".localhost",
    ".test",
)


def is_public(name: str) -> bool:
    """Whether a name is one that DNS and certificate authorities know."""
    return (
        "." in name and not name.endswith(LOCAL) and not name.replace(".", "").isdigit()
    )


def read_page(configuration: Configuration) -> Page | None:
    """Request the home page as a browser on this machine would; None where no port is published."""
    found = port_of_site(configuration)
    if not found:
        return None
    port, scheme = found.number, "https" if found.target == HTTPS else "http"
    name = (
        configuration.domains[0] if configuration.stack == "production" else "localhost"
    )
    url = f"{scheme}://{name}:{port}/"
    address = found.address.replace("0.0.0.0", "") or "127.0.0.1"
    try:
        return Page(url, port, status=request(scheme, address, port, name))
    except (OSError, HTTPException) as error:
        return Page(url, port, error=str(error) or type(error).__name__)


def request(scheme: str, address: str, port: int, name: str) -> int:
    """GET / from this address with this name, whatever its certificate; return the status."""
    connection = HTTPConnection(name, port, timeout=SECONDS_FOR_A_PAGE)
    connection.sock = socket.create_connection((address, port), SECONDS_FOR_A_PAGE)
    if scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection.sock = context.wrap_socket(connection.sock, server_hostname=name)
    try:
        headers = {"User-Agent": "bin/doctor", "X-Forwarded-Proto": "https"}
        connection.request("GET", "/", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def check_page(stack: Stack, machine: Machine) -> list[Finding]:
    """Is the home page served?"""
    page = stack.page
    if not page:
        return []
    if machine.published.get(page.port) not in {one.name for one in stack.containers}:
        return [
            unseen(stack.name, f"{page.url}: no container of this stack has the port")
        ]
    if page.status and page.status < 500:
        return [ok(stack.name, f"{page.url} returns {page.status}")]
    what = (
        f"{page.url} returns {page.status}"
        if page.status
        else f"{page.url} is not served"
    )
    why = page.error or REASONS.get(page.status, "The app's log has the error.")
    logs = f"{stack.configuration.command} logs --since 5m --no-log-prefix"
    return [wrong(stack.name, what, why, logs)]


def read_inside(container: str) -> Inside | None:
    """Ask the app in this container; None where it has no Python, or does not say anything."""
    try:
        said = execute(
            container,
            "python",
            "-",
            stdin=SCRIPT.read_text(encoding="utf-8"),
            timeout=SECONDS,
        )
        return Inside(**json.loads(said))
    except (CommandFailed, ValueError, TypeError):
        return None


def check_readiness(stack: Stack) -> list[Finding]:
    """Does the app reach its database, and has it no migration that waits?"""
    if not stack.inside:
        what = "whether the app is ready: the check in its container failed, or took longer than 20 seconds"
        return [unseen(stack.name, what)] if stack.running("app") else []
    ready, say = stack.inside.ready, stack.configuration.command
    if ready == "ready":
        return [ok(stack.name, "the app reaches its database, and no migration waits")]
    if "migrations wait" in ready:
        why = "The code is newer than the tables: pages that need them fail."
        migrate = f"{say} run --rm {'manage migrate' if stack.name == 'development' else 'release'}"
        return [wrong(stack.name, f"/readyz says: {ready}", why, migrate)]
    why = "Pages that need the database answer 503."
    return [
        wrong(
            stack.name,
            f"/readyz says: {ready}",
            why,
            f"{say} logs --tail 50 app postgres",
        )
    ]


def check_links(stack: Stack) -> list[Finding]:
    """Does each link that the reverse proxy follows lead to a container that serves?"""
    said = stack.inside.links if stack.inside else None
    if not isinstance(said, Mapping):
        return []
    containers = {one.host_name: one for one in stack.containers_of("app")}
    dead = {str(link) for link in said.get("dead") or ()}
    findings = []
    for link, host in (said.get("links") or {}).items():
        container = containers.get(host)
        command = f"{stack.configuration.command} up -d --wait"
        if container and container.state == "paused":
            state, command = (
                f"{container.name}, which is paused",
                f"docker unpause {container.name}",
            )
        elif container and not container.running:
            state = f"{container.name}, which is {container.state}"
        elif not container or str(link) in dead or host in dead:
            state = (
                f"{container.name if container else host}, which takes no connection"
            )
        else:
            continue
        what = f"requests by link {link} go to {state}"
        why = "Each request that goes there fails or waits."
        findings.append(wrong(stack.name, what, why, command))
    return findings


def check_mail(stack: Stack) -> list[Finding]:
    """In production, can e-mail be sent?"""
    configuration, inside = stack.configuration, stack.inside
    if not (configuration.value("EMAIL_URL") or configuration.value("EMAIL_URL_FILE")):
        what = "no mail server is set: e-mail is not sent"
        why = "Password resets and error reports need it."
        command = "# Set EMAIL_URL in .env, such as smtp+tls://user:password@mail.example.com:587."
        if any(map(is_public, configuration.domains)):
            return [wrong(stack.name, what, why, command)]
        return [note(stack.name, what, why, command)]
    if inside and inside.mail:
        what = f"the mail server {inside.mail_server} takes no connection from the app's container"
        command = "# Correct EMAIL_URL in .env, or open this port in the firewall of this machine or its provider."
        return [wrong(stack.name, what, inside.mail, command)]
    if inside and inside.mail_server:
        return [
            ok(stack.name, f"the mail server {inside.mail_server} takes connections")
        ]
    return []
