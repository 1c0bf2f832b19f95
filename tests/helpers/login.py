"""Log in on the admin's page, and send forms."""

import re

import httpx

PASSWORD = "correct horse battery"


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
