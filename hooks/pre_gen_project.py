"""Refuse answers that cannot become a project, before anything is written: a sentence each."""

import json
import re
import sys
from zoneinfo import available_timezones

ANSWERS = json.loads(r"""{{ cookiecutter | jsonify }}""")

FREE_TEXT = {"project_name": 100, "description": 200, "author_name": 100}  # and their longest lengths
SLUG = r"[a-z0-9]+([-_][a-z0-9]+)*"
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = rf"{LABEL}(\.{LABEL})*"
EMAIL = rf"[A-Za-z0-9._%+-]+@{DOMAIN}"
POSTGRESQL_VERSIONS = ["18", "17"]


def one_line(text: str, longest: int) -> bool:
    """Whether the text is one line of printable characters, not empty and not longer than that."""
    return text.isprintable() and text.strip() != "" and len(text) <= longest


def matches(pattern: str, answer: str, longest: int) -> bool:
    return re.fullmatch(pattern, ANSWERS[answer]) is not None and len(ANSWERS[answer]) <= longest


RULES = [
    (
        one_line(ANSWERS[answer], longest),
        f"{answer} must be one line of text, with 1 to {longest} characters.",
    )
    for answer, longest in FREE_TEXT.items()
]
RULES += [
    (
        not re.search(r"[{][%#{]", ANSWERS[answer]),
        f"{answer} must not hold an opening tag of a template: a brace before a brace, % or #.",
    )
    for answer in FREE_TEXT
]
RULES += [
    (
        matches(SLUG, "project_slug", 50),
        "project_slug must be of a-z and 0-9, with single - or _ between them, "
        "and have at most 50 characters.",
    ),
    (
        matches(EMAIL, "email", 254),
        "email must be an address such as you@example.com.",
    ),
    (
        matches(DOMAIN, "domain_name", 253),
        "domain_name must be a host name such as example.com, in small letters.",
    ),
    (
        ANSWERS["timezone"] in available_timezones(),
        "timezone must be a name of the IANA database such as Europe/Berlin.",
    ),
    (
        ANSWERS["postgresql_version"] in POSTGRESQL_VERSIONS,
        f"postgresql_version must be one of {', '.join(POSTGRESQL_VERSIONS)}.",
    ),
]

if broken := [sentence for holds, sentence in RULES if not holds]:
    sys.exit("\n".join(broken))
