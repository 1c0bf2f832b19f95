"""The .env that a bake or bin/init writes, and the .env.example that explains it."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from tests.helpers.command import cookiecutter

VARIABLE = re.compile(r"^#?([A-Z_]+)=(.*)$", re.MULTILINE)

# What bin/init may use: a shell, and what every Unix has.
TOOLS = ("sh", "cat", "chmod", "dirname", "head", "id", "mv", "rm", "sed", "tr")

# What nginx-config gets in both variants.
NGINX = {
    "DOMAIN",
    "REDIRECT_DOMAINS",
    "SECURE_HSTS_SECONDS",
    "TRUSTED_PROXIES",
    "UPLOAD_LIMIT_MB",
    "APP_COPIES",
}

# How each kind of file reads a variable that a person can set. UWSGI_ and an option's name is a
# rule of uWSGI, which uwsgi.ini explains; so is GUNICORN_CMD_ARGS one of gunicorn.
COMPOSE = r"(?:(?<!\$)\$\{|\benvironment: )([A-Z_]+)"
READERS = {
    "compose*.yaml": COMPOSE,
    "config/settings.py": r"env\.\w+\(\s*\"([A-Z_]+)\"",
    "docker/*/Dockerfile": r"^FROM \$\{([A-Z_]+)",
    "docker/app/*.py": r"environ(?:\.get\(|\[)[\"']((?!UWSGI_)[A-Z_]+)",
    "docker/app/entrypoint.sh": r"\$\{?([A-Z_]+)",
    "docker/app/uwsgi.ini": r"(?:\$\(|-env = (?!UWSGI_))([A-Z_]+)",
    "docker/*/*.yaml": COMPOSE,
    "ops/*.py": r"number\(variables, \"([A-Z_]+)\"",
}


@pytest.fixture
def shop(bake):
    return bake(project_slug="shop")


@pytest.fixture
def init(shop, tmp_path):
    """init() runs bin/init from another folder, with few tools, and returns the .env it leaves."""
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool))

    def run():
        done = subprocess.run(
            [shop.path / "bin/init"],
            check=False,
            cwd=tmp_path,
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return shop.path / ".env"

    return run


@pytest.fixture
def init_anew(shop, init):
    """init_anew() takes .env away and runs bin/init."""

    def run():
        (shop.path / ".env").unlink()
        return init()

    return run


def variables(text: str) -> dict[str, str]:
    """Return each variable, those that are commented out too, and its value."""
    return dict(VARIABLE.findall(text))


def without_secrets(text: str) -> str:
    return re.sub("^(SECRET_KEY|POSTGRES_PASSWORD)=.*$", r"\1=…", text, flags=re.MULTILINE)


def mode(path) -> str:
    return oct(path.stat().st_mode & 0o777)


def passed_on(project) -> set[str]:
    """Return the variables that a compose file hands to a container by name alone."""
    files = [yaml.safe_load(file.read_text()) for file in project.path.glob("compose*.yaml")]
    environments = [s.get("environment") for file in files for s in file["services"].values()]
    mappings = [entries for entries in environments if isinstance(entries, dict)]
    return {name for entries in mappings for name, value in entries.items() if value is None}


def read_by_the_project(project) -> set[str]:
    return passed_on(project).union(
        *(
            re.findall(reads, file.read_text(), re.MULTILINE)
            for pattern, reads in READERS.items()
            for file in project.path.glob(pattern)
        )
    )


def explanations(example: str) -> dict[str, str]:
    """Return for each variable the comment between it and the empty line above."""
    found = {}
    for paragraph in example.split("\n\n"):
        for match in VARIABLE.finditer(paragraph):
            above = VARIABLE.sub("", paragraph[: match.start()])
            found[match[1]] = " ".join(line.strip("# ") for line in above.splitlines()).strip()
    return found


# --- The .env of a bake ---


def test_env_is_for_its_owner_alone(baked):
    assert mode(baked.path / ".env") == "0o600"


@pytest.mark.parametrize("secret", ["SECRET_KEY", "POSTGRES_PASSWORD"])
def test_a_secret_is_long_and_safe_in_a_url(baked, secret):
    assert re.fullmatch("[A-Za-z0-9_-]{50,}", variables(baked.read(".env"))[secret])


@pytest.mark.parametrize("secret", ["SECRET_KEY", "POSTGRES_PASSWORD"])
def test_two_bakes_share_no_secret(bake, secret):
    one, two = (variables(bake().read(".env"))[secret] for _ in range(2))
    assert one != two


def test_the_two_secrets_differ(baked):
    env = variables(baked.read(".env"))
    assert env["SECRET_KEY"] != env["POSTGRES_PASSWORD"]


def test_env_holds_the_ids_of_the_person(baked):
    env = variables(baked.read(".env"))
    assert (env["UID"], env["GID"]) == (str(os.getuid()), str(os.getgid()))


def test_env_holds_the_domain_and_the_address(bake):
    env = variables(bake(domain_name="shop.example", email="shop@mail.example").read(".env"))
    assert env["DOMAIN"] == "shop.example"
    assert env["DEFAULT_FROM_EMAIL"] == "shop@mail.example"


def test_env_holds_every_variable_of_the_example(baked):
    assert list(variables(baked.read(".env"))) == list(variables(baked.read(".env.example")))


def test_a_second_bake_keeps_env(shop):
    env = shop.path / ".env"
    env.write_bytes(b"SECRET_KEY=mine\n# and a note\r\n")
    done = cookiecutter(shop.path.parent, "--no-input", "-f", "project_slug=shop")
    assert done.returncode == 0, done.stdout
    assert env.read_bytes() == b"SECRET_KEY=mine\n# and a note\r\n"


# --- The .env of bin/init ---


def test_init_writes_what_a_bake_writes(shop, init_anew):
    baked = shop.read(".env")
    assert without_secrets(init_anew().read_text()) == without_secrets(baked)


@pytest.mark.parametrize("secret", ["SECRET_KEY", "POSTGRES_PASSWORD"])
def test_init_makes_a_long_secret_that_is_safe_in_a_url(init_anew, secret):
    assert re.fullmatch("[A-Za-z0-9_-]{50,}", variables(init_anew().read_text())[secret])


def test_init_makes_secrets_of_its_own(shop, init_anew):
    before = variables(shop.read(".env.example"))
    one = variables(init_anew().read_text())
    two = variables(init_anew().read_text())
    secrets = [
        env[name] for env in (before, one, two) for name in ("SECRET_KEY", "POSTGRES_PASSWORD")
    ]
    assert len(set(secrets)) == 5  # the placeholder stands there twice


def test_init_writes_for_the_owner_alone(init_anew):
    assert mode(init_anew()) == "0o600"


def test_init_leaves_nothing_else_behind(shop, init_anew):
    before = shop.files()
    init_anew()
    assert shop.files() == before


def test_init_keeps_an_env_that_is_there(shop, init):
    (shop.path / ".env").write_bytes(b"SECRET_KEY=mine\r\n")
    assert init().read_bytes() == b"SECRET_KEY=mine\r\n"


# --- .env.example ---


def test_the_example_names_a_variable_once(baked):
    names = [name for name, _ in VARIABLE.findall(baked.read(".env.example"))]
    assert sorted(names) == sorted(set(names))


def test_every_variable_of_the_example_is_read(baked):
    assert variables(baked.read(".env.example")).keys() - read_by_the_project(baked) == set()


def test_every_variable_that_is_read_is_in_the_example(baked):
    assert read_by_the_project(baked) - variables(baked.read(".env.example")).keys() == set()


def test_an_option_of_uwsgi_gives_way_to_its_own_variable(bake):
    ini = bake(app_server="uwsgi").read("docker/app/uwsgi.ini")
    guarded = re.findall(r"^if-not-env = (UWSGI_\w+)\n(.+) = ", ini, re.MULTILINE)
    assert ("UWSGI_HARAKIRI", "harakiri") in guarded
    assert [
        names for names in guarded if names[0] != f"UWSGI_{names[1].upper().replace('-', '_')}"
    ] == []


@pytest.mark.parametrize(
    ("proxy", "given"),
    [
        ("nginx-letsencrypt", NGINX | {"HTTPS_PORT"}),
        ("nginx", NGINX),
    ],
)
def test_nginx_gets_exactly_the_variables_that_it_reads(bake, proxy, given):
    project = bake(proxy=proxy)
    compose = yaml.safe_load(project.read("docker/nginx/configure.yaml"))
    scripts = [file.read_text() for file in project.path.glob("docker/nginx/entrypoint.d/*")]
    templates = [file.read_text() for file in project.path.glob("docker/nginx/templates/*")]
    read = {*re.findall(r"\$\{?([A-Z_]+)", "\n".join(scripts + templates))}
    made = {*re.findall(r"^([A-Z_]+)=", "\n".join(scripts), re.MULTILINE)}
    assert set(compose["services"]["nginx-config"]["environment"]) == read - made == given


def test_production_hands_on_every_variable_that_the_settings_read(baked):
    production = yaml.safe_load(baked.read("compose.prod.yaml"))["services"]["app"]["environment"]
    read = re.findall(READERS["config/settings.py"], baked.read("config/settings.py"))
    assert set(read) - set(production) == {"APP_ADDRESS", "DEBUG"}  # which is for development alone


def test_every_variable_has_a_sentence_a_type_and_a_default(baked):
    # Such as: Where http://localhost is in development (port; 8000)
    explained = re.compile(r"\w[^(]+ [^(]+ .*\(\w[^;,]*[;,] .*\w.*\)")
    wrong = {
        k: v
        for k, v in explanations(baked.read(".env.example")).items()
        if not explained.fullmatch(v)
    }
    assert wrong == {}
