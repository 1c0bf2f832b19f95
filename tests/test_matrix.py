"""The bakes of the suite: every pair of answers meets in one of them."""

from itertools import combinations, product

import pytest

from tests import matrix

ANSWERS = {
    "postgresql_version": ["18", "17"],
    "app_server": ["uwsgi", "gunicorn"],
    "proxy": ["nginx-letsencrypt", "nginx", "none"],
    "use_allauth": [True, False],
    "ci": ["github", "gitlab", "none"],
}


@pytest.fixture
def more_answers(monkeypatch):
    monkeypatch.setattr(matrix, "CHOICES", ANSWERS)


def test_a_choice_of_the_template_is_in_the_matrix():
    assert matrix.CHOICES["postgresql_version"] == ["18", "17"]


def test_free_text_is_not_in_the_matrix():
    assert "project_name" not in matrix.CHOICES


def test_every_value_is_baked():
    assert {bake["postgresql_version"] for bake in matrix.pairwise()} == {"18", "17"}


def test_every_pair_of_answers_meets_in_a_bake(more_answers):
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
    assert possible - met == set()


def test_each_bake_answers_everything(more_answers):
    assert {tuple(bake) for bake in matrix.pairwise()} == {tuple(ANSWERS)}


def test_there_are_far_fewer_bakes_than_combinations(more_answers):
    # The combinations are 72; no set that holds every pair has fewer than the 3 x 3 of proxy and ci.
    assert 9 <= len(matrix.pairwise()) <= 12


def test_a_new_answer_joins_by_existing(monkeypatch):
    monkeypatch.setattr(matrix, "CHOICES", {"app_server": ["uwsgi"], "worker": ["none", "celery"]})
    assert {bake["worker"] for bake in matrix.pairwise()} == {"none", "celery"}


def test_each_bake_has_a_name_of_its_own(more_answers):
    names = [matrix.label(bake) for bake in matrix.pairwise()]
    assert len(set(names)) == len(names)


def test_a_name_says_the_answers():
    assert matrix.label({"app_server": "uwsgi", "ci": "none"}) == "app_server=uwsgi+ci=none"
