"""What DESIGN promises of production, right after baking and with nothing edited."""

import json
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.helpers.echo import echoing, eventually_status, sending_to
from tests.helpers.stack import PRODUCTION, run

pytestmark = pytest.mark.containers


# HTTPS


def test_the_home_page_answers_over_http_2(production):
    with production.client(http2=True) as client:
        page = client.get("/")
    assert (page.status_code, page.http_version) == (200, "HTTP/2")
    assert "Welcome to" in page.text


def test_plain_http_is_redirected_to_the_port_of_https(production):
    http = f"http://localhost:{production.ports['HTTP_PORT']}/some/page?and=more"
    answer = httpx.get(http)
    assert answer.status_code == 301
    assert answer.headers["location"] == f"{production.address}/some/page?and=more"


def handshake(stack, name: str, version: ssl.TLSVersion | None = None) -> bytes:
    """Return the certificate that nginx shows to a client that asks for this name."""
    context = ssl._create_unverified_context()
    if version:
        # Else our own OpenSSL would refuse an old version, and nginx would not be asked.
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    address = ("localhost", int(stack.ports["HTTPS_PORT"]))
    with (
        socket.create_connection(address) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return secure.getpeercert(binary_form=True)


def test_the_certificate_is_for_the_domain(production, tmp_path):
    (tmp_path / "site.der").write_bytes(handshake(production, "localhost"))
    text = run("openssl", "x509", "-in", tmp_path / "site.der", "-noout", "-text").stdout
    assert "DNS:localhost" in text


def test_the_certificate_outlives_its_container(production):
    before = handshake(production, "localhost")
    production.compose(
        "up", "--detach", "--wait", "--force-recreate", "--no-deps", "nginx-config", "nginx"
    )
    assert handshake(production, "localhost") == before


def test_tls_1_2_is_the_oldest(production):
    assert handshake(production, "localhost", ssl.TLSVersion.TLSv1_2)
    refused = pytest.raises(ssl.SSLError, match="alert protocol version")  # an alert of the server
    with refused, pytest.warns(DeprecationWarning, match="TLSv1_1"):
        handshake(production, "localhost", ssl.TLSVersion.TLSv1_1)


GROUPS = ["X25519MLKEM768", "X25519", "prime256v1", "secp384r1"]


@pytest.mark.parametrize("group", [*GROUPS, "secp521r1", "X448"])
def test_the_curves_are_those_that_mozilla_recommends(production, group):
    """As in Mozilla's "intermediate" configuration; sslyze finds a site with a CA's certificate compliant."""
    client = f"openssl s_client -connect 127.0.0.1:8443 -servername localhost -groups {group} </dev/null 2>&1"
    said = production.exec("nginx", "sh", "-c", f"{client}; true")
    assert ("New, TLSv1.3" in said) == (group in GROUPS), said


def test_browsers_are_told_to_insist_on_https(production):
    headers = production.get("/").headers
    assert headers["strict-transport-security"] == "max-age=3600"


# Hosts


def test_an_unknown_name_gets_no_certificate(production):
    with pytest.raises(ssl.SSLError, match="unrecognized name"):
        handshake(production, "evil.example")


def test_django_never_hears_of_unknown_hosts(production):
    before = production.logs("app")
    evil = {"Host": "evil.example"}
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://localhost:{production.ports['HTTP_PORT']}/", headers=evil)
    with production.client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.get("/", headers=evil)
    assert without_probes(production.logs("app")) == without_probes(before)


def without_probes(log: str) -> list[str]:
    return [line for line in log.splitlines() if "/healthz" not in line]


def test_a_client_cannot_forge_who_and_where_it_is(production):
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "for=203.0.113.9;host=evil.example;proto=http",
    }
    answer = production.get("/admin/", headers=forged)
    assert answer.status_code == 302
    assert answer.headers["location"] == "/admin/login/?next=/admin/"
    assert production.logged(answer)["client"] != "203.0.113.9"
    assert "203.0.113.9" not in production.logs("app")


def test_the_app_gets_no_header_about_the_client_but_those_of_nginx(production):
    names = ["Forwarded", "Proxy", "X-Request-ID"]
    names += [f"X-Forwarded-{what}" for what in ("For", "Host", "Port", "Proto")]
    with echoing(production):
        echo = production.get("/", headers=dict.fromkeys(names, "forged"))
    assert f"Host: {production.address.removeprefix('https://')}\n" in echo.text
    assert "X-Forwarded-Proto: https\n" in echo.text
    assert "forged" not in echo.text


def test_behind_a_cdn_the_client_is_the_one_that_it_names(production):
    nginx = ("up", "--detach", "--wait", "--no-deps", "nginx-config", "nginx")
    production.compose(*nginx, TRUSTED_PROXIES="172.16.0.0/12, 192.168.0.0/16, 10.0.0.0/8")
    page = production.get("/named", headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.9"})
    logged = production.logged(page)
    production.compose(*nginx)
    assert page.status_code == 404
    assert logged["client"] == "203.0.113.9"


# Health


@pytest.mark.parametrize(("path", "text"), [("/healthz", "ok\n"), ("/readyz", "ready\n")])
def test_probes_answer(path, text, production):
    assert production.get(path).text == text


def test_readyz_tells_when_the_database_is_gone_and_when_it_is_back(production):
    production.compose("stop", "postgres")
    gone = production.get("/readyz")
    alive = production.get("/healthz")
    production.up()
    assert (gone.status_code, gone.text) == (503, "no connection to the database\n")
    assert alive.status_code == 200
    assert production.get("/readyz").status_code == 200


def test_a_restarted_database_costs_nobody_an_error(production):
    """Each thread of the app keeps a connection, so many requests at a time have to tell."""

    def codes() -> set[int]:
        with ThreadPoolExecutor(max_workers=16) as pool:
            return {answer.status_code for answer in pool.map(production.get, ["/readyz"] * 80)}

    assert codes() == {200}
    production.compose("restart", "postgres")
    production.up()
    assert codes() == {200}


# Static files


def stylesheet(stack) -> str:
    return re.search(r'href="(/static/site\.[0-9a-f]{12}\.css)"', stack.get("/").text)[1]


def test_static_files_are_hashed_compressed_and_kept_for_a_year(production):
    answer = production.get(stylesheet(production), headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_static_files_are_served_by_nginx(production):
    assert production.get("/static/no-such-file.css").status_code == 404
    style = stylesheet(production)
    production.get(style)
    production.logged(production.get("/"))  # nginx writes its lines in order
    (line,) = [line for line in production.logs("nginx").splitlines() if f"GET {style} " in line][
        -1:
    ]
    assert json.loads(line)["upstream"] == ""


@pytest.mark.parametrize("folder", ["/static/admin", "/media/folder"])
def test_a_folder_without_its_slash_is_redirected_without_host_and_port(production, folder):
    production.exec("app", "mkdir", "-p", "media/folder")
    answer = production.get(folder)
    assert (answer.status_code, answer.headers["location"]) == (301, f"{folder}/")


def test_a_rebuild_serves_the_new_files_and_the_old_ones_too(fresh, stacks):
    stack = stacks(fresh.path, PRODUCTION)
    stack.up()
    old = stylesheet(stack)
    css = fresh.path / "static/site.css"
    css.write_text(css.read_text() + "\nbody { outline: 0; }\n")
    stack.up("--build")
    eventually_status(stack, 200)
    new = stylesheet(stack)
    assert new != old
    assert stack.get(new).text.endswith("body { outline: 0; }\n")
    assert stack.get(old).status_code == 200


# Release


def test_a_second_up_changes_nothing(production):
    before = production.container("app"), production.container("nginx")
    production.up("--build")
    assert (production.container("app"), production.container("nginx")) == before


UPLOAD = """
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
name = default_storage.save("migrated.txt", ContentFile(b"by a migration"))
print(default_storage.open(name).read())
"""


def test_a_migration_can_write_and_read_uploads(production):
    """It runs in `release`; the app, and nginx, have the file too."""
    shell = ("python", "manage.py", "shell", "--no-imports", "--command", UPLOAD)
    said = production.compose("run", "--rm", "--no-TTY", "--no-deps", "release", *shell)
    assert said == "b'by a migration'\n"
    assert production.get("/media/migrated.txt").text == "by a migration"


def test_two_releases_at_the_same_time_are_safe(production):
    production.exec("postgres", "createdb", "--username=app", "race")

    def release(_):
        return production.command(
            *("run", "--rm", "--no-TTY", "--no-deps", "--env", "POSTGRES_DB=race", "release")
        )

    with ThreadPoolExecutor() as pool:
        done = list(pool.map(release, range(3)))
    assert [each.returncode for each in done] == [0, 0, 0], done
    ran = [each for each in done if "Applying accounts.0001_initial... OK" in each.stdout]
    assert len(ran) == 1


def test_a_release_waits_for_one_that_publishes(production):
    """Its static files would else mix with those of the other."""
    script = (
        "flock /srv/static sh -c 'sleep 8; echo the other has ended' & sleep 1;"
        " python manage.py release; wait"
    )
    done = production.command("run", "--rm", "--no-TTY", "--no-deps", "release", "sh", "-c", script)
    assert re.search("the other has ended.*Static files: ", done.stdout, re.DOTALL), done


def test_djangos_deployment_checks_find_nothing_but_the_two_promises_of_the_owner(production):
    assert "no issues (2 silenced)" in production.logs("release")
    silenced = "from django.conf import settings; print(settings.SILENCED_SYSTEM_CHECKS)"
    printed = production.manage("shell", "--command", silenced)
    assert "['security.W005', 'security.W021']" in printed


# Updating


def test_a_migration_that_fails_leaves_the_old_version_serving(fresh, stacks):
    stack = stacks(fresh.path, PRODUCTION)
    stack.up()
    (fresh.path / "accounts/migrations/0002_fails.py").write_text(
        "from django.db import migrations\n\n"
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("accounts", "0001_initial")]\n'
        '    operations = [migrations.RunSQL("SELECT 1/0")]\n'
    )
    stack.compose("build")
    release = stack.command("run", "--rm", "--no-TTY", "--no-deps", "release")
    assert release.returncode != 0
    assert "division by zero" in release.stderr
    assert stack.get("/").status_code == 200


# What deploys are built on


def test_traffic_goes_where_the_link_leads(production):
    with sending_to(production, "nobody"):
        eventually_status(production, 502)
