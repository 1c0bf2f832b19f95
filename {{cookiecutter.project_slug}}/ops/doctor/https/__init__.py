"""HTTPS: the names in DOMAIN and REDIRECT_DOMAINS, and the certificates of nginx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ops.doctor.findings import Finding
from ops.doctor.https import certificates, names
from ops.doctor.seen import Machine, Stack


def readings_of_https(stack: Stack) -> dict[str, Callable[[], Any]]:
    """What to read while nginx runs; each by the field of Stack that it fills."""
    nginx = stack.running("nginx")
    if stack.name != "production" or not nginx:
        return {}
    configuration = stack.configuration
    return {
        "certificates": lambda: certificates.read(configuration, nginx.id),
        "names": lambda: names.read(configuration, nginx.id),
    }


def check_https(stack: Stack, machine: Machine) -> list[Finding]:
    return [*names.check_names(stack), *certificates.check_certificates(stack, machine)]
