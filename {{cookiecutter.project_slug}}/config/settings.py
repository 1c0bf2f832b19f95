"""Settings for every environment. They differ by environment variables alone (see .env.example):
production is the default, and development opts in with DEBUG=1.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from django.utils.csp import CSP

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent

SITE_NAME = {{ cookiecutter.__project_name_quoted }}
SITE_DESCRIPTION = {{ cookiecutter.__description_quoted }}

DEBUG = env.boolean("DEBUG")
SECRET_KEY = env.secret("SECRET_KEY", development="development" if DEBUG else "")

# Hosts

DOMAIN = env.hosts("DOMAIN", "localhost")
# These names redirect to the first name in DOMAIN before Django sees a request.
REDIRECT_DOMAINS = env.redirect_hosts("REDIRECT_DOMAINS", DOMAIN)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or [*DOMAIN]
if DEBUG:
    ALLOWED_HOSTS += [".localhost", "127.0.0.1", "[::1]", *env.words("APP_ADDRESS")]
# In development a tunnel may terminate TLS.
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS") or [
    f"https://{'*' if host.startswith('.') else ''}{host}"
    for host in (ALLOWED_HOSTS if DEBUG else DOMAIN)
]
# The addresses whose X-Forwarded-* headers are used, as a rule those of a load balancer.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

# Application

INSTALLED_APPS = [
    "config",
    "logins",
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
{%- if cookiecutter.use_allauth %}
    "allauth",
    "allauth.account",
{%- endif %}
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    # First: every log record of the request needs the request ID.
    "config.request_id.RequestIdMiddleware",
    # Before everything that may refuse or redirect: a probe knows no host name and no HTTPS.
    "config.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "config.csp.PolicyForPrefixMiddleware",
    # Before everything that may check a password.
    "logins.middleware.LoginLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
{%- if cookiecutter.use_allauth %}
    "allauth.account.middleware.AccountMiddleware",
{%- endif %}
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context_processors.site",
            ],
        },
    },
]

# Database

DATABASE_URL = env.text("DATABASE_URL")
if not DATABASE_URL and DEBUG and not env.text("POSTGRES_PASSWORD"):
    DATABASE_URL = f"sqlite:///{quote(str(BASE_DIR))}/db.sqlite3"
if not DATABASE_URL:
    parts = (
        env.text("POSTGRES_USER", "app"),
        env.secret("POSTGRES_PASSWORD"),
        env.text("POSTGRES_HOST", "postgres"),
        env.text("POSTGRES_DB", "app"),
    )
    DATABASE_URL = "postgres://{}:{}@{}/{}".format(
        *(quote(part, safe="") for part in parts)
    )

# runserver has a thread for each request, so a kept connection would only pile up.
DATABASES = {"default": env.database(DATABASE_URL, keep=0 if DEBUG else 600)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["logins.backends.ModelBackend"]
# As soon as so many passwords were wrong within this time, more are refused for as long: docs/logins.md.
LOGIN_LIMITS = {
    "address": (10, timedelta(minutes=1)),
    # From addresses that have never logged in to the account.
    "account": (20, timedelta(minutes=15)),
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
{%- if cookiecutter.use_allauth %}

# Sign-up and login by e-mail address (django-allauth); the admin has Django's own login

AUTHENTICATION_BACKENDS += ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# One address to an account: a new one takes the place of the old when it is confirmed.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "
# LOGIN_LIMITS are the limits on failed logins: with allauth's own, a stranger could lock out an owner.
ACCOUNT_RATE_LIMITS = {"login_failed": None}
# allauth counts its other limits in the cache: in the database, because each worker has a memory of its own.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
{%- endif %}

# Language and time

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.time_zone("TIME_ZONE", "{{ cookiecutter.timezone }}")
USE_I18N = True
USE_TZ = True

# Files: static files belong to the image, media is what users upload, public/ holds files such as robots.txt

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ROOT = BASE_DIR / "public"
# Development finds new files without a restart.
WHITENOISE_AUTOREFRESH = DEBUG
# Seconds. Only names with a hash of the content never change.
WHITENOISE_MAX_AGE = 0
MEDIA_URL = "/media/"
MEDIA_ROOT = BASE_DIR / "media"

# Bytes of the largest request: a file of UPLOAD_LIMIT_MB, and 64 KB for the form around it. Django keeps
# files over 2.5 MB on the disk, and refuses anything else of that size.
LARGEST_BODY = env.megabytes("UPLOAD_LIMIT_MB", 75) + 64 * 1024

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Mail: development writes each message to a file in mail/

MAILERS = {
    "default": env.mailer(
        "EMAIL_URL",
        f"file://{quote(str(BASE_DIR))}/mail" if DEBUG else "smtp://localhost",
    ),
}
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "{{ cookiecutter.email }}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Logs: lines to read in development, JSON in production

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "config.request_id.RequestIdFilter"}},
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{message}{request_id}",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            "style": "{",
            "rename_fields": {
                "asctime": "time",
                "levelname": "level",
                "name": "logger",
            },
        },
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["request_id"],
            "formatter": "line" if DEBUG else "json",
        }
    },
    "root": {"handlers": ["stderr"], "level": env.log_level("LOG_LEVEL", "INFO")},
    # Django's own handlers would write each line a second time, or only with DEBUG; its own level would stay INFO.
    "loggers": {"django": {"handlers": [], "level": "NOTSET"}},
}

# Security

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}

# Other policies for parts of the site, such as {"/admin/": SECURE_CSP | {…}}: docs/content-security-policy.md.
SECURE_CSP_FOR_PREFIX = {}

# Browsers keep cookies by host name, whatever the port: with names of its own, this stack shares no cookie with
# another project or with the development stack on the same host.
SESSION_COOKIE_NAME = "{{ cookiecutter.project_slug }}-session"
CSRF_COOKIE_NAME = "{{ cookiecutter.project_slug }}-csrftoken"

if not DEBUG:
    STORAGES["staticfiles"]["BACKEND"] = (
        "whitenoise.storage.CompressedManifestStaticFilesStorage"
    )

    # With __Host- no subdomain can set these cookies.
    SESSION_COOKIE_NAME = f"__Host-{SESSION_COOKIE_NAME}"
    CSRF_COOKIE_NAME = f"__Host-{CSRF_COOKIE_NAME}"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    # Only a trusted proxy can set this header: what a client sends is deleted.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 3600)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.boolean("SECURE_HSTS_INCLUDE_SUBDOMAINS")
    SECURE_HSTS_PRELOAD = env.boolean("SECURE_HSTS_PRELOAD")
    # The owner decides about subdomains and preload, because preload cannot be undone.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
