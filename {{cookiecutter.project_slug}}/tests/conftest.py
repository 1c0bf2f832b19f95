import pytest


@pytest.fixture
def platform(settings):
    """Reduce the project to what every project keeps, so that a test does not depend on your pages, URLs and middleware."""
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
