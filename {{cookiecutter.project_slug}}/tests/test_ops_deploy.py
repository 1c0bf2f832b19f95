"""The parts of a deploy that decide without asking Docker."""

import json
from dataclasses import asdict, replace
from datetime import datetime, timezone
from types import MappingProxyType

import pytest

from ops import compose, docker
from ops.compose import Service, has_fixed_address, split_image
from ops.compose import service as make_service
from ops.deploy import first_start, history, links, planning, releases, waiting
from ops.deploy.current import all_serve, serving_containers
from ops.deploy.history import Deploy
from ops.deploy.listing import table
from ops.deploy.site import (
    Refused,
    Site,
    refuse_another_network,
    refuse_what_cannot_be_deployed,
)
from ops.deploy.tidying import leftovers
from ops.docker import Condition, Container, Image

NOW = datetime(2026, 1, 2, 15, 4, 5, tzinfo=timezone.utc)


def service(name: str, **changed) -> Service:
    """Return a service of the app's image, which runs once and depends on nothing."""
    plain = Service(
        name=name,
        image="shop:latest",
        built=False,
        replicas=1,
        depends_on=MappingProxyType({}),
        profiles=(),
        volumes=frozenset(),
        writable=frozenset(),
        ports=(),
        has_fixed_address=False,
        volumes_from=(),
        written_at_start=(),
        environment=MappingProxyType({}),
        restarts=True,
        order="",
        container_name="",
        host_name="",
    )
    return replace(plain, **changed)


def container(service: str, number: int = 1, **changed) -> Container:
    """Return a running container of the release `old` of a service."""
    plain = Container(
        id=f"{service}{number}".ljust(64, "0"),
        name=f"shop-{service}-{number}",
        service=service,
        state="running",
        status="Up 2 minutes",
        image="sha256:old",
        config_hash=f"hash of {service}",
        oneoff=False,
        created=NOW,
    )
    return replace(plain, **changed)


def site(*services: Service, containers=(), images=()) -> Site:
    """Return a stack of the app, these services and these containers."""
    app = service(
        "app", built=True, image="shop:20260102-150405", writable=frozenset({"media"})
    )
    named = {one.name: one for one in (app, *services)}
    return Site(
        stack="shop",
        services=named,
        hashes={name: f"hash of {name}" for name in named},
        containers=list(containers),
        images=[
            Image("shop", "20260102-150405", "sha256:new"),
            Image("shop", "20260101-000000", "sha256:old"),
            Image("valkey", "8", "sha256:valkey"),
            *images,
        ],
    )


NEW = "20260102-150405"


def planned(stack: Site) -> tuple[list[str], list[str]]:
    """Return the names of the services that start beside the old ones, and that are replaced in place."""
    plan = planning.plan(stack, NEW)
    return [one.name for one in plan.beside], [one.name for one in plan.in_place]


# Networks


@pytest.mark.parametrize(
    ("networks", "words"),
    [({"shop_frontend": False}, "with"), ({"shop_frontend": True}, ""), ({}, "")],
)
def test_a_network_that_would_be_made_anew_stops_a_deploy(monkeypatch, networks, words):
    """Compose stops all containers in such a network, also for `run`."""
    monkeypatch.setattr(docker, "networks", lambda stack: networks)
    proxy = service("nginx", networks={"shop_frontend": True})
    stack = site(proxy, containers=[container("nginx", config_hash="another")])
    if not words:
        refuse_another_network(stack)
        return
    with pytest.raises(Refused, match=f"{words} IPv6: .* up -d --build --wait$"):
        refuse_another_network(stack)


def test_networks_are_looked_at_only_when_nginx_has_changed(monkeypatch):
    monkeypatch.delattr(docker, "networks")
    proxy = service("nginx", networks={"shop_frontend": True})
    refuse_another_network(site(proxy, containers=[container("nginx")]))


def test_compose_says_which_networks_have_ipv6():
    listed = {
        "frontend": {"name": "shop_frontend", "enable_ipv6": True},
        "backend": {"name": "shop_backend", "internal": True},
        "other": {"name": "other", "external": True, "enable_ipv6": True},
    }
    said = {"networks": {"frontend": None, "backend": None, "other": None}}
    found = compose.networks(said, {"networks": listed})
    assert found == {"shop_frontend": True, "shop_backend": False}


# What happens to a service


def test_a_worker_of_the_apps_image_is_replaced_with_the_app():
    stack = site(service("worker"), containers=[container("app"), container("worker")])
    assert planned(stack) == (["app", "worker"], [])


def test_a_service_of_another_image_that_has_not_changed_stays():
    cache = service("cache", image="valkey:8")
    stack = site(cache, containers=[container("cache", image="sha256:valkey")])
    assert planned(stack) == (["app"], [])


def test_a_service_of_another_image_that_has_changed_is_replaced_in_place():
    cache = service("cache", image="valkey:8")
    stack = site(
        cache,
        containers=[container("cache", image="sha256:valkey", config_hash="before")],
    )
    assert planned(stack) == (["app"], ["cache"])


def test_a_service_that_is_new_starts_beside_the_app():
    assert planned(site(service("cache", image="valkey:8"))) == (["app", "cache"], [])


@pytest.mark.parametrize(
    "only_one",
    [
        pytest.param({"ports": ("5555",)}, id="published-port"),
        pytest.param({"order": "stop-first"}, id="stop-first"),
        pytest.param({"container_name": "beat"}, id="container-name"),
        pytest.param({"host_name": "beat"}, id="hostname"),
        pytest.param({"has_fixed_address": True}, id="fixed-address"),
        pytest.param({"writable": frozenset({"schedule"})}, id="own-data"),
    ],
)
def test_what_cannot_run_twice_is_replaced_in_place(only_one):
    stack = site(
        service("beat", **only_one), containers=[container("app"), container("beat")]
    )
    assert planned(stack) == (["app"], ["beat"])


def test_the_database_that_somebody_stopped_is_started_and_not_replaced():
    stack = site(
        service("postgres", image="postgres:1"),
        containers=[
            container("app"),
            container("postgres", state="exited", image="sha256:pg"),
        ],
        images=[Image("postgres", "1", "sha256:pg")],
    )
    assert planned(stack) == (["app"], [])


def test_a_service_that_may_run_twice_says_so_itself():
    beat = service("beat", writable=frozenset({"schedule"}), order="start-first")
    assert planned(site(beat, containers=[container("beat")])) == (["app", "beat"], [])


def test_a_service_behind_a_profile_is_left_alone_until_it_runs():
    flower = service("flower", profiles=("tools",))
    assert planned(site(flower)) == (["app"], [])
    assert planned(site(flower, containers=[container("flower")])) == (
        ["app", "flower"],
        [],
    )


def test_a_one_off_service_runs_again_with_each_release():
    seed = service("seed", restarts=False)
    ended = container("seed", state="exited", status="Exited (0) 2 minutes ago")
    assert planned(site(seed, containers=[ended])) == (["app", "seed"], [])


def test_a_restart_that_users_notice_needs_consent():
    cache = service("cache", image="valkey:8")
    stack = site(cache, service("flower", image="flower"))
    app = replace(stack.app, depends_on={"cache": "service_healthy"})
    stack = replace(stack, services={**stack.services, "app": app})
    assert planning.needs_consent(stack, stack.services["cache"])
    assert not planning.needs_consent(stack, stack.services["flower"])


def test_services_start_after_those_they_depend_on():
    services = {
        "app": service("app", depends_on={"cache": "service_healthy", "seed": "x"}),
        "cache": service("cache"),
        "seed": service("seed", depends_on={"cache": "service_started"}),
        "worker": service("worker"),
    }
    groups = planning.start_order(services, services)
    assert groups == [["cache", "worker"], ["seed"], ["app"]]


# What is refused


@pytest.mark.parametrize(
    ("services", "words"),
    [
        pytest.param(
            [service("app", image="shop:1", host_name="app")], "hostname", id="hostname"
        ),
        pytest.param(
            [service("proxy", volumes=frozenset({"sockets"}))],
            "could take over",
            id="socket-volume",
        ),
        pytest.param(
            [service("log", volumes_from=("app",))],
            "could take over",
            id="volumes-from",
        ),
        pytest.param(
            [service("w", written_at_start=("token",))], "use file:", id="secret"
        ),
        pytest.param([service("app", image="other:1")], "STACK_NAME", id="other-name"),
    ],
)
def test_a_stack_that_cannot_be_deployed_is_refused_in_one_sentence(services, words):
    with pytest.raises(Refused) as refused:
        refuse_what_cannot_be_deployed(site(*services))
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["20250101-000000", "a;b", "$(date)", "a b", "-x", ""])
def test_a_release_that_is_not_here_is_refused(name):
    with pytest.raises(Refused):
        releases.check_wanted(site(), name)


# Conditions


def condition(**changed) -> Condition:
    plain = Condition(
        id="1",
        name="shop-worker-1",
        state="running",
        health="",
        restarts=0,
        exit_code=0,
        out_of_memory=False,
        error="",
        probe="",
        started="2026-01-02T15:04:05.123456789Z",
    )
    return replace(plain, **changed)


def test_a_container_without_a_health_check_is_ready_when_it_has_run_for_three_seconds():
    assert not waiting.ready(condition(), waiting.STARTED, 2)
    assert waiting.ready(condition(), waiting.STARTED, 3)


def test_a_container_with_a_health_check_is_ready_when_it_is_healthy():
    assert not waiting.ready(condition(health="starting"), waiting.HEALTHY, 100)
    assert waiting.ready(condition(health="healthy"), waiting.HEALTHY, 0)


def test_a_one_off_is_ready_when_it_has_ended_well():
    ended = condition(state="exited", health="unhealthy")
    assert waiting.ready(ended, waiting.COMPLETED, 0)
    assert waiting.failure(ended, waiting.COMPLETED, fresh=True) == ""
    assert "exit status 3" in waiting.failure(
        replace(ended, exit_code=3), waiting.COMPLETED, fresh=True
    )


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(
            condition(state="exited", exit_code=1), "exit status 1", id="ended"
        ),
        pytest.param(condition(state="restarting"), "ended", id="restarting"),
        pytest.param(condition(restarts=1), "ended", id="restarted"),
        pytest.param(
            condition(state="paused"), "docker unpause shop-worker-1", id="paused"
        ),
        pytest.param(
            condition(health="unhealthy", probe="no queue"), "no queue", id="unhealthy"
        ),
        pytest.param(
            condition(error="port is taken"), "port is taken", id="not-started"
        ),
        pytest.param(
            condition(state="exited", exit_code=137, out_of_memory=True),
            "memory",
            id="memory",
        ),
    ],
)
def test_a_container_that_cannot_become_ready_says_why(seen, words):
    assert words in waiting.failure(seen, waiting.STARTED, fresh=True)


def test_an_old_container_that_was_restarted_once_is_fine():
    assert waiting.failure(condition(restarts=5), waiting.STARTED, fresh=False) == ""


def test_a_container_that_was_restarted_has_no_exit_status_any_more():
    seen = condition(restarts=1, exit_code=0)
    assert (
        waiting.failure(seen, waiting.STARTED, fresh=True) == "ended and was restarted"
    )


@pytest.mark.parametrize(
    ("profiles", "state", "belongs"),
    [
        ((), "exited", True),
        (("tools",), "running", True),
        (("tools",), "exited", False),
    ],
)
def test_a_stopped_service_of_a_profile_does_not_belong_to_a_start(
    profiles, state, belongs
):
    tool = service("tool", profiles=profiles)
    one = container("tool", state=state)
    assert first_start.belongs_to(site(tool, containers=[one]), one) is belongs


# Links

TABLE = """\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000003 00000000 00000000 0001 03 901 /run/app/aaaaaaaaaaaa.sock
0000000000000000: 00000003 00000000 00000000 0001 02 902 /run/app/aaaaaaaaaaaa.sock
0000000000000000: 00000003 00000000 00000000 0001 03 903 /run/app/bbbbbbbbbbbb.sock
0000000000000000: 00000003 00000000 00000000 0001 03 904
"""


def test_connections_are_counted_for_each_socket():
    assert links.connections(TABLE, ["aaaaaaaaaaaa"]) == 2
    assert links.connections(TABLE, ["aaaaaaaaaaaa", "bbbbbbbbbbbb"]) == 3
    assert links.connections(TABLE, ["cccccccccccc"]) == 0


def test_draining_ends_after_two_looks_without_a_connection(monkeypatch):
    monkeypatch.setattr(links, "PAUSE", 0)
    tables = iter([TABLE, "", TABLE, "", ""])
    assert links.drain(["aaaaaaaaaaaa"], lambda: next(tables))
    assert list(tables) == []


# Releases and history


def deployed(release: str, **changed) -> Deploy:
    plain = Deploy(
        release, "2026-01-02T15:04:05Z", "dana", "3f2a91c", "deploy", history.SERVES
    )
    return replace(plain, **changed)


def test_the_history_is_read_as_it_was_written(tmp_path):
    rows = [
        deployed("20260101-000000"),
        deployed(NEW, outcome=history.WENT_BACK, reason="é"),
    ]
    for row in rows:
        history.append(tmp_path / "shop", row)
    with history.history_file(tmp_path / "shop").open("a") as file:
        file.write('{"release": "half')
    with history.history_file(tmp_path / "shop").open("ab") as file:
        file.write(
            b"\n\xff\n" + json.dumps({**asdict(rows[0]), "release": None}).encode()
        )
    assert history.read(tmp_path / "shop") == rows
    history.append(tmp_path / "shop", rows[0])
    assert history.read(tmp_path / "shop") == [*rows, rows[0]]


def test_a_rollback_makes_the_release_before_it_the_previous_one():
    rows = [deployed("a"), deployed("b"), deployed("a", kind="rollback")]
    assert history.served_releases(rows) == ["a", "b"]


def test_releases_that_never_served_are_removed_first():
    images = [
        Image("shop", f"2026010{day}-000000", f"sha256:{day}") for day in range(3, 8)
    ]
    stack = site(images=images)
    rows = [deployed(f"2026010{day}-000000") for day in (3, 4, 5, 7)]
    order = releases.order_releases(stack, rows)
    assert sorted(releases.stale_images(stack, order, "20260107-000000")) == [
        "shop:20260101-000000",
        "shop:20260102-150405",
        "shop:20260103-000000",
        "shop:20260106-000000",
    ]


def test_the_list_shows_who_deployed_what_and_how_it_ended():
    rows = [
        deployed("20260101-000000"),
        deployed(NEW, user="ci", outcome=history.WENT_BACK, reason="no queue"),
        deployed("20260101-000000", kind="rollback"),
    ]
    lines = [line.split() for line in table(site(), rows, "sha256:old").splitlines()]
    moment = ["2026-01-02", "15:04:05"]
    assert lines[1] == [
        "20260101-000000",
        *moment,
        "dana",
        "3f2a91c",
        "serves,",
        "rollback",
    ]
    assert lines[2] == [NEW, *moment, "ci", "3f2a91c", "went", "back:", "no", "queue"]
    assert lines[3] == ["20260101-000000", *moment, "dana", "3f2a91c"]


# What a killed deploy left


def proxy(*volumes: str) -> Container:
    return container("nginx", volumes=volumes or ("shop_nginx", "shop_sockets"))


def test_one_running_container_gets_the_requests_wherever_the_links_point():
    assert all_serve(site(containers=[container("app"), proxy()]))


def test_of_two_containers_that_should_serve_both_have_to_be_of_one_release():
    two = service("app", replicas=2)
    assert all_serve(
        site(two, containers=[container("app"), container("app", 2), proxy()])
    )
    new = container("app", 2, image="sha256:new")
    assert not all_serve(site(two, containers=[container("app"), new, proxy()]))


@pytest.mark.parametrize(
    "containers",
    [
        [proxy()],
        [container("app")],
        [container("app"), proxy("shop_nginx")],
        [container("app", state="exited"), proxy()],
        [container("app"), container("app", 2), proxy()],
        [container("app"), container("app", 2, image="sha256:new"), proxy()],
    ],
    ids=[
        "no app",
        "no nginx",
        "an older version",
        "stopped",
        "too many",
        "two releases",
    ],
)
def test_else_the_links_have_to_be_looked_at(containers):
    assert not all_serve(site(containers=containers))


def test_the_apps_containers_without_a_link_are_left_over():
    stack = site(containers=[container("app"), container("app", 2, image="sha256:new")])
    hosts = [container("app").host_name]
    assert serving_containers(stack, hosts) == [container("app")]
    left = leftovers(stack, hosts, [container("app")], "20260101-000000")
    assert [one.name for one in left] == ["shop-app-2"]


def test_a_container_that_serves_is_known_by_its_id():
    """Its status, such as "Up 2 minutes", has changed since it was seen to serve."""
    stack = site(containers=[container("app", status="Up 3 minutes")])
    assert leftovers(stack, [], [container("app")], "20260101-000000") == []


def test_of_two_workers_the_one_of_the_release_that_serves_is_kept():
    stack = site(
        service("worker"),
        containers=[
            container("app"),
            container("worker", 2, image="sha256:new"),
            container("worker"),
        ],
    )
    current = [container("app").host_name]
    left = leftovers(stack, current, [container("app")], "20260101-000000")
    assert [one.name for one in left] == ["shop-worker-2"]


@pytest.mark.parametrize(
    ("wanted", "release"),
    [
        ("shop:20260101-000000", "20260101-000000"),
        ("shop:latest", "20260101-000000"),
        ("registry.example.com/shop:1.4", "20260101-000000"),
        ("registry.example.com/shop:1.5", "registry.example.com/shop:1.5"),
        ("20260101-000000", "20260101-000000"),
    ],
)
def test_an_image_that_is_a_release_here_is_that_release(wanted, release):
    names = [
        ("shop", "20260101-000000"),
        ("shop", "latest"),
        ("registry.example.com/shop", "1.4"),
    ]
    stack = site(images=[Image(*name, "sha256:one") for name in names])
    assert releases.known_release(stack, [], wanted) == release


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("valkey", ("valkey", "latest")),
        ("valkey:8", ("valkey", "8")),
        ("localhost:5000/shop", ("localhost:5000/shop", "latest")),
        ("localhost:5000/shop:1", ("localhost:5000/shop", "1")),
    ],
)
def test_the_name_of_an_image_is_taken_apart(image, parts):
    assert split_image(image) == parts


@pytest.mark.parametrize(
    ("said", "fixed"),
    [
        ({}, False),
        ({"networks": {"backend": None}}, False),
        ({"networks": {"backend": {"aliases": ["queue"]}}}, False),
        ({"networks": {"backend": {"ipv4_address": "172.20.0.9"}}}, True),
        ({"network_mode": "host"}, True),
        ({"network_mode": "service:app"}, True),
        ({"network_mode": "none"}, False),
    ],
)
def test_an_address_that_only_one_container_can_have_is_seen(said, fixed):
    assert has_fixed_address(said) is fixed


def test_configs_and_secrets_without_a_file_are_seen():
    project = {
        "configs": {"words": {"content": "hello"}, "page": {"file": "/srv/page.html"}},
        "secrets": {"token": {"environment": "TOKEN"}, "key": {"external": True}},
    }
    said = {
        "configs": [{"source": "words"}, {"source": "page"}],
        "secrets": [{"source": "token"}, {"source": "key"}],
    }
    assert make_service("worker", said, "shop", project).written_at_start == (
        "words",
        "token",
    )


def test_an_image_with_a_tag_of_its_own_is_kept_for_each_release():
    side = service("side", built=True, image="side:1.0")
    stack = site(side)
    assert releases.plain_tags(stack) == {"shop": "latest", "side": "1.0"}


def test_workers_whose_number_was_lowered_are_not_left_over():
    workers = [container("worker"), container("worker", 2)]
    stack = site(service("worker"), containers=[container("app"), *workers])
    assert leftovers(stack, [], [container("app")], "20260101-000000") == []


def test_what_a_service_can_write_to_is_told_from_what_it_reads():
    mounts = [
        {"type": "volume", "source": "media", "target": "/app/media"},
        {
            "type": "volume",
            "source": "static",
            "target": "/srv/static",
            "read_only": True,
        },
        {"type": "bind", "source": "/srv/data", "target": "/data"},
        {"type": "bind", "source": "/srv/conf", "target": "/conf", "read_only": True},
        {"type": "volume", "target": "/anonymous"},
        {"type": "tmpfs", "target": "/tmp"},
    ]
    made = make_service("worker", {"volumes": mounts}, "shop")
    assert made.volumes == {"media", "static"}
    assert made.writable == {"media", "/srv/data"}
