"""A production stack with a bad .env stops with one sentence, and nothing is left running."""

import json

import pytest

from tests.helpers.environment import with_value
from tests.helpers.stack import PRODUCTION, run

pytestmark = pytest.mark.containers

MISSING = "SECRET_KEY is not set: write it into .env, which bin/init makes with new secrets.\n"
PLACEHOLDER = "{} is still a placeholder: put a secret of your own into .env.\n"


def states(stack) -> dict[str, str]:
    rows = stack.compose("ps", "--all", "--format", "json").splitlines()
    return {row["Service"]: row["State"] for row in map(json.loads, rows)}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        pytest.param("SECRET_KEY", "", MISSING, id="missing-key"),
        pytest.param(
            *("SECRET_KEY", "change-me", PLACEHOLDER.format("SECRET_KEY")),
            id="key",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            "POSTGRES_PASSWORD", "change-me", PLACEHOLDER.format("POSTGRES_PASSWORD"), id="password"
        ),
    ],
)
def test_it_stops_with_one_sentence_before_the_database(name, value, sentence, fresh, stacks):
    env = fresh.path / ".env"
    good = env.read_text()
    env.write_text(with_value(good, name, value))
    stack = stacks(fresh.path, PRODUCTION)
    done = stack.command("up", "--detach", "--wait")
    assert done.returncode != 0
    assert stack.logs() == sentence
    assert states(stack) == {
        "check": "exited", "postgres": "created", "release": "created",
        "app": "created", "nginx-config": "created", "nginx": "created", "certbot": "created",
    }  # fmt: skip
    env.write_text(good)
    stack.up()
    assert stack.get("/").status_code == 200


def test_without_env_it_says_what_makes_one_and_that_works(fresh, stacks):
    (fresh.path / ".env").unlink()
    stack = stacks(fresh.path, PRODUCTION)
    assert stack.command("up", "--detach", "--wait").returncode != 0
    assert stack.logs() == MISSING
    assert run("bin/init", cwd=fresh.path).returncode == 0
    stack.up()
    assert stack.get("/").status_code == 200


PASSWORDS = [
    pytest.param("'p@ss/w:rd?#% $HOME \"x\" \\ y'", id="single-quoted"),
    pytest.param("plain-but-ünï", id="not-ascii", marks=pytest.mark.exhaustive),
]


@pytest.mark.parametrize("value", PASSWORDS)
def test_any_password_that_env_can_hold_works(value, fresh, stacks):
    env = fresh.path / ".env"
    env.write_text(with_value(env.read_text(), "POSTGRES_PASSWORD", value))
    stack = stacks(fresh.path, PRODUCTION)
    stack.up()
    assert stack.get("/readyz").text == "ready\n"


def test_a_password_that_the_volume_does_not_know_is_explained(fresh, stacks):
    stack = stacks(fresh.path, PRODUCTION)
    stack.up()
    env = fresh.path / ".env"
    env.write_text(with_value(env.read_text(), "POSTGRES_PASSWORD", "another-one"))
    assert stack.command("up", "--detach", "--wait").returncode != 0
    assert stack.logs("release").splitlines()[-1] == (
        "CommandError: The database refuses the password: it keeps the one that its volume was "
        "first used with. Put that one back, or change it in the database too; README.md says "
        "how, under Settings."
    )
    change = "ALTER ROLE app PASSWORD 'another-one'"
    stack.exec("postgres", "psql", "--username", "app", "--command", change)
    stack.up()
    assert stack.get("/readyz").text == "ready\n"
