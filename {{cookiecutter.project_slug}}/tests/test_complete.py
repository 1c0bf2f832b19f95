"""Each response tells where it ends, and each request is read to its end."""

import io

import pytest

from config.complete import Complete

GET = {"SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": "GET", "CONTENT_LENGTH": ""}


class Spoken:
    """What a server would send, piece by piece."""

    def __init__(self, result, headers=(), status="200 OK", **environ):
        def application(environ, start_response):
            start_response(status, list(headers))
            return result

        self.headers = None
        self.result = Complete(application)(GET | environ, self.start)

    def start(self, status, headers, exc_info=None):
        self.headers = dict(headers)


def test_a_response_without_a_length_is_sent_in_chunks():
    spoken = Spoken(iter([b"hello", b"", b"x" * 16]))
    assert (
        b"".join(spoken.result) == b"5\r\nhello\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n"
    )
    assert spoken.headers["Transfer-Encoding"] == "chunked"


def test_half_a_response_has_no_last_chunk():
    def half():
        yield b"hello"
        raise RuntimeError

    sent = []
    with pytest.raises(RuntimeError):
        sent.extend(Spoken(half()).result)
    assert sent == [b"5\r\nhello\r\n"]


def test_a_file_without_a_length_is_read_in_blocks():
    spoken = Spoken(io.BytesIO(b"x" * 100_000))
    assert [len(piece) for piece in spoken.result][:1] == [
        len(b"10000\r\n") + 65536 + 2
    ]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"headers": [("content-length", "5")]}, id="its-length"),
        pytest.param(
            {"headers": [("Transfer-Encoding", "chunked")]}, id="its-own-chunks"
        ),
        pytest.param({"status": "204 No Content"}, id="no-content"),
        pytest.param({"status": "304 Not Modified"}, id="not-modified"),
        pytest.param({"REQUEST_METHOD": "HEAD"}, id="head"),
        pytest.param({"SERVER_PROTOCOL": "HTTP/1.0"}, id="http-1.0"),
    ],
)
def test_other_responses_stay_as_they_are(changed):
    result = [b"hello"]
    spoken = Spoken(result, **changed)
    assert spoken.result is result
    assert spoken.headers == dict(changed.get("headers", []))


class Closed(list):
    """A result that remembers that it was closed."""

    closed = False

    def close(self):
        self.closed = True


def test_the_rest_of_the_body_is_read_before_a_response_that_is_there():
    body, result = io.BytesIO(b"x" * 200_000), Closed([b"hello"])
    environ = {"CONTENT_LENGTH": "200000", "wsgi.input": body}
    spoken = Spoken(result, headers=[("Content-Length", "5")], **environ)
    body.read(1000)
    pieces = iter(spoken.result)
    assert next(pieces) == b"hello"
    assert body.read() == b""
    spoken.result.close()
    assert result.closed


def test_a_response_may_be_made_of_the_body():
    body = io.BytesIO(b"x" * 10)
    environ = {"CONTENT_LENGTH": "10", "wsgi.input": body}
    spoken = Spoken((body.read(5) for _ in "1"), **environ)
    assert b"".join(spoken.result) == b"5\r\nxxxxx\r\n0\r\n\r\n"
    spoken.result.close()
    assert body.read() == b""


def test_more_than_the_largest_body_is_not_read(settings):
    settings.LARGEST_BODY = 100_000
    body = io.BytesIO(b"x" * 1_000_000)
    environ = {"CONTENT_LENGTH": "1000000", "wsgi.input": body}
    spoken = Spoken([b""], headers=[("Content-Length", "0")], **environ)
    assert list(spoken.result) == [b""]
    spoken.result.close()
    assert 0 < len(body.read()) < 900_000


def test_a_connection_that_the_other_side_has_closed_is_no_error():
    class Gone:
        def read(self, size):
            raise OSError

    environ = {"CONTENT_LENGTH": "10", "wsgi.input": Gone()}
    spoken = Spoken([b"hello"], headers=[("Content-Length", "5")], **environ)
    assert list(spoken.result) == [b"hello"]
