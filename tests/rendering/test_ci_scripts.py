"""The scripts in .ci, on made-up machines: every program that could change a real one is a fake."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

TEMPLATE = Path(__file__).resolve().parents[2]
# dockerd, apt-get and the like are missing on purpose: a test that wants one makes a fake.
TOOLS = """
awk bash basename cat chmod cp dirname env flock grep head install ln ls make mkdir mktemp mv nohup
rm sed seq setsid sh sleep sort tail touch uname xargs
"""
DOCKER = r"""
case "$1 $2" in
"version "*) test -e "$MACHINE/answers" && echo 28.5.2 ;;
"compose version") cat "$MACHINE/compose" ;;
"buildx version") echo buildx ;;
"context show") cat "$MACHINE/context" ;;
"context inspect") echo tcp://far:2375 ;;
"info "*) cat "$MACHINE/labels" ;;
"pull "*) test -e "$MACHINE/registry" || { echo "no such host" && exit 1; }
  echo "Pulling from $2" && echo plain >"$MACHINE/images/${2//\//,}" ;;
"import "*) cat >/dev/null ;;
"build "*) test "$2" = --tag && echo "$3" >"$MACHINE/images/${3//\//,}" ;;
"image ls") ls "$MACHINE/images" ;;
"image rm") rm "$MACHINE/images/${4//\//,}" ;;
"image inspect")
  shift 2
  test "$1" != -f || shift 2
  for image; do cat "$MACHINE/images/${image//\//,}" || exit 1; done ;;
esac
"""
# Enough of a Python for the Makefile.
PYTHON = 'case "$*" in "-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;; esac'
# Gives what a Debian suite gives, in `dpkg -x`; its dockerd answers as soon as it is started.
DPKG = r"""
mkdir -p "$3/usr/sbin" "$3/usr/bin" "$3/usr/libexec/docker/cli-plugins"
echo '#!/bin/sh
test "$1" = --version || { echo "started $*" >>"$MACHINE/calls" && touch "$MACHINE/answers"; }' >"$3/usr/sbin/dockerd"
chmod +x "$3/usr/sbin/dockerd"
install /dev/null "$3/usr/bin/tini"
touch "$3"/usr/bin/docker "$3"/usr/libexec/docker/cli-plugins/docker-{compose,buildx}
"""

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="an engine is only unpacked on Debian"
)


class Machine:
    """A folder that is the whole machine to a script: its programs, system files and checkout."""

    def __init__(self, folder):
        self.folder = folder
        self.system = folder / "system"
        self.bin = folder / "bin"
        # Apart from the fakes, which would otherwise be written through these links.
        self.tools = folder / "tools"
        self.project = folder / "project"
        for made in (self.bin, self.tools, folder / "images", self.system / "usr/local/bin"):
            made.mkdir(parents=True)
        for made in ("var/run", "var/log", "var/lib", "run", "opt"):
            (self.system / made).mkdir(parents=True)
        shutil.copytree(TEMPLATE / ".ci", self.project / ".ci")
        shutil.copy(TEMPLATE / "Makefile", self.project)
        (self.project / "requirements.txt").touch()
        for tool in TOOLS.split():
            if path := shutil.which(tool):
                (self.tools / tool).symlink_to(path)
        self.file("etc/os-release", "NAME=x\nID=debian\n")
        self.file(
            "etc/apt/sources.list", "deb [signed-by=x arch=y] http://mirror.example/d s main\n"
        )
        self.says(compose="2.40.3-3", context="default", labels="")
        self.fake("docker", DOCKER)
        self.fake("id", "echo 0")
        self.fake("apt-get", 'case "$*" in *download*) touch docker.io.deb ;; esac')
        self.fake("dpkg", DPKG)
        self.fake("mmdebstrap", "exit 0")

    def file(self, path, text=""):
        (self.system / path).parent.mkdir(parents=True, exist_ok=True)
        (self.system / path).write_text(text)

    def says(self, **answers):
        for name, answer in answers.items():
            (self.folder / name).write_text(f"{answer}\n")

    def has_images(self, **labels):
        for name, label in labels.items():
            (self.folder / "images" / name).write_text(f"{label}\n")

    def images(self):
        return {path.name.replace(",", "/") for path in (self.folder / "images").iterdir()}

    def fake(self, name, body):
        path = self.bin / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>"$MACHINE/calls"\n{body}\n')
        path.chmod(0o755)

    def run(self, script, *arguments, **environment):
        return subprocess.run(
            [self.project / script, *arguments],
            env={
                "PATH": f"{self.bin}:{self.tools}",
                "HOME": str(self.folder),
                "MACHINE": str(self.folder),
                "CI_SYSROOT": str(self.system),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def calls(self, start=""):
        calls = self.folder / "calls"
        return (
            [c for c in calls.read_text().splitlines() if c.startswith(start)]
            if calls.exists()
            else []
        )

    def untouched(self):
        return not (self.calls("apt-get") or self.calls("dpkg") or self.calls("started"))


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def assert_refused(result, *words):
    assert result.returncode == 1
    assert result.stdout == ""
    (sentence,) = result.stderr.splitlines()
    for word in words:
        assert word in sentence


# The engine


def test_an_engine_that_answers_is_left_alone(machine):
    machine.says(answers="")
    result = machine.run(".ci/engine")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert machine.untouched()


@pytest.mark.parametrize("compose", ["2.23.9", "v1.29.2", ""])
def test_an_engine_without_a_recent_compose_is_not_enough(machine, compose):
    machine.says(answers="", compose=compose)
    assert_refused(machine.run(".ci/engine"), "Compose 2.24 or newer")
    assert machine.untouched()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("usr/bin/dockerd", ""),
        ("usr/sbin/dockerd", ""),
        ("usr/local/bin/dockerd", ""),
        ("lib/systemd/system/docker.service", ""),
        ("opt/docker-desktop/bin", ""),
        ("proc/42/stat", "42 (dockerd) S 1 42"),
    ],
)
def test_an_installed_engine_that_is_silent_gets_no_second_one(machine, path, text):
    machine.file(path, text)
    assert_refused(machine.run(".ci/engine"), "installed but does not answer; start it")
    assert machine.untouched()


def test_a_dockerd_anywhere_in_the_path_counts_as_installed(machine):
    machine.fake("dockerd", "exit 1")
    assert_refused(machine.run(".ci/engine"), "installed but does not answer; start it")
    assert machine.untouched()


def test_an_engine_elsewhere_that_is_silent_is_not_replaced_by_one_here(machine):
    assert_refused(machine.run(".ci/engine", DOCKER_HOST="tcp://far:2375"), "tcp://far:2375")
    machine.says(context="far")
    assert_refused(machine.run(".ci/engine"), "tcp://far:2375")
    assert machine.untouched()


def test_without_root_no_engine_is_unpacked(machine):
    machine.fake("id", "echo 1000")
    assert_refused(machine.run(".ci/engine"), "no Docker here", "docs.docker.com")
    assert machine.untouched()


def test_a_socket_that_this_user_may_not_use_is_an_engine(machine, monkeypatch):
    machine.fake("id", "echo 1000")
    monkeypatch.chdir(
        machine.system / "var/run"
    )  # a socket's address is short, and tmp_path is not
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind("docker.sock")
        assert_refused(machine.run(".ci/engine"), "this user may use it")


def test_on_another_system_no_engine_is_unpacked(machine):
    machine.file("etc/os-release", "ID=ubuntu\nID_LIKE=debian\n")
    assert_refused(machine.run(".ci/engine"), "no Docker here", "docs.docker.com")
    assert machine.untouched()


@on_linux
def test_a_debian_with_no_more_than_a_client_gets_an_engine(machine):
    machine.file("usr/local/bin/docker", "an older client")
    machine.file("proc/42/stat", "42 (dockerd) Z 1 42")  # dead, not yet reaped
    result = machine.run(".ci/engine")
    assert result.returncode == 0, result.stderr
    assert "Debian forky" in result.stderr
    client = machine.system / "usr/local/bin/docker"
    assert client.resolve() == machine.system / "opt/django-docker-engine/usr/bin/docker"
    assert client.with_name("docker~").read_text() == "an older client"
    assert "--label django-docker.engine=unpacked" in machine.calls("started")[0]


@on_linux
def test_an_unpacked_engine_that_died_starts_again_and_is_not_unpacked_again(machine):
    machine.run(".ci/engine")
    (machine.folder / "answers").unlink()
    (machine.folder / "calls").unlink()
    # What it left behind names a process that lives, but is another one by now.
    machine.file("run/django-docker-engine/docker.pid", str(os.getpid()))
    machine.file("run/django-docker-engine/containerd/containerd.pid", str(os.getpid()))
    machine.file("var/run/docker.sock")
    result = machine.run(".ci/engine")
    assert result.returncode == 0, result.stderr
    assert len(machine.calls("started")) == 1
    assert machine.calls("apt-get") == machine.calls("dpkg") == []
    for left in ("var/run/docker.sock", "run/django-docker-engine/docker.pid",
                 "run/django-docker-engine/containerd/containerd.pid"):  # fmt: skip
        assert not (machine.system / left).exists()


@on_linux
@pytest.mark.parametrize(
    ("packaged", "chosen"),
    [
        (["tini"], "tini"),
        (["tini", "catatonit"], "catatonit"),
        (["tini", "catatonit", "tini-static"], "tini-static"),
    ],
)
def test_docker_init_is_a_program_that_the_packages_contain(machine, packaged, chosen):
    """A link to a file that no package contains fails each container with `init: true`."""
    files = " ".join(f'"$3/usr/bin/{name}"' for name in packaged)
    machine.fake(
        "dpkg",
        f'{DPKG}\nrm "$3/usr/bin/tini"\nfor file in {files}; do install /dev/null $file; done',
    )
    result = machine.run(".ci/engine")
    assert result.returncode == 0, result.stderr
    programs = machine.system / "opt/django-docker-engine/usr/bin"
    assert (programs / "docker-init").resolve() == programs / chosen


@on_linux
def test_an_engine_without_an_init_is_not_unpacked(machine):
    machine.fake("dpkg", f'{DPKG}\nrm "$3/usr/bin/tini"')
    result = machine.run(".ci/engine")
    assert result.returncode == 1
    assert result.stderr.count("no tini and no catatonit in ") == 2
    assert not (machine.system / "opt/django-docker-engine").exists()


@on_linux
@pytest.mark.parametrize("runs", [True, False])
def test_a_dead_docker_init_of_an_unpacked_engine_is_repaired(machine, runs):
    machine.run(".ci/engine")
    init = machine.system / "opt/django-docker-engine/usr/bin/docker-init"
    init.unlink()
    init.symlink_to("tini-static")
    if not runs:
        (machine.folder / "answers").unlink()
    result = machine.run(".ci/engine")
    assert result.returncode == 0, result.stderr
    assert init.resolve() == init.with_name("tini")


@on_linux
def test_where_no_suite_fits_a_half_unpacked_engine_is_not_left(machine):
    machine.fake("dpkg", "exit 1")
    result = machine.run(".ci/engine")
    assert result.returncode == 1
    assert "none of Debian's forky trixie" in result.stderr.splitlines()[-1]
    assert [path.name for path in (machine.system / "opt").iterdir()] == [
        "django-docker-engine.lock"
    ]


# Base images


def test_an_image_that_is_here_is_kept(machine):
    machine.has_images(**{"nginx:1": "plain"})
    result = machine.run(".ci/base-images", "nginx:1")
    assert (result.returncode, result.stderr) == (0, "")
    assert machine.calls("docker pull") == machine.calls("docker build") == []


def test_an_image_that_can_be_pulled_is_pulled(machine):
    machine.says(registry="", labels="django-docker.engine=unpacked")
    result = machine.run(".ci/base-images", "nginx:1", "mirror.example:5000/python:3.14-slim")
    assert result.returncode == 0
    assert machine.images() == {"nginx:1", "mirror.example:5000/python:3.14-slim"}
    assert machine.calls("docker build") == []


def test_on_an_engine_that_is_not_ours_nothing_takes_an_official_name(machine):
    refused = machine.run(".ci/base-images", "nginx:1", "postgres:18")
    assert_refused(refused, "nginx:1 cannot be pulled (no such host)", "STAND_INS=1")
    assert machine.images() == set()


@pytest.mark.parametrize("permission", ["our engine", "STAND_INS=1"])
def test_where_no_registry_answers_stand_ins_are_built(machine, permission):
    if permission == "our engine":
        machine.says(labels="other=1 django-docker.engine=unpacked")
    allowed = {"STAND_INS": "1"} if permission == "STAND_INS=1" else {}
    names = [
        "python:3.14-slim-trixie",
        "mirror.example:5000/nginx:1.30",
        "library/postgres:17-trixie",
    ]
    result = machine.run(".ci/base-images", *names, **allowed)
    assert result.returncode == 0, result.stderr
    assert machine.images() >= set(names)


def test_a_registry_that_does_not_answer_is_asked_once(machine):
    machine.run(".ci/base-images", "nginx:1", "postgres:18", "redis:8", STAND_INS="1")
    assert machine.calls("docker pull") == ["docker pull nginx:1"]


def test_a_registry_that_says_nothing_is_not_waited_for(machine):
    script = machine.project / ".ci/base-images"
    script.write_text(script.read_text().replace("REACH=15", "REACH=1"))
    machine.fake(
        "docker", 'case "$1 $2" in "pull "*) exec sleep 30 ;; "image inspect") exit 1 ;; esac'
    )
    assert_refused(machine.run(".ci/base-images", "nginx:1"), "docker.io said nothing for 1 s")


def test_an_image_that_has_no_stand_in_is_named(machine):
    refused = machine.run(".ci/base-images", "mongo:8", STAND_INS="1")
    assert_refused(refused, "mongo:8", "no stand-in is known")


def test_only_stand_ins_are_removed(machine):
    machine.has_images(**{
        "nginx:1": "nginx:1",
        "mirror.example,python:3": "mirror.example/python:3",
        "app:dev": "mirror.example/python:3",  # built on a stand-in, so its label is inherited
        "postgres:18": "plain",
        # Pulled since, in the place of the stand-in that nginx-app was built on.
        "nginx:2": "plain",
        "nginx-app:dev": "nginx:2",
    })  # fmt: skip
    result = machine.run(".ci/base-images", "--remove")
    assert result.returncode == 0, result.stderr
    assert machine.images() == {"app:dev", "postgres:18", "nginx:2", "nginx-app:dev"}


# The browser


def test_a_chromium_that_is_named_is_used(machine):
    result = machine.run(".ci/chromium", CHROMIUM="/bin/sh")
    assert (result.returncode, result.stdout, result.stderr) == (0, "/bin/sh\n", "")


def test_a_chromium_that_is_named_and_missing_is_refused(machine):
    assert_refused(machine.run(".ci/chromium", CHROMIUM="/no/such"), "/no/such")


def test_an_installed_chromium_is_found(machine):
    machine.fake("chromium", "exit 1")  # a stub that only names a snap
    machine.fake("google-chrome", "echo Chrome 150")
    result = machine.run(".ci/chromium")
    assert (result.returncode, result.stdout) == (0, f"{machine.bin}/google-chrome\n")
    assert machine.untouched()


def test_debian_gets_a_chromium_from_its_own_packages(machine):
    machine.fake(
        "apt-get",
        '[[ "$*" != *install*chromium* ]] || ln -s "$(command -v ls)" "$MACHINE/bin/chromium"',
    )
    result = machine.run(".ci/chromium")
    assert (result.returncode, result.stdout) == (0, f"{machine.bin}/chromium\n")


def test_without_any_chromium_one_sentence_says_so(machine):
    machine.fake("id", "echo 1000")
    assert_refused(machine.run(".ci/chromium"), "install Chromium or Chrome, or set CHROMIUM")


# The demo, the Makefile and CI


def test_the_demo_takes_the_next_port_when_one_is_taken():
    loader = SourceFileLoader("demo", str(TEMPLATE / ".ci/demo"))
    demo = importlib.util.module_from_spec(importlib.util.spec_from_loader("demo", loader))
    loader.exec_module(demo)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert demo.free_port(port) > port
    assert demo.free_port(port) == port


def test_ci_runs_the_command_that_a_person_types(machine):
    machine.fake("make", 'pwd >>"$MACHINE/calls"; exit 2')
    assert machine.run(".ci/run", CI="true").returncode == 2
    assert machine.calls() == ["make test", str(machine.project)]


def make(machine, target, **variables):
    settings = [f"{name}={value}" for name, value in variables.items()]
    return machine.run(
        machine.tools / "make", "-C", machine.project, "--no-print-directory", target, *settings
    )


def test_make_lists_its_own_targets(machine):
    result = make(machine, "help")
    listed = [line.split()[1] for line in result.stdout.splitlines()]
    assert listed == [
        "help",
        "test",
        "test-all",
        "test-fast",
        "bench",
        "demo",
        "demo-down",
        "stand-ins-down",
        "lint",
        "lock",
    ]


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("version_info", "Python 3.11 or newer is needed"),
        ("ensurepip", "Python's venv module is missing"),
    ],
)
def test_a_python_that_will_not_do_is_told_in_one_sentence(machine, broken, sentence):
    machine.fake("old-python", f'[[ "$*" != *{broken}* ]]')
    result = make(machine, "test-fast", PYTHON="old-python")
    said, makes_own = result.stderr.splitlines()
    assert sentence in said
    assert makes_own.startswith("make")
    assert not (machine.project / ".venv").exists()


def test_the_fast_tests_need_no_engine_and_set_themselves_up_once(machine):
    machine.fake("python3", PYTHON)
    for _ in range(2):
        result = make(machine, "test-fast")
        assert result.returncode == 0, result.stderr
        os.utime(machine.project / "requirements.txt", (1, 1))
    assert len(machine.calls("python3 -m venv")) == 1
    assert len(machine.calls("python3 -m pip install")) == 1
    fast = "-m not exhaustive and not copies tests/rendering -n 2 --dist worksteal"
    assert machine.calls("python3 -m pytest") == [f"python3 -m pytest {fast}"] * 2
    assert machine.calls("docker") == []


def test_a_new_lock_makes_the_environment_again(machine):
    test_the_fast_tests_need_no_engine_and_set_themselves_up_once(machine)
    os.utime(machine.project / "requirements.txt", (2**32, 2**32))
    make(machine, "test-fast")
    assert len(machine.calls("python3 -m venv")) == 2


def test_the_whole_suite_gets_what_it_needs_before_it_starts(machine):
    machine.fake("python3", PYTHON)
    machine.fake("chromium", "")
    machine.says(answers="", registry="")
    result = make(machine, "test", ARGS="-k one")
    assert result.returncode == 0, result.stderr
    others = {"debian:bullseye-slim", "node:24-trixie-slim", "valkey/valkey:8.1-trixie"}
    needed = set((TEMPLATE / ".ci/images").read_text().split()) | others
    assert machine.images() == needed
    assert machine.calls("python3 -m pytest") == [
        "python3 -m pytest -m not exhaustive --shard=1/1 -k one"
    ]


@pytest.mark.parametrize("shard", ["1/1", "2/5"])
@pytest.mark.parametrize(("target", "tier"), [("test", "-m not exhaustive "), ("test-all", "")])
def test_each_folder_of_tests_runs_in_its_tier_and_shard(machine, target, tier, shard):
    machine.fake("python3", PYTHON)
    machine.fake("chromium", "")
    machine.says(answers="", registry="")
    assert make(machine, target, SHARD=shard).returncode == 0
    python = f"python3 -m pytest {tier}--shard={shard}"
    assert machine.calls("python3 -m pytest") == [
        f"{python} tests/rendering -n 2 --dist worksteal",
        f"{python} tests/running -n 4 --dist loadgroup --no-loadscope-reorder --durations=25",
        f"{python} tests/browser tests/faults --durations=25",
    ]
    folders = {path.parent.name for path in (TEMPLATE / "tests").rglob("test_*.py")}
    # What is in tests/pages/ runs inside of generated projects.
    assert folders == {"rendering", "running", "browser", "faults", "pages"}


@pytest.mark.parametrize("failing", ["tests/rendering", "tests/running", "tests/faults"])
def test_a_failure_in_any_folder_fails_the_suite(machine, failing):
    machine.fake("python3", f'{PYTHON}\n[[ "$*" != *{failing}* ]]')
    machine.fake("chromium", "")
    machine.says(answers="", registry="")
    assert make(machine, "test").returncode != 0


def test_a_wrong_shard_is_refused_before_anything_starts(machine):
    machine.fake("python3", f'{PYTHON}\n[[ "$*" != *tests.helpers.which_shard* ]]')
    assert make(machine, "test", SHARD="5/2").returncode != 0
    assert machine.calls("docker") == machine.calls("python3 -m pytest") == []


def test_without_an_engine_the_whole_suite_does_not_start(machine):
    machine.fake("python3", PYTHON)
    machine.fake("id", "echo 1000")
    result = make(machine, "test")
    assert result.returncode != 0
    assert "no Docker here" in result.stderr
    assert machine.calls("python3 -m pytest") == []
