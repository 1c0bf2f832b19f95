import pytest


@pytest.fixture
def bare_project(settings):
    """Use only the middleware and templates that every project keeps, so that yours cannot change the result."""
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": []}]
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
