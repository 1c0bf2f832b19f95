"""REMOTE_ADDR is the client's address, over a Unix socket too."""

import pytest

from config.client_address import ClientAddress


def remote_addr(environ: dict) -> str:
    """Return the REMOTE_ADDR that the application gets."""
    return ClientAddress(lambda environ, _: environ["REMOTE_ADDR"])(environ, None)


@pytest.mark.parametrize("unix", [{"REMOTE_ADDR": "0.0.0.0"}, {"REMOTE_ADDR": ""}, {}])
@pytest.mark.parametrize("client", ["203.0.113.9", "2001:db8::9"])
def test_over_a_socket_it_is_the_address_that_nginx_writes(unix, client):
    assert remote_addr(unix | {"HTTP_X_FORWARDED_FOR": client}) == client


def test_a_health_check_over_the_socket_comes_from_this_container():
    assert remote_addr({"REMOTE_ADDR": ""}) == "127.0.0.1"


@pytest.mark.parametrize("peer", ["127.0.0.1", "172.18.0.4", "::1"])
def test_over_tcp_a_client_cannot_choose_it(peer):
    forged = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert remote_addr(forged) == peer


@pytest.mark.parametrize(
    ("environ", "seen"),
    [
        ({"REMOTE_ADDR": "0.0.0.0"}, True),
        ({"REMOTE_ADDR": "172.18.0.4"}, None),
        ({"REMOTE_ADDR": "172.18.0.4", "HTTP_CONFIG_FROM_NGINX": "1"}, None),
    ],
)
def test_the_app_learns_that_nginx_asks(environ, seen):
    from_nginx = ClientAddress(lambda environ, _: environ.get("config.from_nginx"))
    assert from_nginx(environ, None) == seen
