"""A part of the site can have a policy of its own."""

import pytest
from django.http import HttpResponse
from django.urls import path
from django.utils.csp import CSP

urlpatterns = [
    path("", lambda request: HttpResponse()),
    path("theme/", lambda request: HttpResponse()),
]


@pytest.fixture(autouse=True)
def site(platform):
    platform.ROOT_URLCONF = __name__
    platform.SECURE_CSP = {"default-src": [CSP.SELF]}
    platform.SECURE_CSP_FOR_PREFIX = {
        "/theme/": {"default-src": [CSP.SELF, CSP.UNSAFE_EVAL]}
    }


def test_a_prefix_has_its_policy(client):
    policy = client.get("/theme/").headers["Content-Security-Policy"]
    assert policy == "default-src 'self' 'unsafe-eval'"


@pytest.mark.parametrize("address", ["/", "/no/such/page"])
def test_the_rest_of_the_site_keeps_its_own(client, address):
    assert (
        client.get(address).headers["Content-Security-Policy"] == "default-src 'self'"
    )
