"""Count the passwords that were wrong, for each address and each account, in the database for all workers.

LOGIN_LIMITS in the settings has the numbers: as soon as so many passwords were wrong within a time,
more of them are refused for as long, right ones too.
"""

import unicodedata
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.crypto import salted_hmac

from logins.models import Failure, KnownAddress

# How long an address stays known to an account after the last login.
KNOWN_FOR = timedelta(days=365)


def network_of(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), 64), strict=False))


def accounts_in(credentials: dict) -> set[str]:
    """Return the accounts that credentials name, whether or not such accounts exist."""
    fields = {"username", "email", get_user_model().USERNAME_FIELD}
    return {
        normalized(str(credentials[field])) for field in fields & credentials.keys()
    }


def normalized(name: str) -> str:
    """Return the same text for all spellings that lead to one account."""
    # In upper case, because that is how databases compare names without case.
    return unicodedata.normalize("NFKC", name.strip()[:1000]).strip().upper()


def key(*parts: str) -> str:
    """Return a digest under which something is stored; without SECRET_KEY it tells nothing."""
    value = "\n".join(parts).encode(errors="replace")
    return salted_hmac("logins", value, algorithm="sha256").hexdigest()


def locked_until(kind: str, digest: str, unsaved: list[Failure]) -> datetime | None:
    """Return until when passwords are refused, or None when they are not.

    `kind` is "address" or "account"; `unsaved` are failures that are not in the database yet.
    """
    tries, period = settings.LOGIN_LIMITS[kind]
    saved = (
        Failure.objects.filter(key=digest)
        .order_by("-time")
        .values_list("time", flat=True)
    )
    times = [failure.time for failure in unsaved if failure.key == digest] + [
        *saved[:tries]
    ]
    newest = sorted(times, reverse=True)[:tries]
    if len(newest) < tries or newest[0] - newest[-1] >= period:
        return None
    end = newest[0] + period
    return end if end > timezone.now() else None


def save(failures: list[Failure]) -> None:
    """Save failures, and delete those that no limit counts any more."""
    if failures:
        Failure.objects.bulk_create(failures)
        # A lock lasts for a period after its newest failure, and its oldest was a period earlier.
        longest = max(period for _, period in settings.LOGIN_LIMITS.values())
        Failure.objects.filter(time__lt=timezone.now() - 2 * longest).delete()


def is_known(account: str, address: str) -> bool:
    """Whether somebody has logged in to this account from this address."""
    return KnownAddress.objects.filter(key=key("known", account, address)).exists()


def remember(accounts: set[str], address: str) -> None:
    """Save that somebody has logged in to an account, by these names, from this address."""
    now = timezone.now()
    KnownAddress.objects.bulk_create(
        [
            KnownAddress(key=key("known", account, address), time=now)
            for account in accounts
        ],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["time"],
    )
    KnownAddress.objects.filter(time__lt=now - KNOWN_FOR).delete()


def unlock(name: str) -> None:
    """Forget the failures of the account with this name, such as a username or an email address."""
    Failure.objects.filter(key=key("account", normalized(name))).delete()
