from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.checks import Tags, register


class LoginsConfig(AppConfig):
    """Limits on password guesses: docs/logins.md."""

    name = "logins"
    # Whatever DEFAULT_AUTO_FIELD is: migrations name the type.
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from logins import checks, tries

        register(checks.limits_are_in_use, Tags.security)
        user_login_failed.connect(tries.login_failed)
        user_logged_in.connect(tries.logged_in)
