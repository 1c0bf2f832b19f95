"""Do the names in DOMAIN and REDIRECT_DOMAINS resolve to this server? Let's Encrypt will ask http://NAME/."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import uuid4

from ops.docker import execute
from ops.doctor.app import is_public
from ops.doctor.findings import Finding, ok, unseen, wrong
from ops.doctor.seen import Configuration, Stack
from ops.process import CommandFailed, run, side_by_side

DOES_NOT_RESOLVE = 6  # exit status of curl
SECONDS = 5
FLUSH = 1.5  # seconds after which nginx has written what it logged
# A request to the name, and then one to nginx itself, which has to be in its log.
ASK = (
    'ask() { curl --silent --noproxy "*" --location --insecure --max-time 5 --output /dev/null'
    ' --write-out "%{remote_ip}" "$1"; };'
    ' ask "http://$1/$2-name"; status=$?; ask "http://127.0.0.1:8080/$2-here" >/dev/null; exit $status'
)


@dataclass(frozen=True)
class Resolution:
    """What became of a request to a name."""

    name: str
    arrived: bool | None  # here; None when nginx's log does not say
    status: int = 0  # of curl
    address: str = ""  # of the server that responded


def all_names(configuration: Configuration) -> list[str]:
    """Return the names that nginx serves or redirects, each of which has a certificate of its own."""
    return [*configuration.domains, *configuration.redirect_domains]


def variable_of(configuration: Configuration, name: str) -> str:
    """Return the variable of .env that lists this name."""
    return "REDIRECT_DOMAINS" if name in configuration.redirect_domains else "DOMAIN"


def read(configuration: Configuration, nginx: str) -> tuple[Resolution, ...]:
    """Request each public name from within this container of nginx, and look for it in nginx's log.

    No machine knows its own public address for sure, so the request itself has to show it.
    """
    public = [name for name in all_names(configuration) if is_public(name)]
    if not public:
        return ()
    return tuple(
        side_by_side(*[lambda name=name: resolve(nginx, name) for name in public])
    )


def resolve(nginx: str, name: str) -> Resolution:
    token, status, address = f"doctor-{uuid4().hex}", 0, ""
    try:
        address = execute(
            nginx, "sh", "-c", ASK, "sh", name, token, timeout=3 * SECONDS
        )
    except CommandFailed as failed:
        status, address = failed.status, failed.output
    return Resolution(name, arrived_here(nginx, token), status, address.strip())


def arrived_here(nginx: str, token: str) -> bool | None:
    """Return whether the request to the name is in nginx's log; None when its own request is not."""
    end = time.monotonic() + SECONDS
    own_request_seen = None
    while time.monotonic() < end:
        try:
            log = run("docker", "logs", "--since", "1m", nginx, merge=True)
        except CommandFailed:
            return None
        if f"{token}-name" in log:
            return True
        if f"{token}-here" in log:
            own_request_seen = own_request_seen or time.monotonic()
            if time.monotonic() - own_request_seen > FLUSH:
                return False
        time.sleep(0.1)
    return None if own_request_seen is None else False


def check_names(stack: Stack) -> list[Finding]:
    """Does each name in DOMAIN and REDIRECT_DOMAINS resolve to this server?"""
    seen = {one.name: one for one in stack.names}
    return [
        check_name(stack, name, seen.get(name))
        for name in all_names(stack.configuration)
    ]


def check_name(stack: Stack, name: str, found: Resolution | None) -> Finding:
    remove = f"or remove it from {variable_of(stack.configuration, name)} in .env."
    if not is_public(name):
        return ok(stack.name, f"{name} needs no DNS")
    if not found or found.arrived is None:
        return unseen(
            stack.name,
            f"whether {name} resolves to this server: nginx is not running, or its log cannot be read",
        )
    if found.arrived:
        return ok(stack.name, f"{name} resolves to this server")
    if found.status == DOES_NOT_RESOLVE:
        record = f"# Give it an A record with the address of this machine, {remove}"
        return wrong(
            stack.name, f"{name} does not resolve", "So it gets no certificate.", record
        )
    if found.status == 0:
        what = f"{name} resolves to another server, {found.address}"
        record = (
            f"# Set its A and AAAA records to the addresses of this machine, {remove}"
        )
        return wrong(
            stack.name, what, "So it gets no certificate on this machine.", record
        )
    what = f"whether {name} resolves to this server: its address does not respond."
    return unseen(stack.name, f"{what} From another machine, try: curl http://{name}/")
