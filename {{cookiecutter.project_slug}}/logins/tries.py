"""The passwords that the current request tries, wherever it tries them.

Every login form and API view calls django.contrib.auth.authenticate(), which asks the backends in
turn and sends a signal when all of them refuse. So the first backend sees each try (backends.py), and
the signal tells which of them failed.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from logins import limits
from logins.models import Failure


@dataclass
class Tries:
    """What a request has tried so far."""

    address: str
    # The accounts of the latest try, and the digests of the limits that count it if it fails; empty once it is counted.
    accounts: set[str] = field(default_factory=set)
    keys: list[str] = field(default_factory=list)
    # The middleware saves them after the view, whose own transaction may be rolled back.
    failures: list[Failure] = field(default_factory=list)
    refused_until: datetime | None = None


# Set by the middleware. Outside of requests, such as in a management command, nothing is limited.
current: ContextVar[Tries | None] = ContextVar("tries", default=None)


@sensitive_variables("credentials")
def check(credentials: dict) -> None:
    """Raise PermissionDenied if a limit is reached; else remember which limits count this try if it fails."""
    tries = current.get()
    if not tries:
        return
    tries.accounts, tries.keys = set(), []
    if "password" not in credentials:
        return
    accounts = limits.accounts_in(credentials)
    counted = counted_by(tries.address, accounts)
    locks = [limits.locked_until(kind, key, tries.failures) for kind, key in counted]
    if until := max(filter(None, locks), default=None):
        tries.refused_until = until
        raise PermissionDenied("Too many passwords were wrong.")
    tries.accounts = accounts
    tries.keys = [key for _, key in counted]


def counted_by(address: str, accounts: set[str]) -> list[tuple[str, str]]:
    """Return the limits that hold for a try, as pairs of kind and key.

    The limit of an account counts no tries from addresses that are known to the account.
    """
    strangers = [
        account for account in accounts if not limits.is_known(account, address)
    ]
    return [
        ("address", limits.key("address", address)),
        *(("account", limits.key("account", account)) for account in sorted(strangers)),
    ]


def login_failed(sender, **kwargs) -> None:
    """Count the try that failed (a receiver of user_login_failed); one that was refused has no keys."""
    if tries := current.get():
        now = timezone.now()
        tries.failures += [Failure(key=key, time=now) for key in tries.keys]
        tries.accounts, tries.keys = set(), []


def logged_in(sender, user, **kwargs) -> None:
    """Make this address known to the account (a receiver of user_logged_in)."""
    if tries := current.get():
        username = limits.normalized(user.get_username())
        limits.remember({username} | tries.accounts, tries.address)
