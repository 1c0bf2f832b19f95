"""The benchmarks' own parts: what they refuse, how they compare, and what they write."""

import fcntl
import json
import xml.etree.ElementTree as ET

import pytest

from benchmarks import __main__ as command
from benchmarks import machine, report, targets
from benchmarks.figures import Figure, in_turn
from benchmarks.measures import builds, deploying, memory, sizes
from benchmarks.refusal import Refusal
from tests.helpers.load import Answer, Load


def row(contender: str, page: str, rate: float, p99: float = 20.0) -> dict:
    return {
        "page": page,
        "clients": 32,
        "contender": contender,
        "requests_per_second": [rate, rate * 2, rate * 3],
        "p50_ms": [p99 / 2] * 3,
        "p99_ms": [p99] * 3,
        "failed": [0, 0, 1],
        "time_wait": [0, 7, 3],
    }


@pytest.fixture
def results() -> dict:
    """Figures of a run that never was; starts nothing."""
    pages = ("trivial", "query", "login", "static")
    ours = [row("uwsgi", page, 120) for page in pages]
    floor = [row("floor behind nginx", page, 100) for page in pages]
    used = [{"contender": "uwsgi", "service": "app", "bytes": 50_000_000}]
    return {
        "about": {"date": "2026-01-02", "cores": "2"},
        "throughput": {
            "rows": [*ours, *floor, row("floor", "trivial", 200)],
            "memory": {"idle": used, "loaded": used},
        },
        "endurance": [{"contender": "uwsgi", "requests_per_second": [100, 90], "time_wait": 4}],
        "copies": [{"page": "trivial", "copies": 2, "requests_per_second": [10.0]}],
        "sizes": [
            {"image": image, "bytes": size, "layers": [{"bytes": size, "command": "COPY . ."}]}
            for image, size in (("uwsgi", 59_000_000), ("lean", 51_000_000))
        ],
        "builds": [
            {"contender": name, "build": kind, "seconds": [10.0]}
            for name in ("ours", "floor")
            for kind in ("cold", "a changed line", "one more package")
        ],
        "starting": [{"contender": name, "seconds": [5.0]} for name in ("production", "floor")],
        "generating": [
            {"template": "ours", "seconds": [0.9]},
            {"template": "empty template", "seconds": [0.7]},
        ],
        "saving": {"seconds": [0.5, 0.6], "idle_percent": [1.0, 1.5]},
        "deploying": [
            {"way": "bin/deploy", "seconds": 9.0, "requests": 700, "failed": 0, "gap": 0.1},
            {"way": "up --build", "seconds": 9.0, "requests": 700, "failed": 80, "gap": 3.5},
        ],
        "sweep": [
            {
                "server": "uwsgi",
                "cores": 2,
                "workers": workers,
                "threads": 1,
                "cpu": 100.0,
                "wait": 60.0,
                "mixed": 90.0,
                "bytes": 80_000_000,
            }
            for workers in (1, 2)
        ],
    }


def test_a_ratio_is_taken_round_by_round():
    ratio = Figure((10, 40, 90)).over(Figure((10, 20, 30)))
    assert ratio.values == (1, 2, 3)
    assert (ratio.median, ratio.lowest, ratio.highest) == (2, 1, 3)


def test_measures_are_taken_in_turn():
    taken = []

    def measure(name):
        taken.append(name)
        return len(taken)

    figures = in_turn({"a": lambda: measure("a"), "b": lambda: measure("b")}, 2, lambda text: None)
    assert taken == ["a", "b", "a", "b"]
    assert figures["b"].values == (2, 4)


def test_targets_say_whether_they_hold(results):
    holds = {target.name: target.holds for target in targets.of(results)}
    assert holds["trivial, requests/s over floor behind nginx"]
    assert not holds["trivial, requests/s over floor"]
    assert not holds["uwsgi, last minute of load over the first"]
    assert holds["MB over the base image, default values"]
    assert not holds["MB over the base image, without allauth"]
    assert holds["seconds to generate a project, less those of an empty template"]


def test_the_page_has_each_table_and_each_plot(results, tmp_path):
    (tmp_path / "images").mkdir()
    report.write(results, tmp_path)
    page = (tmp_path / "benchmarks.md").read_text()
    assert "| trivial | 32 | uwsgi | 240 (120 to 360) | 10.0 | 20.0 | 1 | 7.00 |" in page
    assert "| `up --build` | 9.00 | 80 of 700 | 3.50 |" in page
    assert "| trivial, requests/s over floor | 0.60 | at least 0.7 | **no** |" in page
    assert "$" not in page
    assert json.loads((tmp_path / "benchmarks.json").read_text()) == results
    plots = {path.name for path in (tmp_path / "images").iterdir()}
    assert plots == {
        "benchmarks-deploys.svg",
        "benchmarks-endurance.svg",
        "benchmarks-throughput.svg",
        "tuning-uwsgi.svg",
    }
    for path in (tmp_path / "images").iterdir():
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_one_subject_is_a_table_without_the_others(results):
    said = report.tables({"about": results["about"], "builds": results["builds"]})
    assert "| ours | cold | 10.0 |" in said
    assert "requests/s" not in said


def test_the_gap_is_the_longest_time_without_a_good_response():
    seen = Load()
    for asked, status in ((0.0, 200), (1.0, 200), (2.0, 502), (4.0, 200), (5.0, 200)):
        seen.answers.append(Answer("GET /", asked, 0.5, status))
    assert deploying.gap(seen) == 3.0


@pytest.mark.parametrize(
    ("text", "count"), [("512B", 512), ("1.5KiB", 1536), ("45.2MiB", 47395635), ("2GiB", 2**31)]
)
def test_a_size_in_words_is_a_number(text, count):
    assert memory.in_bytes(text) == count


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("COPY /opt/venv /opt/venv # buildkit", "COPY /opt/venv /opt/venv"),
        ("RUN /bin/sh -c useradd --uid 10001 django # buildkit", "RUN useradd --uid 10001 django"),
        ("RUN |1 REVISION= /bin/sh -c echo a # buildkit", "RUN echo a"),
    ],
)
def test_a_layer_is_named_by_its_command(command, shown):
    assert sizes.words(command) == shown


def test_a_cold_build_finds_no_cache_of_an_earlier_one(tmp_path):
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(
        "RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,source=a,target=a x\n"
    )
    builds.empty_caches(dockerfile)
    first = dockerfile.read_text()
    builds.empty_caches(dockerfile)
    assert first.count("type=cache,id=benchmark-") == 1
    assert ",target=/root/.cache/uv --mount=type=bind,source=a,target=a x" in first
    assert dockerfile.read_text() != first


# What they refuse


@pytest.fixture
def an_engine(monkeypatch):
    """Lets an engine be found; starts nothing."""
    monkeypatch.setattr(machine, "engine", lambda: {"DockerRootDir": "/"})


@pytest.fixture
def unlocked(monkeypatch, tmp_path):
    """Gives the lock a place of its own."""
    monkeypatch.setattr(command, "LOCK", tmp_path / "lock")


def test_without_docker_one_sentence_says_so(monkeypatch, tmp_path, unlocked, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command.main([]) == 1
    said = capsys.readouterr().err
    assert said == "bench: The benchmarks need Docker, and there is no docker command.\n"


def test_without_an_engine_one_sentence_says_so(monkeypatch, tmp_path, unlocked, capsys):
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho no engine >&2\nexit 1\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert command.main([]) == 1
    assert capsys.readouterr().err == "bench: No Docker Engine responds: no engine\n"


def test_too_little_memory_is_refused(monkeypatch, an_engine):
    monkeypatch.setattr(machine, "available_memory", lambda: 3 * 1024**3)
    with pytest.raises(Refusal, match=r"need 4\.0 GB of memory, and 3\.0 GB are available"):
        machine.check()


def test_too_little_disk_is_refused(monkeypatch, an_engine):
    monkeypatch.setattr(machine, "available_memory", lambda: 5 * 1024**3)
    monkeypatch.setattr(machine, "DISK", 2**60)
    with pytest.raises(Refusal, match=r"on the disk of /, and .* GB are free"):
        machine.check()


def test_two_runs_at_a_time_are_refused(unlocked, capsys):
    with command.LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert command.main([]) == 1
    assert capsys.readouterr().err == "bench: another run of the benchmarks is under way.\n"


def test_an_interrupted_run_writes_nothing(monkeypatch, an_engine, unlocked, capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    def written(results):
        raise AssertionError("figures of half a run were written")

    monkeypatch.setattr(machine, "available_memory", lambda: 2**40)
    monkeypatch.setattr(machine, "DISK", 0)
    monkeypatch.setattr(command, "measure", interrupted)
    monkeypatch.setattr(report, "write", written)
    assert command.main([]) == 130
    assert capsys.readouterr().err.startswith("bench: interrupted; nothing is left running")


def test_an_unknown_subject_is_refused(unlocked, capsys):
    with pytest.raises(SystemExit):
        command.main(["--only", "weather"])
    assert "invalid choice: 'weather'" in capsys.readouterr().err
