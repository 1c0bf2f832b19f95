"""Visitors of all kinds at once, on a stack that must not fail one of them: they keep their connections."""

import io
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, cycle

import httpx
import pycurl

HTTP2_CONNECTIONS = 2

names = count()

# What a project's config/urls.py gets. A POST that is done twice fails: the name of a group is unique.
SLOW = """

import time

from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def slow(request):
    time.sleep(1.5)
    Group.objects.create(name=request.POST["name"])
    return HttpResponse()


urlpatterns = [path("slow/", slow), *urlpatterns]
"""


@dataclass(frozen=True)
class Answer:
    """What came of one request; status 0 where no whole answer came, and then the error says why."""

    request: str
    seconds: float
    status: int
    error: str = ""


class Traffic:
    """All answers so far, and the names that POSTs wrote."""

    def __init__(self):
        self.answers: list[Answer] = []
        self.written: list[str] = []

    def failures(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status != 200]

    def of(self, kind: str) -> list[Answer]:
        return [answer for answer in self.answers if answer.request.startswith(kind)]


@contextmanager
def traffic(stack):
    """Let visitors come until the end of this block, over HTTP/1.1 and HTTP/2; gives the Traffic.

    There are more of them than the app has workers, and each POST holds one for 1.5 seconds.
    """
    workers = int(stack.exec("app", "python", "docker/app/workers.py"))
    seen, end = Traffic(), threading.Event()
    work = [threading.Thread(target=http2, args=[stack.address, workers, seen, end])]
    for number in range(workers * 3 // 4):
        work.append(threading.Thread(target=http1, args=[stack, seen, end, number / 4]))
    for thread in work:
        thread.start()
    try:
        yield seen
    finally:
        end.set()
        for thread in work:
            thread.join()


def http1(stack, seen: Traffic, end: threading.Event, pause: float) -> None:
    """Ask for a page and write a row in turn; whatever is wrong with a connection is a failure.

    Between two turns the connection is idle for `pause` seconds.
    """
    with stack.client() as client:
        while not end.wait(pause):
            name = f"h1-{next(names)}"
            for method, path, form in (("GET", "/", None), ("POST", "/slow/", {"name": name})):
                began, status, error = time.monotonic(), 0, ""
                try:
                    status = client.request(method, path, data=form).status_code
                except httpx.TransportError as transport:
                    error = repr(transport)
                seconds = time.monotonic() - began
                seen.answers.append(Answer(f"HTTP/1.1 {method}", seconds, status, error))
            if status == 200:
                seen.written.append(name)


def http2(address: str, streams: int, seen: Traffic, end: threading.Event) -> None:
    """The same in many streams of a few connections.

    With libcurl, because httpx gives up the streams in flight when a server says that it takes no
    more on this connection (GOAWAY), although it goes on to answer them; browsers do not. As they
    do, it sends again what the server did not begin. What it did begin would then be done twice,
    and the second time fails.
    """
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
    multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, HTTP2_CONNECTIONS)
    idle = deque(pycurl.Curl() for _ in range(streams))
    busy, posts = {}, cycle([True, False])
    while idle or busy:
        while idle and not end.is_set():
            curl = idle.popleft()
            name = f"h2-{next(names)}" if next(posts) else ""
            multi.add_handle(prepared(curl, address, name))
            busy[curl] = name
        if end.is_set() and not busy:
            break
        multi.select(0.05)
        multi.perform()
        _, done, failed = multi.info_read()
        for curl, error in [(c, "") for c in done] + [(c, f"{n}: {why}") for c, n, why in failed]:
            name = busy.pop(curl)
            assert error or curl.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0
            status = 0 if error else curl.getinfo(pycurl.RESPONSE_CODE)
            method = "POST" if name else "GET"
            seconds = curl.getinfo(pycurl.TOTAL_TIME)
            seen.answers.append(Answer(f"HTTP/2 {method}", seconds, status, error))
            if name and status == 200:
                seen.written.append(name)
            multi.remove_handle(curl)
            idle.append(curl)


def prepared(curl: pycurl.Curl, address: str, name: str) -> pycurl.Curl:
    curl.reset()
    curl.setopt(pycurl.URL, f"{address}/slow/" if name else f"{address}/")
    if name:
        curl.setopt(pycurl.POSTFIELDS, f"name={name}")
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
    curl.setopt(pycurl.PIPEWAIT, 1)
    curl.setopt(pycurl.SSL_VERIFYPEER, 0)
    curl.setopt(pycurl.TIMEOUT, 70)
    curl.setopt(pycurl.WRITEFUNCTION, io.BytesIO().write)
    return curl
