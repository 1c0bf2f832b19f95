"""Each container of the production stack holds what it needs and nothing else."""

import json

import pytest

from tests.helpers.stack import run

pytestmark = pytest.mark.containers

RUNNING = ["app", "postgres", "nginx", "certbot"]
ALL = [*RUNNING, "check", "release"]

each_container = pytest.mark.parametrize("service", ALL)
each_running = pytest.mark.parametrize("service", RUNNING)


def inspect(stack, service: str) -> dict:
    return json.loads(run("docker", "inspect", stack.container(service)).stdout)[0]


def in_container(stack, service: str, command: str):
    return stack.command("exec", "--no-TTY", service, "sh", "-c", command)


# What its configuration says, for those that have ended as well


@each_container
def test_the_root_file_system_is_read_only(service, production):
    assert inspect(production, service)["HostConfig"]["ReadonlyRootfs"] is True


@each_container
def test_there_are_no_capabilities_and_no_new_privileges(service, production):
    host = inspect(production, service)["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] is None
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Privileged"] is False


@each_container
def test_memory_and_processes_are_limited(service, production):
    host = inspect(production, service)["HostConfig"]
    assert 0 < host["Memory"] <= 1024**3
    assert 0 < host["PidsLimit"] <= 200


@each_container
def test_logs_are_rotated(service, production):
    log = inspect(production, service)["HostConfig"]["LogConfig"]
    assert log == {"Type": "local", "Config": {"max-file": "5", "max-size": "10m"}}


@each_running
def test_it_comes_back_by_itself(service, production):
    policy = inspect(production, service)["HostConfig"]["RestartPolicy"]["Name"]
    assert policy == "unless-stopped"


@pytest.mark.parametrize("service", ["check", "nginx-config", "release"])
def test_what_runs_once_is_not_repeated(service, production):
    assert inspect(production, service)["HostConfig"]["RestartPolicy"]["Name"] == "no"


@pytest.mark.parametrize(("service", "seconds"), [("app", 65), ("nginx", 65), ("postgres", 60)])
def test_there_is_time_for_requests_in_flight(service, seconds, production):
    assert inspect(production, service)["Config"]["StopTimeout"] == seconds


# What is so inside


@each_running
def test_no_process_is_root(service, production):
    top = run("docker", "top", production.container(service), "-eo", "pid,uid").stdout
    uids = {line.split()[1] for line in top.splitlines()[1:]}
    assert uids
    assert "0" not in uids


@each_running
def test_no_process_has_a_capability(service, production):
    status = production.exec(service, "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


@each_running
@pytest.mark.parametrize("folder", ["/", "/etc", "/usr/bin", "/app"])
def test_nothing_can_be_written(service, folder, production):
    """Not even by root, whom no file mode stops."""
    touch = ("sh", "-c", f"mkdir -p {folder} && touch {folder}/file")
    done = production.command("exec", "--no-TTY", "--user", "0", service, *touch)
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr


def test_manage_is_hardened_like_the_app(production):
    look = "print(open('/proc/1/status').read()); open('/app/file', 'w')"
    done = production.command("run", "--rm", "--no-TTY", "manage", "shell", "--command", look)
    assert "Uid:\t10001" in done.stdout
    assert "CapEff:\t0000000000000000" in done.stdout
    assert "NoNewPrivs:\t1" in done.stdout
    assert "Read-only file system: '/app/file'" in done.stderr


@each_running
def test_tmp_is_in_memory(service, production):
    assert "tmpfs" in production.exec(service, "df", "--output=fstype", "/tmp")


@pytest.mark.parametrize(
    ("service", "folder"), [("app", "/var/tmp"), ("nginx", "/var/cache/nginx")]
)
def test_bodies_and_temporary_files_are_on_the_disk(service, folder, production):
    kind = production.exec(service, "df", "--output=fstype", folder)
    assert "tmpfs" not in kind
    assert "overlay" not in kind
    production.exec(service, "sh", "-c", f"touch {folder}/file && rm {folder}/file")


@pytest.mark.parametrize(
    ("service", "names"),
    [
        ("app", {"SECRET_KEY", "POSTGRES_PASSWORD", "DOMAIN", "DEFAULT_FROM_EMAIL"}),
        ("check", {"SECRET_KEY", "POSTGRES_PASSWORD", "DOMAIN", "DEFAULT_FROM_EMAIL"}),
        ("release", {"SECRET_KEY", "POSTGRES_PASSWORD", "DOMAIN", "DEFAULT_FROM_EMAIL"}),
        ("postgres", {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"}),
        ("nginx", set()),
        (
            "nginx-config",
            {
                "APP_COPIES",
                "DOMAIN",
                "HTTPS_PORT",
                "REDIRECT_DOMAINS",
                "SECURE_HSTS_SECONDS",
                "TRUSTED_PROXIES",
                "UPLOAD_LIMIT_MB",
            },
        ),
        ("certbot", {"ACME_SERVER", "DOMAIN", "REDIRECT_DOMAINS"}),
    ],
)
def test_it_gets_its_own_variables_only(service, names, production):
    container = inspect(production, service)
    image = json.loads(run("docker", "image", "inspect", container["Image"]).stdout)[0]
    given = set(container["Config"]["Env"]) - set(image["Config"]["Env"])
    # An entry without = takes a variable away.
    assert {variable.split("=")[0] for variable in given if "=" in variable} == names


# Who reaches whom


def networks(stack, service: str) -> set[str]:
    return {name.split("_")[-1] for name in inspect(stack, service)["NetworkSettings"]["Networks"]}


def test_nginx_and_the_database_share_no_network(production):
    assert networks(production, "nginx") == {"frontend"}
    assert networks(production, "postgres") == {"backend"}


def test_nginx_does_not_reach_the_database(production):
    (network,) = inspect(production, "postgres")["NetworkSettings"]["Networks"].values()
    connect = "timeout 3 bash -c '</dev/tcp/{}/{}'"

    def reached(host: str, port: int) -> bool:
        return in_container(production, "nginx", connect.format(host, port)).returncode == 0

    assert reached("127.0.0.1", 8080)
    assert not reached("postgres", 5432)
    assert not reached(network["IPAddress"], 5432)


def test_the_database_reaches_nobody_outside(production):
    (name,) = inspect(production, "postgres")["NetworkSettings"]["Networks"]
    assert json.loads(run("docker", "network", "inspect", name).stdout)[0]["Internal"] is True


@pytest.mark.parametrize("service", ["app", "postgres", "certbot"])
def test_only_nginx_has_a_published_port(service, production):
    assert inspect(production, service)["HostConfig"]["PortBindings"] in ({}, None)
    assert set(inspect(production, "nginx")["HostConfig"]["PortBindings"]) == {
        "8080/tcp",
        "8443/tcp",
    }


def test_nginx_cannot_change_static_files_media_and_sockets(production):
    mounts = {m["Destination"]: m["RW"] for m in inspect(production, "nginx")["Mounts"]}
    assert mounts["/srv/static"] is False
    assert mounts["/srv/media"] is False
    assert mounts["/run/app"] is False
