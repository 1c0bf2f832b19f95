"""Large uploads and downloads, the variable that limits them, and files that only some may read."""

import http.client
import ssl
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from tests.helpers.large import LARGEST, MB, large_views
from tests.helpers.site import uwsgi_is_enough

pytestmark = pytest.mark.containers


# Sizes


def post_file(stack, size: int, path: str = "/form/") -> httpx.Response:
    with stack.client() as client:
        return client.post(path, files={"file": ("film.mp4", b"x" * size)})


def test_a_form_with_a_file_of_75_mb_arrives_on_the_disk(views):
    ((size, path),) = post_file(views, 75 * MB).json()["files"]
    assert size == 75 * MB
    assert path.startswith("/var/tmp/")


def test_many_files_in_one_form_are_on_the_disk_too(views):
    with views.client() as client:
        files = [(f"file-{n}", ("small.txt", b"x" * MB)) for n in range(60)]
        arrived = client.post("/form/", files=files).json()["files"]
    assert [size for size, _ in arrived] == [MB] * 60
    assert all(path.startswith("/var/tmp/") for _, path in arrived)


def chunks(size: int):
    """A body without a length: sent in chunks."""
    for _ in range(size // 4096):
        yield b"x" * 4096
    yield b"x" * (size % 4096)


@pytest.mark.parametrize("body", [lambda size: b"x" * size, chunks], ids=["length", "chunks"])
def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_refused(views, body):
    with views.client() as client:
        largest = client.put("/stream/", content=body(LARGEST))
        larger = client.put("/stream/", content=body(LARGEST + 1))
    assert (largest.status_code, largest.text) == (200, str(LARGEST))
    assert larger.status_code == 413


def test_a_body_that_a_view_wants_in_memory_is_limited_by_django(views):
    with views.client() as client:
        small = client.put("/memory/", content=b"x" * 2_000_000)
        large = client.put("/memory/", content=b"x" * 3_000_000)
    assert small.text == "2000000"
    assert large.status_code == 413
    assert "<h1>That was too large</h1>" in large.text


def test_one_variable_changes_the_limit_everywhere(production):
    nginx = ("up", "--detach", "--wait", "--no-deps", "nginx-config", "nginx")
    ask = "from django.conf import settings; print(settings.LARGEST_BODY)"
    shell = ("run", "--rm", "--no-TTY", "--no-deps", "manage", "shell", "--command", ask)
    production.compose(*nginx, UPLOAD_LIMIT_MB="2")
    fits = post_file(production, 2 * MB, "/no/such/page")
    too_large = post_file(production, 3 * MB, "/no/such/page")
    of_django = production.compose(*shell, UPLOAD_LIMIT_MB="2")
    production.compose(*nginx)
    assert (fits.status_code, too_large.status_code) == (404, 413)
    assert of_django.splitlines()[-1] == str(2 * MB + 64 * 1024)


@uwsgi_is_enough
@pytest.mark.parametrize("value", ["75MB", "0", "075"])
def test_a_value_that_is_no_number_is_refused_in_one_sentence(production, value):
    sentence = f"UPLOAD_LIMIT_MB must be a whole number of MB from 1 to 999999, not '{value}'."
    once = ("run", "--rm", "--no-TTY", "--no-deps")
    check = production.command(*once, "check", UPLOAD_LIMIT_MB=value)
    nginx = production.command(*once, "nginx-config", "test", UPLOAD_LIMIT_MB=value)
    assert (check.returncode, nginx.returncode) == (1, 1)
    assert check.stderr.strip() == sentence
    assert nginx.stderr.strip() == sentence


@pytest.mark.exhaustive
def test_large_downloads_to_slow_clients_and_uploads_complete_at_the_same_time(
    production, tmp_path
):
    def download(megabytes: int) -> int:
        """Take a third of a second for each 4 MB."""
        size, path = 0, f"/export/?mb={megabytes}"
        with production.client(timeout=60) as client, client.stream("GET", path) as answer:
            for block in answer.iter_bytes(4 * MB):
                size += len(block)
                time.sleep(0.3)
        return size

    with large_views(production, tmp_path), ThreadPoolExecutor(max_workers=12) as pool:
        downloads = [pool.submit(download, megabytes) for megabytes in (700, *[95] * 8)]
        uploads = [pool.submit(post_file, production, 70 * MB) for _ in range(3)]
        sizes = [each.result() for each in downloads]
        statuses = [each.result().status_code for each in uploads]
    assert sizes == [700 * MB, *[95 * MB] * 8]
    assert statuses == [200] * 3


def test_one_client_sends_so_many_large_bodies_at_a_time(production):
    """Bodies that are half here count: nginx reads them to their end first."""
    with ThreadPoolExecutor(max_workers=30) as pool:
        codes = [each.status_code for each in pool.map(lambda _: half(production), range(30))]
    assert codes.count(429) == 10
    assert production.get("/").status_code == 200


def half(stack) -> httpx.Response:
    """Send half of a body, and the rest some seconds later."""

    def body():
        yield b"x" * 65536
        time.sleep(4)
        yield b"x" * (2 * MB - 65536)

    with stack.client() as client:
        return client.post("/no/such/page", content=body(), headers={"Content-Length": str(2 * MB)})


# What a killed worker leaves


@uwsgi_is_enough
def test_the_file_of_an_upload_whose_worker_was_killed_is_deleted_later(views):
    assert post_file(views, 3 * MB, "/form/?hang").status_code == 502
    left = views.exec("app", "sh", "-c", "ls /var/tmp/tmp*.upload*").split()
    assert len(left) == 1
    views.exec("app", "touch", "-d", "2 hours ago", *left)
    assert post_file(views, 3 * MB, "/form/?hang").status_code == 502
    gone = f"while test -e {left[0]}; do sleep 0.2; done"  # a new worker starts within some seconds
    views.exec("app", "timeout", "10", "sh", "-c", gone)
    assert views.exec("app", "sh", "-c", "ls /var/tmp/tmp*.upload*").split() != []


@uwsgi_is_enough
def test_nginx_deletes_the_temporary_files_of_one_that_was_killed(production):
    file = "/var/cache/nginx/bodies/0000000001"
    production.exec("nginx", "touch", file)
    production.compose("restart", "nginx")
    production.up("--no-deps", "nginx")
    assert production.exec("nginx", "find", "/var/cache/nginx", "-type", "f") == ""


# Private files

NAMES = [
    "plain.png",
    "Grüße aus Köln.png",
    "what?.png",
    "100%25.png",
    "a&b#c;d'e\".png",
    "x/y z.png",
]


@pytest.fixture(scope="module")
def files(views):
    """Writes private files, and two links, into the media of `production`."""
    script = """
import pathlib, sys
for name in sys.argv[1:]:
    path = pathlib.Path("media/private", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"content of {name}")
pathlib.Path("media/public.png").symlink_to("private/plain.png")
pathlib.Path("media/private/link.png").symlink_to("/etc/passwd")
pathlib.Path("media/private-looking.png").write_text("public")
"""
    views.exec("app", "python", "-c", script, *NAMES, "page.html")
    return views


def quoted(name: str) -> str:
    return urllib.parse.quote(name)


@pytest.mark.parametrize("name", NAMES)
def test_nginx_sends_a_private_file_if_the_view_lets_it(files, name):
    answer = files.get(f"/document/{quoted(name)}?key")
    assert (answer.status_code, answer.text) == (200, f"content of {name}")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "private"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # nginx has sent it: Django sends no part of a file.
    part = files.get(f"/document/{quoted(name)}?key", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.text) == (206, "nte")
    assert "X-Accel-Redirect" not in answer.headers


def test_a_private_page_is_a_download(files):
    answer = files.get("/document/page.html?key")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="page.html"'


def test_a_private_file_needs_the_view(files):
    assert files.get("/document/plain.png").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/media/private/plain.png",
        "/media//private/plain.png",
        "//media/private/plain.png",
        "/media/private//plain.png",
        "/media/%70rivate/plain.png",
        "/media/private%2fplain.png",
        "/media/x%2f%2e%2e%2fprivate/plain.png",
        "/media/./private/plain.png",
        "/media/x/../private/plain.png",
        "/media/Private/plain.png",
        "/media/private/",
        "/media/private/page.html",
        "/media/public.png",
        "/document/link.png?key",
        "/document/../private-looking.png?key",
        "/document/no-such-file.png?key",
    ],
)
def test_there_is_no_other_way_to_a_private_file(files, path):
    port = int(files.ports["HTTPS_PORT"])
    context = ssl._create_unverified_context()
    with closing(http.client.HTTPSConnection("localhost", port, context=context)) as connection:
        connection.request("GET", path)  # httpx would tidy up the path
        answer = connection.getresponse()
        text = answer.read()
    assert answer.status in (400, 403, 404)
    assert b"content of" not in text


def test_what_only_looks_private_is_public(files):
    assert files.get("/media/private-looking.png").text == "public"
