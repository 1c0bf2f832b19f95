"""The bakes of the suite: every pair of answers meets in one of them."""

import re
import subprocess
import sys
from itertools import combinations, product

import pytest

from tests.helpers import matrix

ANSWERS = {
    "postgresql_version": ["18", "17"],
    "app_server": ["uwsgi", "gunicorn"],
    "proxy": ["nginx-letsencrypt", "nginx", "none"],
    "use_allauth": [True, False],
    "ci": ["github", "gitlab", "none"],
}
DEFAULT = {
    "postgresql_version": "18",
    "app_server": "uwsgi",
    "proxy": "nginx-letsencrypt",
    "use_allauth": True,
    "ci": "github",
}


@pytest.fixture
def names() -> list[str]:
    return [matrix.label(bake) for bake in matrix.pairwise()]


def test_the_choices_are_those_of_the_template():
    assert matrix.CHOICES == ANSWERS


def test_every_pair_of_answers_meets_in_a_bake():
    met = {
        ((one, bake[one]), (two, bake[two]))
        for bake in matrix.pairwise()
        for one, two in combinations(ANSWERS, 2)
    }
    possible = {
        ((one, value), (two, other))
        for one, two in combinations(ANSWERS, 2)
        for value, other in product(ANSWERS[one], ANSWERS[two])
    }
    assert len(possible) == 57
    assert possible - met == set()


def test_each_bake_answers_everything():
    assert {tuple(bake) for bake in matrix.pairwise()} == {tuple(ANSWERS)}


def test_the_default_answers_are_the_first_bake():
    assert matrix.pairwise()[0] == DEFAULT


def test_there_are_far_fewer_bakes_than_combinations():
    # The combinations are 72; no set that holds every pair has fewer than the 3 x 3 of proxy and ci.
    assert 9 <= len(matrix.pairwise()) <= 10


def test_a_new_answer_joins_by_existing(monkeypatch):
    monkeypatch.setattr(matrix, "CHOICES", {"app_server": ["uwsgi"], "worker": ["none", "celery"]})
    assert {bake["worker"] for bake in matrix.pairwise()} == {"none", "celery"}


def test_a_new_answer_is_met_by_all_others(monkeypatch):
    monkeypatch.setattr(matrix, "CHOICES", ANSWERS | {"worker": ["none", "celery"]})
    met = {(bake["worker"], bake["proxy"]) for bake in matrix.pairwise()}
    assert met == {*product(["none", "celery"], ["nginx-letsencrypt", "nginx", "none"])}


# --- Names, which pytest -k takes ---


def test_a_name_says_the_answers():
    answers = {"app_server": "uwsgi", "use_allauth": True, "ci": "none"}
    assert matrix.label(answers) == "app_server:uwsgi+use_allauth:true+ci:none"


def test_each_bake_can_be_run_alone_by_its_name(names):
    # pytest -k looks for a part of the name.
    assert [one for one, other in product(names, names) if one in other] == names


def test_a_part_of_the_name_selects():
    # Where the answer ends there is a +, which tells proxy:nginx from proxy:nginx-letsencrypt.
    expression = "proxy:nginx+ and gunicorn"
    test = "tests/rendering/test_manifest.py::test_no_folder_is_empty"
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", test, "-k", expression]
    shown = subprocess.run(command, check=False, cwd=matrix.ROOT, capture_output=True, text=True)
    assert re.findall(r"\[(.*)\]", shown.stdout) == [
        "postgresql_version:17+app_server:gunicorn+proxy:nginx+use_allauth:false+ci:gitlab"
    ]
