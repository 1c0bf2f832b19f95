"""Chromium: it obeys the Content Security Policy, and tells of violations."""

import os
import subprocess
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from tests.helpers.matrix import ROOT

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def chromium():
    """Give a running Chromium: the one that $CHROMIUM names, or the one that .ci/chromium finds."""
    path = os.environ.get("CHROMIUM")
    if not path:
        found = subprocess.run([ROOT / ".ci/chromium"], check=False, capture_output=True, text=True)
        assert found.returncode == 0, found.stderr
        path = found.stdout.strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A tab that gathers what went wrong on its pages."""

    def __init__(self, browser, address: str, **options):
        context = browser.new_context(base_url=address, ignore_https_errors=True, **options)
        self.page = context.new_page()
        self.wrong: list[str] = []
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", lambda request: self.wrong.append(request.url))

    def hear(self, message) -> None:
        # That a page answers 404 is said on the console too, and is what was asked for.
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.wrong.append(message.text)

    def log_in(self, name: str, password: str) -> None:
        self.page.goto("/admin/login/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", password)
        self.page.click("input[type=submit]")
        self.page.wait_for_url("**/admin/")
