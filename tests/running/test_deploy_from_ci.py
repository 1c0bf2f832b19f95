"""The job of a CI file that deploys: its own script, on a runner, over ssh to a server with a clone.

bin/deploy on that server is a fake that writes down which commit it found; all else is real.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.matrix import ROOT
from tests.helpers.pipeline import FILES, jobs
from tests.helpers.project import a_slug
from tests.helpers.stack import run

# What is there before the first deploy: a repository, where others work on it, and a clone to deploy from.
SET_UP = """
git config --global user.name deploy
git config --global user.email deploy@example.com
git init --quiet --bare --initial-branch=main origin.git
git clone --quiet origin.git work
mkdir work/bin
cp /tmp/deploy-commit work/bin/
cp -r /tmp/ops work/
cat >work/bin/deploy <<'END'
#!/bin/sh
git rev-parse HEAD >>~/deployed
test ! -e ~/not-ready || { echo "The new version is not ready." >&2; exit 3; }
END
chmod +x work/bin/*
git -C work add .
git -C work commit --quiet --message first
git -C work push --quiet
git clone --quiet origin.git my-site
ssh-keygen -q -t ed25519 -N '' -C ci -f ci
mkdir -m 700 .ssh
for port in 22 2222; do ssh-keyscan -q -t ed25519 -p $port localhost; done >known_hosts
touch deployed
"""


def on_github(job: dict, settings: dict, commit: str) -> tuple[list[str], str, dict]:
    """Return the shell, the script, and the variables that it has."""
    (step,) = job["steps"]
    secret = {"DEPLOY_KEY"}
    contexts = {
        "secrets": {name: value for name, value in settings.items() if name in secret},
        "vars": {name: value for name, value in settings.items() if name not in secret},
    }
    asked = {
        name: re.fullmatch(r"\$\{\{ (\w+)\.(\w+) \}\}", value).groups()
        for name, value in step["env"].items()
    }
    env = {name: contexts[context].get(setting, "") for name, (context, setting) in asked.items()}
    always = {"GITHUB_SHA": commit, "RUNNER_TEMP": "/tmp"}
    return ["bash", "-e", "-c"], step["run"], env | always


def on_gitlab(job: dict, settings: dict, commit: str) -> tuple[list[str], str, dict]:
    return ["sh", "-e", "-c"], "\n".join(job["script"]), settings | {"CI_COMMIT_SHA": commit}


RUNNERS = {"github": on_github, "gitlab": on_gitlab}


@dataclass(frozen=True)
class Server:
    """A container with sshd, where the user `deploy` has a clone of a project."""

    container: str
    image: str
    ci: str
    project: Path

    def sh(self, script: str) -> str:
        """Run a script as the user `deploy`, which must succeed, and return what it printed."""
        who = ("--user=deploy", "--env=HOME=/home/deploy", "--workdir=/home/deploy")
        done = run("docker", "exec", *who, self.container, "sh", "-euc", script)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def commit(self, branch: str = "main") -> str:
        """Push a commit, as a person does elsewhere, and return its name."""
        return self.sh(f"""
            cd ~/work && git switch --quiet --force-create {branch} &&
            git commit --quiet --allow-empty --message more &&
            git push --quiet origin {branch} && git rev-parse HEAD""")

    def allow(self, how: str) -> None:
        """Let CI's key in, in the way that a line of authorized_keys says."""
        self.sh(f"echo '{how}' \"$(cat ~/ci.pub)\" >~/.ssh/authorized_keys")

    def on_runner(self, shell: list[str], script: str, env: dict):
        flags = [f"--env={name}={value}" for name, value in env.items()]
        network = f"--network=container:{self.container}"
        return run("docker", "run", "--rm", network, *flags, self.image, *shell, script)

    def settings(self) -> dict:
        """Return what a person sets. gh and glab cut off the newline at the end of a file."""
        return {
            "DEPLOY_KEY": self.sh("cat ~/ci"),
            "DEPLOY_KNOWN_HOSTS": self.sh("cat ~/known_hosts"),
            "DEPLOY_TO": "deploy@localhost",
        }

    def job(self, commit: str, **changed: str):
        """Run the job for a commit, as its provider would, and return how it ended."""
        job = jobs(self.ci, (self.project / FILES[self.ci]).read_text())["deploy"]
        settings = {**self.settings(), **changed}
        return self.on_runner(*RUNNERS[self.ci](job, settings, commit))

    def deployed(self) -> list[str]:
        """Return the commits that bin/deploy found, in their order."""
        return self.sh("cat ~/deployed").splitlines()

    def head(self) -> str:
        return self.sh("git -C ~/my-site rev-parse HEAD")


@pytest.fixture(scope="module")
def image(engine):
    name = f"{a_slug()}-sshd"
    built = run("docker", "build", "--quiet", "--tag", name, ROOT / "tests/helpers/sshd")
    assert built.returncode == 0, built.stderr
    yield name
    run("docker", "image", "rm", "--force", name)


@pytest.fixture(scope="module", params=FILES)
def ci(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def project(bake_once, ci):
    return bake_once(ci=ci)


@pytest.fixture
def server(project, ci, image):
    """A server that lets CI's key in as docs/deploy.md says."""
    container = run("docker", "run", "--detach", image).stdout.strip()
    try:
        made = Server(container, image, ci, project.path)
        for file in ("bin/deploy-commit", "ops"):
            run("docker", "cp", project.path / file, f"{container}:/tmp/")
        made.sh(SET_UP)
        how = re.search("^(restrict,.*) ssh-ed25519 ", project.read("docs/deploy.md"), re.MULTILINE)
        made.allow(how[1])
        yield made
    finally:
        run("docker", "rm", "--force", "--volumes", container)


# --- What it does ---


@pytest.mark.containers
def test_a_job_deploys_the_commit_that_was_tested_and_no_newer_one(server):
    tested = server.commit()
    server.commit()
    done = server.job(tested)
    assert (done.returncode, done.stderr) == (0, "")
    assert server.deployed() == [tested]
    assert server.head() == tested


@pytest.mark.containers
def test_what_git_leaves_in_the_background_holds_up_no_deploy(server):
    """It cleans up now and then, when it has fetched or merged."""
    server.sh("""
        cd ~/my-site/.git/hooks
        printf '#!/bin/sh\\nsleep 60 >/dev/null 2>&1 &\\n' >post-merge
        chmod +x post-merge""")
    commits = [server.commit(), server.commit()]
    assert [server.job(commit).returncode for commit in commits] == [0, 0]
    assert server.deployed() == commits


@pytest.mark.containers
def test_a_deploy_that_goes_back_fails_the_job_and_can_be_tried_again(server):
    commit = server.commit()
    server.sh("touch ~/not-ready")
    done = server.job(commit)
    assert (done.returncode, done.stderr) == (3, "The new version is not ready.\n")
    server.sh("rm ~/not-ready")
    assert server.job(commit).returncode == 0
    assert server.deployed() == [commit, commit]


@pytest.mark.containers
def test_a_job_that_comes_late_does_not_bring_back_an_older_version(server):
    older, newer = server.commit(), server.commit()
    assert server.job(newer).returncode == 0
    done = server.job(older)
    assert done.returncode == 1
    assert done.stderr == f"Not deployed: what is here is newer than {older}.\n"
    assert server.deployed() == [newer]
    assert server.head() == newer


@pytest.mark.containers
def test_a_commit_of_another_branch_is_refused(server):
    commit = server.commit("experiment")
    done = server.job(commit)
    assert done.returncode == 1
    assert done.stderr == (
        f"Not deployed: {commit} is not in the branch that is checked out here.\n"
    )
    assert server.deployed() == []


@pytest.mark.containers
def test_a_commit_that_is_nowhere_is_refused(server):
    done = server.job("0" * 40)
    assert (done.returncode, done.stderr) == (1, f"Not deployed: {'0' * 40} is not a commit.\n")
    assert server.deployed() == []


@pytest.mark.containers
@pytest.mark.parametrize("known", ["", "localhost ssh-ed25519 {other}"], ids=["none", "another"])
def test_a_server_that_is_not_the_known_one_is_told_nothing(server, known):
    other = server.sh("cut -d ' ' -f 2 ~/ci.pub")
    done = server.job(server.commit(), DEPLOY_KNOWN_HOSTS=known.format(other=other))
    assert done.returncode == 255
    assert "Host key verification failed." in done.stderr
    assert server.deployed() == []


@pytest.mark.containers
def test_without_the_key_the_job_says_what_to_set(server):
    done = server.job(server.commit(), DEPLOY_KEY="")
    assert done.returncode != 0
    assert re.search(r"DEPLOY_KEY: Set this \w+: docs/deploy.md says where\n\Z", done.stderr)
    assert server.deployed() == []


@pytest.mark.containers
def test_the_key_can_do_nothing_but_deploy(server):
    server.commit()
    settings = server.settings()
    script = """
        umask 077; cd; mkdir -p .ssh
        echo "$DEPLOY_KEY" >.ssh/id_ed25519
        echo "$DEPLOY_KNOWN_HOSTS" >.ssh/known_hosts
        ssh "$DEPLOY_TO" 'touch ~/written'
        ssh "$DEPLOY_TO" 'x --list'
        ssh "$DEPLOY_TO" 'x $(touch\t~/written)'
        ssh "$DEPLOY_TO" </dev/null
        ssh "$DEPLOY_TO" experiment
        echo went on"""
    done = server.on_runner(["sh", "-c"], script, settings)
    assert done.stdout == "went on\n"
    assert done.stderr.count("Not deployed: ") == 4
    assert "Not deployed: no commit was named." in done.stderr
    assert server.deployed() == []
    assert "written" not in server.sh("ls ~")


@pytest.mark.containers
def test_another_port_and_another_folder_can_be_set(server):
    server.allow("restrict")
    server.sh("mv ~/my-site ~/elsewhere")
    commit = server.commit()
    where = {"DEPLOY_TO": "ssh://deploy@localhost:2222", "DEPLOY_FOLDER": "elsewhere"}
    done = server.job(commit, **where)
    assert (done.returncode, done.stderr) == (0, "")
    assert server.deployed() == [commit]
