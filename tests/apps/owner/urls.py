"""The URLs of an owner: no admin, no accounts, and a page for each address."""

from django.http import HttpResponse
from django.urls import re_path
from django.views.generic import RedirectView

urlpatterns = [
    re_path(r"^$", RedirectView.as_view(url="/de/")),
    re_path(r"^(?P<slug>.+)/$", lambda request, slug: HttpResponse(slug)),
]
