from django.urls import include, path

from accounts.views import account

urlpatterns = [
    path("", account, name="account"),
    path("", include("allauth.urls")),
]
