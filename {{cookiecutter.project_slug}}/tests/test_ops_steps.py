"""Steps of a deploy, and what runs programs, with functions in the place of Docker."""

import json
import os
import signal
import threading
import time

import pytest

from ops import compose, docker
from ops.commands import deploy_commit
from ops.deploy import creating, deployment, in_place, interruption, links
from ops.deploy.report import StepFailed, step
from ops.deploy.site import Refused
from ops.process import CommandFailed, run, side_by_side
from tests.test_ops_deploy import container, service, site


@pytest.fixture
def stack(monkeypatch):
    """A stack with an old and a new container of the service `cache`; asked for what was done to them."""
    done = []
    old, new = container("cache"), container("cache", 2)
    seen = site(service("cache", image="valkey:8"), containers=[old])
    monkeypatch.setattr(in_place, "look", lambda release: seen)
    monkeypatch.setattr(compose, "create", lambda counts: None)
    monkeypatch.setattr(docker, "containers", lambda name: [old, new])
    for name in ("start", "stop", "remove"):
        monkeypatch.setattr(
            docker, name, lambda ids, name=name: done.append((name, *ids))
        )
    monkeypatch.setattr(in_place, "ignore_signals", lambda: None)
    monkeypatch.setattr(in_place, "keep_logs", lambda name, containers: None)
    return seen, old, new, done


def test_the_old_container_runs_again_when_the_new_one_fails_and_cannot_be_removed(
    stack, monkeypatch
):
    seen, old, new, done = stack

    def fail(*arguments):
        raise CommandFailed(["docker"], 1, "no")

    monkeypatch.setattr(in_place, "wait", fail)
    monkeypatch.setattr(docker, "remove", fail)
    with pytest.raises(CommandFailed):
        in_place.replace_service(seen.services["cache"])
    assert done == [("stop", old.id), ("start", new.id), ("start", old.id)]


def test_a_container_that_was_removed_does_not_hide_the_healthy_one(monkeypatch):
    one = container("app")
    state = {
        "Status": "running",
        "ExitCode": 0,
        "OOMKilled": False,
        "Error": "",
        "StartedAt": "",
    }
    seen = {"Id": one.id, "Name": "/shop-app-1", "RestartCount": 0, "State": state}
    inspected = f"{json.dumps([seen])}\nError: No such object: gone\n"

    def inspect(*command, **options):
        raise CommandFailed(command, 1, inspected)

    monkeypatch.setattr(docker, "run", inspect)
    assert deployment.healthy_containers([one, container("app", 2)]) == [one]


def test_the_oldest_container_of_the_app_is_asked_for_the_links(monkeypatch):
    """The new one, which docker ps names first, may be restarting."""
    asked = []
    monkeypatch.setattr(links, "show", lambda one: asked.append(one) or {"1": "host"})
    assert creating.linked_hosts([container("app", 2), container("app")]) == {"host"}
    assert asked == [container("app").id]


def test_a_refusal_in_the_middle_of_a_deploy_fails_the_step():
    with pytest.raises(StepFailed, match="Building failed: no"), step("Building"):
        raise Refused("no")


@pytest.mark.parametrize(("status", "answer"), [(0, True), (1, False)])
def test_a_commit_is_in_a_branch_or_not(monkeypatch, status, answer):
    def git(*command, **options):
        if status:
            raise CommandFailed(command, status, "")

    monkeypatch.setattr(deploy_commit, "run", git)
    assert deploy_commit.is_ancestor("a", "b") is answer


def test_what_git_cannot_say_is_said_in_its_words(monkeypatch):
    def git(*command, **options):
        raise CommandFailed(
            command, 128, "fatal: no upstream configured for branch 'main'\n"
        )

    monkeypatch.setattr(deploy_commit, "run", git)
    with pytest.raises(Refused, match="fatal: no upstream configured"):
        deploy_commit.is_ancestor("a", "@{upstream}")


def test_a_signal_waits_for_the_programs_that_run_side_by_side(tmp_path, monkeypatch):
    ended = tmp_path / "ended"
    monkeypatch.setattr(interruption, "ignore_signals", lambda: None)
    before = signal.signal(signal.SIGTERM, interruption.raise_interrupted)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        with pytest.raises(interruption.Interrupted):
            side_by_side(
                lambda: run("sh", "-c", f"sleep 0.6; touch {ended}"),
                lambda: time.sleep(0.1),
            )
        assert ended.exists()
    finally:
        timer.cancel()
        signal.signal(signal.SIGTERM, before)
