"""The headline of a failed step.

failures.txt has what real failures printed, each after its name and the headline that is expected.
Left out are frames in the middle of tracebacks and steps of builds that succeeded; host names are
others.
"""

import re
from pathlib import Path

import pytest

from ops.reasons import reason, rest

FILE = Path(__file__).parent / "failures.txt"
SECTION = re.compile(r"^=== (.+)\n>>> (.+)\n((?:(?!=== ).*\n)*)", re.MULTILINE)
FAILURES = {
    name: (headline, output)
    for name, headline, output in SECTION.findall(FILE.read_text())
}


def test_each_output_is_read():
    assert len(FAILURES) == FILE.read_text().count("\n=== ") + 1 > 50


@pytest.mark.parametrize("name", FAILURES)
def test_the_headline_is_the_reason(name):
    headline, output = FAILURES[name]
    assert reason(output) == headline


def test_a_name_of_python_that_is_no_exception_has_no_place():
    lines = [
        "Traceback (most recent call last):",
        '  File "/app/a.py", line 1',
        "exit: 3",
    ]
    assert reason("\n".join(lines)) == "exit: 3"


@pytest.mark.parametrize("name", ["a migration in Python", "a missing setting"])
def test_colours_and_later_warnings_do_not_hide_the_reason(name):
    coloured = "".join(
        f"\x1b[31;1m{line}\x1b[0m\r\n" for line in FAILURES[name][1].splitlines()
    )
    warning = 'time="2026-11-26T16:03:19Z" level=warning msg="Found orphan containers ([shop-old-1])"\n'
    python = "/app/manage.py:9: DeprecationWarning: it is old\n  execute_from_command_line(sys.argv)\n"
    assert reason(warning + coloured + warning + python) == FAILURES[name][0]


def test_the_progress_of_compose_is_no_reason():
    progress = (
        " Volume shop_static  Creating\n Container shop-app-1  Started\n app Pulling \n"
    )
    assert reason(f"It is closed.\n{progress}") == "It is closed."
    assert rest(f"It is closed.\n{progress}") == "It is closed."


def test_a_page_that_fails_is_explained_by_the_log_of_the_app():
    both = (
        FAILURES["the log of an app whose home page fails"][1]
        + FAILURES["a home page that fails"][1]
    )
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
    lines = rest(
        FAILURES["the log of an app whose home page fails"][1], lines=100
    ).splitlines()
    begins = lines.index(
        "ERROR django.request: Internal Server Error: / request_id=f6696c79749f4900a491c046fbe628a5"
    )
    assert lines[begins + 1] == "Traceback (most recent call last):"
    assert (
        "ValueError: Missing staticfiles manifest entry for 'gone.css'"
        in lines[begins:]
    )


def test_the_rest_of_a_build_is_what_the_failing_step_printed():
    assert rest(FAILURES["a build with an unknown command"][1]) == (
        "Unknown command: 'collectstatc'. Did you mean collectstatic?\n"
        "Type 'manage.py help' for usage."
    )


def test_the_rest_has_at_most_so_many_lines():
    assert rest("1\n\n2\n3\n", lines=2) == "2\n3"
