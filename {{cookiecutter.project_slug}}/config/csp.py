"""Another content security policy for a part of the site, such as an admin theme that needs more."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class PolicyForPrefixMiddleware:
    """Use the policy in SECURE_CSP_FOR_PREFIX whose prefix matches the path, the longest one, else SECURE_CSP.

    A view with a policy of its own, by the decorator csp_override, keeps it.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policies = settings.SECURE_CSP_FOR_PREFIX
        matching = [prefix for prefix in policies if request.path.startswith(prefix)]
        # The attribute in which csp_override keeps a policy for Django's middleware.
        if matching and not hasattr(response, "_csp_config"):
            response._csp_config = policies[max(matching, key=len)]
        return response
