"""Write .env with secrets of its own where there is none, and say what to do next."""

import os
import re
import secrets
from pathlib import Path

SLUG = "{{ cookiecutter.project_slug }}"

NEXT = f"""
Your project is in {SLUG}/. Next:

  cd {SLUG}
  docker compose up --wait
  docker compose run --rm manage createsuperuser

Then open http://localhost:8000 and read README.md.
"""


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


if not Path(".env").exists():
    write_env(Path(".env.example"), Path(".env"))

print(NEXT)
