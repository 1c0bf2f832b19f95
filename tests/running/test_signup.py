"""Sign-up and login on running stacks: by mail, without mail, and with limits that hold."""

import re
from contextlib import contextmanager

import httpx
import pytest

from tests.helpers.login import PASSWORD, csrf_token
from tests.helpers.mail import first_link
from tests.helpers.stack import free_port, run, wait_until_it_answers

pytestmark = pytest.mark.containers

TOO_MANY = "Too many failed login attempts"


def post(client, path: str, **form) -> httpx.Response:
    """Send a form as a browser does, with the token that another page gave."""
    if not client.cookies:
        client.get("/accounts/login/")
    for cookie in client.cookies.jar:
        cookie.secure = False  # one client sends plain HTTP to the app, as nginx does
    client.headers.setdefault("Origin", str(client.base_url).rstrip("/"))
    form["csrfmiddlewaretoken"] = csrf_token(client)
    return client.post(path, data=form, follow_redirects=True)


def sign_up(client, email: str) -> httpx.Response:
    return post(client, "/accounts/signup/", email=email, password1=PASSWORD, password2=PASSWORD)


def messages(page: httpx.Response) -> list[str]:
    return re.findall(r'<li class="\w+">(.*?)</li>', page.text)


# By mail


def test_development_signs_up_with_the_newest_file_in_mail(development):
    with development.client() as client:
        page = sign_up(client, "ada@example.com")
        assert messages(page) == ["We have sent mail to ada@example.com."]
        newest = max((development.path / "mail").glob("*.log"))
        confirm = first_link(development, newest.read_text())
        assert messages(post(client, confirm)) == ["You have confirmed ada@example.com."]
        page = post(client, "/accounts/login/", login="ada@example.com", password=PASSWORD)
        assert "<h1>Your account</h1>" in page.text


# Without mail


def test_without_mail_the_person_and_the_operator_are_told(rested):
    with rested.client() as client:
        page = sign_up(client, "bob@example.com")
        assert page.status_code == 200
        not_sent = ["We could not send mail to bob@example.com. Please try again later."]
        assert messages(page) == not_sent
        page = post(client, "/accounts/password/reset/", email="bob@example.com")
        assert messages(page) == not_sent
        assert "We have sent" not in page.text
    lines = [line for line in rested.logs("app").splitlines() if "to bob@example.com" in line]
    assert len(lines) == 2
    assert all("Set EMAIL_URL" in line and r"tick \"verified\"" in line for line in lines)
    confirm = (
        "from allauth.account.models import EmailAddress as E; "
        "E.objects.get(email='bob@example.com').set_verified()"
    )
    rested.exec("app", "python", "manage.py", "shell", "--command", confirm)
    with rested.client() as client:
        page = post(client, "/accounts/login/", login="bob@example.com", password=PASSWORD)
        assert "<h1>Your account</h1>" in page.text


# Limits


@contextmanager
def another_app(stack):
    """Start one more container of the app, and give a client that asks it as nginx would."""
    port = free_port()
    name = stack.run_over_tcp(port, "--env=WEB_CONCURRENCY=2")
    address = f"http://127.0.0.1:{port}"
    wait_until_it_answers(f"{address}/healthz")
    by_nginx = {"Host": "localhost", "Origin": "https://localhost", "X-Forwarded-Proto": "https"}
    try:
        with httpx.Client(base_url=address, headers=by_nginx, timeout=30) as client:
            yield client
    finally:
        run("docker", "rm", "--force", name)


def guess(client, email: str, address: str) -> httpx.Response:
    client.headers["X-Forwarded-For"] = address
    return post(client, "/accounts/login/", login=email, password="wrong")


def test_limits_are_shared_by_all_workers_and_hold_for_one_client_only(production):
    """30 requests a minute: each of two containers takes 16, and the 31st is refused."""
    with another_app(production) as one, another_app(production) as two:
        pages = [guess(one, "nobody@example.com", "192.0.2.1") for _ in range(16)]
        pages += [guess(two, "nobody@example.com", "192.0.2.1") for _ in range(16)]
        assert [page.status_code for page in pages] == [200] * 30 + [429] * 2
        assert "<h1>That was too often</h1>" in pages[-1].text
        # Both have counted the ten failed logins that are let through, too.
        assert [TOO_MANY in page.text for page in pages[:12]] == [False] * 5 + [True] * 7

        page = guess(two, "somebody@example.com", "192.0.2.2")
        assert page.status_code == 200
        assert TOO_MANY not in page.text


def test_a_forged_address_gains_nothing(rested):
    """nginx lets eleven logins through at once; the app lets ten of one client fail."""
    with rested.client() as client:
        pages = [
            guess(client, f"{number}@example.net", f"198.51.100.{number}") for number in range(11)
        ]
    assert [page.status_code for page in pages] == [200] * 11
    assert [TOO_MANY in page.text for page in pages] == [False] * 10 + [True]
