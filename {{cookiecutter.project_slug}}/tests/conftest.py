import pytest


@pytest.fixture
def bare_project(settings):
    """Use only the middleware and templates that every project keeps, so that yours cannot change the result."""
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.template.context_processors.csp",
                    "django.contrib.auth.context_processors.auth",
                    "config.context_processors.site",
                ]
            },
        }
    ]
    settings.MIDDLEWARE = [
        "config.request_id.RequestIdMiddleware",
        "config.health.HealthMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.csp.ContentSecurityPolicyMiddleware",
        "config.csp.PolicyForPrefixMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ]
    return settings
