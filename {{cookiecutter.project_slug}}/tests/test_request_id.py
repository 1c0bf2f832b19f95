"""The ID of a request, in its response and in the logs."""

import json
import logging
import logging.config

import pytest

# No page at all.
urlpatterns = []


@pytest.fixture(autouse=True)
def urls(bare_project):
    bare_project.ROOT_URLCONF = __name__


@pytest.mark.parametrize("given", ["3f4a7e6789f45ccb", "a-b_C-9", "x" * 64])
def test_a_proxy_chooses_it(client, given):
    assert (
        client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
        == given
    )


@pytest.mark.parametrize("given", ["", 'a"b', "a b", "<b>", "é", "x" * 65])
def test_else_each_request_gets_one_of_its_own(client, given):
    headers = {"X-Request-ID": given}
    first, second = (client.get("/healthz", headers=headers) for _ in range(2))
    assert len(first.headers["X-Request-ID"]) == 32
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_production_logs_one_line_of_json_with_it(client, settings, capsys):
    production = settings.LOGGING | {"handlers": {"stderr": json_to_stderr(settings)}}
    logging.config.dictConfig(production)
    try:
        client.get("/no\nsuch page", headers={"X-Request-ID": "the-id"})
    finally:
        logging.config.dictConfig(settings.LOGGING)
    (line,) = capsys.readouterr().err.splitlines()
    logged = json.loads(line)
    assert logged["level"] == "WARNING"
    assert logged["logger"] == "django.request"
    assert logged["request_id"] == "the-id"


def json_to_stderr(settings) -> dict:
    return settings.LOGGING["handlers"]["stderr"] | {"formatter": "json"}
