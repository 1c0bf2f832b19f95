"""docs/recipes.md of a generated project: each recipe is followed to the letter, and works in both stacks.

Recipes that do not disturb one another share a project. tests/browser/test_recipes.py opens pages of some.
"""

import json
import re
import socket
import time
from contextlib import contextmanager
from typing import NamedTuple

import httpx
import pytest

from tests.helpers import recipes
from tests.helpers.login import PASSWORD
from tests.helpers.project import a_slug
from tests.helpers.stack import DEVELOPMENT, PRODUCTION, Stack, free_port, run, standing

pytestmark = pytest.mark.containers

# A test in test_development.py, and words alone.
WITHOUT_A_CHANGE = ["A breakpoint in the terminal", "WebSockets"]
# It would stand between Django and PostgreSQL for all the others.
ALONE = ["PgBouncer"]
TOGETHER = [
    "Debug toolbar",
    "A breakpoint in the editor",
    "A package that needs a system library",
    "Translations",
    "An API with tokens",
    "An admin theme",
    "psycopg 3",
    "Login with GitHub",
    "Errors in Sentry",
    "Tailwind",
    "A variable of your own",
    "Valkey as the cache",
    "Server-sent events",
    "robots.txt and files under /.well-known/",
    "Error pages in another language",
    "A path over plain HTTP",
]

CRASH = """
urlpatterns += [path("crash/", lambda request: int(request.GET["number"]))]
"""

SENTRY = """
import brotli, gzip
from http.server import BaseHTTPRequestHandler, HTTPServer

class Sentry(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        unpack = {"br": brotli.decompress, "gzip": gzip.decompress}
        print(unpack[self.headers["Content-Encoding"]](body).decode(), flush=True)
        self.send_response(200)
        self.end_headers()

server = HTTPServer(("", 9000), Sentry)
print("listens", flush=True)
server.serve_forever()
"""


class Cooked(NamedTuple):
    """The stacks of a project after its recipes; both of them run."""

    development: Stack
    production: Stack

    @property
    def path(self):
        return self.production.path


def write_ports(project, stack: Stack) -> None:
    """Give the commands of the recipes the ports of this stack, by .env."""
    ports = [f"{name}={port}\n" for name, port in stack.ports.items()]
    with (project.path / ".env").open("a") as env:
        env.writelines(ports)


@contextmanager
def hidden(files):
    """Take away for a while what development has made and git ignores: a server builds it anew."""
    contents = {file: file.read_bytes() for file in files}
    for file in files:
        file.unlink()
    yield
    for file, content in contents.items():
        file.write_bytes(content)


def deploy(stack: Stack) -> None:
    done = run("bin/deploy", cwd=stack.path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(bake_once, engine):
    """Follows all recipes that get along, in one project, and starts both stacks: about 2 minutes."""
    project = bake_once(project_slug=a_slug())
    with (project.path / "config/urls.py").open("a") as urls:
        urls.write(CRASH)
    page = project.path / "docs/recipes.md"
    page.write_text(
        page.read_text().replace("https://key@sentry.example.com", "http://key@sentry:9000")
    )
    with standing() as make:
        stacks = Cooked(make(project.path, DEVELOPMENT), make(project.path, PRODUCTION))
        stacks.production.ports.update(stacks.development.ports)
        write_ports(project, stacks.production)
        with (project.path / ".env").open("a") as env:
            env.write(f"DEBUGPY_PORT={free_port()}\n")
        recipes.cook(project.path, TOGETHER)
        with hidden([*project.path.rglob("*.mo"), project.path / "static/tailwind.css"]):
            deploy(stacks.production)
        yield stacks


@pytest.fixture(scope="module")
def pooled(bake_once, engine):
    """Starts production, follows the recipe for PgBouncer, and deploys: about 50 s."""
    project = bake_once(project_slug=a_slug())
    with standing() as make:
        stack = make(project.path, PRODUCTION)
        write_ports(project, stack)
        deploy(stack)
        for block in recipes.read(project.read("docs/recipes.md"))["PgBouncer"]:
            block.apply(project.path)
        deploy(stack)
        yield stack


def shell(stack: Stack, code: str) -> str:
    """Run Python in the app, and return what it printed."""
    return stack.exec("app", "python", "manage.py", "shell", "--no-imports", "--command", code)


def test_each_recipe_is_tried(site):
    names = recipes.read((site.path / "docs/recipes.md").read_text()).keys()
    assert sorted(names - {""}) == sorted(TOGETHER + ALONE + WITHOUT_A_CHANGE)


# ops/ is on the host, and knows nothing of what the recipes change.
TESTS = ("tests", "--ignore-glob=tests/test_ops_*")


@pytest.mark.parametrize("service", [TESTS, ("lint",)], ids=["tests", "lint"])
def test_the_projects_own_checks_pass(site, service):
    done = site.development.command("run", "--rm", "--no-TTY", *service)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_names_no_index(site):
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "://" not in (site.path / name).read_text()


def test_the_debug_toolbar_is_in_development_alone(site):
    assert 'id="djDebug"' in site.development.get("/").text
    assert "djDebug" not in site.production.get("/").text
    find = "import importlib.util; print(importlib.util.find_spec('debug_toolbar'))"
    assert site.production.exec("app", "python", "-c", find) == "None\n"


def test_djangos_own_test_command_runs_with_the_toolbar(site):
    done = site.development.command("run", "--rm", "--no-TTY", "manage", "test", "accounts")
    assert done.returncode == 0, done.stderr


def test_an_editor_can_attach(site):
    """debugpy responds to the first request of the Debug Adapter Protocol."""
    body = json.dumps({"seq": 1, "type": "request", "command": "initialize"})
    port = int(re.search(r"DEBUGPY_PORT=(\d+)", (site.path / ".env").read_text())[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as editor:
        editor.sendall(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert b"Content-Length" in editor.recv(1000)


def test_a_system_library_is_in_both(site):
    for stack in site:
        answer = stack.get("/report.pdf")
        assert (answer.headers["content-type"], answer.content[:5]) == ("application/pdf", b"%PDF-")


def test_pages_are_translated(site):
    for stack in site:
        assert "Danke für Ihren Besuch." in stack.get("/", headers={"Accept-Language": "de"}).text
        assert "Thank you for your visit." in stack.get("/").text
    po = site.path / "locale/de/LC_MESSAGES/django.po"
    assert f"UID={po.stat().st_uid}\n" in (site.path / ".env").read_text()
    assert site.development.get("/", headers={"Accept-Language": "de"}).text.count('lang="de"') == 1


def test_an_api_gives_tokens(site):
    user = (
        f"from accounts.models import User; User.objects.create_user('ada', password={PASSWORD!r})"
    )
    for stack in site:
        shell(stack, user)
        with stack.client() as client:
            form = {"username": "ada", "password": PASSWORD}
            token = client.post("/api/token/", data=form).json()["token"]
            assert client.get("/api/me/").status_code == 401
            answer = client.get("/api/me/", headers={"Authorization": f"Token {token}"})
            assert answer.json() == {"username": "ada"}


def test_guesses_at_the_api_are_limited_for_each_client(site):
    guess = {"username": "ada", "password": "wrong"}
    with site.production.client() as client:
        codes = [client.post("/api/token/", data=guess).status_code for _ in range(12)]
    assert (codes[0], codes[-1]) == (400, 429)
    # Another client: from inside of nginx's container.
    curl = ("curl", "--silent", "--insecure", "--write-out", "%{http_code}", "--data")
    url = "https://localhost:8443/api/token/"
    form = f"username=ada&password={PASSWORD}"
    assert site.production.exec("nginx", *curl, form, url).endswith("200")


def test_the_admin_theme_has_a_policy_of_its_own(site):
    for stack in site:
        page = stack.get("/admin/login/")
        assert "unfold/css/styles" in page.text
        assert "'unsafe-eval'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in stack.get("/").headers["Content-Security-Policy"]


def test_login_and_sign_up_have_a_button_of_github(site):
    for stack in site:
        for name in ("login", "signup"):
            page = stack.get(f"/accounts/{name}/")
            button = r'href="/accounts/github/login/[^"]*">Continue with GitHub<'
            assert re.search(button, page.text)
            policy = page.headers["Content-Security-Policy"]
            assert "form-action 'self' https://github.com;" in policy
        with stack.client() as client:
            page = client.get("/accounts/github/login/")
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
            headers = {"Origin": stack.address, "Referer": stack.address}
            form = {"csrfmiddlewaretoken": token}
            answer = client.post("/accounts/github/login/", data=form, headers=headers)
        target = answer.headers["Location"]
        assert target.startswith("https://github.com/login/oauth/authorize?client_id=from-github&")


@contextmanager
def fake_sentry(stack):
    """Run a server in the place of Sentry, and give a function that waits until it has got a text."""
    network = f"--network={stack.path.name}_frontend"
    image = f"{stack.path.name}:latest"
    flags = ("--rm", "--detach", network, "--network-alias=sentry", "--entrypoint=python")
    name = run("docker", "run", *flags, image, "-c", SENTRY).stdout.strip()

    def wait_for(text: str) -> str:
        for _ in range(100):
            if text in (printed := run("docker", "logs", name).stdout):
                return printed
            time.sleep(0.2)
        raise TimeoutError(printed)

    try:
        wait_for("listens")
        yield wait_for
    finally:
        run("docker", "rm", "--force", name)


def test_an_error_arrives_in_sentry_without_what_users_type(site):
    private = {"Cookie": "session=private", "Authorization": "Token private"}
    with fake_sentry(site.production) as wait_for:
        answer = site.production.get("/crash/?number=one&mail=private", headers=private)
        assert answer.status_code == 500
        event = wait_for("ValueError")
    assert f'"request_id":"{answer.headers["X-Request-ID"]}"' in event.replace(": ", ":")
    assert "private" not in event


def test_tailwind_makes_a_style_sheet(site):
    home = site.path / "templates/home.html"
    home.write_text(home.read_text().replace('class="hero"', 'class="hero text-red-600"'))
    for _ in range(50):
        style = site.development.get("/static/tailwind.css")
        if "text-red-600" in style.text:
            break
        time.sleep(0.2)
    assert "text-red-600" in style.text
    link = re.search(r'href="(/static/tailwind[^"]+)"', site.production.get("/").text)[1]
    style = site.production.get(link)
    assert "immutable" in style.headers["Cache-Control"]
    assert "tailwindcss" in style.text


def test_a_variable_of_your_own_reaches_the_settings(site):
    code = "from django.conf import settings; print('key:', settings.WEATHER_KEY)"
    for stack in site:
        assert "key: 0123abcd\n" in shell(stack, code)
    assert "WEATHER_KEY" not in run("bin/doctor", "production", cwd=site.path).stdout
    compose = site.path / "compose.prod.yaml"
    text = compose.read_text()
    compose.write_text(text.replace("WEATHER_KEY: ,", ""))
    development = site.path / "compose.yaml"
    other = development.read_text()
    development.write_text(other.replace("    WEATHER_KEY:\n", ""))
    said = run("bin/doctor", "production", cwd=site.path).stdout
    compose.write_text(text)
    development.write_text(other)
    assert "nothing reads WEATHER_KEY" in said


def test_valkey_is_the_cache(site):
    code = "from django.core.cache import cache; cache.set('tried', 1)"
    for stack in site:
        shell(stack, code)
        assert "tried" in stack.exec("valkey", "valkey-cli", "keys", "*")


def test_events_are_sent_as_they_happen(site):
    for stack in site:
        with stack.client() as client, client.stream("GET", "/events/") as answer:
            begin = time.monotonic()
            lines = answer.iter_lines()
            assert next(lines).startswith("data: ")
            assert time.monotonic() - begin < 10
            assert next(lines) == ""


def test_files_are_at_the_root_of_the_site(site):
    for stack in site:
        assert stack.get("/robots.txt").text == "User-agent: *\nDisallow: /admin/\n"
        assert "mailto:security@" in stack.get("/.well-known/security.txt").text


def test_error_pages_are_translated(site):
    for path in ("/no/such/page", "/static/no-such-file"):  # Django's and nginx's
        page = site.production.get(path)
        assert page.status_code == 404
        assert "<h1>Hier ist nichts</h1>" in page.text
        assert '<html lang="de">' in page.text


def test_one_path_works_over_plain_http(site):
    assert site.development.get("/ping/").text == "pong\n"
    plain = f"http://localhost:{site.production.ports['HTTP_PORT']}"
    assert httpx.get(f"{plain}/ping/").text == "pong\n"
    assert site.production.get("/ping/").text == "pong\n"
    assert httpx.get(f"{plain}/").headers["Location"] == f"{site.production.address}/"
    assert httpx.get(f"{plain}/api/me/").status_code == 301


def test_psycopg_3_is_what_connects(site):
    code = "from django.db.backends.postgresql.psycopg_any import is_psycopg3; print(is_psycopg3)"
    for stack in site:
        assert shell(stack, code) == "True\n"
        assert stack.get("/readyz").text == "ready\n"


PSQL = ("psql", "--username=app", "--tuples-only", "--no-align", "--command")
CLIENTS = "SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE client_addr IS NOT NULL"
SESSIONS = """
from django.db import connection
pids = set()
for session in (connection, connection.copy()):
    cursor = session.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    pids.add(cursor.fetchone())
print(len(pids))
"""
HOLD = "SELECT pg_advisory_lock(6101954), pg_sleep(600)"
HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
END = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"


def test_pgbouncer_shares_connections(pooled):
    with pooled.client() as client:
        assert {client.get("/readyz").status_code for _ in range(20)} == {200}
    pgbouncer = pooled.exec("pgbouncer", "hostname", "-I").split()
    assert pooled.exec("postgres", *PSQL, CLIENTS).split() == pgbouncer
    assert shell(pooled, SESSIONS) == "1\n"  # two sessions share a connection of the server


def test_migrate_takes_its_lock_through_pgbouncer(pooled):
    pooled.compose("exec", "--detach", "postgres", *PSQL, HOLD)
    while pooled.exec("postgres", *PSQL, HELD) != "1\n":
        time.sleep(0.1)
    migrate = ("python", "manage.py", "migrate", "--wait", "1")
    refused = pooled.command("exec", "--no-TTY", "app", *migrate)
    assert "holds the lock" in refused.stderr
    pooled.exec("postgres", *PSQL, END)
    for _ in range(2):  # and does not leave it with a shared connection
        assert "No migrations to apply." in pooled.exec("app", *migrate)
