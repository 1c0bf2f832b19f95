"""Refuse answers that cannot become a project, before anything is written: a sentence each."""

import json
import re
import shlex
import sys
import zoneinfo
from importlib.resources import files
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | jsonify }}""")

LONGEST = {"project_name": 80, "description": 200, "author_name": 100}
SLUG = r"[a-z0-9]+([-_][a-z0-9]+)*"
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = rf"({LABEL}\.)*(?=[a-z]){LABEL}"
EMAIL = rf"[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*@{DOMAIN}"
# Images have these names: the base images, and those of another project's nginx, certbot and development.
TAKEN = r"debian|nginx|postgres|python|redis|uv|.*[-_](certbot|dev|nginx)"
JOINERS = str.maketrans("", "", "\u200c\u200d")  # invisible, but Persian names and emoji need them
# A replay file can hold any value, and cookiecutter takes it.
CHOICES = {
    "postgresql_version": ["18", "17"],
    "app_server": ["uwsgi", "gunicorn"],
    "proxy": ["nginx-letsencrypt", "nginx", "none"],
    "use_allauth": [True, False],
    "ci": ["github", "gitlab", "none"],
}
# A replay file can also hold what is no text at all; an empty one is refused by all that follows.
for name in ANSWERS.keys() - CHOICES.keys():
    if not isinstance(ANSWERS[name], str):
        ANSWERS[name] = ""


def one_line(text: str, longest: int) -> bool:
    """Whether the text is one line of printable characters, not empty and not longer than that."""
    visible = text.translate(JOINERS)
    return visible.isprintable() and visible.strip() != "" and len(text) <= longest


def matches(pattern: str, answer: str, longest: int) -> bool:
    return re.fullmatch(pattern, ANSWERS[answer]) is not None and len(ANSWERS[answer]) <= longest


def timezones() -> set[str]:
    """Return the names that the images know; Debian leaves out the old ones, such as US/Eastern."""
    tables = (Path(folder, "zone.tab") for folder in zoneinfo.TZPATH)
    table = next(filter(Path.exists, tables), None) or files("tzdata") / "zoneinfo" / "zone.tab"
    places = re.findall(r"^[A-Z]{2}\t\S+\t(\S+)", table.read_text(encoding="utf-8"), re.MULTILINE)
    return {"UTC", *places, *filter(re.compile("Etc/").match, zoneinfo.available_timezones())}


RULES = [
    (
        one_line(ANSWERS[answer], longest),
        f"{answer} must be one line of text, with 1 to {longest} characters.",
    )
    for answer, longest in LONGEST.items()
]
RULES += [
    (
        not re.search(r"[{][%#{]", ANSWERS[answer]),
        f"{answer} must not hold an opening tag of a template: a brace before a brace, % or #.",
    )
    for answer in LONGEST
]
RULES += [
    (
        matches(SLUG, "project_slug", 50),
        "project_slug must be 1 to 50 of a-z and 0-9, with single - or _ between them.",
    ),
    (
        not re.fullmatch(TAKEN, ANSWERS["project_slug"]),
        "project_slug must not be the name of a base image, and not end in -certbot, -dev or -nginx.",
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
        ANSWERS["timezone"] in timezones(),
        "timezone must be UTC or a place such as Europe/Berlin, not an old name such as US/Eastern.",
    ),
]
RULES += [
    (ANSWERS[answer] in values, f"{answer} must be one of {', '.join(map(str, values))}.")
    for answer, values in CHOICES.items()
]

broken = {}
for holds, sentence in RULES:
    if not holds:
        broken.setdefault(sentence.split()[0], sentence)  # one for each answer is enough


def again() -> str:
    """Return the command that asks the same questions, with the good answers filled in."""
    command = ["cookiecutter", ANSWERS.get("_template", "TEMPLATE")]
    if ANSWERS.get("_checkout"):
        command += ["--checkout", ANSWERS["_checkout"]]
    good = [name for name in ANSWERS if not name.startswith("_") and name not in broken]
    return shlex.join([*command, *(f"{name}={ANSWERS[name]}" for name in good)])


if broken:
    sentences = "\n".join(broken.values())
    sys.exit(f"{sentences}\n\nTo answer again, with your other answers filled in:\n\n  {again()}\n")
