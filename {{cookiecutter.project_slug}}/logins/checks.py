from django.conf import settings
from django.core.checks import Warning

BACKENDS = ["logins.backends.ModelBackend", "logins.backends.OnlyLimits"]
MIDDLEWARE = "logins.middleware.LoginLimitMiddleware"
HINT = "To have no limits on password guesses, remove logins from INSTALLED_APPS: docs/logins.md."


def limits_are_in_use(app_configs, **kwargs) -> list[Warning]:
    """Return a warning for each setting without which passwords can be guessed without limits."""
    found = []
    # Django asks no further backend when one has accepted the password.
    backends = settings.AUTHENTICATION_BACKENDS
    if not backends or backends[0] not in BACKENDS:
        message = f"{BACKENDS[0]} must be the first of AUTHENTICATION_BACKENDS."
        hint = f"Put it before your own backends. {HINT}"
        found.append(Warning(message, hint=hint, id="logins.W001"))
    if MIDDLEWARE not in settings.MIDDLEWARE:
        message = f"{MIDDLEWARE} must be in MIDDLEWARE."
        found.append(Warning(message, hint=HINT, id="logins.W002"))
    return found
