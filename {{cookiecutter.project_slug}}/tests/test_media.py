"""What people uploaded is shown, and cannot do harm."""

import pytest
from django.urls import path

from config.media import media

# The end of a response looks after the database's connections.
pytestmark = pytest.mark.django_db

urlpatterns = [path("media/<path:name>", media)]


@pytest.fixture(autouse=True)
def urls(platform):
    platform.ROOT_URLCONF = __name__


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


@pytest.mark.parametrize("path", ["../secret.png", "%2e%2e/secret.png", "/secret.png"])
def test_nothing_outside_of_the_uploads_is_shown(client, settings, tmp_path, path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    (tmp_path / "secret.png").write_text("secret")
    assert client.get(f"/media/{path}").status_code == 400
