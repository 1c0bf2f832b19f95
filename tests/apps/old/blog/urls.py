from django.urls import path, re_path
from blog import views

urlpatterns = [
    path('', views.index),
    path('attachments/<int:pk>', views.attachment),
    re_path(r'^(?P<slug>.+)/$', views.page),
]
