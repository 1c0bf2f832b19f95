"""The checks of bin/doctor, which judge what was read, and the readers of text."""

import json
import os
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ops.compose import Service
from ops.docker import Condition, Container
from ops.doctor import (
    app,
    database,
    disk,
    engine,
    environment,
    memory,
    ports,
    printing,
    services,
)
from ops.doctor.findings import note, ok, unseen, wrong
from ops.doctor.machine import size
from ops.doctor.seen import (
    Configuration,
    Database,
    Disk,
    Inside,
    Machine,
    Owner,
    Page,
    Stack,
    StoredImage,
)
from ops.environment import read_file
from ops.process import CommandFailed

NOW = 1_800_000_000.0
WEB = Service(
    name="web",
    image="shop:latest",
    built=True,
    replicas=1,
    depends_on={},
    profiles=(),
    volumes=frozenset(),
    writable=frozenset(),
    has_fixed_address=False,
    volumes_from=(),
    written_at_start=(),
    ports=(),
    environment={},
    restarts=True,
    order="",
    container_name="",
    host_name="",
)
APP = replace(WEB, name="app")
RUNNING = Condition(
    id="a" * 64,
    name="shop-web-1",
    state="running",
    health="healthy",
    restarts=0,
    exit_code=0,
    out_of_memory=False,
    error="",
    probe="",
    started="2026-01-02T15:04:05.123456789Z",
)
MACHINE = Machine(
    owner=Owner(1000, 1000),
    engine={"SystemTime": "2027-01-15T08:00:00.5Z"},
    published={},
    images=[],
    volumes=frozenset(),
    bridges=3,
    build_cache=-1,
    disks=[],
    clock_is_synchronised=None,
    now=NOW,
)


CREATED = datetime(2026, 1, 2, tzinfo=timezone.utc)


def stack_of(*services: Service, conditions=(), **fields) -> Stack:
    """A production stack with these services; each condition is of a container of the first one."""
    configuration = Configuration(
        "production",
        "shop",
        {"services": {}},
        {service.name: service for service in services},
    )
    containers = [
        Container(
            one.id, one.name, services[0].name, one.state, "", "", "", False, CREATED
        )
        for one in conditions
    ]
    return Stack(
        configuration, containers, {one.id: one for one in conditions}, **fields
    )


def problems(findings) -> list[str]:
    return [finding.what for finding in findings if finding.level == "wrong"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"state": "exited"}, "web is stopped: it ended with exit status 0"),
        (
            {"state": "exited", "exit_code": 3},
            "web failed: it ended with exit status 3",
        ),
        (
            {"state": "exited", "exit_code": 137},
            "web is stopped: it ended with exit status 137",
        ),
        ({"state": "paused"}, "web is paused"),
        ({"state": "created"}, "web was created and never started"),
        ({"state": "restarting", "restarts": 4}, "web is restarting, 4 times so far"),
        ({"state": "dead"}, "web is dead"),
        ({"health": "unhealthy"}, "web is unhealthy"),
    ],
)
def test_a_service_that_does_not_run_well_is_named(changes, what):
    stack = stack_of(WEB, conditions=[replace(RUNNING, **changes)])
    assert problems(services.check_services(stack, MACHINE)) == [what]


def test_a_service_that_runs_well_is_fine():
    findings = services.check_services(stack_of(WEB, conditions=[RUNNING]), MACHINE)
    assert findings == [ok("production", "each service runs and is healthy")]


def test_what_an_interrupted_deploy_left_is_no_problem():
    left = replace(RUNNING, id="b" * 64, name="shop-web-2", state="exited")
    findings = services.check_services(
        stack_of(WEB, conditions=[RUNNING, left]), MACHINE
    )
    assert [(one.level, one.commands) for one in findings] == [
        ("note", ("docker rm shop-web-2",))
    ]


def test_services_that_wait_for_one_that_failed_are_named_at_once():
    created = [replace(RUNNING, id=letter * 64, state="created") for letter in "ab"]
    stack = stack_of(WEB, replace(WEB, name="cache"), conditions=created)
    first, second = stack.containers
    stack = replace(stack, containers=[first, replace(second, service="cache")])
    found = services.check_services(stack, MACHINE)
    assert problems(found) == ["cache, web were created and never started"]


def test_a_paused_container_is_unpaused_rather_than_started():
    paused = replace(RUNNING, state="paused")
    (finding,) = services.check_services(stack_of(WEB, conditions=[paused]), MACHINE)
    assert finding.commands == ("docker unpause shop-web-1",)


def test_what_killed_a_container_is_said():
    killed = replace(RUNNING, state="exited", exit_code=137, out_of_memory=True)
    (finding,) = services.check_services(stack_of(WEB, conditions=[killed]), MACHINE)
    assert (
        finding.why
        == "The kernel killed it: its memory limit was reached. Raise mem_limit."
    )


def test_a_one_off_service_may_end_with_success():
    once = replace(WEB, restarts=False)
    ended = replace(RUNNING, state="exited")
    assert (
        problems(services.check_services(stack_of(once, conditions=[ended]), MACHINE))
        == []
    )
    failed = replace(ended, exit_code=1)
    assert problems(
        services.check_services(stack_of(once, conditions=[failed]), MACHINE)
    ) == ["web failed: it ended with exit status 1"]


def test_a_service_that_another_one_waits_for_is_one_off():
    waiting = replace(
        WEB, name="b", depends_on={"web": "service_completed_successfully"}
    )
    stack = stack_of(WEB, waiting, conditions=[replace(RUNNING, state="exited")])
    assert problems(services.check_services(stack, MACHINE)) == ["b has no container"]


def test_a_recent_restart_is_a_problem_and_an_old_one_is_not():
    often = replace(RUNNING, restarts=2, started="2027-01-15T07:59:00Z")
    (finding,) = services.check_services(stack_of(WEB, conditions=[often]), MACHINE)
    assert finding.level == "wrong"
    long_ago = replace(often, started="2027-01-01T00:00:00Z")
    (finding,) = services.check_services(stack_of(WEB, conditions=[long_ago]), MACHINE)
    assert finding.level == "note"


def test_a_service_without_a_container_is_named_unless_nothing_runs():
    stack = stack_of(WEB, replace(WEB, name="cache"), conditions=[RUNNING])
    assert problems(services.check_services(stack, MACHINE)) == [
        "cache has no container"
    ]
    (finding,) = services.check_services(stack_of(WEB), MACHINE)
    assert (finding.level, finding.what) == ("note", "not running")


def test_a_service_behind_a_profile_need_not_run():
    stack = stack_of(
        WEB, replace(WEB, name="shell", profiles=("tools",)), conditions=[RUNNING]
    )
    assert problems(services.check_services(stack, MACHINE)) == []


def test_what_run_starts_is_not_a_stack_that_runs():
    needed = replace(WEB, name="postgres")
    on_demand = replace(
        WEB,
        name="tests",
        profiles=("tools",),
        depends_on={"postgres": "service_healthy"},
    )
    findings = services.check_services(
        stack_of(needed, on_demand, APP, conditions=[RUNNING]), MACHINE
    )
    assert [finding.what for finding in findings] == ["not running"]
    stopped = replace(RUNNING, state="exited")
    stack = stack_of(needed, on_demand, APP, conditions=[stopped])
    assert problems(services.check_services(stack, MACHINE)) == [
        "postgres is stopped: it ended with exit status 0"
    ]


def test_missing_copies_are_counted():
    stack = stack_of(replace(WEB, replicas=2), conditions=[RUNNING])
    assert problems(services.check_services(stack, MACHINE)) == [
        "web has 1 of 2 containers"
    ]


def test_processes_that_the_kernel_killed_are_named():
    stack = stack_of(WEB, conditions=[RUNNING], memory_kills={RUNNING.id: 2})
    assert problems(memory.check_memory(stack)) == [
        "web reached its memory limit: the kernel killed 2 processes"
    ]


@pytest.mark.parametrize(
    ("used", "free", "count"), [(89, 11, 0), (91, 9, 1), (0.1, 0.9, 1), (50, 50, 0)]
)
def test_a_disk_is_full_above_90_percent_or_below_1_gigabyte(used, free, count):
    one = Disk("/srv", "this project", int(used * 1e9), int(free * 1e9))
    assert len(problems(disk.check_disks(replace(MACHINE, disks=[one])))) == count


def test_much_that_nobody_needs_is_noted():
    unnamed = [StoredImage("<none>:<none>", 6_000_000_000)] * 2
    seen = replace(MACHINE, images=unnamed, build_cache=12_000_000_000)
    assert [finding.what for finding in disk.check_leftovers(seen)] == [
        "2 images without a name, up to 12.0 GB",
        "the build cache has 12.0 GB",
    ]
    assert disk.check_leftovers(MACHINE) == []


def test_old_base_images_are_noted():
    dates = {"shop:latest": NOW - 45 * 86400, "cache:1": NOW - 30 * 86400}
    (finding,) = disk.check_base_images(stack_of(WEB, base_dates=dates), MACHINE)
    assert (finding.level, finding.what) == (
        "note",
        "base images older than 30 days: shop:latest (45 days)",
    )


def test_few_address_ranges_are_a_problem_unless_an_owner_set_more():
    assert problems(engine.check_networks(replace(MACHINE, bridges=27))) == []
    many = replace(MACHINE, bridges=28)
    assert problems(engine.check_networks(many)) == [
        "28 networks use nearly all address ranges"
    ]
    pools = {"DefaultAddressPools": [{"Base": "10.0.0.0/8", "Size": 24}]}
    assert engine.check_networks(replace(many, engine=pools)) == []


def test_clocks_that_differ_are_a_problem():
    assert engine.check_clock(MACHINE) == []
    late = replace(MACHINE, engine={"SystemTime": "2027-01-15T07:58:00Z"})
    assert problems(engine.check_clock(late)) == [
        "the engine's clock differs from this machine's by 120 seconds"
    ]
    (finding,) = engine.check_clock(replace(MACHINE, clock_is_synchronised=False))
    assert finding.level == "note"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15T08:00:00.123456789Z", NOW),
        ("2027-01-15T10:00:00+02:00", NOW),
        ("2027-01-15 08:00:00 +0000 UTC", NOW),
        ("", 5.0),
    ],
)
def test_times_as_docker_writes_them(text, expected):
    assert engine.seconds(text, 5.0) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0B", 0), ("1.5kB", 1500), ("2.278GB", 2_278_000_000), ("N/A", -1)],
)
def test_sizes_as_docker_writes_them(text, expected):
    assert size(text) == expected


def with_releases(releases: tuple, **said) -> list[str]:
    seen = Database(
        major="18", migrations=3, first_migration="20260101-120000", filled_tables=2
    )
    return problems(
        database.check_content(
            stack_of(APP, database=replace(seen, **said), releases=releases)
        )
    )


def test_an_empty_database_is_a_problem_where_a_release_is():
    empty = ["the database is empty: it has no migrations"]
    assert with_releases((), migrations=-1, first_migration="") == []
    assert (
        with_releases(("20260101-115900",), migrations=-1, first_migration="") == empty
    )
    assert (
        with_releases(("20260101-115900",), migrations=0, first_migration="") == empty
    )


def test_a_database_that_is_newer_than_each_release_is_a_problem():
    made = ["the database was made at 20260101-120000, after the last deploy"]
    assert with_releases(("20260101-115900",)) == []  # the first deploy made it
    assert with_releases(("20260101-105900",)) == made
    assert with_releases(("20260101-115900", "20251231-000000")) == made
    assert with_releases(("20260101-130000", "20251231-000000")) == []


def test_mail_is_needed_where_the_public_comes():
    def levels(**environment) -> list[str]:
        stack = stack_of(replace(APP, environment=environment))
        return [finding.level for finding in app.check_mail(stack)]

    assert levels(DOMAIN="localhost,shop.test") == ["note"]
    assert levels(DOMAIN="localhost,shop.example.com") == ["wrong"]
    assert levels(DOMAIN="shop.example.com", EMAIL_URL="smtp://mail") == []


def test_a_mail_server_that_refuses_is_named():
    refused = Inside("ready", "Connection refused", "mail:25", None)
    stack = stack_of(
        replace(APP, environment={"EMAIL_URL": "smtp://mail"}), inside=refused
    )
    assert problems(app.check_mail(stack)) == [
        "the mail server mail:25 takes no connection from the app's container"
    ]


@pytest.mark.parametrize(
    ("page", "what"),
    [
        (Page("http://localhost/", 80, 502), ["http://localhost/ returns 502"]),
        (
            Page("http://localhost/", 80, 0, "timed out"),
            ["http://localhost/ is not served"],
        ),
        (Page("http://localhost/", 80, 401), []),
    ],
)
def test_the_home_page_is_served(page, what):
    stack = stack_of(APP, conditions=[RUNNING], page=page)
    assert (
        problems(app.check_page(stack, replace(MACHINE, published={80: "shop-web-1"})))
        == what
    )
    (finding,) = app.check_page(stack, replace(MACHINE, published={80: "other"}))
    assert finding.level == "not looked at"


def test_links_to_containers_that_do_not_serve_are_named():
    paused = replace(RUNNING, id="b" * 64, name="shop-app-2", state="paused")
    links = {"1": "a" * 12, "2": "b" * 12, "3": "c" * 12, "4": "a" * 12}
    said = {"release": "20260101-120000", "links": links, "dead": ["3", "4"]}
    seen = Inside("ready", "", "", said)
    stack = stack_of(APP, conditions=[RUNNING, paused], inside=seen)
    findings = app.check_links(stack)
    assert findings[0].commands == ("docker unpause shop-app-2",)
    assert problems(findings) == [
        "requests by link 2 go to shop-app-2, which is paused",
        "requests by link 3 go to cccccccccccc, which takes no connection",
        "requests by link 4 go to shop-web-1, which takes no connection",
    ]
    assert app.check_links(replace(stack, inside=replace(seen, links=None))) == []


def test_migrations_that_wait_are_a_problem():
    waiting = Inside("3 migrations wait to be applied", "", "", None)
    assert problems(app.check_readiness(stack_of(APP, inside=waiting))) == [
        "/readyz says: 3 migrations wait to be applied"
    ]


def test_ports_are_judged_by_who_has_them():
    port = {"target": 8000, "published": "8080", "protocol": "tcp"}
    said = {"services": {"web": {"ports": [port]}}}
    stack = stack_of(WEB, conditions=[RUNNING])
    stack = replace(stack, configuration=replace(stack.configuration, said=said))

    def judged(trial: str = "", holder: str = "") -> str:
        seen = replace(MACHINE, published={8080: holder} if holder else {})
        (finding,) = ports.check_ports(replace(stack, ports={8080: trial}), seen)
        return f"{finding.level}: {finding.what.partition(') ')[2]}"

    assert judged(holder="shop-web-1") == "ok: is this project's"
    assert judged(holder="other") == "wrong: is taken by the container other"
    assert judged(trial="free") == "ok: is free"
    assert (
        judged(trial="bind: address already in use")
        == "wrong: is taken by a program outside Docker"
    )
    assert judged(trial="no space") == "not looked at: "


def test_the_site_is_at_the_port_that_a_variable_of_env_sets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = {
        "adminer": {"ports": [{"target": 8080, "published": "9000"}]},
        "app": {"ports": [{"target": 8000, "published": "80"}]},
    }
    configuration = Configuration("production", "shop", {"services": said})
    assert ports.port_of_site(configuration).number == 9000
    (tmp_path / "compose.prod.yaml").write_text('ports: ["${HTTP_PORT:-80}:8000"]\n')
    assert ports.port_of_site(configuration).number == 80
    assert (
        ports.port_of_site(Configuration("production", "shop", {"services": {}}))
        is None
    )


def test_env_files_are_read_with_quotes_and_comments(tmp_path):
    file = tmp_path / ".env"
    file.write_bytes(
        b"# A=1\nB=two words # and a comment\nexport C='x#y'\r\n"
        b'D="first\nE=part of D"\nF=\nnot a variable\n'
    )
    assert read_file(file) == {
        "B": "two words",
        "C": "x#y",
        "D": "first\nE=part of D",
        "F": "",
    }
    assert read_file(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("A=pa$$w$ord", "A"),
        ('A="x${ord}"', "A"),
        ("A='pa$ord'", ""),
        ("A=pa$$word", ""),
        ("A=$B", ""),
        ("A=x$C\nC=1", "A"),
        ("A=a$1b", ""),
        (r'A="a\$xyz"', ""),
        ("A=5$", ""),
    ],
)
def test_a_value_that_loses_a_part_is_named(line, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"B=1\n{line}\n")
    assert [one.what.split()[3] for one in environment.check_dollars()] == names.split()


def test_a_variable_that_nothing_reads_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env.example").write_text("#NEW=\n")
    (tmp_path / "compose.prod.yaml").write_text(
        "environment: [LISTED]\nimage: ${IMAGE}\n# COMMENT\n"
    )
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/archive.py").write_text('days = env["KEEP_DAYS"]\n')
    (tmp_path / ".env").write_text(
        "KEEP_DAYS=x\nLISTED=x\nIMAGE=x\nCOMPOSE_PROFILES=x\nCOMMENT=x\nNEW=x\n"
    )
    assert problems(environment.check_unread_variables([])) == [
        "nothing reads COMMENT, NEW"
    ]


def test_no_secret_of_env_is_shown(tmp_path):
    env = tmp_path / ".env"
    env.write_text(
        "SECRET_KEY='correct horse'\nEMAIL_URL=smtp://me:sesame@mail\nDOMAIN=localhost\n"
    )
    (shown,) = printing.without_secrets(
        [
            wrong(
                "production",
                "correct horse",
                "sesame at localhost: smtp://me:sesame@mail",
            )
        ],
        env,
    )
    assert (shown.what, shown.why) == ("…", "… at localhost: …")


def test_a_secret_is_hidden_as_containers_have_it(tmp_path):
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=horse$$battery\n")
    (shown,) = printing.without_secrets(
        [wrong("a", "horse$battery", "")], tmp_path / ".env"
    )
    assert shown.what == "…"


@pytest.mark.parametrize("listed", [",", ".", " , "])
def test_a_list_of_domains_without_a_name_is_localhost(listed):
    app = replace(WEB, name="app", environment={"DOMAIN": listed})
    assert Configuration("production", "shop", {}, {"app": app}).domains == [
        "localhost"
    ]


def test_without_the_plugin_compose_has_no_version(monkeypatch):
    """Docker prints how it is used, which is no version that is too old."""

    def fail(*command, **options):
        if "compose" in command:
            raise CommandFailed(command, 125, "unknown flag: --short\n\nUsage: docker")
        return '{"ServerVersion": "28.5.2"}'

    monkeypatch.setattr(engine, "run", fail)
    assert engine.read_engine() == ({"ServerVersion": "28.5.2"}, "", "")


def test_a_container_that_ends_while_its_kills_are_read_has_no_count(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    own = Path(f"/proc/{os.getpid()}/cgroup").read_text().splitlines()[-1]
    _, controllers, path = own.split(":", 2)
    seen = replace(RUNNING, id=path if controllers == "" else "none", pid=os.getpid())
    assert memory.kills(seen) is None


def test_the_exit_status_and_the_summary_follow_the_findings():
    fine = [ok("a", "b"), note("a", "b")]
    assert (printing.exit_status(fine), printing.summary(fine)) == (
        0,
        "Nothing is wrong.",
    )
    hidden = [*fine, unseen("a", "b")]
    assert printing.summary(hidden) == "Nothing is wrong that could be looked at."
    broken = [*hidden, wrong("a", "b", "c")]
    assert (printing.exit_status(broken), printing.summary(broken)) == (
        1,
        "Something is wrong: 1 problem above.",
    )


def test_findings_are_printed_as_lines_or_as_json(capsys):
    findings = [wrong("web", "is stopped", "Somebody did it.", "docker start web")]
    printing.show(findings, as_json=False)
    assert capsys.readouterr().out == (
        "wrong          web: is stopped\n"
        "               Somebody did it.\n"
        "               docker start web\n"
        "Something is wrong: 1 problem above.\n"
    )
    printing.show(findings, as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {
            "level": "wrong",
            "where": "web",
            "what": "is stopped",
            "why": "Somebody did it.",
            "commands": ["docker start web"],
        }
    ]
