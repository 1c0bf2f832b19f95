"""Clients over IPv6: each has its own address in the logs, and limits count its network."""

import pytest

from tests.helpers.ipv6 import requests_from
from tests.helpers.stack import run

pytestmark = pytest.mark.containers

FIRST, SECOND = "2001:db8:a::1", "2001:db8:b:0:1::1"
NEIGHBOUR = "2001:db8:a:0:ffff::1"  # in the /64 network of the first


def test_each_client_has_its_own_address_in_the_log(production, image):
    answers = requests_from(production, image, [FIRST, SECOND, NEIGHBOUR])
    assert [answer.status_code for answer in answers] == [200] * 3
    clients = [production.logged(answer)["client"] for answer in answers]
    assert clients == [FIRST, SECOND, NEIGHBOUR]


def test_a_limit_counts_a_network_of_clients(rested, image):
    token = "a" * 32
    body = f"username=nobody&password=wrong&csrfmiddlewaretoken={token}"
    headers = (
        f"Cookie: __Host-{rested.path.name}-csrftoken={token}\r\n"
        "Origin: https://localhost\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n"
    )
    guess = {"start": "POST /admin/login/", "headers": headers, "body": body}
    answers = requests_from(rested, image, [FIRST] * 11 + [NEIGHBOUR, SECOND], **guess)
    statuses = [answer.status_code for answer in answers]
    assert statuses == [200] * 10 + [429, 429, 200]


def test_plain_http_over_ipv6_is_redirected(production, image):
    (answer,) = requests_from(production, image, [FIRST], tls=False)
    assert answer.status_code == 301


def test_nginx_starts_where_the_kernel_has_no_ipv6(production):
    """Such a kernel has no /proc/net/if_inet6. The container that tests nginx's configuration is given another /proc/net."""
    script = (
        "printf 'server { listen 8080; listen [::]:8080 default_server; }' >/etc/nginx/conf.d/a.conf;"
        " sed 's|/proc/net/if_inet6|/no/such/file|' /docker-entrypoint.d/21-without-ipv6.sh | sh;"
        " cat /etc/nginx/conf.d/a.conf"
    )
    image = f"{production.path.name}-nginx:latest"
    tmpfs = "--tmpfs=/etc/nginx/conf.d:uid=101"
    done = run("docker", "run", "--rm", tmpfs, "--entrypoint=sh", image, "-c", script)
    assert (done.stdout, done.stderr) == ("server { listen 8080;  }", "")


def test_nginx_starts_where_ipv6_is_switched_off(production):
    """With this sysctl a container has no address of IPv6. `listen [::]` fails only without IPv6 in the kernel."""
    nginx = "events {} http { access_log off; server { listen 8080; listen [::]:8080; return 200 here; } }"
    start = (
        f"echo '{nginx}' >/tmp/nginx.conf; nginx -c /tmp/nginx.conf; curl --silent 127.0.0.1:8080"
    )
    image = f"{production.path.name}-nginx:latest"
    sysctl = "--sysctl=net.ipv6.conf.all.disable_ipv6=1"
    done = run("docker", "run", "--rm", "--user=0", sysctl, "--entrypoint=sh", image, "-c", start)
    assert done.stdout == "here", done.stderr
