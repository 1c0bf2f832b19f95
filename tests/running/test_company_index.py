"""Builds take packages from a company's index, which has a certificate and a password of its own."""

import base64
import gzip
import os
import platform
import re
import ssl
import sys
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.helpers.project import a_slug
from tests.helpers.stack import DEVELOPMENT, PRODUCTION, run

USER, WORD = "builder", "not-for-any-layer"
MACHINE = platform.machine().replace("arm64", "aarch64")
LINUX = [f"--platform=manylinux{version}_{MACHINE}" for version in ("2014", "_2_17", "_2_28")]


class Index(SimpleHTTPRequestHandler):
    """A simple index of the wheels in its folder, for who knows the password."""

    asked: list[str] = []  # noqa: RUF012

    def do_GET(self):
        self.asked.append(self.path)
        known = base64.b64encode(f"{USER}:{WORD}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {known}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
        elif project := re.fullmatch(r"/simple/([a-z0-9-]+)/", self.path):
            self.answer(project[1])
        else:
            super().do_GET()

    def answer(self, project: str) -> None:
        wheels = [wheel.name for wheel in Path(self.directory).glob("*.whl")]
        ours = [w for w in wheels if w.split("-")[0].lower().replace("_", "-") == project]
        page = "".join(f'<a href="/{wheel}">{wheel}</a>' for wheel in ours).encode()
        self.send_response(200 if ours else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def company(engine, bake_once):
    """Generates a project on gunicorn, for which nothing is compiled; it knows the company's index: 0.3 s."""
    return bake_once(project_slug=a_slug(), app_server="gunicorn")


@pytest.fixture(scope="module")
def certificate(engine, tmp_path_factory) -> Path:
    """The folder of ca.pem, which nobody knows, and of what it signed for packages.test."""
    folder = tmp_path_factory.mktemp("certificates")
    new = "openssl req -x509 -newkey rsa:2048 -nodes -days 2"
    script = f"""
        {new} -subj /CN=Company -keyout ca.key -out ca.pem
        {new} -subj /CN=packages.test -addext subjectAltName=DNS:packages.test \\
            -addext basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca.key \\
            -keyout server.key -out server.pem
    """
    me = f"{os.getuid()}:{os.getgid()}"
    box = ("docker", "run", "--rm", "--user", me, "--volume", f"{folder}:/work", "--workdir=/work")
    done = run(*box, "python:3.14-slim-trixie", "sh", "-ec", script)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def index(company, certificate, tmp_path_factory) -> str:
    """Downloads the packages of the project's locks and serves them as an index: about 20 s."""
    wheels = tmp_path_factory.mktemp("wheels")
    download = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
    download += ("--only-binary=:all:", "--python-version=3.14", *LINUX, "--dest", wheels)
    done = run(*download, "--requirement", company.path / "requirements-dev.txt")
    assert done.returncode == 0, done.stderr

    server = ThreadingHTTPServer(("", 0), partial(Index, directory=str(wheels)))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "server.pem", certificate / "server.key")
    # Hands are shaken in the thread of each connection: one that is refused stops no other.
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever).start()
    yield f"https://{USER}:{WORD}@packages.test:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


@pytest.fixture
def build(company, index, certificate, lasting_stacks):
    """build(file, ca) builds as with these lines in .env, from nothing; no other index is reached."""
    hosts = {"services": {"app": {"build": {"extra_hosts": ["packages.test:host-gateway"]}}}}
    (company.path / "hosts.yaml").write_text(yaml.safe_dump(hosts))
    env = company.read(".env")
    nowhere = ("--build-arg", "HTTPS_PROXY=http://127.0.0.1:9", "--build-arg", "NO_PROXY=.test")

    def make(file: str, ca: str):
        lasting_stacks(company.path, file)
        toml = f'index = [{{ url = "{index}", default = true }}]'
        (company.path / ".env").write_text(f"{env}\nBUILD_UV_TOML='{toml}'\nBUILD_CA=\"{ca}\"\n")
        compose = ("docker", "compose", "--file", file, "--file", "hosts.yaml")
        return run(*compose, "build", "--no-cache", *nowhere, "app", cwd=company.path)

    yield make
    (company.path / ".env").write_text(env)


def layers(image: str, folder: Path):
    """Give the content of each file of an image as docker save writes it, its history included."""
    assert run("docker", "save", "--output", folder / "image.tar", image).returncode == 0
    with tarfile.open(folder / "image.tar") as archive:
        for member in filter(tarfile.TarInfo.isfile, archive):
            content = archive.extractfile(member).read()
            yield gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


@pytest.mark.containers
@pytest.mark.parametrize(
    ("file", "tag"),
    [
        (DEVELOPMENT, ":dev"),
        # Development installs the packages of production first, by the same instruction.
        pytest.param(PRODUCTION, "", marks=pytest.mark.exhaustive),
    ],
)
def test_a_build_takes_all_packages_from_the_index_that_is_set(
    build, company, certificate, tmp_path, file, tag
):
    ca = (certificate / "ca.pem").read_text()
    Index.asked.clear()

    done = build(file, ca.replace("\n", "\\n"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "/simple/django/" in Index.asked
    assert any(path.startswith("/gunicorn-") for path in Index.asked)
    private = [WORD.encode(), ca.splitlines()[1].encode()]
    found = list(layers(company.path.name + tag, tmp_path))
    assert any(b"requirements.txt" in content for content in found)  # we can look inside
    assert not any(secret in content for content in found for secret in private)


@pytest.mark.containers
def test_a_build_refuses_an_index_whose_certificate_it_does_not_know(build):
    done = build(PRODUCTION, "")
    assert done.returncode != 0
    assert "invalid peer certificate: UnknownIssuer" in done.stdout + done.stderr
