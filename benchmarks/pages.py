"""The pages that the benchmark requests. It copies this file into each project that it measures."""

import random
import time

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import HttpResponse
from django.urls import path

CPU_SECONDS = 0.005


def trivial(request):
    return HttpResponse("ok")


def query(request):
    """Do one query. ContentType.objects.get_for_id() would cache its result."""
    return HttpResponse(ContentType.objects.get(pk=1).model)


def cpu(request):
    """Compute for 5 ms of this thread's CPU time."""
    end = time.thread_time() + CPU_SECONDS
    while time.thread_time() < end:
        pass
    return HttpResponse("ok")


def wait(request):
    """Wait 50 ms for the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.05)")
    return HttpResponse("ok")


def mixed(request):
    """Compute for 5 ms, and wait 50 ms in every tenth request."""
    cpu(request)
    if random.random() < 0.1:
        wait(request)
    return HttpResponse("ok")


urlpatterns = [
    path("benchmark/trivial/", trivial),
    path("benchmark/query/", query),
    path("benchmark/cpu/", cpu),
    path("benchmark/wait/", wait),
    path("benchmark/mixed/", mixed),
]
