from django.conf import settings
{%- if cookiecutter.use_allauth %}
from django.conf.urls import include
{%- endif %}
from django.contrib import admin
from django.urls import path

from config.home import home
from config.media import media

admin.site.site_header = admin.site.site_title = settings.SITE_NAME

handler400 = "config.errors.bad_request"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("", home, name="home"),
    path("media/<path:name>", media, name="media"),
{%- if cookiecutter.use_allauth %}
    path("accounts/", include("accounts.urls")),
{%- endif %}
    path("admin/", admin.site.urls),
]
