"""Requests as bytes, for what no HTTP client would send."""

import re
import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass

from tests.helpers.stack import Stack


@dataclass(frozen=True)
class Response:
    """What came back on a connection: the first response, if there was any."""

    raw: bytes
    seconds: float  # until the other side closed the connection

    @property
    def status(self) -> int:
        """Return the status, or 0 where the connection was closed without a response."""
        found = re.match(rb"HTTP/1\.1 (\d+)", self.raw)
        return int(found[1]) if found else 0

    @property
    def body(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[2].decode()

    def header(self, name: str) -> str:
        """Return the value of a header, or an empty text."""
        head = self.raw.partition(b"\r\n\r\n")[0].decode()
        found = re.search(rf"^{name}: (.*?)\r?$", head, re.IGNORECASE | re.MULTILINE)
        return found[1] if found else ""


def request(start: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    """Return a request whose connection ends with the response; `start` is its method and target."""
    names = [b"Host: localhost", b"Connection: close", *headers]
    return b"\r\n".join([start + b" HTTP/1.1", *names, b"", body])


def connect(stack: Stack, variable: str = "HTTPS_PORT") -> socket.socket:
    """Connect to the port of this variable, with TLS if it is HTTPS_PORT."""
    plain = socket.create_connection(("127.0.0.1", int(stack.ports[variable])), 100)
    if variable != "HTTPS_PORT":
        return plain
    return ssl._create_unverified_context().wrap_socket(plain, server_hostname="localhost")


def send(connection: socket.socket, parts: Iterable[bytes]) -> Response:
    """Send these bytes on a connection and read until the other side closes it."""
    start, received = time.monotonic(), b""
    with suppress(OSError), closing(connection):
        for part in parts:
            connection.sendall(part)
        while data := connection.recv(65536):
            received += data
    return Response(received, time.monotonic() - start)
