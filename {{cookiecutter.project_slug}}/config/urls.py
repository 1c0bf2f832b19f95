from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import path

from config.home import home

urlpatterns = [
    path("", home, name="home"),
    path("admin/", admin.site.urls),
]

# Only with DEBUG; in production nginx serves what people uploaded.
urlpatterns += static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
