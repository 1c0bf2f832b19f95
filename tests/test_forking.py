"""What docs/forking.md promises to an organisation that makes the template its own."""

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

from tests.checkout import copy_files
from tests.conftest import DEVELOPMENT, PRODUCTION, a_slug
from tests.stack import run
from tests.test_refused import cookiecutter

# --- Defaults ---


def test_a_configuration_file_has_defaults_for_all_bakes(tmp_path):
    config = tmp_path / "ours.yaml"
    config.write_text(
        f"replay_dir: {tmp_path}\n"
        "default_context: {author_name: Platform team, app_server: gunicorn, use_allauth: false}\n"
    )
    done = cookiecutter(tmp_path / "out", "--no-input", "--config-file", config)
    assert done.returncode == 0, done.stderr
    project = tmp_path / "out" / "my-site"
    assert 'name = "Platform team"' in (project / "pyproject.toml").read_text()
    assert (project / "docker/app/gunicorn.conf.py").exists()
    assert not (project / "accounts/adapter.py").exists()


# --- A registry of one's own ---


def test_every_base_image_comes_from_the_registry_that_is_set(baked):
    dockerfiles = "\n".join(file.read_text() for file in baked.path.glob("docker/*/Dockerfile"))
    stages = re.findall(r" AS (\w+)$", dockerfiles, re.MULTILINE)
    bases = {*re.findall(r"^FROM (\S+)", dockerfiles, re.MULTILINE)} - {*stages}
    assert {re.match(r"\$\{REGISTRY[}:]", base) is not None for base in bases} == {True}

    composes = [*baked.path.glob("compose*.yaml"), *baked.path.glob("docker/*/compose.yaml")]
    services = [yaml.safe_load(file.read_text())["services"] for file in composes]
    for service in (service for file in services for service in file.values()):
        build = service.get("build", {"args": {"REGISTRY": "${REGISTRY:-}"}})
        assert build["args"] == {"REGISTRY": "${REGISTRY:-}"}
    pulled = {
        service["image"]
        for file in services
        for name, service in file.items()
        if name == "postgres"
    }
    assert {image.startswith("${REGISTRY:-}postgres:") for image in pulled} == {True}


# --- One more answer, in the five steps of docs/forking.md ---

PROJECT = "{{cookiecutter.project_slug}}"

PIECE = '''"""Log the requests that took long."""

import logging
import time

logger = logging.getLogger(__name__)


class SlowRequestMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        start = time.monotonic()
        response = self.get_response(request)
        if (seconds := time.monotonic() - start) > 1:
            logger.warning("%s took %.1f seconds", request.path, seconds)
        return response
'''

TEST = """import pytest


@pytest.mark.parametrize("chosen", [True, False])
def test_slow_requests_are_logged_where_that_was_chosen(bake, chosen):
    settings = bake(log_slow=chosen).read("config/settings.py")
    assert settings.count('"config.slow.SlowRequestMiddleware",') == chosen
"""

OWN, MANIFEST = "tests/test_slow.py", "tests/test_manifest.py::test_exactly_the_expected_files"

# The parts of the steps: the file, the text before which something is added, what is added, and the
# test that is red without it.
PARTS = {
    "1-answer": ("cookiecutter.json", '  "ci": [', '  "log_slow": false,\n', OWN),
    "1-prompt": (
        "cookiecutter.json",
        '    "ci": {',
        '    "log_slow": "Log slow requests",\n',
        "tests/test_template.py::test_an_answer_has_a_prompt",
    ),
    "2-file": (f"{PROJECT}/config/slow.py", "", PIECE, OWN),
    "2-page": (f"{PROJECT}/docs/slow.md", "", "# Slow requests\n\nThe log names them.\n", OWN),
    "2-row": (
        "hooks/post_gen_project.py",
        '    "ci": {\n',
        '    "log_slow": {True: ["config/slow.py", "docs/slow.md"]},\n',
        MANIFEST,
    ),
    "3-plug": (
        f"{PROJECT}/config/settings.py",
        '\n    "django.middleware.security.SecurityMiddleware",',
        '\n{%- if cookiecutter.log_slow %}\n    "config.slow.SlowRequestMiddleware",\n{%- endif %}',
        OWN,
    ),
    "3-readme": (
        f"{PROJECT}/README.md",
        "\n- [docs/updating.md]",
        "\n{%- if cookiecutter.log_slow %}\n- [docs/slow.md](docs/slow.md): the log\n{%- endif %}",
        "tests/test_docs.py::test_the_readme_of_a_bake_lists_every_page",
    ),
    "4-files": (
        "tests/test_manifest.py",
        '    ("ci", "github", {',
        '    ("log_slow", True, {"config/slow.py", "docs/slow.md"}),\n',
        MANIFEST,
    ),
    "4-values": (
        "tests/test_matrix.py",
        '    "ci": [',
        '    "log_slow": [False, True],\n',
        "tests/test_matrix.py::test_the_choices_are_those_of_the_template",
    ),
    "4-default": (
        "tests/test_matrix.py",
        '    "ci": "github",\n',
        '    "log_slow": False,\n',
        "tests/test_matrix.py::test_the_default_answers_are_the_first_bake",
    ),
    "4-pairs": (
        "tests/test_matrix.py",
        "57",
        "24 + ",  # two values, each with the twelve that there are
        "tests/test_matrix.py::test_every_pair_of_answers_meets_in_a_bake",
    ),
    "4-bakes": (
        "tests/test_matrix.py",
        " 10\n",
        " 2 +",
        "tests/test_matrix.py::test_there_are_far_fewer_bakes_than_combinations",
    ),
    "5-choice": (
        "hooks/pre_gen_project.py",
        '    "ci": [',
        '    "log_slow": [True, False],\n',
        "tests/test_refused.py::test_every_choice_refuses_another_value",
    ),
    "5-page": (
        "docs/log_slow.md",
        "",
        "# log_slow\n\nWhether the log names slow requests.\n",
        "tests/test_docs.py::test_links_lead_somewhere",
    ),
    "5-index": (
        "docs/README.md",
        "- [Decisions](",
        "- [log_slow](log_slow.md)\n",
        "tests/test_docs.py::test_every_page_is_listed",
    ),
}


@pytest.fixture
def fork(tmp_path) -> Path:
    """A copy of this repository, with a test of the new answer and nothing else of it."""
    copy_files(tmp_path / "fork")
    (tmp_path / "fork" / OWN).write_text(TEST)
    return tmp_path / "fork"


def take(fork: Path, part: str) -> None:
    name, before, addition, _ = PARTS[part]
    text = (fork / name).read_text() if before else ""
    assert text.count(before) == 1, f"{name} has {text.count(before)} times {before!r}"
    (fork / name).write_text(text.replace(before, addition + before))


def outcome(fork: Path, *names: str):
    """Run tests of the fork, up to the first that fails."""
    options = ("-x", "-q", "-p", "no:cacheprovider", "-m", "not containers")
    return run(sys.executable, "-m", "pytest", *options, *names, cwd=fork)


@pytest.mark.copies
def test_an_answer_is_added_in_five_steps(fork):
    for part in PARTS:
        take(fork, part)
    guards = {guard for *_, guard in PARTS.values()}
    done = outcome(fork, *sorted(guards), "tests/test_template.py", "tests/test_docs.py")
    assert done.returncode == 0, done.stdout


# Without them the test that counts is red at once; the others are what somebody could overlook.
COUNTED = {"4-default", "4-pairs", "4-bakes"}


@pytest.mark.copies
@pytest.mark.parametrize("forgotten", [part for part in PARTS if part not in COUNTED])
def test_a_forgotten_part_of_a_step_is_noticed(fork, forgotten):
    for part in PARTS.keys() - {forgotten}:
        take(fork, part)
    done = outcome(fork, PARTS[forgotten][-1])
    assert done.returncode == 1, done.stdout


# --- A package index with a certificate and a password of its own ---

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
    """A project on gunicorn, for which nothing is compiled; its folder knows the company's index."""
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
    """The address of an index that serves what the project's locks name."""
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
@pytest.mark.parametrize(("file", "tag"), [(DEVELOPMENT, ":dev"), (PRODUCTION, "")])
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
