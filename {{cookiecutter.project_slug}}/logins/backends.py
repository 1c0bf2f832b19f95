"""The first of AUTHENTICATION_BACKENDS: it sees each password that a request tries."""

from asgiref.sync import sync_to_async
from django.contrib.auth import backends
from django.views.decorators.debug import sensitive_variables

from logins.tries import check


class ModelBackend(backends.ModelBackend):
    """Django's ModelBackend, which here refuses a password where too many were wrong."""

    @sensitive_variables("credentials")
    def authenticate(self, request, **credentials):
        check(credentials)
        return super().authenticate(request, **credentials)

    @sensitive_variables("credentials")
    async def aauthenticate(self, request, **credentials):
        await sync_to_async(check)(credentials)
        return await super().aauthenticate(request, **credentials)


class OnlyLimits:
    """For projects that do not use ModelBackend: leaves each password to the backends that follow."""

    @sensitive_variables("credentials")
    def authenticate(self, request, **credentials) -> None:
        check(credentials)

    @sensitive_variables("credentials")
    async def aauthenticate(self, request, **credentials) -> None:
        await sync_to_async(check)(credentials)
