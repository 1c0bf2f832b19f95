"""nginx behind a load balancer (proxy=nginx): whom it believes, and what a client can make up."""

import re

import httpx
import pytest

from tests.helpers.echo import echoing
from tests.helpers.ipv6 import requests_from
from tests.helpers.login import PASSWORD, guess
from tests.helpers.project import a_slug
from tests.helpers.raw import connect, request, send
from tests.helpers.stack import PRODUCTION, run, standing

pytestmark = pytest.mark.containers

# Whoever asks from this machine comes through Docker's own networks, and so stands for the balancer.
THIS_MACHINE = "172.16.0.0/12, 192.168.0.0/16, 10.0.0.0/8"
CLIENT = "203.0.113.9"
BALANCER = "2001:db8:a::1"


def with_trusted(path, networks: str) -> None:
    with (path / ".env").open("a") as env:
        env.write(f"TRUSTED_PROXIES={networks}\n")


@pytest.fixture(scope="module")
def project(bake_once):
    return bake_once(project_slug=a_slug(), proxy="nginx")


@pytest.fixture(scope="module")
def trusting(project, engine):
    """Builds and starts a production stack that trusts this machine as its proxy: about 15 s."""
    with_trusted(project.path, f"{THIS_MACHINE}, 2001:db8:a::/48")
    with (project.path / ".env").open("a") as env:
        env.write("REDIRECT_DOMAINS=www.example.org, other.example.net\n")
    with standing() as make:
        stack = make(project.path, PRODUCTION)
        stack.up()
        yield stack


@pytest.fixture(scope="module")
def strict(bake_once, engine):
    """Builds and starts a production stack that trusts no proxy, as generated: about 15 s."""
    with standing() as make:
        stack = make(bake_once(project_slug=a_slug(), proxy="nginx").path, PRODUCTION)
        stack.up()
        yield stack


def ask(stack, path: str = "/", **headers: str) -> httpx.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(f"{stack.address}{path}", headers=headers, timeout=30)


# What the load balancer says


def test_its_https_is_believed(trusting):
    answer = ask(trusting, X_Forwarded_Proto="https")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=3600"


def test_its_plain_http_is_sent_to_https(trusting):
    answer = ask(trusting, "/a/page", X_Forwarded_Proto="http", X_Forwarded_Host="localhost")
    assert (answer.status_code, answer.headers["location"]) == (301, "https://localhost/a/page")


def test_the_app_learns_who_asks_for_what(trusting):
    with echoing(trusting):
        echo = ask(
            trusting,
            X_Forwarded_Proto="https",
            X_Forwarded_For=f"198.51.100.7, {CLIENT}, 10.1.2.3",
            X_Forwarded_Host="localhost",
            X_Forwarded_Port="443",
            Forwarded="for=198.51.100.7",
            Host="internal.example:8080",
        ).text
    assert "Host: localhost\n" in echo
    assert "X-Forwarded-Proto: https\n" in echo
    assert f"X-Forwarded-For: {CLIENT}\n" in echo
    assert "X-Forwarded-Host" not in echo
    assert "X-Forwarded-Port" not in echo
    assert "198.51.100.7" not in echo


def test_the_client_is_in_the_log(trusting):
    page = ask(trusting, "/no/such/page", X_Forwarded_Proto="https", X_Forwarded_For=CLIENT)
    assert trusting.logged(page)["client"] == CLIENT


def test_an_address_of_ipv4_in_the_form_of_ipv6_is_logged_as_ipv4(trusting):
    page = ask(trusting, "/no", X_Forwarded_Proto="https", X_Forwarded_For=f"::ffff:{CLIENT}")
    assert trusting.logged(page)["client"] == CLIENT


def test_a_load_balancer_may_ask_over_ipv6(trusting):
    image = f"{trusting.path.name}:latest"
    forwarded = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 2001:db8:c::1\r\n"
    trusted, stranger = requests_from(
        trusting, image, [BALANCER, "2001:db8:b::1"], "GET /no", forwarded
    )
    assert (trusted.status_code, trusting.logged(trusted)["client"]) == (404, "2001:db8:c::1")
    assert (stranger.status_code, trusting.logged(stranger)["client"]) == (301, "2001:db8:b::1")


def test_a_login_works(trusting):
    boss = ("createsuperuser", "--no-input", "--username=boss", "--email=boss@example.com")
    trusting.manage(*boss, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    outside = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost"}
    with httpx.Client(base_url=trusting.address, headers=outside) as client:
        page = client.get("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        form = {"username": "boss", "password": PASSWORD, "csrfmiddlewaretoken": token}
        cookie = page.headers["set-cookie"].split(";")[0]
        browser = {"Origin": "https://localhost", "Cookie": cookie}
        answer = client.post("/admin/login/?next=/admin/", data=form, headers=browser)
    assert (answer.status_code, answer.headers["location"]) == (302, "/admin/")


def test_it_finds_the_site_well_by_its_address(trusting):
    assert ask(trusting, "/healthz", Host="10.0.0.7:8080").text == "ok\n"


@pytest.mark.parametrize("named", ["Host", "X_Forwarded_Host"])
def test_django_never_hears_of_unknown_hosts(trusting, named):
    with pytest.raises(httpx.RemoteProtocolError):
        ask(trusting, "/who/asks", X_Forwarded_Proto="https", **{named: "evil.example"})
    assert "/who/asks" not in trusting.logs("app")


@pytest.mark.parametrize(
    ("client", "same", "another"),
    [
        ("198.51.100.1", "198.51.100.1", "198.51.100.2"),
        pytest.param(
            *("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_guesses_are_limited_for_each_client(trusting, client, same, another):
    """For the one behind the balancer: all of them come from the same address."""
    outside = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost"}
    with trusting.client(headers=outside) as balancer:

        def answer(client: str, number: int) -> int:
            headers = {"X-Forwarded-For": f"203.0.113.{number}, {client}"}
            return guess(balancer, f"somebody{number}", headers=headers).status_code

        assert [answer(client, number) for number in range(10)] == [200] * 10
        assert answer(same, 10) == 429
        assert answer(another, 11) == 200


# What anybody else says


def test_nobody_is_believed_right_after_baking(strict):
    answer = ask(strict, X_Forwarded_Proto="https")
    assert answer.status_code == 301
    assert "TRUSTED_PROXIES is not set" in strict.logs("nginx-config")


def test_a_client_that_forges_its_headers_gains_nothing(strict):
    forged = {
        "X_Forwarded_Proto": "https",
        "X_Forwarded_For": CLIENT,
        "X_Forwarded_Host": "evil.example",
        "X_Real_IP": CLIENT,
        "Forwarded": f"for={CLIENT};host=evil.example;proto=https",
    }
    address = strict.address.removeprefix("http://")
    page = ask(strict, "/a/page", **forged)
    assert page.headers["location"] == f"https://{address}/a/page"
    assert strict.logged(page)["client"] != CLIENT
    assert CLIENT not in strict.logs("nginx", "app")
    with strict.client(headers={"Host": "evil.example"}) as client:
        client.headers["X-Forwarded-Host"] = "localhost"
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/")


# Names that redirect


@pytest.mark.parametrize("named", ["Host", "X_Forwarded_Host"])
@pytest.mark.parametrize("path", ["/a%2Fb/?c=d&e=%20", "/static/x.css", "/media/x", "/"])
def test_a_name_redirects_to_the_first_one_of_the_site(trusting, named, path):
    answer = ask(trusting, path, X_Forwarded_Proto="https", **{named: "www.example.org"})
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://localhost{path}")
    assert answer.headers["strict-transport-security"] == "max-age=3600"


def test_over_plain_http_a_name_redirects_to_https_at_once(trusting):
    answer = ask(trusting, "/a", X_Forwarded_Proto="http", Host="OTHER.example.net:8080")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost/a")
    assert "strict-transport-security" not in answer.headers


def test_a_port_of_https_stays(trusting):
    answer = ask(trusting, "/a", X_Forwarded_Proto="https", Host="www.example.org:8443")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost:8443/a")


def test_probes_are_not_redirected_and_the_site_keeps_its_own_headers(trusting):
    assert ask(trusting, "/healthz", Host="www.example.org").text == "ok\n"
    own = ask(trusting, X_Forwarded_Proto="https").headers
    assert own.get_list("strict-transport-security") == ["max-age=3600"]
    assert "cache-control" not in own


# What nginx refuses by itself


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(b"TRACE /"), 405),
        (request(b"DELETE /static/x"), 405),
        (request(b"GET /" + b"x" * 20_000), 400),
        (request(b"GET /").replace(b"HTTP/1.1", b"HTTP/2.0"), 505),
        (request(b"GET /", b"X: " + b"x" * 64 * 1024), 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
    ],
)
def test_what_nginx_refuses_gets_the_page_with_the_request_id(trusting, sent, status):
    response = send(connect(trusting, "HTTP_PORT"), [sent])
    assert response.status == status
    assert f"<code>{response.header('X-Request-ID')}</code>" in response.body


@pytest.mark.parametrize(
    "start", [b"TRACE /", b"GET /static/config/error-pages/404.html", b"GET /"]
)
def test_another_name_gets_no_response_whatever_is_asked(trusting, start):
    sent = request(start).replace(b"localhost", b"evil.example")
    assert send(connect(trusting, "HTTP_PORT"), [sent]).raw == b""


def test_a_folder_without_its_slash_is_redirected_without_host_and_port(trusting):
    answer = ask(trusting, "/static/admin")
    assert (answer.status_code, answer.headers["location"]) == (301, "/static/admin/")


# What is there


def test_only_plain_http_is_published(trusting):
    ports = run("docker", "port", trusting.container("nginx")).stdout
    assert set(re.findall(r"^(\S+) ->", ports, re.MULTILINE)) == {"8080/tcp"}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "TRUSTED_PROXIES=10.0.0.300",
            (
                "TRUSTED_PROXIES must be addresses or networks such as 10.0.0.0/8: "
                "'10.0.0.300' does not appear to be an IPv4 or IPv6 network.\n"
            ),
        ),
        (
            "REDIRECT_DOMAINS=www.example.org localhost",
            "REDIRECT_DOMAINS must not have 'localhost', which is in DOMAIN.\n",
        ),
    ],
)
def test_a_bad_value_stops_before_anything_starts(bake, stacks, line, sentence):
    project = bake(project_slug=a_slug(), proxy="nginx")
    with (project.path / ".env").open("a") as env:
        env.write(f"{line}\n")
    stack = stacks(project.path, PRODUCTION)
    refused = stack.command("up", "--detach", "--wait")
    assert refused.returncode != 0
    assert stack.logs() == sentence, refused.stderr
