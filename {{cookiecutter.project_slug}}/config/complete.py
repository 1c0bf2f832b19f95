"""Let each response tell where it ends, and read each request to its end: uWSGI does neither by itself."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial

from django.conf import settings

BLOCK = 64 * 1024  # bytes

STATUSES_WITHOUT_BODY = ("1", "204", "304")


class Complete:
    """A WSGI application around another one.

    - uWSGI marks the end of a response without a length by closing the connection. A worker that is
      killed closes it too, and half a file would look like a whole one. Here such a response is sent
      in chunks. Its last chunk, which is empty, comes after a whole response only.
    - uWSGI closes the connection although a view has not read the request's body, which would
      destroy the response on its way. Here the rest of the body is read first.
    """

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        is_chunked = False

        def start(status, headers, exc_info=None):
            nonlocal is_chunked
            is_chunked = needs_chunks(environ, status, headers)
            if is_chunked:
                headers = [*headers, ("Transfer-Encoding", "chunked")]
{%- if cookiecutter.proxy == "none" %}
                # uWSGI's router would keep the connection open after half a response.
                headers.append(("Connection", "close"))
{%- endif %}
            return start_response(status, headers, exc_info)

        result = self.application(environ, start)
        has_body = environ.get("CONTENT_LENGTH", "") not in ("", "0")
        if not is_chunked and not has_body:
            return result  # the same object, because uWSGI sends files without reading them
        return Response(result, is_chunked, environ["wsgi.input"] if has_body else None)


def needs_chunks(environ: dict, status: str, headers: list[tuple[str, str]]) -> bool:
    """Return whether the client could not tell the end of this response by its headers."""
    if environ["SERVER_PROTOCOL"] != "HTTP/1.1" or environ["REQUEST_METHOD"] == "HEAD":
        return False
    names = {name.lower() for name, _ in headers}
    return not status.startswith(STATUSES_WITHOUT_BODY) and names.isdisjoint(
        {"content-length", "transfer-encoding"}
    )


class Response:
    """The body of a response. Reads the rest of the request's body, too."""

    def __init__(self, result: Iterable[bytes], is_chunked: bool, body):
        self.result = result
        self.is_chunked = is_chunked
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        if not self.is_chunked:
            self.read_rest()
            yield from blocks(self.result)
            return
        # The view may still read the request's body while it streams; close() reads the rest.
        for block in blocks(self.result):
            if block:
                yield b"%x\r\n%b\r\n" % (len(block), block)
        yield b"0\r\n\r\n"

    def close(self) -> None:
        try:
            if hasattr(self.result, "close"):
                self.result.close()
        finally:
            self.read_rest()

    def read_rest(self) -> None:
        """Read what is left of the request's body, up to the size of the largest one."""
        with suppress(OSError):  # the other side has closed the connection
            for _ in range(0, settings.LARGEST_BODY, BLOCK):
                if self.body is None or not self.body.read(BLOCK):
                    return


def blocks(result) -> Iterable[bytes]:
    """Return the blocks of a response, or of a file, whose lines may be too long or too short."""
    if hasattr(result, "read"):
        return iter(partial(result.read, BLOCK), b"")
    return result
