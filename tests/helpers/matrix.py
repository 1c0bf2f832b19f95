"""The bakes worth testing: together they hold every pair of answers that may meet."""

import json
from itertools import combinations, product
from math import prod
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTEXT = json.loads((ROOT / "cookiecutter.json").read_text())
CHOICES = {
    name: [default, not default] if isinstance(default, bool) else default
    for name, default in CONTEXT.items()
    if isinstance(default, (bool, list)) and not name.startswith("_")
}


def pairs(answers: dict) -> set:
    """Return what a bake shows: each answer by itself, and each two of them together."""
    return {*combinations(answers.items(), 1), *combinations(answers.items(), 2)}


def weight(pair: tuple) -> int:
    """Return how many pairs the same answers make: with many, they need the most bakes."""
    return prod(len(CHOICES[name]) for name, _ in pair)


def pairwise() -> list[dict]:
    """Greedy cover: keep taking the bake that shows the most of the pairs not seen yet."""
    candidates = [dict(zip(CHOICES, values, strict=True)) for values in product(*CHOICES.values())]
    unseen = set().union(*map(pairs, candidates))
    chosen = []
    while unseen:
        chosen.append(max(candidates, key=lambda bake: sum(map(weight, pairs(bake) & unseen))))
        unseen -= pairs(chosen[-1])
    return chosen


def once_for_each(option: str) -> list:
    """Return the variants as parameters; only the first with each value of the option is in make test."""
    values = set()
    chosen = []
    for answers in pairwise():
        marks = [pytest.mark.exhaustive] if answers[option] in values else []
        chosen.append(pytest.param(answers, id=label(answers), marks=marks))
        values.add(answers[option])
    return chosen


def label(answers: dict) -> str:
    """Return the bake's name, such as app_server:uwsgi+ci:none: pytest -k selects by it, or a part."""
    return "+".join(f"{name}:{value}".lower() for name, value in answers.items())
