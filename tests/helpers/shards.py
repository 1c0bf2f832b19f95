"""Divide a run of the tests into shards that take about the same time.

The tests of a group share what they start, so a group is never divided; pytest-split divides by test.
"""

import json
from collections import defaultdict

import pytest

from tests.helpers.matrix import ROOT, label, pairwise
from tests.helpers.which_shard import parse

# The mean of each file's tests, measured and divided by how many run at a time. A file that is not listed gets UNKNOWN.
RECORDED = json.loads((ROOT / "tests/helpers/seconds.json").read_text())
UNKNOWN = 3.0

VARIANTS = [*map(label, pairwise())]


def group(test: str) -> str:
    """Name the tests that share what one of them starts, from the node ID of one.

    These are the tests of a variant on a running stack; else those of a file and an app server.
    """
    file, _, rest = test.partition("::")
    parameters = rest.partition("[")[2].removesuffix("]")
    if file.startswith("tests/running/"):
        for variant in VARIANTS:
            if variant in parameters:
                return variant
    return f"{file} gunicorn" if "gunicorn" in parameters.split("-") else file


def totals(items: list[pytest.Item]) -> dict[str, float]:
    """Return about how many seconds each group of these tests takes."""
    seconds: dict[str, float] = defaultdict(float)
    for item in items:
        file = item.nodeid.partition("::")[0]
        seconds[group(item.nodeid)] += RECORDED.get(file, UNKNOWN)
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
    return [item for item in items if group(item.nodeid) in mine]
