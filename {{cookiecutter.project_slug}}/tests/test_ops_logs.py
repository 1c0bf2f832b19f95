"""bin/logs: times, the order of lines, the search, and how long the logs of removed containers stay."""

import gzip
import json
import os
import time
from calendar import timegm
from datetime import datetime, timezone

import pytest

from ops import archive, docker, environment, jsonlog, loglines
from ops.commands import logs
from ops.loglines import BadTime, Line, Query, moment

NOW = datetime(2026, 11, 26, 15, 30, 20)
ID = "3f4a7e6789f45ccb06f3da41a24cba6f"


@pytest.fixture(autouse=True)
def in_central_europe(monkeypatch):
    """One hour east of UTC in November, two in summer."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def stamp(clock: str) -> str:
    return f"2026-11-26T{clock}.000000000Z"


NOON = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)


def container(letter: str, service: str) -> docker.Container:
    named = {"id": letter * 64, "name": f"shop-{service}-1", "service": service}
    return docker.Container(
        **named,
        state="",
        status="",
        image="",
        config_hash="",
        oneoff=False,
        created=NOON,
    )


def saved(folder, letter: str, service: str, *lines: str) -> None:
    """Save a log with these lines, each with its time of day, as a deploy does."""
    printed = [
        f"2026-11-26T{line[:8]}.000000000Z {line[9:]}\n".encode() for line in lines
    ]
    file = folder / "logs/new"
    file.parent.mkdir(exist_ok=True, parents=True)
    first, last = archive.write(file, iter(printed))
    file.rename(
        file.with_name(archive.file_name(container(letter, service), first, last))
    )


def found(folder, **asked) -> list[str]:
    problems: list[Exception] = []
    lines = loglines.search([], archive.archives(folder), Query(**asked), problems)
    texts = [line.text for line in lines]
    assert problems == []
    return texts


# --- Times ---


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("90s", "2026-11-26T14:28:50"),
        ("10m", "2026-11-26T14:20:20"),
        ("2h", "2026-11-26T12:30:20"),
        ("3d", "2026-11-23T14:30:20"),
        ("1w", "2026-11-19T14:30:20"),
        ("today", "2026-11-25T23:00:00"),
        ("yesterday", "2026-11-24T23:00:00"),
        ("10:00", "2026-11-26T09:00:00"),
        ("2026-11-25", "2026-11-24T23:00:00"),
        ("2026-11-25T10:00", "2026-11-25T09:00:00"),
        ("2026-11-25 10:00:30", "2026-11-25T09:00:30"),
        ("2026-07-25T10:00", "2026-07-25T08:00:00"),
        ("2026-11-25T10:00Z", "2026-11-25T10:00:00"),
        ("2026-11-25T10:00-05:00", "2026-11-25T15:00:00"),
        ("2026-11-25T10:00:00-0500", "2026-11-25T15:00:00"),
        ("2026-11-25T10:00:00.123456789Z", "2026-11-25T10:00:00"),
    ],
)
def test_a_time_is_read_in_the_time_zone_of_the_machine(typed, expected):
    assert moment(typed, NOW) == f"{expected}.000000000Z"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "2",
        "h",
        "2x",
        "-2h",
        "tomorrow",
        "25:00",
        "2026-13-01",
        "99999w",
        "999999w",
        "ü",
    ],
)
def test_what_is_no_time_is_refused_in_one_sentence(typed):
    with pytest.raises(BadTime) as refused:
        moment(typed, NOW)
    assert (
        str(refused.value)
        == f"{typed!r} is not a time; write 2h, yesterday or 2026-11-25T10:00."
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["a b"],
            "'a b' is not a request ID. A request ID has only letters, digits, - and _.",
        ),
        (
            ["x" * 65],
            f"{'x' * 65!r} is not a request ID. A request ID has only letters, digits, - and _.",
        ),
        (["--since", "1h", "--until", "2h"], "--since must be before --until."),
        (
            ["--follow", ID],
            "--follow shows new lines: leave out the request ID, --since and --until.",
        ),
    ],
)
def test_a_bad_question_is_refused_in_one_sentence(arguments, sentence, capsys):
    assert logs.main(arguments) == 1
    assert capsys.readouterr().err == f"{sentence}\n"


def test_an_unknown_option_is_refused_in_one_sentence(capsys):
    with pytest.raises(SystemExit) as refused:
        logs.main(["--tail", "5"])
    assert refused.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


# --- The search ---


def test_lines_of_several_containers_come_in_the_order_of_time(tmp_path):
    saved(tmp_path, "a", "app", "10:00:00 one", "10:00:02 three", "10:00:05 five")
    saved(tmp_path, "b", "web", "10:00:01 two", "10:00:03 four")
    saved(tmp_path, "c", "app", "10:00:06 six")
    assert found(tmp_path) == ["one", "two", "three", "four", "five", "six"]


def test_a_request_id_finds_its_lines_and_no_others(tmp_path):
    saved(
        tmp_path, "a", "app", f"10:00:00 request={ID}", "10:00:01 x", f"10:00:02 x{ID}"
    )
    request = json.dumps({"request_id": ID})
    saved(tmp_path, "b", "web", f"10:00:03 {request}")
    assert found(tmp_path, request_id=ID) == [f"request={ID}", request]


def test_the_beginning_of_a_request_id_is_enough(tmp_path):
    saved(tmp_path, "a", "app", f"10:00:00 {ID}", f"10:00:01 {ID[1:]}")
    assert found(tmp_path, request_id=ID[:8]) == [ID]


def test_a_line_that_docker_stored_in_pieces_is_one(tmp_path):
    when = "2026-11-26T10:00:00.000000000Z "
    before = "x" * (loglines.PIECE - 9) + " "
    pieces = before + ID[:8] + when + ID[8:]
    saved(tmp_path, "a", "app", f"10:00:00 {pieces}")
    (line,) = found(tmp_path, request_id=ID)
    assert line == before + ID


def test_services_limit_the_search(tmp_path):
    saved(tmp_path, "a", "app", "10:00:00 one")
    saved(tmp_path, "b", "web", "10:00:01 two")
    saved(tmp_path, "c", "my.worker-2", "10:00:02 three")
    assert found(tmp_path, services=frozenset({"app", "my.worker-2"})) == [
        "one",
        "three",
    ]


def test_times_limit_the_search(tmp_path):
    saved(
        tmp_path,
        "a",
        "app",
        "09:59:59 one",
        "10:00:00 two",
        "10:59:59 three",
        "11:00:00 four",
    )
    asked = {"since": stamp("10:00:00"), "until": stamp("11:00:00")}
    assert found(tmp_path, **asked) == ["two", "three"]


def test_files_of_another_time_are_not_opened(tmp_path):
    saved(tmp_path, "a", "app", "10:00:00 one")
    saved(tmp_path, "b", "app", "11:00:00 two")
    saved(tmp_path, "c", "app", "12:00:00 three")
    for path in tmp_path.glob("logs/*-[ac]*-app*"):
        path.write_bytes(b"no gzip")
    assert found(tmp_path, since=stamp("10:30:00"), until=stamp("11:30:00")) == ["two"]


def test_the_newest_lines_are_found_without_opening_every_file(tmp_path):
    saved(tmp_path, "a", "app", "10:00:00 one")
    saved(tmp_path, "b", "app", "11:00:00 two", "11:00:02 four")
    saved(tmp_path, "c", "app", "11:00:01 three", "11:00:03 five")
    next(tmp_path.glob("logs/*-a*-app*")).write_bytes(b"no gzip")
    assert found(tmp_path, last=3) == ["three", "four", "five"]


def test_few_files_are_open_at_once(tmp_path):
    opened = []

    def lines(hour: int):
        opened.append(hour)
        yield Line(stamp(f"{hour:02}:00:00"), "app", "", "")
        opened.remove(hour)

    sources = [(f"2026-11-26T{hour:02}:00:00", lines(hour)) for hour in range(24)]
    for _ in loglines.in_order(sources):
        assert len(opened) <= 2


@pytest.mark.parametrize(
    "damage",
    [lambda whole: whole[:-12], lambda whole: gzip.compress(b"")[:10] + b"\xff" * 20],
    ids=["cut off", "overwritten"],
)
def test_a_damaged_file_hides_no_other(tmp_path, damage):
    saved(tmp_path, "a", "app", "10:00:00 one")
    saved(tmp_path, "b", "web", "10:00:01 two")
    damaged = next(tmp_path.glob("logs/*-app.log.gz"))
    damaged.write_bytes(damage(damaged.read_bytes()))
    problems: list[Exception] = []
    lines = loglines.search([], archive.archives(tmp_path), Query(), problems)
    assert [line.text for line in lines][-1] == "two"
    assert [str(damaged) in str(problem) for problem in problems] == [True]


def test_without_a_folder_there_are_no_lines(tmp_path):
    assert found(tmp_path / "nothing") == []


# --- What a person reads ---


def test_a_traceback_is_unfolded():
    text = (
        '{"time": "2026-11-26T10:00:00+0000", "level": "ERROR", "logger": "django.request", "message": '
        '"Internal Server Error: /", "request_id": "3f4a", "exc_info": "Traceback:\\n  File\\nKeyError"}'
    )
    assert loglines.printed(Line(stamp("10:00:00"), "app", "", text), 5) == (
        "2026-11-26 11:00:00.000  app    ERROR django.request: Internal Server Error: / request_id=3f4a\n"
        "    Traceback:\n"
        "      File\n"
        "    KeyError"
    )


def test_a_line_of_an_access_log_is_text():
    text = (
        '{"time":"2026-11-26T10:00:00+00:00","logger":"web","request_id":"3f4a","client":"192.0.2.1",'
        '"request":"GET /shop HTTP/1.1","status":500,"bytes":0}'
    )
    assert jsonlog.readable(text) == [
        "web: GET /shop HTTP/1.1 500 request_id=3f4a client=192.0.2.1"
    ]


@pytest.mark.parametrize(
    "text", ["", "plain", "{not json}", "[1]", '{"a": 1}', '{"message": ""}']
)
def test_other_lines_stay_as_they_are(text):
    assert jsonlog.readable(text) == [text]


# --- What is kept ---


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.glob("logs/*"))


def test_the_name_of_a_file_says_its_time_and_service(tmp_path):
    saved(tmp_path, "a", "my.worker-2", "10:00:00 one", "11:30:00 two")
    assert files(tmp_path) == [
        "20261126T100000Z-20261126T113000Z-aaaaaaaaaaaa-my.worker-2.log.gz"
    ]
    (one,) = archive.archives(tmp_path)
    assert (one.first, one.last) == ("2026-11-26T10:00:00", "2026-11-26T11:30:00")
    assert (one.container, one.service) == ("a" * 12, "my.worker-2")


def test_a_file_is_for_its_owner_alone(tmp_path):
    saved(tmp_path, "a", "app", "10:00:00 one")
    (one,) = archive.archives(tmp_path)
    assert one.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("days", "left"), [(0, ""), (1, "c"), (2, "bc"), (3, "abc"), (400_000, "abc")]
)
def test_files_go_after_some_days(tmp_path, days, left):
    (tmp_path / "logs").mkdir()
    for letter, day in (("a", 23), ("b", 24), ("c", 25)):
        name = f"202611{day - 1}T100000Z-202611{day}T100000Z-{letter * 12}-app.log.gz"
        (tmp_path / "logs" / name).touch()
    now = timegm((2026, 11, 26, 9, 0, 0))
    removed = archive.prune(tmp_path, keep_days=days, now=now)
    assert len(removed) == 3 - len(left)
    assert [archive.container[0] for archive in archive.archives(tmp_path)] == [*left][
        ::-1
    ]


@pytest.mark.parametrize(
    ("megabytes", "left"), [(0, ""), (1, "c"), (2, "bc"), (3, "abc")]
)
def test_the_oldest_files_go_beyond_some_megabytes(tmp_path, megabytes, left):
    (tmp_path / "logs").mkdir()
    for letter, hour in (("a", 10), ("b", 11), ("c", 12)):
        name = f"20261126T090000Z-20261126T{hour}0000Z-{letter * 12}-app.log.gz"
        (tmp_path / "logs" / name).write_bytes(b"x" * 1_000_000)
    now = timegm((2026, 11, 26, 13, 0, 0))
    archive.prune(tmp_path, keep_days=1, keep_mb=megabytes, now=now)
    assert [archive.container[0] for archive in archive.archives(tmp_path)] == [*left][
        ::-1
    ]


def test_files_of_other_kinds_are_left_alone(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/notes.txt").write_text("mine")
    archive.prune(tmp_path, keep_days=0, keep_mb=0)
    assert files(tmp_path) == ["notes.txt"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "logs").write_text("a file in place of the folder")
    with pytest.raises(archive.ArchiveFailed) as failed:
        archive.save(tmp_path, [container("a", "app")])
    where = tmp_path / "logs"
    assert str(failed.value) == (
        f"Cannot write the logs of removed containers in {where}: File exists."
    )


def test_nothing_to_save_makes_no_folder(tmp_path):
    assert archive.save(tmp_path, []) == []
    assert list(tmp_path.iterdir()) == []


# --- .env ---


@pytest.fixture
def dotenv(tmp_path, monkeypatch):
    """dotenv(text) returns what .env with this text says of A."""
    monkeypatch.delenv("A", raising=False)

    def read(text: str) -> str:
        (tmp_path / ".env").write_bytes(text.encode())
        return environment.read(tmp_path / ".env").get("A")

    return read


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=7", "7"),
        ("A=7\r", "7"),
        ("export A=7", "7"),
        (" A = 7 ", "7"),
        ("A=7 # days", "7"),
        ("A=7#days", "7#days"),
        ("A= # days", "# days"),
        ("A=#7", "#7"),
        ("A='7 # $x' # days", "7 # $x"),
        (r'A="7\n\"x\""', '7\n"x"'),
        ("A=", ""),
        ("A=6\nA=7", "7"),
        ("#A=7", None),
        ("B=7", None),
        ("A", None),
    ],
)
def test_env_is_read_as_compose_reads_it(dotenv, line, value):
    assert dotenv(f"X=1\n{line}\nY=2\n") == value


def test_the_shell_wins_over_env(dotenv, monkeypatch):
    monkeypatch.setenv("A", "shell")
    assert dotenv("A=file") == "shell"


def test_without_env_the_shell_is_left(tmp_path):
    assert environment.read(tmp_path / ".env") == dict(os.environ)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, (14, 500)),
        ({"LOGS_KEEP_DAYS": "", "LOGS_KEEP_MB": " "}, (14, 500)),
        ({"LOGS_KEEP_DAYS": "0", "LOGS_KEEP_MB": " 2000 "}, (0, 2000)),
    ],
)
def test_two_variables_say_what_is_kept(variables, expected):
    assert archive.limits(variables) == expected


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "14 days", "1" * 10, "²"])
def test_what_is_no_number_is_refused_in_one_sentence(value):
    with pytest.raises(environment.BadVariable) as refused:
        archive.limits({"LOGS_KEEP_DAYS": value})
    assert str(refused.value) == (
        f"LOGS_KEEP_DAYS must be a whole number such as 14, not {value!r}."
    )


def test_a_file_is_plain_gzip(tmp_path):
    saved(tmp_path, "a", "app", "10:00:00 one")
    (one,) = archive.archives(tmp_path)
    assert (
        gzip.decompress(one.path.read_bytes())
        == b"2026-11-26T10:00:00.000000000Z one\n"
    )
