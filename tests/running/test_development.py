"""What DESIGN promises of development, right after baking and with nothing edited."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.helpers.login import post_login
from tests.helpers.stack import DEVELOPMENT, run
from tests.helpers.terminal import in_terminal

pytestmark = pytest.mark.containers


def eventually(what, seconds: float = 30):
    """Return the first true value of what(); fail after so many seconds."""
    end = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.25)
    return value


def test_the_page_says_that_all_works(development):
    page = development.get("/")
    assert page.status_code == 200
    assert page.text.count('<p class="state">works</p>') == 3
    assert "PostgreSQL 18" in page.text
    assert "does not work" not in page.text


def test_the_admin_has_its_static_files(development):
    with development.client(follow_redirects=True) as client:
        assert "/static/admin/css/base.css" in client.get("/admin/").text
        assert client.get("/static/admin/css/base.css").status_code == 200


def test_code_reloads_on_save(fresh, stacks):
    stack = stacks(fresh.path, DEVELOPMENT)
    stack.up()
    urls = stack.path / "config/urls.py"
    view = 'path("new/", lambda request: __import__("django").http.HttpResponse("reloaded")),\n]'
    urls.write_text(urls.read_text().replace("]", view, 1))
    eventually(lambda: answer_or_nothing(stack, "/new/") == "reloaded")


def answer_or_nothing(stack, path: str) -> str:
    try:
        return stack.get(path).text
    except httpx.TransportError:
        return ""


def test_a_breakpoint_waits_for_a_person(development):
    """docker compose attach shows pdb's prompt, takes what is typed, and can be left."""
    urls = development.path / "config/urls.py"
    before = urls.read_text()
    view = 'path("stops/", lambda request: breakpoint() or home(request))'
    urls.write_text(f"{before}\nurlpatterns += [{view}]\n")
    eventually(lambda: "stops/" in answer_or_nothing(development, "/no/such/page"))
    attach = ("docker", "compose", "attach", "app")
    with ThreadPoolExecutor() as threads, in_terminal(*attach, cwd=development.path) as terminal:
        time.sleep(1)  # nothing says that it is attached
        answer = threads.submit(development.get, "/stops/")
        assert "stops/" in terminal.read_until("(Pdb)")
        terminal.type("print(6 * 7)\n")
        terminal.read_until("42")
        terminal.type("continue\n")
        assert answer.result().status_code == 200
        terminal.type("\x10\x11")  # Ctrl-P Ctrl-Q
    urls.write_text(before)
    eventually(lambda: "<h1>" in answer_or_nothing(development, "/"))


def test_manage_and_tests_do_not_start_with_up(development):
    assert set(development.compose("ps", "--all", "--services").split()) == {"app", "postgres"}


def test_manage_is_manage_py(development):
    assert development.manage("shell", "--command", "print(6 * 7)").splitlines()[-1] == "42"


def test_the_projects_own_tests_pass_on_postgresql(development):
    done = development.command("run", "--rm", "--no-TTY", "tests", "--verbose")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_containers_test_on_postgresql PASSED" in done.stdout
    # It asks the environment what to expect, so ask once more, without it.
    probe = development.path / "tests/test_vendor.py"
    probe.write_text(
        "from django.db import connection\n\n\n"
        "def test_vendor(db):\n    assert connection.vendor == 'postgresql'\n"
    )
    done = development.command("run", "--rm", "--no-TTY", "tests", "tests/test_vendor.py")
    probe.unlink()
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_projects_tests_are_strict_about_warnings(development):
    warns = development.path / "tests/test_warns.py"
    warns.write_text('def test_warns():\n    __import__("warnings").warn("old")\n')
    done = development.command("run", "--rm", "--no-TTY", "tests", "tests/test_warns.py")
    warns.unlink()
    assert done.returncode == 1, done.stdout
    assert "UserWarning: old" in done.stdout


def test_mail_can_be_read(development):
    development.manage("sendtestemail", "someone@example.com")
    (message,) = (development.path / "mail").glob("*.log")
    assert "To: someone@example.com" in message.read_text()
    assert "1 message in mail/" in development.get("/").text


def test_rows_survive_down_and_up(development):
    development.manage(
        "createsuperuser",
        "--no-input",
        "--username=kept",
        "--email=kept@example.com",
        DJANGO_SUPERUSER_PASSWORD="long enough",
    )
    development.compose("down")
    development.up()
    count = "from accounts.models import User; print(User.objects.filter(username='kept').count())"
    assert development.manage("shell", "--command", count).splitlines()[-1] == "1"


def test_the_page_is_for_this_machine_only(development):
    assert development.compose("port", "app", "8000").startswith("127.0.0.1:")


def test_other_names_of_this_machine_need_one_variable(development):
    port = development.ports["APP_PORT"]
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
    assert (
        httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "else.example"}).status_code == 400
    )
    variables = {"ALLOWED_HOSTS": "tunnel.example", "APP_ADDRESS": "127.0.0.2"}
    development.compose("up", "--detach", "--wait", "app", **variables)
    with httpx.Client(base_url=f"http://127.0.0.2:{port}") as client:
        statuses = [
            client.get("/").status_code,
            client.get("/", headers={"Host": "tunnel.example"}).status_code,
        ]
        # What a tunnel sends of a form on an https:// page.
        page = post_login(
            client, "nobody", "wrong", Host="tunnel.example", Origin="https://tunnel.example"
        )
    development.up()
    assert statuses == [200, 200]
    assert page.status_code == 200


@pytest.mark.parametrize("uid", [pytest.param(1000, marks=pytest.mark.exhaustive), 1234])
def test_files_belong_to_the_person(uid, fresh, stacks):
    path = fresh.path
    own(path, uid)
    env = path / ".env"
    env.write_text(env.read_text().replace("UID=0", f"UID={uid}").replace("GID=0", f"GID={uid}"))
    stack = stacks(path, DEVELOPMENT)
    stack.up()
    stack.manage("startapp", "shop")
    stack.exec("app", "python", "manage.py", "startapp", "blog")
    assert "0 messages in mail/" in stack.get("/").text
    assert strangers(path, uid) == []


def own(path, uid: int) -> None:
    subprocess.run(["chown", "-R", f"{uid}:{uid}", path], check=True)


def strangers(path, uid: int) -> list:
    """Return what in the folder does not belong to this user."""
    return [p for p in path.rglob("*") if (p.stat().st_uid, p.stat().st_gid) != (uid, uid)]


def test_a_fresh_clone_without_env_comes_up(fresh, stacks, tmp_path):
    origin = fresh.path
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "safe.directory=*"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=origin, check=True)
    subprocess.run([*git, "clone", "-q", origin, tmp_path / "clone"], check=True)
    clone = tmp_path / "clone"
    assert not (clone / ".env").exists()
    own(clone, 1000)
    stack = stacks(clone, DEVELOPMENT)
    stack.up()
    assert stack.get("/").text.count('<p class="state">works</p>') == 3
    assert strangers(clone, 1000) == []


def test_a_clone_that_the_container_cannot_write_to_comes_up_all_the_same(fresh, stacks):
    path = fresh.path
    (path / ".env").unlink()
    own(path, 0)
    stack = stacks(path, DEVELOPMENT)
    stack.up()
    page = stack.get("/")
    assert page.status_code == 200
    assert "chown" in page.text
    done = stack.command("run", "--rm", "--no-TTY", "tests")
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_projects_run_side_by_side(development, fresh, stacks):
    other = stacks(fresh.path, DEVELOPMENT)
    other.up()
    other.manage(
        "shell", "--command", "from accounts.models import User; User.objects.all().delete()"
    )
    assert other.get("/").status_code == 200
    assert development.get("/").status_code == 200
    assert other.container("postgres") != development.container("postgres")


def test_development_and_production_run_side_by_side(development, production):
    assert development.get("/").text.count('<p class="state">works</p>') == 3
    assert "Welcome to" in production.get("/").text


@pytest.mark.parametrize("command", ["check", "migrate"])
def test_the_project_runs_outside_containers_without_a_compiler(command, fresh, engine):
    """`DEBUG=1 uv run manage.py …` on SQLite, tried on a machine that has uv and Python alone."""
    dockerfile = (
        "FROM ghcr.io/astral-sh/uv:0.13 AS uv\n"
        "FROM python:3.14-slim-trixie\n"
        "COPY --from=uv /uv /usr/local/bin/\n"
    )
    run("docker", "build", "--quiet", "--tag", fresh.path.name, "-", input=dockerfile)
    machine = ["docker", "run", "--rm", "--volume", f"{fresh.path}:/p", "--workdir", "/p"]
    done = run(*machine, "--env", "DEBUG=1", fresh.path.name, "uv", "run", "manage.py", command)
    run("docker", "image", "rm", "--force", fresh.path.name)
    assert done.returncode == 0, done.stderr
