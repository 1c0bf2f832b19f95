from benchmark import urlpatterns as pages
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    *pages,
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
