"""Log in on the admin's page, send forms, and guess passwords."""

import re

import httpx

from tests.helpers.locked import PSQL

PASSWORD = "correct horse battery"

# What clients write about themselves to look like others.
FORGED = ("X-Forwarded-For", "X_Forwarded_For", "X-Real-IP", "X_Real_IP", "Forwarded", "Client-IP")


def post_login(client, name: str, password: str, **headers) -> httpx.Response:
    """Fill in the login form as a browser does, which sends an Origin."""
    page = client.get("/admin/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
    origin = str(client.base_url).rstrip("/")
    headers = {"Origin": origin, "Referer": f"{origin}/admin/login/"} | headers
    return client.post("/admin/login/?next=/admin/", data=form, headers=headers)


def csrf_token(client) -> str:
    """Return the token in the client's cookie, whose name ends like this in each project."""
    (token,) = (value for name, value in client.cookies.items() if name.endswith("-csrftoken"))
    return token


def guess(
    client, name: str, password="wrong", path="/admin/login/", headers=None
) -> httpx.Response:
    """Try a password as a browser does, with the token that another page gave."""
    if not client.cookies:
        client.get("/admin/login/")
    for cookie in client.cookies.jar:
        cookie.secure = False  # a client that sends plain HTTP stands for a load balancer
    form = {"username": name, "password": password, "csrfmiddlewaretoken": csrf_token(client)}
    return client.post(path, data=form, headers={"Origin": "https://localhost"} | (headers or {}))


def forget_failures(stack) -> None:
    """Delete what the limits on logins have counted, allauth's too."""
    stack.exec("postgres", *PSQL, "TRUNCATE logins_failure, cache")
