"""Runs in a container of the app, by `python -`: print as JSON what the app can tell from there.

The doctor sends this file to the container, so that it imports nothing of this package.
"""

import json
import os
import socket
import subprocess
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

LINKS = Path("docker/app/links.py")
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def readiness() -> str:
    """Return what /readyz says, or why it says nothing."""
    connection = HTTPConnection(
        "127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=5
    )
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().read(300).decode(errors="replace").strip()
    except OSError as error:
        return f"the app does not respond: {error}"


def email_url() -> str:
    path = os.environ.get("EMAIL_URL_FILE", "")
    try:
        return (
            Path(path).read_text().strip() if path else os.environ.get("EMAIL_URL", "")
        )
    except OSError:
        return ""


def mail() -> tuple:
    """Return host and port of the mail server, and why it takes no connection; all "" without one."""
    try:
        url = urlsplit(email_url())
        host, port = url.hostname, url.port or MAIL_PORTS[url.scheme]
    except (KeyError, ValueError):
        return "", ""
    if not host:
        return "", ""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError as error:
        return f"{host}:{port}", str(error)
    return f"{host}:{port}", ""


def links() -> object:
    """Return what links.py says of the links between the reverse proxy and the app; None where there are none."""
    if not LINKS.exists():
        return None
    shown = subprocess.run(
        ["python", "-B", str(LINKS), "show"],
        check=False,
        capture_output=True,
        text=True,
        timeout=5,
    )
    try:
        return json.loads(shown.stdout)
    except ValueError:
        return None


server, refusal = mail()
print(
    json.dumps(
        {
            "ready": readiness(),
            "mail_server": server,
            "mail": refusal,
            "links": links(),
        },
    )
)
