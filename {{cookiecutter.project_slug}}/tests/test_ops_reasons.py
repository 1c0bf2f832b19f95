"""The headline of a failed step. What the tools printed is in failures.txt, as they printed it.

Only frames in the middle of tracebacks, steps of builds that succeeded, and host names are not.
"""

import re
from pathlib import Path

import pytest

from ops.reasons import reason, rest

FILE = Path(__file__).parent / "failures.txt"
PRINTED = dict(re.findall(r"^=== (.+)\n((?:(?!=== ).*\n)*)", FILE.read_text(), re.MULTILINE))

EXPECTED = {
    "a migration with wrong SQL": (
        "Migration accounts.0002_fails: django.db.utils.ProgrammingError: syntax error "
        'at or near "text"'
    ),
    "a migration with wrong data": "Migration accounts.0002_fails: django.db.utils.DataError: division by zero",
    "a migration that makes a column unique": (
        "Migration accounts.0002_fails: django.db.utils.IntegrityError: could not "
        'create unique index "x_n" (Key (n)=(1) is duplicated.)'
    ),
    "a migration that forbids NULL": (
        'Migration accounts.0002_fails: django.db.utils.IntegrityError: column "n" of '
        'relation "x" contains null values'
    ),
    "a migration that uses a missing column": (
        "Migration accounts.0002_fails: django.db.utils.ProgrammingError: column "
        '"missing" of relation "accounts_user" does not exist'
    ),
    "a migration in Python": (
        "Migration accounts.0002_fails: KeyError: 'price' "
        "(accounts/migrations/0002_fails.py, line 3)"
    ),
    "a migration that raises a long message": (
        "Migration accounts.0002_fails: ValueError: Two orders have the same number. "
        "(accounts/migrations/0002_fails.py, line 3)"
    ),
    "a migration that also logs and warns": (
        "Migration accounts.0002_fails: RuntimeError: no prices "
        "(accounts/migrations/0002_fails.py, line 10)"
    ),
    "a migration that exits": "Migration accounts.0002_fails: the prices are not there",
    "a migration that gets no lock": (
        "accounts.0002_fails could not have a lock that it needs within 3 seconds, 3 "
        "times; nothing of it was kept, and nobody waited longer for it. Run it again "
        'at a quieter moment, or see who holds the lock: docs/operations.md, "A '
        'request that never ends".'
    ),
    "two migrations with one parent": (
        "Conflicting migrations detected; multiple leaf nodes in the migration graph: "
        "(0002_a, 0002_b in accounts)."
    ),
    "a migration whose parent is missing": (
        "django.db.migrations.exceptions.NodeNotFoundError: Migration "
        "accounts.0002_fails dependencies reference nonexistent parent node "
        "('accounts', '0007_gone')"
    ),
    "a migration that does not parse": (
        "SyntaxError: closing parenthesis ']' does not match opening parenthesis '(' "
        "(accounts/migrations/0002_fails.py, line 6)"
    ),
    "a failure after a migration that printed something": (
        "PermissionError: [Errno 1] Operation not permitted: '/srv/static/site.0b4ffee03dbe.css'"
    ),
    "an error of a system check": (
        "<class 'accounts.admin.B'>: (admin.E108) The value of 'list_display[0]' "
        "refers to 'nope', which is not a callable or attribute of 'B', or an "
        "attribute, method, or field on 'accounts.C'."
    ),
    "a warning of a system check": (
        "(security.W006) Your SECURE_CONTENT_TYPE_NOSNIFF setting is not set to True, "
        "so your pages will not be served with an 'X-Content-Type-Options: nosniff' "
        "header. You should consider enabling this header to prevent the browser from "
        "identifying content types incorrectly."
    ),
    "a missing setting": (
        "SECRET_KEY is not set: write it into .env, which bin/init makes with new secrets."
    ),
    "an unknown command of manage.py": "Unknown command: 'releas'. Did you mean release?",
    "an unknown option of manage.py": "manage.py release: error: unrecognized arguments: --nope",
    "a CommandError with a traceback": "django.core.management.base.CommandError: The shop is closed.",
    "a missing module in the settings": "ModuleNotFoundError: No module named 'nothere' (config/settings.py, line 232)",
    "settings that do not parse": "SyntaxError: '(' was never closed (config/settings.py, line 232)",
    "models that do not parse": (
        "IndentationError: unindent does not match any outer indentation level "
        "(accounts/models.py, line 16)"
    ),
    "a missing variable": "KeyError: 'PAYMENT_KEY' (config/settings.py, line 234)",
    "a missing module in the URLs": "ModuleNotFoundError: No module named 'nothere' (config/urls.py, line 18)",
    "a missing module in wsgi.py": "ModuleNotFoundError: No module named 'nothere' (config/wsgi.py, line 9)",
    "a missing setting of the app server": "PAYMENT_KEY is not set: write it into .env.",
    "a missing app": "ModuleNotFoundError: No module named 'shop'",
    "a wrong password of the database": (
        "The database refuses the password: it keeps the one that its volume was first "
        "used with. Put that one back, or change it in the database too; README.md "
        "says how, under Settings."
    ),
    "a wrong host of the database": (
        'No database after 60 seconds: could not translate host name "nowhere" to '
        "address: Name or service not known"
    ),
    "a database that is down": (
        'No database after 60 seconds: connection to server at "127.0.0.1", port 5 '
        "failed: Connection refused Is the server running on that host and accepting "
        "TCP/IP connections?"
    ),
    "a missing static file": "ValueError: Missing staticfiles manifest entry for 'gone.css'",
    "a missing static file in a build": "The CSS file 'x.css' references a file which could not be found: gone.png",
    "a full disk": (
        "OSError: [Errno 28] No space left on device: "
        "'/app/staticfiles/admin/img/icon-alert.22a12b18ffea.svg.gz' -> "
        "'/srv/small/admin/img/icon-alert.22a12b18ffea.svg.gz.new'"
    ),
    "the log of an app whose home page fails": (
        "ValueError: Missing staticfiles manifest entry for 'gone.css' (config/home.py, line 39)"
    ),
    "a home page that fails": "/ answers 500",
    "a build with an unknown command": "Unknown command: 'collectstatc'. Did you mean collectstatic?",
    "a build with a missing module": "ModuleNotFoundError: No module named 'nothere' (config/settings.py, line 233)",
    "a build that copies a missing file": 'COPY nothere.txt /x: "/nothere.txt": not found',
    "a build on an unknown image": (
        "registry.example.com/pythn:3.14-slim-trixie: failed to do request: Head "
        '"https://registry.example.com/v2/library/pythn/manifests/3.14-slim-trixie": '
        "dial tcp: lookup registry.example.com on 192.0.2.53:53: no such host"
    ),
    "a Dockerfile that does not parse": (
        "dockerfile parse error on line 10: unknown instruction: WORKDR (did you mean WORKDIR?)"
    ),
    "a build with a missing version of a package": (
        "No solution found when resolving dependencies: Because there is no version of "
        "sqlparse==9990.6.1 and you require sqlparse==9990.6.1, we can conclude that "
        "your requirements are unsatisfiable."
    ),
    "a build with a missing Debian package": "E: Unable to locate package libnothere-dev",
    "a build without network": (
        "W: Failed to fetch http://packages.example.com/debian/dists/forky/InRelease "
        "Temporary failure resolving 'packages.example.com'"
    ),
    "a build without network for packages": (
        "Request failed after 3 retries in 26.6s: Failed to fetch: "
        "https://packages.example.com/simple/sqlparse/: failed to lookup address "
        "information: Try again"
    ),
    "a build with a missing program": "/bin/sh: 1: uv: not found",
    "a build whose output goes on after the error": "it is broken",
    "a build of an unknown stage": 'target stage "prd" could not be found (did you mean prod?)',
    "an unknown directive of nginx": '[emerg] unknown directive "sendfil" in /etc/nginx/nginx.conf:19',
    "a configuration of nginx without its last brace": '[emerg] unexpected end of file, expecting "}" in /etc/nginx/nginx.conf:34',
    "a compose file that is not YAML": "yaml: line 1: did not find expected key",
    "an unknown key in a compose file": (
        "validating /srv/shop/compose.prod.yaml: services.check additional properties "
        "'comand' not allowed"
    ),
    "a compose file with an unknown service": (
        'service "release" depends on undefined service "postgre": invalid compose project'
    ),
    "a required variable of a compose file": (
        "error while interpolating services.postgres.environment.[]: required variable "
        "NEEDED is missing a value: set it in .env"
    ),
    "an .env that does not parse": "failed to read /srv/shop/.env: line 98: key cannot contain a space",
    "a one-off service that fails": 'service "w" didn\'t complete successfully: exit 3',
    "an unhealthy container": "container shop-w-1 is unhealthy",
    "a missing image": "No such image: shop-missing:1",
    "a port that is taken": "Bind for 0.0.0.0:18599 failed: port is already allocated",
    "a service whose program is missing": 'exec: "nothere": executable file not found in $PATH',
    "a registry that does not exist": (
        'Get "https://registry.invalid/v2/": dial tcp: lookup registry.invalid on '
        "192.0.2.53:53: no such host"
    ),
    "a registry that refuses": "toomanyrequests: You have reached your pull rate limit.",
    "an engine that is down": (
        "Cannot connect to the Docker daemon at unix:///run/nope.sock. Is the docker "
        "daemon running?"
    ),
    "an engine that is not for this user": (
        "permission denied while trying to connect to the Docker daemon socket at "
        "unix:///var/run/docker.sock: Get "
        '"http://%2Fvar%2Frun%2Fdocker.sock/v1.51/containers/json": dial unix '
        "/var/run/docker.sock: connect: permission denied"
    ),
    "an unknown flag of docker": "unknown flag: --nope",
    "a container whose program is missing": 'exec: "nothere": executable file not found in $PATH',
    "a missing program in the image": "/entrypoint.sh: 12: exec: pythn: not found",
}


def test_each_output_has_a_headline():
    assert PRINTED.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_headline_is_the_reason(name):
    assert reason(PRINTED[name]) == EXPECTED[name]


@pytest.mark.parametrize("name", ["a migration in Python", "a missing setting"])
def test_colours_and_later_warnings_do_not_hide_the_reason(name):
    coloured = "".join(f"\x1b[31;1m{line}\x1b[0m\r\n" for line in PRINTED[name].splitlines())
    warning = (
        'time="2026-11-26T16:03:19Z" level=warning msg="Found orphan containers ([shop-old-1])"\n'
    )
    python = (
        "/app/manage.py:9: DeprecationWarning: it is old\n  execute_from_command_line(sys.argv)\n"
    )
    assert reason(warning + coloured + warning + python) == EXPECTED[name]


def test_the_progress_of_compose_is_no_reason():
    progress = " Volume shop_static  Creating\n Container shop-app-1  Started\n app Pulling \n"
    assert reason(f"It is closed.\n{progress}") == "It is closed."
    assert rest(f"It is closed.\n{progress}") == "It is closed."


def test_a_page_that_fails_is_explained_by_the_log_of_the_app():
    both = PRINTED["the log of an app whose home page fails"] + PRINTED["a home page that fails"]
    assert reason(both) == (
        "/ answers 500: ValueError: Missing staticfiles manifest entry for 'gone.css' "
        "(config/home.py, line 39)"
    )


def test_an_unknown_failure_has_its_last_line_as_headline():
    assert reason("first\nthe last one\n\n  \n") == "the last one"


@pytest.mark.parametrize("output", ["", "\n \n", " Container shop-app-1  Creating\n"])
def test_a_failure_without_output_says_so(output):
    assert reason(output) == "no output"
    assert rest(output) == ""


def test_the_rest_unfolds_the_lines_of_json():
    lines = rest(PRINTED["the log of an app whose home page fails"], lines=100).splitlines()
    begins = lines.index(
        "ERROR django.request: Internal Server Error: / request_id=f6696c79749f4900a491c046fbe628a5"
    )
    assert lines[begins + 1] == "Traceback (most recent call last):"
    assert "ValueError: Missing staticfiles manifest entry for 'gone.css'" in lines[begins:]


def test_the_rest_of_a_build_is_what_the_failing_step_printed():
    assert rest(PRINTED["a build with an unknown command"]) == (
        "Unknown command: 'collectstatc'. Did you mean collectstatic?\n"
        "Type 'manage.py help' for usage."
    )


def test_the_rest_has_at_most_so_many_lines():
    assert rest("1\n\n2\n3\n", lines=2) == "2\n3"
