"""Password guesses are limited wherever a password can be tried: 10 of an address, 20 of an account."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.contrib.auth import aauthenticate, authenticate, get_user_model, login
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.views import LoginView
from django.core.checks import run_checks
from django.db import OperationalError, connection, transaction
from django.http import HttpResponse, JsonResponse
from django.test import AsyncClient, Client
from django.test.client import ClientHandler
from django.urls import LocalePrefixPattern, URLResolver, path
from django.utils import timezone

from logins import limits
from logins.models import Failure, KnownAddress

PASSWORD = "correct horse battery"
HERE, HOME = "192.0.2.1", "192.0.2.99"

# One client for all tests, because each new one loads all middleware again.
stranger = Client()


@transaction.atomic
def token(request):
    """As APIs do: no form, no request for authenticate(), and a transaction that is rolled back."""
    credentials = json.loads(request.body)
    if not authenticate(**credentials):
        transaction.set_rollback(True)
        return JsonResponse({"detail": "Wrong."}, status=401)
    return JsonResponse({"token": "secret"})


def many(request):
    """As GraphQL does: many tries in one request, and nothing happens to what one of them raises."""
    found = [
        authenticate(request, username="dana", password=word)
        for word in request.POST.getlist("words")
    ]
    return HttpResponse(str(sum(user is not None for user in found)))


def two_steps(request):
    """Check a right password, and then a code that is wrong."""
    authenticate(request, username="dana", password=PASSWORD)
    authenticate(request, code="wrong")
    return HttpResponse()


def switch(request):
    """Try a password of dana first, then log in as somebody else."""
    authenticate(request, username="dana", password="wrong")
    user = authenticate(request, username="eve", password=request.POST["password"])
    login(request, user)
    return HttpResponse()


def register(request):
    """Log a new user in without a password, as many sites do after a registration."""
    login(request, create_user("new"))
    return HttpResponse()


async def asynchronous(request):
    user = await aauthenticate(
        request, username="dana", password=request.POST["password"]
    )
    return HttpResponse(str(user))


class Basic:
    """Middleware of an owner that checks a password itself."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "word" in request.GET:
            authenticate(request, username="dana", password=request.GET["word"])
        return self.get_response(request)


class Phone(BaseBackend):
    """A backend of an owner, in which another field than a username names the account."""

    def authenticate(self, request, phone=None, password=None):
        return (
            get_user_model().objects.get()
            if (phone, password) == ("+1", PASSWORD)
            else None
        )


login_page = LoginView.as_view(template_name="400.html", next_page="/")


def in_a_language(pattern) -> URLResolver:
    """Do what i18n_patterns() does, also in a project without USE_I18N."""
    return URLResolver(LocalePrefixPattern(), [pattern])


# An owner's login views, next to those of the site.
handler500 = "config.errors.server_error"
urlpatterns = [
    path("enter/", login_page),
    path("elsewhere/", login_page),
    path("api/token/", token),
    path("many/", many),
    path("two-steps/", two_steps),
    path("switch/", switch),
    path("asynchronous/", asynchronous),
    path("register/", register),
    path("", lambda request: HttpResponse()),
    in_a_language(path("members/", login_page)),
]

LOGIN_PAGES = ["/enter/", "/elsewhere/", "/en-us/members/"]

if apps.is_installed("django.contrib.admin"):
    from django.contrib import admin

    urlpatterns += [
        path("admin/", admin.site.urls),
        path("moved/", admin.site.urls),
        in_a_language(path("hidden/", admin.site.urls)),
    ]
    LOGIN_PAGES += ["/admin/login/", "/moved/login/", "/en-us/hidden/login/"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(bare_project):
    bare_project.ROOT_URLCONF = __name__
    bare_project.LANGUAGE_CODE = "en-us"
    bare_project.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    bare_project.AUTHENTICATION_BACKENDS = ["logins.backends.ModelBackend"]
    bare_project.LOGIN_LIMITS = {
        "address": (10, timedelta(minutes=1)),
        "account": (20, timedelta(minutes=15)),
    }
    bare_project.MIDDLEWARE = [
        *bare_project.MIDDLEWARE,
        "logins.middleware.LoginLimitMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ]
    # Clients load the middleware with their first request.
    stranger.handler = ClientHandler(enforce_csrf_checks=False)


@pytest.fixture(autouse=True)
def dana(site):
    return create_user("dana")


def create_user(name: str):
    """Create a user with PASSWORD, whatever the user model is."""
    model = get_user_model()
    user = model(**{model.USERNAME_FIELD: name})
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def later(monkeypatch):
    """later(minutes=1) moves the clock; it stands still between two moves."""
    clock = [timezone.now()]
    monkeypatch.setattr(timezone, "now", lambda: clock[0])

    def move(**duration):
        clock[0] += timedelta(**duration)

    return move


def post(name="dana", password="wrong", at="/enter/", address=HERE, **options):
    """Try a password, without the cookies of earlier tries."""
    stranger.cookies.clear()
    form = {"username": name, "password": password}
    return stranger.post(at, form, REMOTE_ADDR=address, **options)


def post_json(name="dana", password="wrong", **options):
    return post(
        name, password, at="/api/token/", content_type="application/json", **options
    )


def statuses(times: int, **options) -> list[int]:
    """Return the statuses of wrong passwords, each for another account."""
    return [post(f"somebody{n}", **options).status_code for n in range(times)]


def lock_account(name="dana", tries=20) -> None:
    """Let strangers guess so many times, from two addresses."""
    pages = [post(name, address=f"198.51.100.{n % 2}") for n in range(tries)]
    assert {page.status_code for page in pages} == {200}


# Where


@pytest.mark.parametrize("at", LOGIN_PAGES)
def test_an_address_has_ten_tries_at_each_login_page(at):
    assert statuses(11, at=at) == [200] * 10 + [429]


def test_all_login_pages_count_together():
    assert statuses(5) + statuses(5, at="/elsewhere/") == [200] * 10
    assert post(at="/en-us/members/").status_code == 429
    assert post_json().status_code == 429


def test_an_api_counts_without_a_request_and_although_its_transaction_is_rolled_back():
    assert [post_json().status_code for _ in range(11)] == [401] * 10 + [429]


def test_one_request_cannot_try_more_than_ten():
    words = ["wrong"] * 10 + [PASSWORD]
    page = stranger.post("/many/", {"words": words}, REMOTE_ADDR=HERE)
    assert page.status_code == 429
    assert Failure.objects.filter(key=limits.key("address", HERE)).count() == 10


def test_middleware_that_checks_passwords_is_limited(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Basic"]
    client = Client(REMOTE_ADDR=HERE)
    pages = [client.get("/?word=wrong") for _ in range(11)]
    assert [page.status_code for page in pages] == [200] * 10 + [429]


@pytest.mark.django_db(transaction=True)  # other threads have connections of their own
def test_asynchronous_views_are_limited():
    async def guess():
        client = AsyncClient(REMOTE_ADDR=HERE)
        return [
            await client.post("/asynchronous/", {"password": "wrong"})
            for _ in range(11)
        ]

    assert [page.status_code for page in async_to_sync(guess)()] == [200] * 10 + [429]


def test_what_tries_no_password_is_never_limited():
    assert statuses(11)[-1] == 429
    pages = [stranger.post("/accounts/profile/", REMOTE_ADDR=HERE) for _ in range(30)]
    pages.append(stranger.get("/enter/", REMOTE_ADDR=HERE))
    assert [page.status_code for page in pages] == [404] * 30 + [200]


# Addresses


def test_an_address_has_ten_more_tries_a_minute_later(later):
    assert statuses(11)[-1] == 429
    later(seconds=59)
    assert statuses(1) == [429]
    later(seconds=1)
    assert statuses(11) == [200] * 10 + [429]


def test_nine_wrong_passwords_a_minute_are_never_refused(later):
    for _ in range(5):
        assert statuses(9) == [200] * 9
        later(seconds=61)


def test_a_right_password_is_refused_too_and_uses_up_no_tries():
    assert [post(password=PASSWORD).status_code for _ in range(30)] == [302] * 30
    assert statuses(10) == [200] * 10
    assert post(password=PASSWORD).status_code == 429


def test_another_address_is_not_limited():
    assert statuses(11)[-1] == 429
    assert statuses(1, address="192.0.2.2") == [200]


@pytest.mark.parametrize(
    "header", ["x-forwarded-for", "x-real-ip", "forwarded", "client-ip"]
)
def test_a_forged_header_gains_nothing(header):
    codes = [
        post(f"somebody{n}", headers={header: f"198.51.100.{n}"}).status_code
        for n in range(11)
    ]
    assert codes == [200] * 10 + [429]


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_client_is_its_64(address, client):
    assert limits.network_of(address) == client


def test_addresses_of_one_64_count_together():
    codes = [statuses(1, address=f"2001:db8::{n}")[0] for n in range(1, 12)]
    assert codes == [200] * 10 + [429]
    assert statuses(1, address="2001:db8:0:1::1") == [200]


def test_a_wrong_code_after_a_right_password_counts_no_password():
    assert {post(at="/two-steps/").status_code for _ in range(11)} == {200}
    assert statuses(1) == [200]


# Accounts


def test_an_account_is_locked_for_strangers_after_twenty_wrong_passwords(later):
    lock_account()
    assert post(password=PASSWORD).status_code == 429
    assert post("somebody").status_code == 200
    later(minutes=14, seconds=59)
    assert post(password=PASSWORD).status_code == 429
    later(seconds=1)
    assert post(password=PASSWORD).status_code == 302


def test_tries_during_a_lock_do_not_make_it_longer(later):
    lock_account()
    for _ in range(5):
        later(minutes=3)
        page = post()
    assert page.status_code == 200


def test_failures_of_others_do_not_make_a_lock_shorter(later):
    for n in range(20):
        later(seconds=44)
        assert post(address=f"198.51.100.{n}").status_code == 200
    later(minutes=14)
    post("somebody", address="198.51.100.99")
    assert post(password=PASSWORD).status_code == 429


def test_twenty_wrong_passwords_in_a_longer_time_lock_nobody(later):
    for n in range(40):
        later(seconds=50)
        assert post(address=f"198.51.100.{n}").status_code == 200


def test_the_owner_gets_in_from_where_she_logged_in_before():
    assert post(password=PASSWORD, address=HOME).status_code == 302
    lock_account()
    assert post(address=HOME).status_code == 200
    assert post(password=PASSWORD, address=HOME).status_code == 302
    assert post(password=PASSWORD, address="192.0.2.98").status_code == 429


def test_wrong_passwords_of_the_owner_lock_no_strangers(later):
    assert post(password=PASSWORD, address=HOME).status_code == 302
    for _ in range(30):
        later(seconds=10)
        post(address=HOME)
    assert post(password=PASSWORD).status_code == 302


def test_who_knows_one_password_becomes_known_to_that_account_only():
    create_user("eve")
    assert post("eve", PASSWORD).status_code == 302
    assert post("eve", PASSWORD, at="/switch/").status_code == 200
    lock_account(tries=19)
    assert post(password=PASSWORD).status_code == 429


def test_an_address_is_known_for_a_year(later):
    post(password=PASSWORD, address=HOME)
    later(days=364)
    lock_account()
    assert post(password=PASSWORD, address=HOME).status_code == 302
    later(days=366)
    post(password=PASSWORD, address=HERE)
    lock_account()
    assert post(password=PASSWORD, address=HOME).status_code == 429


@pytest.mark.parametrize(
    "name", ["Dana", " dana\t", "\N{FULLWIDTH LATIN SMALL LETTER D}ana", "DANA"]
)
def test_spellings_of_a_name_are_one_account(name):
    lock_account(name)
    assert post(password=PASSWORD).status_code == 429


def test_names_that_the_database_takes_for_equal_are_one_account():
    assert (
        limits.normalized("dana@g\N{LATIN SMALL LETTER DOTLESS I}t.example")
        == "DANA@GIT.EXAMPLE"
    )
    assert limits.normalized(" " * 2000 + "dana") == "DANA"


@pytest.mark.parametrize("name", ["\ud800", ["a"], 7, None, "x" * 2000, "\0"])
def test_odd_names_can_be_counted(name):
    (account,) = limits.accounts_in({"username": name, "password": "wrong"})
    assert len(limits.key("account", account)) == 64


def test_a_name_without_an_account_is_locked_as_any_other():
    lock_account("nobody")
    assert post("nobody").status_code == 429


def test_an_account_can_be_unlocked():
    lock_account()
    limits.unlock(" Dana")
    assert post(password=PASSWORD).status_code == 302


# What the client reads


def test_the_page_says_when_to_try_again(later):
    lock_account()
    later(seconds=10)
    page = post(password=PASSWORD)
    assert page.headers["Retry-After"] == "890"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>That was too often</h1>" in page.text
    assert "Please try again in 15 minutes." in page.text
    assert f"<code>{page.headers['X-Request-ID']}</code>" in page.text


def test_the_page_of_an_address_says_a_minute(later):
    assert statuses(11)[-1] == 429
    page = post()
    assert page.headers["Retry-After"] == "60"
    assert "Please try again in a minute." in page.text


@pytest.mark.parametrize(
    "accept", ["application/json", "application/json, text/plain, */*"]
)
def test_a_client_that_prefers_json_gets_json(accept):
    assert statuses(11)[-1] == 429
    page = post_json(headers={"accept": accept})
    assert page.json() == {
        "detail": "Too many failed logins. Please try again in a minute."
    }
    assert 0 < int(page.headers["Retry-After"]) <= 60


# Code that is no request, and owners' settings


def test_outside_of_requests_nothing_is_limited(client, later):
    assert statuses(11)[-1] == 429
    lock_account()
    for _ in range(30):
        assert not client.login(username="dana", password="wrong")
    assert authenticate(username="dana", password=PASSWORD)
    assert client.login(username="dana", password=PASSWORD)
    client.logout()
    client.force_login(get_user_model().objects.get())
    assert "_auth_user_id" in client.session
    assert not KnownAddress.objects.exists()


def test_a_backend_of_an_owner_is_limited(settings):
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        f"{__name__}.Phone",
    ]

    def call(password):
        form = {"phone": "+1", "password": password}
        return stranger.post(
            "/api/token/", form, content_type="application/json"
        ).status_code

    assert call(PASSWORD) == 200
    assert [call("wrong") for _ in range(11)] == [401] * 10 + [429]


@pytest.mark.parametrize("field", ["username", "email"])
def test_the_account_is_what_names_the_user(field):
    assert limits.accounts_in({field: "Dana", "password": "x", "code": "1"}) == {"DANA"}


def test_the_limits_are_in_the_settings(settings):
    settings.LOGIN_LIMITS = {
        "address": (2, timedelta(hours=2)),
        "account": (20, timedelta(minutes=15)),
    }
    assert statuses(3) == [200, 200, 429]
    assert "in 120 minutes" in post().text


def test_limits_that_are_not_in_use_are_reported(settings):
    assert [found.id for found in run_checks() if found.id.startswith("logins")] == []
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Limit" not in name]
    ids = [found.id for found in run_checks() if found.id.startswith("logins")]
    assert ids == ["logins.W001", "logins.W002"]


# What is stored


def test_no_name_and_no_address_can_be_read(later):
    post("my-secret-password")
    post(password=PASSWORD)
    stored = str([*Failure.objects.values_list(), *KnownAddress.objects.values_list()])
    assert "192.0.2" not in stored
    assert "secret" not in stored.lower()
    assert "dana" not in stored.lower()


def test_old_failures_are_deleted(later):
    lock_account()
    assert Failure.objects.count() == 40
    later(minutes=31)
    post()
    assert Failure.objects.count() == 2


def test_without_its_database_a_login_is_answered_as_any_page(client, monkeypatch):
    def gone(*args):
        raise OperationalError("no connection")

    client.raise_request_exception = False
    monkeypatch.setattr(limits, "is_known", gone)
    form = {"username": "dana", "password": "wrong"}
    assert client.post("/enter/", form).status_code == 503
    monkeypatch.undo()
    monkeypatch.setattr(limits, "save", gone)
    assert client.post("/enter/", form).status_code == 503


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_moment_pass_the_limit_by_no_more_than_the_workers():
    workers = 4

    def guess(number):
        try:
            return post(f"somebody{number}").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as threads:
        codes = [*threads.map(guess, range(40))]
    assert 10 <= codes.count(200) < 10 + workers
    assert codes.count(429) == 40 - codes.count(200)


def test_a_view_logs_in_a_new_user_without_a_password(client):
    client.post("/register/")
    assert client.session["_auth_user_backend"] == "logins.backends.ModelBackend"


def test_a_project_without_passwords_in_the_database_is_limited_too(settings):
    settings.AUTHENTICATION_BACKENDS = [
        "logins.backends.OnlyLimits",
        f"{__name__}.Phone",
    ]
    statuses = [post(password="wrong").status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]
