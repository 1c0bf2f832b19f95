"""Delete the pieces that were not chosen, write .env where there is none, and say what to do next."""

import json
import os
import re
import secrets
import shutil
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | jsonify }}""")

NEXT = """
Your project is in {project_slug}/. Next:

  cd {project_slug}
  docker compose up --wait
  docker compose run --rm manage createsuperuser

Then open http://localhost:8000 and read README.md.
"""

NGINX = [
    "bin/deploy",
    "bin/deploy-commit",
    "bin/rollback",
    "config/client_address.py",
    "config/management/commands/publish.py",
    "config/publish.py",
    "config/ready.py",
    "docker/app/links.py",
    "docker/app/listen.py",
    "docker/app/serve.py",
    "docker/nginx",
    "docs/deploy.md",
    "ops/commands/deploy.py",
    "ops/commands/deploy_commit.py",
    "ops/deploy",
    "config/templates/502.html",
    "config/templates/504.html",
    "config/templates/refused.html",
    "tests/test_client_address.py",
    "tests/test_links.py",
    "tests/test_ops_deploy.py",
    "tests/test_ops_steps.py",
    "tests/test_publish.py",
    "tests/test_ready.py",
]

# Answer -> value -> what is there only for that value. Nothing else ties an answer to a path.
PIECES = {
    "app_server": {
        "uwsgi": [
            "config/complete.py",
            "config/uwsgi.py",
            "docker/app/uwsgi.ini",
            "docs/uwsgi.md",
            "tests/test_complete.py",
        ],
        "gunicorn": ["docker/app/gunicorn.conf.py", "docs/gunicorn.md"],
    },
    "proxy": {
        "nginx-letsencrypt": [
            *NGINX,
            "docker/certbot",
            "docker/nginx/entrypoint.d/12-certificates.envsh",
            "docker/nginx/entrypoint.d/13-certificates.sh",
            "docker/nginx/snippets/acme.conf",
            "docker/nginx/snippets/redirect.conf",
            "docker/nginx/snippets/tls.conf",
            "docker/nginx/templates/https.conf.template",
            "docs/https.md",
            "ops/doctor/https",
            "tests/test_certificates.py",
        ],
        "nginx": [
            *NGINX,
            "docker/nginx/entrypoint.d/12-known-hosts.envsh",
            "docker/nginx/templates/load-balancer.conf.template",
            "docs/load-balancer.md",
        ],
        "none": ["config/front.py", "docs/platform.md", "tests/test_front.py"],
    },
    "use_allauth": {
        True: [
            "accounts/adapter.py",
            "accounts/urls.py",
            "accounts/views.py",
            "docs/accounts.md",
            "static/account.css",
            "templates/account",
            "templates/allauth",
        ],
    },
    "ci": {
        "github": [".github"],
        "gitlab": [".gitlab-ci.yml"],
    },
}


def not_chosen() -> set[str]:
    """Return the paths of all pieces but those that the answers ask for."""
    paths = {path for values in PIECES.values() for owned in values.values() for path in owned}
    chosen = [PIECES[answer].get(ANSWERS[answer], []) for answer in PIECES]
    return paths.difference(*chosen)


def delete(path: Path) -> None:
    """Delete a file or a folder; a path that is not there is a mistake in PIECES, and raises."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def prune_lock(lock: Path, project: str) -> None:
    """Leave in a lock, which holds the packages of all variants, what this pyproject.toml leads to.

    That is what uv would write: a package that pyproject.toml names or that one of those needs, each
    with a `# via` of those who need it.
    """
    head, *blocks = re.split(r"^(?=\w)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = set(re.findall(r'^    "([\w-]+)', project, re.MULTILINE))
    packages = {}
    for block in blocks:
        name = re.match(r"[\w-]+", block)[0]
        pin, *via = re.split(r"^    # (?:via|  ) ?", block, flags=re.MULTILINE)
        packages[name] = pin, [line.strip() for line in via if line.strip()]

    def needs(who: str, name: str) -> bool:
        return name in named if "(pyproject.toml" in who else who in kept

    kept, before = set(), None
    while kept != before:
        before = kept
        kept = {name for name, (_, via) in packages.items() if any(needs(w, name) for w in via)}
    for name in kept:
        pin, via = packages[name]
        via = [who for who in via if needs(who, name)]
        comment = f" {via[0]}" if len(via) == 1 else "".join(f"\n    #   {who}" for who in via)
        packages[name] = f"{pin}    # via{comment}\n"
    lock.write_text(
        head + "".join(packages[name] for name in packages if name in kept), encoding="utf-8"
    )


def write_env(example: Path, env: Path) -> None:
    """Fill in the example as bin/init does, for systems without a shell too; readable by its owner only."""
    values = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "POSTGRES_PASSWORD": secrets.token_urlsafe(48),
    }
    if hasattr(os, "getuid"):
        values |= {"UID": os.getuid(), "GID": os.getgid()}
    text = example.read_text(encoding="utf-8")
    for name, value in values.items():
        text = re.sub(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
    env.touch(mode=0o600)
    env.write_text(text, encoding="utf-8")


for path in sorted(not_chosen(), reverse=True):  # what is in a folder before the folder
    delete(Path(path))
for lock in ("requirements.txt", "requirements-dev.txt"):
    prune_lock(Path(lock), Path("pyproject.toml").read_text(encoding="utf-8"))
if not Path(".env").exists():
    write_env(Path(".env.example"), Path(".env"))

print(NEXT.format(**ANSWERS))
