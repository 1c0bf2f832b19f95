"""docs/recipes.md of each variant: every block applies, and leaves code that passes the lint."""

import subprocess
import sys

from tests.helpers import recipes


def test_every_block_applies(project):
    (project.path / "locale/de/LC_MESSAGES").mkdir(parents=True)  # what makemessages writes
    message = '\nmsgid "Thank you for your visit."\nmsgstr ""\n'
    (project.path / "locale/de/LC_MESSAGES/django.po").write_text(message)
    for blocks in recipes.read(project.read("docs/recipes.md")).values():
        for block in blocks:
            if block.how or block.text.startswith("cp "):
                block.apply(project.path)
    for check in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *check, "--no-cache", "."]
        done = subprocess.run(ruff, cwd=project.path, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
