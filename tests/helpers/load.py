"""A small, constant load on a running stack, which writes down what its clients see."""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from statistics import median

import httpx
import pytest

CLIENTS = 4
PAUSE = 0.05  # seconds between two requests of a client: not more than eighty a second in all
NO_ANSWER = 0
NONE = "none"


@dataclass(frozen=True)
class Answer:
    """What a client saw of one request, and when, in seconds of time.monotonic()."""

    request: str
    asked: float
    seconds: float
    status: int = NO_ANSWER
    retry_after: str = NONE
    error: str = ""

    @property
    def failed(self) -> bool:
        """Whether no whole answer came, or one that says that the server is to blame."""
        return self.error != "" or self.status >= 500

    @property
    def cut_off(self) -> bool:
        """Whether the answer ended in the middle."""
        return self.error != "" and self.status != NO_ANSWER

    @property
    def unexplained(self) -> bool:
        """Whether it failed and did not tell the client to try again."""
        return self.failed and (self.status not in (502, 503, 504) or self.retry_after == NONE)


class Load:
    """All answers so far."""

    def __init__(self):
        self.answers: list[Answer] = []

    def statuses(self, *requests: str) -> set[int]:
        """Return the statuses of the answers to these requests, or to all."""
        return {a.status for a in self.answers if not requests or a.request in requests}

    def failures(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.failed]

    def unexplained(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.unexplained]

    def cut_off(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.cut_off]

    def since(self, moment: float) -> list[Answer]:
        return [answer for answer in self.answers if answer.asked >= moment]

    def usual_seconds(self) -> float:
        return median(answer.seconds for answer in self.answers)

    def longest_seconds(self) -> float:
        return max(answer.seconds for answer in self.answers)

    def wait_until_all_is_well(self, seconds: int = 40) -> None:
        """Wait for a second without a failure, in which every client got answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(1)
            answers = self.since(time.monotonic() - 1)
            if len(answers) > CLIENTS and not any(answer.failed for answer in answers):
                return
        pytest.fail(f"not well after {seconds} seconds: {self.answers[-CLIENTS:]}")


@contextmanager
def clients(ask):
    """Let each client ask again and again, until the end of this block: ask(its number, until)."""
    end = threading.Event()
    threads = [threading.Thread(target=ask, args=[number, end]) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()


@contextmanager
def load(stack, *requests: str, headers: dict | None = None):
    """Keep asking for these, such as "GET /", until the end of this block; gives the Load.

    Each client keeps its connection, and opens a new one only where the server closed it.
    """
    seen = Load()

    def ask(number: int, end: threading.Event) -> None:
        with stack.client(headers=headers) as client:
            for turn in count(number):
                if end.wait(PAUSE):
                    return
                seen.answers.append(ask_once(client, requests[turn % len(requests)]))

    with clients(ask):
        yield seen


def ask_once(client: httpx.Client, request: str) -> Answer:
    method, path = request.split()
    asked, said, error = time.monotonic(), {}, ""
    try:
        with client.stream(method, path) as answer:
            retry_after = answer.headers.get("retry-after", NONE)
            said = {"status": answer.status_code, "retry_after": retry_after}
            answer.read()
    except httpx.TransportError as transport:
        error = repr(transport)
    return Answer(request, asked, time.monotonic() - asked, error=error, **said)


def write(client: httpx.Client, name: str) -> httpx.Response:
    """Write a row through the admin: a group of this name."""
    return client.post("/admin/auth/group/add/", data={"name": name})


@contextmanager
def writes(stack, headers: dict):
    """Keep writing rows until the end of this block; gives the names of those that were acknowledged."""
    acknowledged = []

    def ask(number: int, end: threading.Event) -> None:
        with stack.client(headers=headers) as client:
            for turn in count():
                if end.wait(PAUSE):
                    return
                try:
                    answer = write(client, f"row-{number}-{turn}")
                except httpx.TransportError:
                    continue
                if answer.headers.get("location") == "/admin/auth/group/":
                    acknowledged.append(f"row-{number}-{turn}")

    with clients(ask):
        yield acknowledged
