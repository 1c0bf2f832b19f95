"""Compose, Docker and nginx accept the files of each variant."""

import pytest

from tests.helpers import stack
from tests.helpers.nginx import NGINX

# Where it writes, as docker/nginx/configure.yaml has it.
TMPFS = [
    *("/run:uid=101", "/var/cache/nginx:uid=101"),
    *("/etc/nginx/conf.d:uid=101", "/etc/nginx/upstream:uid=101"),
]


@pytest.fixture
def nginx_image(baked, engine):
    """Names an image for nginx, which is removed after the test."""
    name = f"{baked.path.name}-nginx-to-check"
    yield name
    stack.run("docker", "image", "rm", "--force", name)


@pytest.mark.containers
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("file", ["compose.yaml", "compose.prod.yaml"])
def test_compose_understands_its_files(baked, file):
    done = stack.run("docker", "compose", "--file", file, "config", "--quiet", cwd=baked.path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.containers
@pytest.mark.usefixtures("engine")
def test_docker_finds_nothing_wrong_with_a_dockerfile(baked):
    contexts = {"docker/app/Dockerfile": "."}
    contexts |= {f"docker/{name}/Dockerfile": f"docker/{name}" for name in ("certbot", "nginx")}
    files = baked.files() & contexts.keys()
    checks = {
        file: stack.run(
            "docker", "build", "--check", "--file", file, contexts[file], cwd=baked.path
        )
        for file in files
    }
    assert {file: done.stderr for file, done in checks.items() if done.returncode} == {}
    assert all("no warnings found" in done.stdout for done in checks.values()), checks


@pytest.mark.containers
def test_nginx_takes_its_configuration(baked, nginx_image):
    for folder in baked.path.glob("docker/nginx"):
        built = stack.run("docker", "build", "--quiet", "--tag", nginx_image, folder)
        assert built.returncode == 0, built.stderr
        options = [f"--env={name}={value}" for name, value in NGINX.items()]
        options += [f"--tmpfs={place}" for place in TMPFS]
        done = stack.run("docker", "run", "--rm", *options, nginx_image, "test")
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr
        assert "test is successful" in done.stderr
