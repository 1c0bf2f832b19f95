"""What bin/doctor says without a stack: about Docker, files and its own arguments."""

import os
import shutil
import sys
import time

import pytest

from tests.helpers.doctor import TOOLS, USAGE, command, doctor, follow, problems, replace
from tests.helpers.stack import run

# --- Without an engine ---


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """machine(script) makes a machine with few tools, and with this for a docker."""
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool))
    (tmp_path / "python3").symlink_to(os.path.realpath(sys.executable))
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(script: str) -> None:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "docker").chmod(0o755)

    return make


def versions(engine: str, compose: str) -> str:
    return (
        f"""case $1 in info) echo '{{"ServerVersion": "{engine}"}}' ;; esac; """
        f'case $* in info*) ;; "compose version --short") echo {compose} ;; *) exit 1 ;; esac'
    )


@pytest.mark.parametrize(
    ("engine", "compose"), [("24.0.9", "2.40.3"), ("28.5.2", "2.23.3"), ("28.5.2", "1.29.2")]
)
def test_an_old_docker_is_named(engine, compose, fresh, machine):
    machine(versions(engine, compose))
    code, lines = doctor(fresh)
    assert code == 1
    assert problems(lines) == [f"Docker: too old: Engine {engine}, Compose {compose}"]
    assert command(lines, "# https://docs.docker.com/engine/install/ says how to install it.")


@pytest.mark.parametrize(
    ("engine", "compose"),
    [("25.0.0", "v2.24.0"), ("29.0.1+x", "2.40.3-desktop.1"), ("30.1", "5.0")],
)
def test_a_docker_that_is_new_enough_will_do(engine, compose, fresh, machine):
    machine(versions(engine, compose))
    _, lines = doctor(fresh)
    assert lines[1] == f"ok             Docker: Engine {engine}, Compose {compose.strip('v')}"


def test_a_missing_compose_is_named(fresh, machine):
    machine("""case $1 in info) echo '{"ServerVersion": "28.5.2"}' ;; *) exit 1 ;; esac""")
    code, lines = doctor(fresh)
    assert (code, problems(lines)) == (1, ["Docker: too old: Engine 28.5.2, Compose none"])


@pytest.mark.usefixtures("machine")
def test_a_missing_docker_is_named(fresh):
    code, lines = doctor(fresh)
    assert (code, problems(lines)) == (1, ["Docker: there is no docker command"])


def test_an_engine_that_does_not_run_is_named_with_its_own_words(fresh, machine):
    machine("echo 'Client: Docker'; echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    code, lines = doctor(fresh)
    assert (code, problems(lines)) == (1, ["Docker: no engine responds"])
    assert (
        "               The engine does not respond. Cannot connect to the Docker daemon" in lines
    )
    assert command(lines, "sudo systemctl") == "sudo systemctl start docker"


def test_an_engine_of_another_user_is_named_with_the_group_to_join(fresh, machine):
    machine("echo 'permission denied while trying to connect' >&2; exit 1")
    code, lines = doctor(fresh, LOGNAME="ann")
    assert (code, problems(lines)) == (1, ["Docker: ann may not use the engine"])
    assert command(lines, "sudo usermod") == "sudo usermod --append --groups docker ann"


def test_an_engine_that_hangs_is_not_waited_for(fresh, machine):
    replace(fresh, "ops/doctor/engine.py", "SECONDS_TO_RESPOND = 20", "SECONDS_TO_RESPOND = 1")
    machine("[ $1 = compose ] || exec sleep 60")
    start = time.monotonic()
    code, lines = doctor(fresh)
    assert (code, problems(lines)) == (1, ["Docker: no engine responds"])
    assert time.monotonic() - start < 30


def test_without_python_one_sentence_says_how_to_get_it(fresh, machine, tmp_path):
    machine("exit 1")
    (tmp_path / "python3").unlink()
    done = run(fresh.path / "bin/doctor")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "bin/doctor needs Python 3.9 or newer as python3; on Debian and Ubuntu: "
        "sudo apt-get install python3\n"
    )


def test_an_unknown_argument_is_refused_in_one_sentence(fresh):
    done = run(fresh.path / "bin/doctor", "--fix")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"bin/doctor does not know --fix; {USAGE}"


def test_two_stacks_are_refused_in_one_sentence(fresh):
    done = run(fresh.path / "bin/doctor", "development", "production")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"bin/doctor takes the name of one stack; {USAGE}"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_says_what_it_looks_at_and_nothing_else_happens(flag, fresh, machine):
    machine("echo docker was started >&2")
    done = run(fresh.path / "bin/doctor", "production", flag)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        f"{USAGE}\nName what is wrong with the files, Docker, the machine"
    )


# --- Files ---

FILES_ARE_FINE = (
    "ok             files: they belong to user 0, scripts are executable and have Unix line endings"
)


@pytest.fixture
def patient(fresh, machine):
    """A project on a machine that has no engine: its files are looked at all the same."""
    machine("exit 1")
    return fresh


def test_files_of_somebody_else_are_named(fresh, machine):
    os.chown(fresh.path / "accounts/migrations/0001_initial.py", 1234, 1234)
    machine("exit 1")
    _, lines = doctor(fresh)
    assert problems(lines)[0] == "files: not of user 0: ./accounts/migrations/0001_initial.py"
    assert command(lines, "sudo chown") == "sudo chown -R 0:0 ."


def test_root_looks_after_the_project_of_somebody_else(patient):
    for path in (patient.path, *patient.path.rglob("*")):
        os.chown(path, 1234, 1235)
    os.chown(patient.path / "accounts/models.py", 0, 0)
    _, lines = doctor(patient)
    assert problems(lines)[0] == "files: not of user 1234: ./accounts/models.py"
    assert command(lines, "sudo chown") == "sudo chown -R 1234:1235 ."


@pytest.mark.parametrize(
    "file",
    ["docker/app/entrypoint.sh", "docker/nginx/entrypoint.d/11-names.envsh", "bin/lock", ".env"],
)
def test_windows_line_endings_are_named_and_their_mend_keeps_the_rest(file, patient):
    path = patient.path / file
    good, mode = path.read_bytes(), path.stat().st_mode
    path.write_bytes(good.replace(b"\n", b"\r\n"))
    _, lines = doctor(patient)
    assert problems(lines)[0] == f"files: Windows line endings: {file}"
    follow(patient, command(lines, "for f in"))
    assert (path.read_bytes(), path.stat().st_mode) == (good, mode)
    assert FILES_ARE_FINE in doctor(patient)[1]


def test_scripts_that_are_not_executable_are_named(patient):
    (patient.path / "bin/init").chmod(0o644)
    _, lines = doctor(patient)
    assert problems(lines)[0] == "files: not executable: bin/init"
    run("/bin/chmod", "+x", *command(lines, "chmod").split()[2:], cwd=patient.path)
    assert FILES_ARE_FINE in doctor(patient)[1]


# --- Each variant ---


@pytest.mark.parametrize("proxy", ["nginx", "none"])
def test_where_a_load_balancer_has_the_name_nobody_asks_for_it(proxy, bake):
    project = bake(proxy=proxy)
    text = "".join(path.read_text() for path in (project.path / "ops/doctor").rglob("*.py"))
    assert [word for word in ("HTTPS_PORT", "x509", "curl", "resolve") if word in text] == []
