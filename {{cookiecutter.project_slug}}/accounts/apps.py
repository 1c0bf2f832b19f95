from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    # Whatever DEFAULT_AUTO_FIELD is: migrations name the type.
    default_auto_field = "django.db.models.BigAutoField"
