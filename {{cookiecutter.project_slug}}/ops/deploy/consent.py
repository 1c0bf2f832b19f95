"""Ask before a service restarts that users would notice."""

from __future__ import annotations

import sys

from ops.compose import Service
from ops.deploy.deployment import Deployment
from ops.deploy.planning import needs_consent
from ops.deploy.report import say

QUESTION = (
    "  {} has changed and must restart: the site is unavailable for some seconds."
    " Restart it at the end? [y/N] "
)


def agreed_restarts(deployment: Deployment, yes: bool) -> list[Service]:
    """Return the services that may be replaced in place after the switch.

    Asks about each that users would notice; without a terminal, or without `yes`, these stay as they are.
    """
    agreed = []
    for service in deployment.plan.in_place:
        if (
            yes
            or not needs_consent(deployment.site, service)
            or ask_at_terminal(service.name)
        ):
            agreed.append(service)
        else:
            say(
                f"  {service.name} stays as it is; to restart it, run: bin/deploy --yes"
            )
    return agreed


def ask_at_terminal(service: str) -> bool:
    """Ask the person at the terminal, where there is one, and return whether the answer was y."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    print(QUESTION.format(service), end="", flush=True)
    return sys.stdin.readline().strip() == "y"
