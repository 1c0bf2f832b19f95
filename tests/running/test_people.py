"""People in production: logging in over HTTPS, on another port than 443, and uploading."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.login import FORGED, PASSWORD, guess, post_login

pytestmark = pytest.mark.containers


def test_a_login_works_on_another_port_than_443(production, admin):
    assert production.ports["HTTPS_PORT"] != "443"
    with production.client() as client:
        answer = post_login(client, admin, PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (302, "/admin/")
        assert "Site administration" in client.get("/admin/").text
    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if "session=" in c]
    assert cookie.startswith("__Host-")
    assert "; HttpOnly" in cookie
    assert "; Secure" in cookie


def test_a_form_from_another_site_is_refused(production, admin):
    with production.client() as client:
        answer = post_login(client, admin, PASSWORD, Origin="https://evil.example")
    assert answer.status_code == 403


# All of them are the login page of the admin.
IN_DISGUISE = ("/admin/login/", "/admin/%6cogin/", "/admin/login/?next=/")


def test_an_address_has_ten_guesses_a_minute_whatever_it_says_of_itself(rested, admin):
    with rested.client() as client:
        origin = {"Origin": str(client.base_url).rstrip("/")}
        pages = [
            guess(
                client,
                f"somebody{number}",
                path=IN_DISGUISE[number % 3],
                headers=origin | dict.fromkeys(FORGED, f"198.51.100.{number}"),
            )
            for number in range(12)
        ]
        right = guess(client, admin, PASSWORD, headers=origin)
        other = client.post("/accounts/profile/photo", headers=origin)
    assert [page.status_code for page in pages] == [200] * 10 + [429] * 2
    assert right.status_code == 429
    assert 0 < int(right.headers["Retry-After"]) <= 60
    assert "<h1>That was too often</h1>" in right.text
    assert "Too many passwords were wrong. Please try again in a minute." in right.text
    assert f"<code>{right.headers['X-Request-ID']}</code>" in right.text
    assert rested.get("/admin/login/").status_code == 200
    assert other.status_code != 429


def test_guesses_at_the_same_moment_are_limited(rested):
    """Each worker may have one in hand when the tenth fails."""

    def answer(number: int) -> int:
        with rested.client() as client:
            origin = {"Origin": str(client.base_url).rstrip("/")}
            return guess(client, f"somebody{number}", headers=origin).status_code

    with ThreadPoolExecutor(20) as threads:
        codes = [*threads.map(answer, range(40))]
    workers = int(rested.exec("app", "python", "-c", WORKERS))
    assert 10 <= codes.count(200) < 10 + workers
    assert codes.count(429) == 40 - codes.count(200)


WORKERS = "import runpy; print(runpy.run_path('docker/app/workers.py')['workers']())"


def upload_photo(client, name: str, content: bytes) -> None:
    """Put a photo on the superuser's own page in the admin, through the form."""
    people = client.get("/admin/accounts/user/?q=boss").text
    url = re.search(r"/admin/accounts/user/\d+/change/", people)[0]
    page = client.get(url).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    form = {
        "csrfmiddlewaretoken": token,
        "username": "boss",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    }
    answer = client.post(
        url, data=form, files={"photo": (name, content)}, headers={"Referer": f"{client.base_url}"}
    )
    assert answer.status_code == 302, answer.text


def test_an_upload_through_the_admin_is_served_and_survives(production, admin):
    with production.client() as client:
        post_login(client, admin, PASSWORD)
        upload_photo(client, "me.png", b"\x89PNG picture")
    production.compose("down")
    production.up()
    answer = production.get("/media/photos/me.png")
    assert (answer.status_code, answer.content) == (200, b"\x89PNG picture")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "content-disposition" not in answer.headers


def test_an_uploaded_page_is_a_download(production):
    production.exec("app", "sh", "-c", "echo '<script>' > media/page.html")
    answer = production.get("/media/page.html")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_link_among_uploads_leads_nowhere(production):
    production.exec("app", "ln", "-sf", "/etc/nginx/certificates/localhost.pem", "media/key.png")
    assert production.get("/media/key.png").status_code == 403
