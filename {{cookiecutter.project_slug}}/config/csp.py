"""Another content security policy for a part of the site, such as an admin theme that needs more."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csp import csp_override


class PolicyForPrefixMiddleware:
    """Use the policy of SECURE_CSP_FOR_PREFIX whose prefix the path of the request has, and else SECURE_CSP."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.for_prefix = {
            prefix: csp_override(policy)(get_response)
            for prefix, policy in settings.SECURE_CSP_FOR_PREFIX.items()
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for prefix, get_response in self.for_prefix.items():
            if request.path.startswith(prefix):
                return get_response(request)
        return self.get_response(request)
