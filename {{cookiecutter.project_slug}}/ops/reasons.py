"""Say in one line why a command failed, in the words of the tool that failed."""

from __future__ import annotations

import re
from textwrap import shorten

from ops import jsonlog
from ops.tracebacks import FRAME, last_exception

COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Compose's progress. An error in it is repeated on the last line.
PROGRESS = re.compile(
    r"^ (?:Container|Network|Volume|Image) \S+ +\S|^ \S+ +(?:Pulling|Pulled|Built) *$"
)
# Warnings that Compose and Python print before or after the error.
WARNING = re.compile(r'^time="[^"]+" level=warning|^\S+:\d+: \w*Warning: ')

CHECK = re.compile(r"^(?:\?: )?(.*\([\w.]+\.[CEWID]\d+\) .+)$")

# Lines that name a reason, whatever follows them.
REASONS = [
    re.compile(pattern)
    for pattern in (
        r"^CommandError: (.+)",
        r"^(The CSS file '.+)",
        r"(\[emerg\] )\d+#\d+: (?!still could not bind)(.+)",
        r"Error response from daemon: (.+)",
        r"^(Unknown command: .+)",
        r"^(unknown (?:shorthand )?(?:flag|command).+)",
        r"^((?:Cannot connect to the Docker daemon|permission denied while trying to connect).+)",
        r"^(W: Failed to fetch .+)",
    )
]
# What stands around the reason in the messages of Docker and BuildKit.
AROUND = re.compile(
    r"^.*(?:unable to start container process: |on endpoint \S+ \([0-9a-f]+\): "
    r"|failed to calculate checksum of ref \S+: )"
)


def reason(output: str) -> str:
    """Return why a command failed, in one line, from all that it printed.

    That is the tool's own words, with the name of the migration that failed; the last line that is
    not empty where no known kind of failure is found; "no output" where there is none.
    """
    lines = readable_lines(output)
    text = [line for line in lines if jsonlog.parse(line) is None]
    found = build_failure(text) or failure(text)
    logged = logged_exception(lines)
    if logged and (
        not found
        or re.search(r"\b(?:answers|returns|responds|status) \D*5\d\d\b", found)
    ):
        found = f"{found}: {logged}" if found else logged
    return " ".join((found or last_line(lines) or "no output").split())


def rest(output: str, lines: int = 20) -> str:
    """Return the last lines of what a failed command printed, as a person reads them.

    Lines of JSON are unfolded; progress and empty lines are left out. Of a build, only the step that
    failed is of interest.
    """
    text = readable_lines(output)
    step = failed_step(text)
    if step:
        text = step_output(text, step[1]) or text
    unfolded = [part for line in text for part in jsonlog.readable(line)]
    return "\n".join([line for line in unfolded if line.strip()][-lines:])


def readable_lines(output: str) -> list[str]:
    """Return the lines without colours and without Compose's progress."""
    lines = [
        line.rstrip() for line in COLOUR.sub("", output).replace("\r", "\n").split("\n")
    ]
    return [line for line in lines if not PROGRESS.match(line)]


def failure(lines: list[str]) -> str:
    """Return the reason that comes last in these lines, or "" where there are none of any kind."""
    lines = without_warnings(lines)
    places = [
        place
        for place in (last_exception(lines), system_check(lines), marked(lines))
        if place
    ]
    text = max(places)[1] if places else ""
    migration = failing_migration(lines)
    if not migration:
        return text
    text = text or re.sub(r"^ *(?:Una|A)pplying \S+?\.\.\. *", "", last_line(lines))
    return text if migration in text else f"Migration {migration}: {text}"


def without_warnings(lines: list[str]) -> list[str]:
    """Return the lines without warnings, and without the line of code that Python shows below one."""
    kept = []
    code_follows = False
    for line in lines:
        warning = WARNING.match(line)
        if not warning and not (code_follows and line.startswith("  ")):
            kept.append(line)
        code_follows = bool(warning)
    return kept


def last_line(lines: list[str]) -> str:
    return next(
        (line.strip() for line in reversed(without_warnings(lines)) if line.strip()), ""
    )


def failing_migration(lines: list[str]) -> str:
    """Return the name of the migration that began and did not end, or ""."""
    name = ""
    for line in lines:
        begun = re.match(r"^ *(?:Una|A)pplying (\S+?)\.\.\.", line)
        if begun:
            name = begun[1]
        if re.search(r"(?:^|[ .])(?:OK|FAKED|DONE)$", line):
            name = ""
    return name


def system_check(lines: list[str]) -> tuple[int, str] | None:
    """Return the first finding of Django's checks, with its place in the lines."""
    starts = [
        place
        for place, line in enumerate(lines)
        if line.startswith("SystemCheckError: ")
    ]
    if not starts:
        return None
    found = [match[1] for match in map(CHECK.match, lines[starts[-1] :]) if match]
    if not found:
        return None
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return starts[-1], found[0] + more


def marked(lines: list[str]) -> tuple[int, str] | None:
    """Return the last line that one of REASONS matches, with its place in the lines."""
    for place in reversed(range(len(lines))):
        matches = [
            match
            for match in (pattern.search(lines[place]) for pattern in REASONS)
            if match
        ]
        if matches:
            text = "".join(matches[0].groups())
            if text.endswith(":") and place + 1 < len(lines):
                text += f" {lines[place + 1].strip()}"
            return place, AROUND.sub("", text)
    return None


def logged_exception(lines: list[str]) -> str:
    """Return the exception of the last log line that has one, or ""."""
    records = [record for record in map(jsonlog.parse, lines) if record]
    for record in reversed(records):
        found = last_exception(jsonlog.details(record))
        if found:
            return found[1]
    return ""


def failed_step(lines: list[str]) -> tuple[str, str] | None:
    """Return the first step of a build that failed: what BuildKit says of it, and its number."""
    matches = [re.match(r"^#(\d+) ERROR: (.+)", line) for line in lines]
    return next(((match[2], match[1]) for match in matches if match), None)


def step_output(lines: list[str], number: str) -> list[str]:
    """Return what a step of a build printed, without BuildKit's numbers and times."""
    matches = [re.match(rf"^#{number} \d+\.\d+ ?(.*)", line) for line in lines]
    return [match[1] for match in matches if match]


def build_failure(lines: list[str]) -> str:
    """Return why a build failed, or "" where these lines are not from a build that failed."""
    step = failed_step(lines)
    if not step:
        solved = [re.search(r"failed to solve: (.+)", line) for line in lines]
        return next((match[1] for match in solved if match), "")
    message, number = step
    instruction = next((line for line in lines if line.startswith(f"#{number} [")), "")
    if not instruction:  # such as an export, for which there is no room
        return AROUND.sub("", message)
    instruction = re.sub(r"^#\d+ \[[^]]*\] (?:load metadata for )?", "", instruction)
    if not message.startswith('process "'):
        return (
            f"{shorten(instruction, 80, placeholder=' …')}: {AROUND.sub('', message)}"
        )
    printed = step_output(lines, number)
    status = message.rpartition("did not complete successfully: ")[2]
    found = (
        failure(printed)
        or tool_error(printed)
        or compile_error(printed)
        or last_line(printed)
    )
    return found or f"{instruction}: {status}"


def compile_error(lines: list[str]) -> str:
    """Return a syntax error that `python -m compileall` found, with its file and line, or ""."""
    places = [FRAME.match(line) for line in lines if FRAME.match(line)]
    if not places or not any(line.startswith("*** Error compiling") for line in lines):
        return ""
    return (
        f"{last_line(lines)} ({places[-1][1].removeprefix('./')}, line {places[-1][2]})"
    )


def tool_error(lines: list[str]) -> str:
    """Return an error with the last of its causes, as uv prints them, or ""."""
    errors = [place for place, line in enumerate(lines) if line.startswith("error: ")]
    if not errors:
        return ""
    causes = [
        re.match(r"^ +(?:cause|Caused by): (.+)", line) for line in lines[errors[-1] :]
    ]
    found = [match[1] for match in causes if match]
    return ": ".join([lines[errors[-1]][7:], *found[:1], *found[1:][-1:]])
