"""Clients with IPv6 addresses of their own, on the network of this machine."""

import fcntl
import json
from pathlib import Path
from tempfile import gettempdir

import httpx

from tests.helpers.stack import Stack, run

# Addresses for documentation: no machine has them. The loopback address itself would not do, because there Docker
# forwards connections by a process whose address is the network's gateway.
SERVER = "2001:db8:ffff::1"

# Give this machine the addresses for a moment, send a request from each, and print the status and request ID of each response.
SCRIPT = """
import fcntl, json, re, socket, ssl, struct, sys, time

ADD, REMOVE = 0x8916, 0x8936  # SIOCSIFADDR, SIOCDIFADDR


def change(command, address):
    packed = socket.inet_pton(socket.AF_INET6, address)
    loopback = socket.if_nametoindex("lo")
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, command, struct.pack("16sIi", packed, 128, loopback))


def wait_until_usable(address):
    # The kernel activates a new address in the background.
    for _ in range(100):
        with socket.socket(socket.AF_INET6) as trial:
            try:
                return trial.bind((address, 0))
            except OSError:
                time.sleep(0.05)


server, port, tls, request, sources = json.loads(sys.argv[1])
added = []
try:
    for address in {server, *sources}:
        change(ADD, address)
        added.append(address)
        wait_until_usable(address)
    for source in sources:
        connection = socket.create_connection((server, port), 20, (source, 0))
        if tls:
            context = ssl._create_unverified_context()
            connection = context.wrap_socket(connection, server_hostname="localhost")
        connection.sendall(request.encode())
        said = b""
        while data := connection.recv(65536):
            said += data
        found = re.search(rb"(?i)x-request-id: (\\S+)", said)
        print(int(said[9:12]), found[1].decode() if found else "")
finally:
    for address in added:
        change(REMOVE, address)
"""


def requests_from(
    stack: Stack,
    image: str,
    sources: list[str],
    start: str = "GET /",
    headers: str = "",
    body: str = "",
    tls=None,
) -> list[httpx.Response]:
    """Send a request from each of these addresses, one after the other; return status and request ID of each response.

    The requests go to the port for HTTPS, where there is one and `tls` is not False.
    """
    tls = stack.ends_https if tls is None else tls
    port = int(stack.ports["HTTPS_PORT" if tls else "HTTP_PORT"])
    request = f"{start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n{body}"
    arguments = json.dumps([SERVER, port, tls, request, sources])
    # Another test must not remove the addresses meanwhile.
    with Path(gettempdir(), "addresses-of-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(
            *("docker", "run", "--rm", "--network=host", "--user=0", "--cap-add=NET_ADMIN"),
            *("--entrypoint=python", image, "-c", SCRIPT, arguments),
        )
    assert done.returncode == 0, done.stderr
    lines = [line.partition(" ") for line in done.stdout.splitlines()]
    return [
        httpx.Response(int(status), headers={"X-Request-ID": number}) for status, _, number in lines
    ]
