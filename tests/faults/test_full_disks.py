"""What clients see while a disk is full, and that all is well again when there is room."""

import time
from pathlib import Path

import httpx
import pytest

from tests.helpers.faults import MEMBER, PLAIN, WELL, changed, log_in, starts
from tests.helpers.large import MB, write_urls
from tests.helpers.load import load, write
from tests.helpers.login import PASSWORD

pytestmark = pytest.mark.containers

# In memory, because a test can give that a size.
SMALL = {"type": "tmpfs", "device": "tmpfs", "o": "size=200m,uid=999,gid=999"}
ON_SMALL = {"type": "volume", "source": "small", "target": "/var/lib/postgresql"}
FILL = "cat /dev/zero >/var/lib/postgresql/filler"


def test_a_full_disk_is_told_to_those_who_write_and_not_to_others(production, tmp_path):
    postgres = {"volumes": [ON_SMALL]}
    volumes = {"small": {"driver_opts": SMALL}}
    with changed(production, tmp_path, services={"postgres": postgres}, volumes=volumes):
        create = ("createsuperuser", "--no-input", "--username=full", "--email=full@example.com")
        password = f"--env=DJANGO_SUPERUSER_PASSWORD={PASSWORD}"
        production.compose("exec", "--no-TTY", password, "app", "python", "manage.py", *create)
        member = log_in(production, "full")
        app = starts(production, "app")
        with (
            load(production, *PLAIN) as plain,
            load(production, *MEMBER, headers=member) as readers,
            production.client(headers=member) as writer,
        ):
            filled = production.command("exec", "--no-TTY", "postgres", "sh", "-c", FILL)
            full = [write(writer, f"full-{number}") for number in range(5)]
            production.exec("postgres", "rm", "/var/lib/postgresql/filler")
            room = [write(writer, f"room-{number}") for number in range(5)]
            readers.wait_until_all_is_well()
        still = starts(production, "app")
    assert "No space left on device" in filled.stderr
    assert [answer.status_code for answer in full] == [503] * 5
    assert {"retry-after" in answer.headers for answer in full} == {True}
    assert [answer.status_code for answer in room] == [302] * 5
    assert plain.statuses() == WELL
    assert readers.statuses() == {200}
    assert still == app


# In memory as well, and for both: nginx has 40 MB, and the app 20.
SMALL_TEMPORARY = {
    "nginx-small": {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=40m,uid=101"}},
    "app-small": {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=20m,mode=1777"}},
}


def on_small_disks(urls: Path) -> dict[str, dict]:
    """Return how nginx and the app, with these URLs, have little room for temporary files."""
    small = {"type": "volume", "volume": {"nocopy": True}}
    nginx = small | {"source": "nginx-small", "target": "/var/cache/nginx"}
    app = small | {"source": "app-small", "target": "/var/tmp"}
    views = {"type": "bind", "source": str(urls), "target": "/app/config/urls.py"}
    return {"nginx": {"volumes": [nginx]}, "app": {"volumes": [app, views]}}


def test_a_full_disk_is_told_to_those_who_need_it_and_to_no_others(production, tmp_path):
    services = on_small_disks(write_urls(production, tmp_path))
    with changed(
        production,
        tmp_path,
        "--no-deps",
        "app",
        "nginx",
        services=services,
        volumes=SMALL_TEMPORARY,
    ):
        with load(production, *PLAIN) as plain, production.client() as client:
            too_much_for_nginx = [upload(client, 60) for _ in range(3)]
            too_much_for_app = [upload(client, 12, 12) for _ in range(3)]
            left = production.exec("app", "ls", "/var/tmp")
            fits = upload(client, 12)
            broken = slow_download(production, 100)
            raw = client.put("/memory/", content=b"x" * 1000)
        nginx_left = production.exec(
            "nginx", "find", "/var/cache/nginx", "-type", "f", "-size", "+1M"
        )
    for answer in [*too_much_for_nginx, *too_much_for_app]:
        assert answer.status_code == 503
        assert "<h1>We will be back in a moment</h1>" in answer.text
        assert f"<code>{answer.headers['X-Request-ID']}</code>" in answer.text
        assert "retry-after" in answer.headers
    assert (left, nginx_left) == ("", "")
    assert (fits.status_code, raw.text) == (200, "1000")
    assert isinstance(broken, httpx.RemoteProtocolError)
    assert plain.statuses() == WELL


def upload(client: httpx.Client, *megabytes: int) -> httpx.Response:
    """Post a form with files of these sizes."""
    files = [("file", ("film.mp4", b"x" * (size * MB))) for size in megabytes]
    return client.post("/form/", files=files)


def slow_download(stack, megabytes: int) -> httpx.RemoteProtocolError | None:
    """Return how a download ended whose client is slower than the app, or None where it was whole."""
    path = f"/export/?mb={megabytes}"
    with stack.client() as client, client.stream("GET", path) as answer:
        assert answer.status_code == 200
        try:
            for _ in answer.iter_bytes(4 * MB):
                time.sleep(0.3)
        except httpx.RemoteProtocolError as error:
            return error
    return None
