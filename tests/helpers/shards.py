"""Divide a run of the tests into shards that take about the same time.

The tests of a group share what they start, so a group is never divided; pytest-split divides by test.
"""

import json
import sys
from collections import defaultdict

import pytest

from tests.helpers.matrix import ROOT, label

# The mean of each file's tests, measured. A file that is not listed yet gets UNKNOWN.
RECORDED = json.loads((ROOT / "tests/helpers/seconds.json").read_text())
UNKNOWN = 3.0


def parse(text: str) -> tuple[int, int]:
    """Return the number of a shard and the count of shards, from text such as "2/5".

    Raises ValueError, with a sentence, for any other text.
    """
    number, _, count = text.partition("/")
    if number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise ValueError(f"SHARD is a number and how many shards there are, such as 2/5, not {text!r}.")


def parameter(item: pytest.Item, name: str):
    """Return what a test is parametrized with by this name, or None."""
    return item.callspec.params.get(name) if hasattr(item, "callspec") else None


def app_server(item: pytest.Item) -> str:
    """Return the app server whose stack a test uses, or nothing where it has no choice."""
    return parameter(item, "app_server") or ""


def file_of(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT).as_posix()


def group(item: pytest.Item) -> str:
    """Name the tests that share what one of them starts.

    These are the tests of a variant on a running stack; else those of a file and an app server.
    """
    answers = parameter(item, "answers")
    if answers and file_of(item).startswith("tests/running/"):
        return label(answers)
    return f"{file_of(item)} {app_server(item)}"


def totals(items: list[pytest.Item]) -> dict[str, float]:
    """Return about how many seconds each group of these tests takes."""
    seconds: dict[str, float] = defaultdict(float)
    for item in items:
        seconds[group(item)] += RECORDED.get(file_of(item), UNKNOWN)
    return seconds


def divide(seconds: dict[str, float], count: int) -> list[set[str]]:
    """Divide groups, each with its seconds, into `count` shards.

    The longest group first, each goes to the shard that has the least to do so far.
    """
    shards: list[set[str]] = [set() for _ in range(count)]
    work = [0.0] * count
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        lightest = work.index(min(work))
        shards[lightest].add(name)
        work[lightest] += seconds[name]
    return shards


def choose(items: list[pytest.Item], text: str) -> list[pytest.Item]:
    """Return the tests of one shard, such as "2/5", in their order."""
    number, count = parse(text)
    mine = divide(totals(items), count)[number - 1]
    return [item for item in items if group(item) in mine]


if __name__ == "__main__":
    try:
        parse(sys.argv[1])
    except ValueError as refusal:
        sys.exit(str(refusal))
