"""Shards: together they run each test once, and what belongs together stays together."""

import pickle
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers import shards
from tests.helpers.matrix import ROOT
from tests.helpers.which_shard import parse


@pytest.mark.parametrize(("text", "parsed"), [("1/1", (1, 1)), ("2/5", (2, 5)), ("5/5", (5, 5))])
def test_a_shard_is_a_number_and_a_count(text, parsed):
    assert parse(text) == parsed


@pytest.mark.parametrize("text", ["", "2", "0/5", "6/5", "2/0", "-1/5", "a/b", "1/2/3", "1 / 2"])
def test_any_other_shard_is_refused_in_one_sentence(text):
    command = [sys.executable, "-m", "tests.helpers.which_shard", text]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"SHARD is a number and how many shards there are, such as 2/5, not {text!r}.\n"
    )


def test_shards_take_about_the_same_time():
    seconds = {"a": 50.0, "b": 30.0, "c": 20.0, "d": 20.0, "e": 10.0}
    assert shards.divide(seconds, 2) == [{"a", "d"}, {"b", "c", "e"}]
    assert shards.divide(seconds, 3) == [{"a"}, {"b", "e"}, {"c", "d"}]
    assert shards.divide(seconds, 6)[-1] == set()


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/faults/test_a.py::test_b", "tests/faults/test_a.py"),
        ("tests/faults/test_a.py::test_b[uwsgi]", "tests/faults/test_a.py"),
        ("tests/faults/test_a.py::test_b[-5-gunicorn]", "tests/faults/test_a.py gunicorn"),
        (f"tests/running/test_a.py::test_b[{shards.VARIANTS[3]}]", shards.VARIANTS[3]),
        (f"tests/running/test_a.py::test_b[{shards.VARIANTS[3]}-lint]", shards.VARIANTS[3]),
        (f"tests/rendering/test_a.py::test_b[{shards.VARIANTS[3]}]", "tests/rendering/test_a.py"),
    ],
)
def test_a_group_is_a_file_and_an_app_server_or_a_variant(test, group):
    assert shards.group(test) == group


def test_a_worker_gets_whole_groups():
    """Each worker that got a part of a group would start the group's stack once more."""
    files = ("tests/rendering/test_deploy_job.py", "tests/rendering/test_manifest.py")
    command = [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadgroup", *files]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    ran = re.findall(r"^\[(gw\d)\].* (tests/rendering/\w+\.py)::", done.stdout, re.MULTILINE)
    assert len(ran) > 20
    assert sorted({file for _, file in ran}) == sorted(file for _, file in {*ran})


@dataclass(frozen=True)
class Collected:
    """A test, the names of its markers, and the shards of three that run it."""

    name: str
    markers: set[str]
    shards: list[int]

    @property
    def file(self) -> Path:
        return Path(self.name.split("::")[0])


class Recorder:
    """A plugin of pytest that keeps what is collected, before any test is left out."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items) -> None:
        parts = [{*shards.choose(items, f"{number}/3")} for number in (1, 2, 3)]
        self.found = [
            Collected(
                item.nodeid,
                {marker.name for marker in item.iter_markers()},
                [number for number, part in enumerate(parts, 1) if item in part],
            )
            for item in items
        ]


COLLECT = """
import pickle, sys
import pytest
from tests.rendering.test_shards import Recorder
recorder = Recorder()
pytest.main(["--collect-only", "-qqq", "tests"], plugins=[recorder])
pickle.dump(recorder.found, open(sys.argv[1], "wb"))
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory) -> list[Collected]:
    """Collects all tests in a Python of its own: about 5 s."""
    file = tmp_path_factory.mktemp("collected") / "tests.pickle"
    subprocess.run([sys.executable, "-c", COLLECT, file], check=True, cwd=ROOT, capture_output=True)
    return pickle.loads(file.read_bytes())


def test_all_shards_together_run_each_test_once(suite):
    assert [test.name for test in suite if len(test.shards) != 1] == []
    counts = Counter(number for test in suite for number in test.shards)
    assert min(counts[number] for number in (1, 2, 3)) > len(suite) / 10


def test_the_folder_of_a_test_says_whether_it_needs_containers(suite):
    needs = {test.file.parent.name: set() for test in suite}
    for test in suite:
        needs[test.file.parent.name].add("containers" in test.markers)
    assert needs == {"rendering": {False}, "running": {True}, "browser": {True}, "faults": {True}}


def test_no_file_is_left_out_of_make_test(suite):
    """What is exhaustive repeats a promise that another test of the same file shows once."""
    files = {test.file for test in suite}
    assert files == {test.file for test in suite if "exhaustive" not in test.markers}


def test_a_shard_without_a_test_passes():
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--shard=9/9"]
    done = subprocess.run([*command, __file__], check=False, cwd=ROOT, capture_output=True)
    assert done.returncode == 0


def test_each_recorded_file_is_there():
    assert [file for file in shards.RECORDED if not (ROOT / file).exists()] == []
