"""The links to the containers of the app: who claims one, and that a change is all or nothing."""

import os
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import healthcheck
import links
import listen
import pytest
import serve


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder as /run/app, in a container `here` whose image is release `new`, with two copies."""
    release_id = tmp_path / "release-id"
    release_id.write_text("new\n")
    monkeypatch.setattr(links, "RELEASE_ID", release_id)
    monkeypatch.setenv("APP_COPIES", "2")
    monkeypatch.setattr(links, "own_socket", lambda: Path("here.sock"))
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "release").write_text("new\n")
    # A path in a short folder: that of a socket may have 107 bytes.
    monkeypatch.chdir(folder)
    return Path()


@pytest.fixture
def listens(folder):
    """listens(host) lets a server listen on the socket of this host until the end of the test."""
    with ExitStack() as servers:

        def start(host: str, backlog: int = 5) -> socket.socket:
            server = servers.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(f"{host}.sock")
            server.listen(backlog)
            return server

        yield start


def link(number: int, host: str) -> None:
    Path(f"{number}.sock").symlink_to(f"{host}.sock")


# Which socket is dead


def test_a_socket_that_is_not_there_is_dead(folder):
    assert links.is_dead(Path("gone.sock"))


def test_a_link_that_leads_nowhere_is_dead(folder):
    link(1, "gone")
    assert links.is_dead(Path("1.sock"))


def test_a_socket_without_a_server_is_dead(listens):
    listens("killed").close()
    assert links.is_dead(Path("killed.sock"))


def test_a_socket_with_a_server_is_alive(listens):
    listens("alive")
    assert not links.is_dead(Path("alive.sock"))


def test_a_full_backlog_is_alive(listens):
    listens("busy", backlog=0)
    with (
        socket.socket(socket.AF_UNIX) as waiting,
        socket.socket(socket.AF_UNIX) as refused,
    ):
        waiting.connect("busy.sock")
        refused.setblocking(False)
        with pytest.raises(BlockingIOError):
            refused.connect("busy.sock")
        assert not links.is_dead(Path("busy.sock"))


# Claiming


def test_a_container_of_the_release_that_serves_claims_a_dead_link(folder, listens):
    listens("other")
    link(1, "other")
    links.claim(folder)
    assert links.current_links(folder) == {"1": "other", "2": "here"}


def test_a_container_claims_one_link_only(folder, listens):
    listens("here")
    links.claim(folder)
    links.claim(folder)
    assert links.current_links(folder) == {"1": "here"}


def test_a_claim_does_not_wait_for_another_process_that_changes_the_links(folder):
    """Process 1 claims, and must not miss a signal meanwhile."""
    began = time.monotonic()
    with (
        links.locked(folder),
        pytest.raises(links.LinksError, match="has locked the links"),
    ):
        links.claim(folder)
    assert time.monotonic() - began < 5
    assert links.current_links(folder) == {}


def test_a_server_is_healthy_although_it_gets_no_link(folder, listens, monkeypatch):
    def refuse():
        raise links.LinksError("Another container has locked the links.")

    listens("here")
    monkeypatch.setenv("PORT", "8000")
    monkeypatch.setattr(listen, "is_behind_nginx", lambda: True)
    monkeypatch.setattr(listen, "own_socket", lambda: Path("here.sock"))
    monkeypatch.setattr(healthcheck, "runs_server", lambda command_line: True)
    monkeypatch.setattr(
        healthcheck, "responds", lambda connection: connection.close() or True
    )
    monkeypatch.setattr(links, "claim", refuse)
    assert healthcheck.check()


def test_a_container_claims_no_link_of_a_server_that_is_alive(folder, listens):
    for number, host in enumerate(("one", "two"), start=1):
        listens(host)
        link(number, host)
    links.claim(folder)
    assert links.current_links(folder) == {"1": "one", "2": "two"}


@pytest.mark.parametrize("release", ["old\n", ""])
def test_a_container_of_another_release_claims_nothing(folder, release):
    (folder / "release").write_text(release)
    links.claim(folder)
    assert links.current_links(folder) == {}


def test_a_container_claims_nothing_before_a_release_is_named(folder):
    (folder / "release").unlink()
    links.claim(folder)
    assert links.current_links(folder) == {}


def test_a_link_above_the_number_of_copies_does_not_count(folder, monkeypatch):
    monkeypatch.setenv("APP_COPIES", "1")
    link(2, "here")
    links.claim(folder)
    assert links.current_links(folder) == {"1": "here", "2": "here"}


# Pointing


def test_point_names_the_release_and_links_each_host(folder, listens):
    (folder / "release").write_text("old\n")
    link(1, "before")
    link(3, "before")
    for host in ("one", "two"):
        listens(host)
    links.point(["one", "two"], folder)
    assert links.current_state(folder) == {
        "release": "new",
        "links": {"1": "one", "2": "two"},
    }


def test_point_takes_fewer_hosts_than_links_in_turn(folder, listens):
    listens("one")
    links.point(["one"], folder)
    assert links.current_links(folder) == {"1": "one", "2": "one"}


def test_point_removes_sockets_without_a_server(folder, listens):
    listens("one")
    listens("killed").close()
    links.point(["one"], folder)
    assert not Path("killed.sock").exists()
    assert Path("one.sock").exists()


@pytest.mark.parametrize("host", ["gone", "../one", "one/two", ""])
def test_point_refuses_a_host_without_a_server(folder, listens, host):
    listens("one")
    link(1, "one")
    before = links.current_state(folder)
    with pytest.raises(links.LinksError):
        links.point(["one", host], folder)
    assert links.current_state(folder) == before


def test_a_point_that_fails_changes_nothing(folder, listens, monkeypatch):
    listens("one")
    link(1, "one")
    (folder / "release").write_text("old\n")
    before = links.current_state(folder), sorted(os.listdir())

    def full(path, text):
        raise OSError("No space left on device")

    monkeypatch.setattr(links, "write_durably", full)
    with pytest.raises(OSError, match="No space left"):
        links.point(["one"], folder)
    assert (links.current_state(folder), sorted(os.listdir())) == before


def test_naming_a_release_keeps_the_links(folder):
    (folder / "release").write_text("old\n")
    link(1, "before")
    links.name_release(folder)
    assert links.current_state(folder) == {"release": "new", "links": {"1": "before"}}


def test_a_server_that_closes_the_connection_has_not_responded(tmp_path):
    def close_the_next():
        connection, _ = server.accept()
        connection.recv(1000)
        connection.close()

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "app.sock"))
        server.listen()
        thread = threading.Thread(target=close_the_next)
        thread.start()
        with pytest.raises(ConnectionError):
            serve.wait_for_response(tmp_path / "app.sock")
        thread.join()


@pytest.mark.parametrize("copies", ["0", "-1", "two", "1.5"])
def test_the_number_of_copies_is_a_whole_number(monkeypatch, copies):
    monkeypatch.setenv("APP_COPIES", copies)
    with pytest.raises(
        links.LinksError, match="APP_COPIES must be a whole number, 1 or more"
    ):
        links.copies()
