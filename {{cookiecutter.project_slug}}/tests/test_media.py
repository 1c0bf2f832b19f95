"""What people uploaded is shown, and cannot do harm; private files are sent by a view only."""

import pytest
from django.http import Http404
from django.urls import path

from config.media import media, private_file

# The end of a response looks after the database's connections.
pytestmark = pytest.mark.django_db

urlpatterns = [path("media/<path:name>", media)]


@pytest.fixture(autouse=True)
def urls(bare_project):
    bare_project.ROOT_URLCONF = __name__


@pytest.fixture
def uploaded(client, settings, tmp_path):
    """uploaded(name) puts a file among the uploads and returns the answer to a request for it."""
    settings.MEDIA_ROOT = tmp_path

    def get(name: str):
        (tmp_path / name).write_bytes(b"content")
        return client.get(f"/media/{name}")

    return get


def test_a_picture_is_shown(uploaded):
    answer = uploaded("me.png")
    assert b"".join(answer.streaming_content) == b"content"
    assert answer.headers["Content-Type"] == "image/png"
    assert "attachment" not in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "script.js", "data"])
def test_everything_else_is_a_download(uploaded, name):
    answer = uploaded(name)
    answer.close()
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_an_upload_may_not_run_anything(uploaded):
    answer = uploaded("me.png")
    answer.close()
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["no-such-file.png", "", "photos/", "a" * 300, "%00", "me.png/more"]
)
def test_what_is_not_there_is_not_found(client, settings, tmp_path, name):
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "photos").mkdir()
    (tmp_path / "me.png").write_bytes(b"content")
    assert client.get(f"/media/{name}").status_code == 404


def test_a_link_leads_nowhere(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    (tmp_path / "secret.png").write_text("secret")
    (settings.MEDIA_ROOT / "link.png").symlink_to(tmp_path / "secret.png")
    (settings.MEDIA_ROOT / "folder").symlink_to(tmp_path)
    assert client.get("/media/link.png").status_code == 404
    assert client.get("/media/folder/secret.png").status_code == 404


@pytest.mark.parametrize("path", ["../secret.png", "%2e%2e/secret.png", "/secret.png"])
def test_nothing_outside_of_the_uploads_is_shown(client, settings, tmp_path, path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    (tmp_path / "secret.png").write_text("secret")
    assert client.get(f"/media/{path}").status_code == 400


# Private files


@pytest.fixture
def private(settings, tmp_path):
    """Puts files into the folder `private` of the uploads."""
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "private/photos").mkdir(parents=True)
    for name in ("report.pdf", "photos/Grüße 100%?.png"):
        (tmp_path / "private" / name).write_bytes(b"secret")
    (tmp_path / "public.png").write_bytes(b"public")
    (tmp_path / "private/link.png").symlink_to(tmp_path / "public.png")


@pytest.mark.parametrize(
    "path",
    [
        "private/report.pdf",
        "Private/report.pdf",
        "photos/../private/report.pdf",
        "private//report.pdf",
    ],
)
@pytest.mark.usefixtures("private")
def test_the_address_of_the_uploads_shows_no_private_file(client, path):
    assert client.get(f"/media/{path}").status_code == 404


@pytest.mark.usefixtures("private")
def test_the_app_sends_a_private_file(rf):
    answer = private_file(rf.get("/"), "private/photos/Grüße 100%?.png")
    assert b"".join(answer.streaming_content) == b"secret"
    answer.close()
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "private"
    assert answer._csp_config["sandbox"] is True

{%- if cookiecutter.proxy != "none" %}


@pytest.mark.usefixtures("private")
def test_behind_nginx_nginx_sends_it(rf):
    behind_nginx = rf.get("/", **{"config.from_nginx": True})
    picture = private_file(behind_nginx, "private/photos/Grüße 100%?.png")
    report = private_file(behind_nginx, "private/report.pdf")
    assert picture.headers["X-Accel-Redirect"] == (
        "/media/private/photos/Gr%C3%BC%C3%9Fe%20100%25%3F.png"
    )
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.headers["Content-Disposition"].startswith("inline; ")
    assert report.headers["Content-Type"] == "application/octet-stream"
    assert report.headers["Content-Disposition"] == 'attachment; filename="report.pdf"'
    assert report.headers["Cache-Control"] == "private"
    assert report.content == b""
{%- endif %}


@pytest.mark.parametrize(
    "name",
    [
        "public.png",
        "private/../public.png",
        "private/link.png",
        "private/photos",
        "private/none",
    ],
)
@pytest.mark.usefixtures("private")
def test_nothing_else_is_a_private_file(rf, name):
    with pytest.raises(Http404):
        private_file(rf.get("/"), name)
