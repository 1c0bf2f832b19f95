"""The certificates that nginx has, one for each name in DOMAIN and REDIRECT_DOMAINS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from ops.docker import execute
from ops.doctor.app import is_public
from ops.doctor.findings import Finding, ok, wrong
from ops.doctor.https.names import all_names, variable_of
from ops.doctor.seen import Configuration, Machine, Stack
from ops.process import CommandFailed

DAY = 24 * 60 * 60  # seconds
SECONDS = 20
FEW = 14  # days; certbot renews a certificate a month before its end
SCRIPT = (
    'for name; do echo "name=$name";'
    ' openssl x509 -noout -subject -issuer -startdate -enddate -in "/etc/nginx/certificates/$name.pem" 2>/dev/null;'
    " done; true"
)


@dataclass(frozen=True)
class Certificate:
    """The certificate of one name. A name without one has times of 0."""

    name: str
    begins: float = 0  # seconds since 1970
    ends: float = 0
    self_signed: bool = False


def read(configuration: Configuration, nginx: str) -> tuple[Certificate, ...]:
    """Read the certificates in this container of nginx; none when it does not say anything."""
    try:
        printed = execute(
            nginx, "sh", "-c", SCRIPT, "sh", *all_names(configuration), timeout=SECONDS
        )
    except CommandFailed:
        return ()
    return tuple(parse(block) for block in printed.split("name=")[1:])


def parse(block: str) -> Certificate:
    """Make a Certificate of a name and what openssl printed for it."""
    name, *lines = block.strip().splitlines()
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    if "notAfter" not in said:
        return Certificate(name)
    begins, ends = (
        ssl.cert_time_to_seconds(said[key]) for key in ("notBefore", "notAfter")
    )
    return Certificate(name, begins, ends, said.get("issuer") == said.get("subject"))


def check_certificates(stack: Stack, machine: Machine) -> list[Finding]:
    """Has each name a certificate that browsers accept, for two weeks at least?"""
    return [check_certificate(stack, one, machine.now) for one in stack.certificates]


def check_certificate(stack: Stack, certificate: Certificate, now: float) -> Finding:
    name, days = certificate.name, int((certificate.ends - now) // DAY)
    say = stack.configuration.command
    log = f"{say} logs --tail 20 certbot"
    if not certificate.ends:
        variable = variable_of(stack.configuration, name)
        why = f"{variable} in .env was changed after nginx got its configuration."
        return wrong(
            stack.name,
            f"nginx has no certificate for {name}",
            why,
            f"{say} up -d --wait",
        )
    if certificate.begins > now:
        why = "The clock of this machine is wrong, or that of the machine that made it."
        return wrong(
            stack.name, f"the certificate of {name} is not valid yet", why, "date --utc"
        )
    if days < FEW:
        what = f"the certificate of {name} ends in {days} days"
        return wrong(
            stack.name,
            what,
            "certbot should have renewed it; its log says why not.",
            log,
        )
    if not certificate.self_signed:
        return ok(stack.name, f"the certificate of {name} is valid for {days} days")
    if is_public(name):
        why = (
            "Browsers warn of it. certbot got no certificate so far; its log says why."
        )
        return wrong(stack.name, f"the certificate of {name} is self-signed", why, log)
    return ok(
        stack.name,
        f"the certificate of {name} is self-signed: no public CA signs such a name",
    )
