"""A part of the site can have a policy of its own."""

import pytest
from django.http import HttpResponse
from django.urls import path
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override


def plain(request):
    return HttpResponse()


urlpatterns = [
    path("", plain),
    path("theme/", plain),
    path("theme/editor/", plain),
    path("theme/own/", csp_override({"default-src": [CSP.NONE]})(plain)),
]


@pytest.fixture(autouse=True)
def site(bare_project):
    bare_project.ROOT_URLCONF = __name__
    bare_project.SECURE_CSP = {"default-src": [CSP.SELF]}
    bare_project.SECURE_CSP_FOR_PREFIX = {
        "/theme/": {"default-src": [CSP.SELF, CSP.UNSAFE_EVAL]},
        "/theme/editor/": {"default-src": [CSP.SELF, CSP.UNSAFE_INLINE]},
    }


@pytest.mark.parametrize(
    ("address", "policy"),
    [
        ("/theme/", "default-src 'self' 'unsafe-eval'"),
        ("/theme/editor/", "default-src 'self' 'unsafe-inline'"),
        ("/theme/own/", "default-src 'none'"),
    ],
)
def test_the_nearest_policy_holds(client, address, policy):
    assert client.get(address).headers["Content-Security-Policy"] == policy


@pytest.mark.parametrize("address", ["/", "/no/such/page"])
def test_the_rest_of_the_site_keeps_its_own(client, address):
    assert (
        client.get(address).headers["Content-Security-Policy"] == "default-src 'self'"
    )
