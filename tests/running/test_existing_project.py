"""A project that is as unlike ours as possible moves in by docs/existing-project.md and by nothing else."""

import shutil

import pytest

from tests.helpers.load import load
from tests.helpers.login import PASSWORD, post_login
from tests.helpers.matrix import ROOT
from tests.helpers.project import a_slug
from tests.helpers.recipes import Block, read
from tests.helpers.site import Site
from tests.helpers.stack import DEVELOPMENT, PRODUCTION, Stack, standing

pytestmark = pytest.mark.containers

# The old server: another role, and a database without the newest migration.
OLD_DATABASE = """
docker compose exec -T postgres psql --username=app --command "CREATE ROLE legacy SUPERUSER LOGIN PASSWORD 'legacy'"
docker compose exec -T postgres createdb --username=legacy old
docker compose run --rm -T --env DATABASE_URL=postgres://legacy:legacy@postgres/old manage migrate --verbosity 0
docker compose run --rm -T --env DATABASE_URL=postgres://legacy:legacy@postgres/old manage migrate --verbosity 0 blog 0002
docker compose run --rm -T --env DATABASE_URL=postgres://legacy:legacy@postgres/old \\
  --env "DJANGO_SUPERUSER_PASSWORD=correct horse battery" manage createsuperuser --no-input --username ada --email ada@example.com
docker compose exec -T postgres psql --username=legacy --dbname=old \\
  --command "INSERT INTO blog_post (title, slug, author_id) VALUES ('From the old site', 'old', 1)"
docker compose exec -T postgres pg_dump --username=legacy --format=custom old >../old/site.dump
docker compose exec -T postgres dropdb --username=app old
"""


OTHER_SETTINGS = """
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_I18N = False
TEMPLATES[0]["OPTIONS"]["context_processors"].append("blog.context_processors.newest")
AUTHENTICATION_BACKENDS += ["django.contrib.auth.backends.RemoteUserBackend"]
"""


class Move:
    """The commands and edits of the page, for one project."""

    def __init__(self, path):
        self.path = path
        self.page = read((path / "docs/existing-project.md").read_text())

    def do(self, section: str) -> None:
        """Do all that a section of the page says."""
        assert self.page[section], f"{section} has nothing to do"
        for block in self.page[section]:
            # What is typed on the old server.
            if not block.text.startswith("pg_dump"):
                block.apply(self.path)

    def type(self, commands: str) -> None:
        Block("the test itself", "", "", commands).apply(self.path)


@pytest.fixture(scope="module")
def moved(bake_once, engine):
    """Moves a project in and starts both stacks: about two minutes."""
    project = bake_once(project_slug=a_slug(), use_allauth=False)
    old = project.path.parent / "old"
    shutil.copytree(ROOT / "tests/apps/old", old)
    for name in ("photo.png", "private/posts/minutes.txt"):
        (old / "media" / name).parent.mkdir(parents=True, exist_ok=True)
        (old / "media" / name).write_text(f"content of {name}")
    with standing() as make:
        development, production = make(project.path, DEVELOPMENT), make(project.path, PRODUCTION)
        ports = production.ports | {"APP_PORT": development.ports["APP_PORT"]}
        with (project.path / ".env").open("a") as env:
            env.writelines(f"{name}={port}\n" for name, port in ports.items())
        yield Move(project.path), development, Site(project.path, PRODUCTION, production.ports)
    shutil.rmtree(old)


def test_it_moves_in_whole(moved):
    move, development, site = moved
    for section in ("The code", "The user model", "Migrations", "The lint"):
        move.do(section)
    with (move.path / "config/settings.py").open("a") as settings:
        settings.write(OTHER_SETTINGS)
    # Both stacks are up, and the project's tests pass, those of the old project with them.
    move.do("Start it")
    move.do("Inline scripts, frames, other hosts")
    move.type("docker compose run --rm -T lint")
    move.type("docker compose run --rm -T tests blog | grep '2 passed'")
    move.type("docker compose run --rm -T manage test blog")
    assert "Old blog" in development.get("/").text
    move.type(OLD_DATABASE)
    move.do("Build steps")
    move.do("Workers and cron jobs")
    move.do("The database and the uploads")
    shows_the_old_site(site)
    keeps_private_files(site)
    shows_its_own_error_pages(site)
    deploys_without_a_failed_request(site)


def shows_the_old_site(site: Stack) -> None:
    page = site.get("/")
    assert "From the old site by ada" in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy-Report-Only"]
    assert "Content-Security-Policy" not in page.headers
    assert site.get("/media/photo.png").text == "content of photo.png"
    assert "The old blog" in site.get("/static/made.css").text
    assert "body" in site.get("/static/CACHE/all.css").text


def keeps_private_files(site: Stack) -> None:
    path = "private/posts/minutes.txt"
    site.exec(
        "postgres",
        "psql",
        "--username=app",
        "--command",
        f"UPDATE blog_post SET attachment = '{path}'",
    )
    assert site.get(f"/media/{path}").status_code == 404
    assert site.get("/attachments/1").status_code == 302
    with site.client() as client:
        assert post_login(client, "ada", PASSWORD).headers["Location"] == "/admin/"
        assert client.get("/attachments/1").text == f"content of {path}"


def shows_its_own_error_pages(site: Stack) -> None:
    assert "Nothing at /no/such/page" in site.get("/no/such/page/").text
    # nginx has no request to give to the project's own 502 and 500 pages.
    assert "templates/500.html cannot be rendered without a request" in site.logs("release")


def deploys_without_a_failed_request(site: Site) -> None:
    with load(site, "GET /", "GET /old/", "POST /") as requests:
        site.deploys()
    assert requests.failures() == []
    assert site.compose("ps", "--services").split() == [
        "app",
        "certbot",
        "nginx",
        "postgres",
        "worker",
    ]
    assert "working" in site.logs("worker")
