"""Which proxies are trusted, and what is refused before Django sees it."""

import io
from ipaddress import ip_network

import pytest

from config.front import Front

BALANCER, CLIENT = "10.0.0.1", "203.0.113.9"


@pytest.fixture
def ask(settings):
    """ask(HTTP_HOST="…") returns the status, and the request as the application behind sees it."""
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.DOMAIN = [".example.com", "example.org"]
    settings.REDIRECT_DOMAINS = ["www.example.com"]
    settings.SECURE_HSTS_SECONDS = 3600
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]

    def _ask(**environ) -> tuple[str, dict]:
        statuses, seen = [], {}

        def application(environ, start_response):
            seen.update(environ)
            start_response("200 OK", [])
            return []

        plain = {"PATH_INFO": "/", "REMOTE_ADDR": BALANCER, "HTTP_HOST": "example.com"}
        request = (
            plain | {"wsgi.url_scheme": "http", "wsgi.input": io.BytesIO()} | environ
        )
        Front(application)(request, lambda status, headers: statuses.append(status))
        return statuses[0], seen

    return _ask


FORWARDED = {
    "HTTP_X_FORWARDED_FOR": CLIENT,
    "HTTP_X_FORWARDED_HOST": "example.com",
    "HTTP_X_FORWARDED_PORT": "443",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_FORWARDED": f"for={CLIENT};proto=https",
}


def test_a_trusted_proxy_says_for_whom_it_asks(ask):
    _, seen = ask(**FORWARDED | {"HTTP_HOST": "internal:8000"})
    assert seen["REMOTE_ADDR"] == CLIENT
    assert seen["wsgi.url_scheme"] == "https"
    assert seen["HTTP_HOST"] == "example.com"


@pytest.mark.parametrize("host", ["", " ", "internal, example.com"])
def test_without_one_forwarded_host_the_host_of_the_request_counts(ask, host):
    _, seen = ask(**FORWARDED | {"HTTP_X_FORWARDED_HOST": host})
    assert seen["HTTP_HOST"] == "example.com"


@pytest.mark.parametrize("address", [CLIENT, "127.0.0.1", "::1", "", "unix:"])
def test_nobody_else_is_believed(ask, address):
    # An app server may believe the header by itself, and say https.
    _, seen = ask(**FORWARDED | {"REMOTE_ADDR": address, "wsgi.url_scheme": "https"})
    assert seen["REMOTE_ADDR"] == address
    assert seen["wsgi.url_scheme"] == "http"


def test_django_gets_none_of_these_headers(ask):
    _, seen = ask(**FORWARDED)
    assert not FORWARDED.keys() & seen.keys()


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        pytest.param(
            "198.51.100.7, 203.0.113.9", CLIENT, id="a-client-made-up-the-first"
        ),
        pytest.param(
            "203.0.113.9, 10.0.0.2, fd00::2", CLIENT, id="more-proxies-of-ours"
        ),
        pytest.param("2001:db8::1, fd00::2", "2001:db8::1", id="over-ipv6"),
        pytest.param("::FFFF:203.0.113.9, ::ffff:10.0.0.2", CLIENT, id="ipv4-as-ipv6"),
        pytest.param("10.0.0.2", "10.0.0.2", id="a-proxy-itself"),
        pytest.param("", BALANCER, id="nothing"),
        pytest.param("203.0.113.9, nonsense", "nonsense", id="not-an-address"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy_of_ours(ask, chain, client):
    assert ask(HTTP_X_FORWARDED_FOR=chain)[1]["REMOTE_ADDR"] == client


@pytest.mark.parametrize("address", ["203.0.113.9:4711", "203.0.113.9"])
def test_a_port_is_no_part_of_the_client(ask, address):
    assert ask(HTTP_X_FORWARDED_FOR=address)[1]["REMOTE_ADDR"] == CLIENT


@pytest.mark.parametrize(
    "address", ["[2001:db8::9]:4711", "[2001:db8::9]", "2001:db8::9"]
)
def test_a_port_is_no_part_of_an_ipv6_client(ask, address):
    assert ask(HTTP_X_FORWARDED_FOR=address)[1]["REMOTE_ADDR"] == "2001:db8::9"


def test_a_client_of_a_proxy_without_a_known_address_cannot_choose_its_own(
    ask, settings
):
    settings.TRUSTED_PROXIES = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    _, seen = ask(
        HTTP_X_FORWARDED_FOR=f"198.51.100.7, {CLIENT}", HTTP_X_FORWARDED_PROTO="https"
    )
    assert seen["REMOTE_ADDR"] == CLIENT
    assert seen["wsgi.url_scheme"] == "https"


@pytest.mark.parametrize("balancer", [f"::ffff:{BALANCER}", "fd00::1"])
def test_a_proxy_may_ask_over_ipv6(ask, balancer):
    assert ask(**FORWARDED | {"REMOTE_ADDR": balancer})[1]["REMOTE_ADDR"] == CLIENT


def test_an_address_of_ipv4_in_the_form_of_ipv6_is_ipv4(ask):
    assert ask(REMOTE_ADDR="::ffff:192.0.2.1")[1]["REMOTE_ADDR"] == "192.0.2.1"


def test_plain_http_to_the_proxy_stays_plain(ask):
    assert ask(HTTP_X_FORWARDED_PROTO="http")[1]["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize("name", ["example.com", "example.com:8443", "EXAMPLE.com"])
def test_a_name_of_the_site_is_let_in(ask, name):
    assert ask(HTTP_HOST=name)[0] == "200 OK"


@pytest.mark.parametrize(
    "name", ["evil.example", "", "example.com.evil.example", "exa mple.com"]
)
def test_another_name_is_refused_before_django(ask, name):
    status, seen = ask(HTTP_HOST=name)
    assert status == "400 Bad Request"
    assert seen == {}


@pytest.fixture
def redirected(ask):
    """redirected(HTTP_HOST="…") returns the headers of a redirect, before Django."""

    def _redirected(**environ) -> dict[str, str]:
        plain = {
            "PATH_INFO": "/",
            "REMOTE_ADDR": BALANCER,
            "HTTP_HOST": "www.example.com",
        }
        answers = []
        Front(None)(plain | environ, lambda *answer: answers.append(answer))
        ((status, headers),) = answers
        assert status == "308 Permanent Redirect"
        return dict(headers)

    return _redirected


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/", "", "https://example.com/"),
        ("/a/page", "b=c&d=%2F", "https://example.com/a/page?b=c&d=%2F"),
        ("//evil.example", "", "https://example.com//evil.example"),
        ("/\xc3\xa4 \r\n?#", "", "https://example.com/%C3%A4%20%0D%0A%3F%23"),
    ],
)
def test_a_name_redirects_to_the_first_of_the_site(redirected, path, query, location):
    assert redirected(PATH_INFO=path, QUERY_STRING=query)["Location"] == location


def test_browsers_insist_on_https_for_a_name_that_redirects(redirected, settings):
    https = {
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "www.example.com:8443",
    }
    assert redirected(**https)["Strict-Transport-Security"] == "max-age=3600"
    assert redirected(**https)["Location"] == "https://example.com:8443/"
    assert "Strict-Transport-Security" not in redirected()
    settings.SECURE_HSTS_SECONDS = 0
    assert "Strict-Transport-Security" not in redirected(**https)


def test_a_probe_is_not_redirected(ask):
    assert ask(HTTP_HOST="www.example.com", PATH_INFO="/healthz")[0] == "200 OK"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_ask_by_address(ask, path):
    assert ask(HTTP_HOST="10.0.0.7:8000", PATH_INFO=path)[0] == "200 OK"


def test_a_body_without_a_length_is_refused(ask):
    status, seen = ask(HTTP_TRANSFER_ENCODING="chunked", REQUEST_METHOD="POST")
    assert status == "411 Length Required"
    assert seen == {}


@pytest.mark.parametrize(
    ("length", "status"),
    [
        ("78708736", "200 OK"),
        ("78708737", "413 Content Too Large"),
        ("-1", "400 Bad Request"),
        ("1e3", "400 Bad Request"),
    ],
)
def test_a_body_has_a_limit(ask, length, status):
    assert ask(CONTENT_LENGTH=length)[0] == status
