"""Certificates by ACME, end to end: the stack asks pebble, Let's Encrypt's test server.

One stack goes through all of it, so the tests stand in the order in which it happens.
"""

import http.client
import json
import re
import shutil
import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager

import pytest

from tests.helpers.matrix import ROOT
from tests.helpers.project import a_slug
from tests.helpers.raw import send
from tests.helpers.stack import PRODUCTION, Stack, free_port, run

pytestmark = pytest.mark.containers

DOMAIN = "one.example.com, .two.example.com else.example.com missing.example.com localhost"
REDIRECT_DOMAINS = "www.example.com"
STACK = (
    "check",
    "release",
    "app",
    "postgres",
    "nginx-config",
    "nginx",
    "certbot",
)  # all but the authorities
CHALLENGES = "/srv/acme/.well-known/acme-challenge"
CERTIFICATES = "/etc/nginx/certificates"


class BesidePebble(Stack):
    """A production stack and what tests/pebble adds to it."""

    def command(self, *arguments: str, **options):
        options.setdefault("DOMAIN", DOMAIN)
        options.setdefault("REDIRECT_DOMAINS", REDIRECT_DOMAINS)
        return super().command("--file", "pebble/compose.yaml", *arguments, **options)


@pytest.fixture(scope="module")
def site(bake_once, engine):
    """A production stack whose ACME server is not there yet."""
    project = bake_once(project_slug=a_slug())
    shutil.copytree(ROOT / "tests/helpers/pebble", project.path / "pebble")
    signed = run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pebble"),
        *("-addext", "subjectAltName=DNS:pebble,DNS:brief", "-keyout", "-"),
    )
    (project.path / "pebble/pebble.pem").write_text(signed.stdout)
    ports = {name: str(free_port()) for name in ("HTTP_PORT", "HTTPS_PORT")}
    hsts = {"SECURE_HSTS_INCLUDE_SUBDOMAINS": "1", "SECURE_HSTS_PRELOAD": "1"}
    stack = BesidePebble(project.path, PRODUCTION, ports | hsts)
    try:
        stack.up(*STACK)
        yield stack
    finally:
        stack.remove()


@pytest.fixture(scope="module")
def signed(site):
    """The same, with certificates that pebble signed, after a power cut in the middle of the first."""
    state = "/var/lib/letsencrypt/pebble:14000/dir"
    folders = (
        f"mkdir -p {state}/renewal {state}/live/two.example.com {state}/archive/two.example.com"
    )
    site.exec("certbot", "sh", "-c", f"{folders} && touch {state}/renewal/two.example.com.conf")
    site.compose("up", "--detach", "--no-deps", "--build", "pebble")
    eventually(lambda: site.logs("certbot").count(": new certificate, valid until ") == 3)
    time.sleep(6)  # nginx looks for new files after five seconds
    return site


def eventually(condition) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.3)
    pytest.fail("It never came to that.")


def root(stack, authority: str) -> str:
    return stack.exec(
        "nginx", "curl", "--fail", "--silent", "--insecure", f"https://{authority}:15000/roots/0"
    )


def issuer(certificate: dict) -> str:
    return dict(pair for entry in certificate["issuer"] for pair in entry)["commonName"]


@contextmanager
def connected(stack, name: str, trusted: ssl.SSLContext):
    address = ("localhost", int(stack.ports["HTTPS_PORT"]))
    with (
        socket.create_connection(address, timeout=20) as plain,
        trusted.wrap_socket(plain, server_hostname=name) as secure,
    ):
        yield secure


def trusting(*roots: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata="\n".join(roots))


def served_by(stack, name: str) -> str:
    """Return who signed the certificate that a client gets, whom it may not trust."""
    context = ssl._create_unverified_context()
    with connected(stack, name, context) as connection:
        certificate = ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))
    done = run("openssl", "x509", "-noout", "-issuer", "-nameopt", "multiline", input=certificate)
    return done.stdout.rpartition("= ")[2].strip()


def own_certificate(stack, name: str) -> str:
    """Return the certificate that stands for this name before any other signs it."""
    return stack.exec("nginx", "openssl", "x509", "-in", f"{CERTIFICATES}/self-signed/{name}.pem")


def shown(stack, name: str, *trusted: str) -> dict:
    """Return the certificate that a client gets who trusts these, and no other."""
    with connected(stack, name, trusting(*trusted)) as connection:
        return connection.getpeercert()


def said(stack, name: str) -> list[str]:
    return [line for line in stack.logs("certbot").splitlines() if line.startswith(f"{name}: ")]


# Before the ACME server is there


def test_nginx_serves_at_once_with_a_certificate_of_its_own(site):
    certificate = shown(site, "one.example.com", own_certificate(site, "one.example.com"))
    assert issuer(certificate) == "self-signed"
    assert site.get("/", headers={"Host": "one.example.com"}).status_code == 200


def test_a_server_that_is_away_is_one_line_with_the_reason(site):
    eventually(lambda: len(said(site, "one.example.com")) > 1)
    assert re.fullmatch(
        r"one\.example\.com: no new certificate, next attempt \d{4}-\d\d-\d\d \d\d:\d\d UTC: "
        r".*Failed to resolve 'pebble'.*",
        said(site, "one.example.com")[0],
    )
    every = [line.split(": ")[0] for line in site.logs("certbot").splitlines()]
    assert set(every) == {
        ".two.example.com",
        "localhost",
        *re.findall(r"\w+\.example\.com", f"{DOMAIN} {REDIRECT_DOMAINS}"),
    }


def test_the_site_goes_on_serving(site):
    assert site.get("/", headers={"Host": "one.example.com"}).status_code == 200


def test_browsers_can_be_bound_for_all_subdomains(site):
    headers = site.get("/").headers
    assert headers["strict-transport-security"] == "max-age=3600; includeSubDomains; preload"


# When it is back


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
@pytest.mark.parametrize("name", ["one.example.com", "ONE.EXAMPLE.COM", "two.example.com"])
def test_a_name_has_a_certificate_that_clients_trust(name, version, signed):
    trusted = trusting(root(signed, "pebble"))
    trusted.minimum_version = trusted.maximum_version = version
    with connected(signed, name, trusted) as connection:
        alternatives = connection.getpeercert()["subjectAltName"]
    assert alternatives == (("DNS", name.lower()),)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_name_that_redirects_has_a_certificate_and_keeps_path_and_query(method, signed):
    (name,) = (REDIRECT_DOMAINS,)
    sent = f"{method} /a%2Fb/?c=d&e=%20 HTTP/1.1\r\nHost: {name}\r\nContent-Length: 0\r\n"
    with connected(signed, name, trusting(root(signed, "pebble"))) as connection:
        response = send(connection, [sent.encode() + b"Connection: close\r\n\r\n"])
    first = f"https://one.example.com:{signed.ports['HTTPS_PORT']}"
    assert response.status == 308
    assert response.header("Location") == f"{first}/a%2Fb/?c=d&e=%20"
    assert response.header("Strict-Transport-Security") == "max-age=3600"


@pytest.mark.parametrize("path", ["/a/page?b=c", "/static/x.css", "/media/x", "/admin/login/"])
def test_a_name_that_redirects_does_so_on_both_ports_and_for_files(path, signed):
    with signed.client(headers={"Host": REDIRECT_DOMAINS}) as client:
        secure = client.get(path)
        plain = client.get(f"http://localhost:{signed.ports['HTTP_PORT']}{path}")
    target = f"https://one.example.com:{signed.ports['HTTPS_PORT']}{path}"
    assert [answer.status_code for answer in (secure, plain)] == [308, 308]
    assert [answer.headers["location"] for answer in (secure, plain)] == [target, target]
    assert "strict-transport-security" not in plain.headers


def test_http_2_is_spoken_with_it(signed):
    trusted = trusting(root(signed, "pebble"))
    trusted.set_alpn_protocols(["h2"])
    with connected(signed, "one.example.com", trusted) as connection:
        assert connection.selected_alpn_protocol() == "h2"


def test_names_below_a_name_get_its_certificate_and_the_log_says_that_it_is_not_for_them(signed):
    with pytest.raises(ssl.SSLCertVerificationError, match=r"'a\.two\.example\.com'"):
        shown(signed, "a.two.example.com", root(signed, "pebble"))
    (line,) = said(signed, ".two.example.com")
    assert line.endswith(" is for two.example.com only; list each subdomain in DOMAIN.")


def test_a_name_that_does_not_resolve_stays_self_signed_and_costs_the_others_nothing(signed):
    own = own_certificate(signed, "missing.example.com")
    assert issuer(shown(signed, "missing.example.com", own)) == "self-signed"
    assert re.fullmatch(
        r"missing\.example\.com: no new certificate, next attempt .* UTC: the name has no address in DNS",
        said(signed, "missing.example.com")[-1],
    )
    assert "missing.example.com" not in signed.logs("pebble")


def test_what_was_half_written_is_in_nobodys_way(signed):
    states = signed.exec("certbot", "ls", "/var/lib/letsencrypt/pebble:14000/dir/renewal")
    names = ("one.example.com", "two.example.com", "www.example.com")
    assert states.split() == [f"{name}.conf" for name in names]


def test_localhost_stays_self_signed_and_nobody_is_asked(signed):
    own = own_certificate(signed, "localhost")
    assert issuer(shown(signed, "localhost", own)) == "self-signed"
    assert said(signed, "localhost") == [
        "localhost: stays self-signed, because no public CA signs such a name."
    ]
    assert "localhost" not in signed.logs("pebble")


def test_a_name_that_leads_elsewhere_is_one_line_with_the_reason_of_the_server(signed):
    eventually(lambda: "refused" in said(signed, "else.example.com")[-1])
    assert re.fullmatch(
        r"else\.example\.com: no new certificate, next attempt .* UTC: "
        r".*http://else\.example\.com.* connection refused",
        said(signed, "else.example.com")[-1],
    )


def test_what_fails_is_tried_less_and_less_often(signed):
    """Let's Encrypt pauses a name that fails for weeks. What is not asked for is looked up each round."""

    def tries() -> str:
        """Return e for each time that the server looked in vain, m for each that DNS was asked."""
        lines = re.findall(
            r"^else.* connection refused$|^missing", signed.logs("certbot"), re.MULTILINE
        )
        return "".join(line[0] for line in lines).lstrip("m")

    eventually(lambda: len(tries()) > 9)
    assert tries()[:10] == "ememmemmme"


# What is on the volumes


def answer_on_port_80(stack, target: str, host: str = "one.example.com") -> tuple[int, bytes]:
    """Ask for a target as it is: clients would tidy it up."""
    port = int(stack.ports["HTTP_PORT"])
    with closing(http.client.HTTPConnection("localhost", port, timeout=20)) as connection:
        connection.putrequest("GET", target, skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture(scope="module")
def challenge(signed):
    """A challenge that waits for the server, and what somebody else may want to read."""
    script = (
        f"mkdir -p {CHALLENGES} && cd {CHALLENGES} && echo answer >token && echo no >/srv/acme/secret"
        f" && ln -s {CERTIFICATES}/one.example.com.pem key && ln -s /etc/passwd users"
    )
    signed.exec("certbot", "sh", "-c", script)
    yield signed
    signed.exec("certbot", "sh", "-c", f"rm {CHALLENGES}/* /srv/acme/secret")


def test_a_challenge_can_be_read(challenge):
    target = "/.well-known/acme-challenge/token"
    assert answer_on_port_80(challenge, target) == (200, b"answer\n")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/.well-known/acme-challenge/", 403),
        ("/.well-known/acme-challenge/other", 404),
        ("/.well-known/acme-challenge/key", 403),
        ("/.well-known/acme-challenge/users", 403),
        ("/.well-known/acme-challenge/../../secret", 301),
        ("/.well-known/acme-challenge/%2e%2e/%2e%2e/secret", 301),
        ("/.well-known/acme-challenge/..%2f..%2fsecret", 301),
        ("/secret", 301),
        ("/", 301),
    ],
)
def test_nothing_but_challenges_can_be_read(target, status, challenge):
    assert answer_on_port_80(challenge, target)[0] == status


def test_a_challenge_for_an_unknown_name_gets_no_answer(challenge):
    with pytest.raises(http.client.RemoteDisconnected):
        answer_on_port_80(challenge, "/.well-known/acme-challenge/token", "evil.example")


def inspect(stack, service: str) -> dict:
    return json.loads(run("docker", "inspect", stack.container(service)).stdout)[0]


def test_only_certbot_and_nginx_have_the_certificates_and_only_certbot_the_account(signed):
    holders = {}
    for service in STACK:
        for mount in inspect(signed, service)["Mounts"]:
            volume = mount.get("Name", "").rpartition("_")[2]
            holders.setdefault(volume, set()).add((service, mount["RW"]))
    assert holders["certificates"] == {("certbot", True), ("nginx-config", True), ("nginx", True)}
    assert holders["acme"] == {("certbot", True), ("nginx", False)}
    assert holders["letsencrypt"] == {("certbot", True)}


def test_keys_can_be_read_by_the_user_of_nginx_alone(signed):
    keys = "grep --recursive --files-with-matches 'PRIVATE KEY' /etc/nginx /var/lib/letsencrypt"
    modes = signed.exec("certbot", "sh", "-c", f"stat --format '%u %a' $({keys}) | sort --unique")
    assert modes == "101 600\n"


# What lasts


def documented(stack, block: int) -> None:
    """Type the commands that stand in docs/https.md."""
    blocks = re.findall(r"```sh\n(.*?)```", (stack.path / "docs/https.md").read_text(), re.DOTALL)
    typed = "\n".join([blocks[0], blocks[block]]).replace("example.com", "two.example.com")
    done = run("bash", "-ec", typed, cwd=stack.path)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def own(signed) -> str:
    """A certificate that the owner brought for two.example.com and all names below it."""
    made = run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=our own"),
        *("-addext", "subjectAltName=DNS:two.example.com,DNS:*.two.example.com"),
        *("-keyout", signed.path / "privkey.pem", "-out", signed.path / "fullchain.pem"),
    )
    assert made.returncode == 0, made.stderr
    documented(signed, 1)
    return (signed.path / "fullchain.pem").read_text()


def test_a_certificate_of_ones_own_is_used_for_all_its_names(signed, own):
    eventually(lambda: served_by(signed, "two.example.com") == "our own")
    assert issuer(shown(signed, "two.example.com", own)) == "our own"
    assert issuer(shown(signed, "a.two.example.com", own)) == "our own"


def test_certbot_stops_at_once(signed):
    signed.compose("stop", "certbot")
    assert inspect(signed, "certbot")["State"]["ExitCode"] == 0


@pytest.fixture(scope="module")
def before(signed, own) -> tuple[dict, int]:
    """What pebble had signed, and how often it was asked, before all containers were made anew."""
    state = (
        shown(signed, "one.example.com", root(signed, "pebble")),
        signed.logs("pebble").count("Added order"),
    )
    expire = (
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=expired -keyout - 2>/dev/null"
        " -not_before 20200101000000Z -not_after 20200201000000Z >missing.example.com.pem"
    )
    signed.exec("nginx", "sh", "-c", f"cd {CERTIFICATES}/self-signed && {expire}")
    signed.compose(
        *(
            "up",
            "--detach",
            "--wait",
            "--force-recreate",
            "--no-deps",
            "nginx-config",
            "nginx",
            "certbot",
        ),
        DOMAIN="one.example.com two.example.com new.example.com missing.example.com",
    )
    eventually(lambda: len(said(signed, "missing.example.com")) > 1)
    return state


def test_certificates_survive_their_containers_and_nobody_is_asked_again(signed, before):
    certificate, orders = before
    assert shown(signed, "one.example.com", root(signed, "pebble")) == certificate
    assert signed.logs("pebble").count("Added order") == orders


def test_a_certificate_of_ones_own_is_left_alone(signed, own, before):
    assert issuer(shown(signed, "two.example.com", own)) == "our own"


def test_a_new_name_and_one_whose_own_certificate_ended_are_signed_for(signed, before):
    for name in ("new.example.com", "missing.example.com"):
        assert issuer(shown(signed, name, own_certificate(signed, name))) == "self-signed"


def test_a_name_that_is_given_back_has_the_certificate_of_before(signed, own):
    documented(signed, 2)
    eventually(lambda: served_by(signed, "two.example.com").startswith("Pebble"))


# Renewal


class Clients:
    """One who keeps a connection and asks again and again, and others who come and go."""

    def __init__(self, stack, trusted: ssl.SSLContext):
        self.address = "localhost", int(stack.ports["HTTPS_PORT"])
        self.trusted = trusted
        self.seen, self.errors, self.done = [], [], threading.Event()

    def ask(self, connection) -> None:
        connection.request("GET", "/healthz", headers={"Host": "one.example.com"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status

    def connect(self):
        connection = http.client.HTTPConnection(*self.address)
        plain = socket.create_connection(self.address, timeout=20)
        connection.sock = self.trusted.wrap_socket(plain, server_hostname="one.example.com")
        connection.auto_open = 0  # a connection that was closed is an error
        return connection

    def run(self) -> None:
        with closing(self.connect()) as kept:
            while not self.done.wait(0.2):
                try:
                    self.ask(kept)
                    with closing(self.connect()) as passing:
                        self.ask(passing)
                        self.seen.append(passing.sock.getpeercert()["serialNumber"])
                except (AssertionError, OSError, http.client.HTTPException) as error:
                    self.errors.append(repr(error))


@contextmanager
def served(stack, trusted: ssl.SSLContext):
    clients = Clients(stack, trusted)
    thread = threading.Thread(target=clients.run)
    thread.start()
    try:
        yield clients
    finally:
        clients.done.set()
        thread.join()


def processes(stack) -> tuple[str, str]:
    container = stack.container("nginx")
    top = run("docker", "top", container, "-eo", "pid,comm").stdout
    started = run("docker", "inspect", container, "--format", "{{.State.StartedAt}}").stdout
    return started, "\n".join(sorted(line for line in top.splitlines() if "nginx" in line))


def test_a_renewal_that_comes_late_costs_nobody_an_error(signed):
    """The authority signs for 70 seconds, and is away when half of them are over."""
    signed.compose("up", "--detach", "--no-deps", "brief")
    brief = signed.container("brief")
    network = ["".join(inspect(signed, "brief")["NetworkSettings"]["Networks"])]
    eventually(lambda: "Listening on" in signed.logs("brief"))
    trusted = trusting(root(signed, "pebble"), root(signed, "brief"))
    before = processes(signed)
    with served(signed, trusted) as clients:
        only = {"DOMAIN": "one.example.com", "REDIRECT_DOMAINS": "", "CA": "brief"}
        eventually(lambda: clients.seen)
        old = {*clients.seen}
        signed.compose("up", "--detach", "--no-deps", "certbot", **only)
        eventually(lambda: old.isdisjoint(clients.seen[-10:]))  # nginx has two workers or more
        run("docker", "network", "disconnect", *network, brief)
        eventually(lambda: "Failed to resolve 'brief'" in signed.logs("certbot"))
        late = {*clients.seen}
        run("docker", "network", "connect", "--alias", "brief", *network, brief)
        eventually(lambda: late.isdisjoint(clients.seen[-10:]))
    assert clients.errors == []
    assert processes(signed) == before
    assert served_by(signed, "one.example.com").startswith("Pebble")
