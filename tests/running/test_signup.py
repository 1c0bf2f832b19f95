"""Sign-up and login on running stacks: by mail, without mail, and with limits that hold."""

import re
from contextlib import contextmanager

import httpx
import pytest

from tests.helpers.login import FORGED, PASSWORD, csrf_token
from tests.helpers.mail import first_link
from tests.helpers.stack import free_port, run, wait_until_it_answers

pytestmark = pytest.mark.containers


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
    """Start one more container of the app, and give a client for it; to both of two it is one address."""
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


def test_limits_are_shared_by_all_workers_of_all_containers(rested):
    """Of failed logins, which the project counts, and of sign-ups, which allauth counts in the cache."""
    with another_app(rested) as one, another_app(rested) as two:
        wrong = {"login": "nobody@example.com", "password": "wrong"}
        pages = [post(client, "/accounts/login/", **wrong) for client in (one, two) * 6]
        assert [page.status_code for page in pages] == [200] * 10 + [429] * 2
        assert "<h1>That was too often</h1>" in pages[-1].text
        pages = [post(client, "/accounts/signup/") for client in (one, two) * 11]
        assert [page.status_code for page in pages] == [200] * 20 + [429] * 2
        assert "<h1>That was too often</h1>" in pages[-1].text


def test_a_forged_address_gains_nothing(rested):
    """Neither at the login of allauth, nor against a limit of allauth's own."""
    with rested.client() as client:
        for path, allowed in (("/accounts/login/", 10), ("/accounts/signup/", 20)):
            codes = []
            for number in range(allowed + 1):
                client.headers.update(dict.fromkeys(FORGED, f"198.51.100.{number}"))
                form = {"login": f"{number}@example.net", "password": "wrong"}
                codes.append(post(client, path, **form).status_code)
            assert codes == [200] * allowed + [429]
