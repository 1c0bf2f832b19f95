"""What a person's browser makes of the pages: Chromium obeys the CSP and tells of violations."""

import os
import subprocess

import pytest
from playwright.sync_api import sync_playwright

from tests.conftest import PASSWORD
from tests.matrix import ROOT

pytestmark = pytest.mark.containers

BOSS = (
    "from accounts.models import User; "
    f"User.objects.create_superuser('boss', password={PASSWORD!r})"
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

PAGES = [
    "/",
    "/no/such/page",
    "/admin/",
    "/admin/accounts/",
    "/admin/accounts/user/",
    "/admin/accounts/user/?q=boss&is_staff__exact=1",
    "/admin/accounts/user/add/",
    "/admin/accounts/user/1/change/",
    "/admin/accounts/user/1/history/",
    "/admin/accounts/user/1/password/",
    "/admin/accounts/user/1/delete/",
    "/admin/auth/group/",
    "/admin/auth/group/add/",
    "/admin/password_change/",
    "/admin/no/such/page/",
]


@pytest.fixture(scope="session")
def chromium():
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

    def log_in(self, name: str) -> None:
        self.page.goto("/admin/login/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("input[type=submit]")
        self.page.wait_for_url("**/admin/")


@pytest.fixture(scope="session")
def tab(chromium, production, admin):
    """A tab on the production stack, logged in as its superuser."""
    tab = Tab(chromium, production.address)
    tab.log_in(admin)
    return tab


@pytest.mark.parametrize("path", PAGES)
def test_no_page_violates_the_csp(path, tab, production):
    tab.wrong.clear()
    answer = tab.page.goto(path, wait_until="networkidle")
    assert answer.status == (404 if "/no/such/" in path else 200)
    assert tab.page.url == f"{production.address}{path}"  # and not the page for logging in
    assert tab.wrong == []


def test_the_admin_works_under_the_csp(tab):
    """Its scripts run: the widget for permissions is built by one, and so is the list's counter."""
    tab.wrong.clear()
    tab.page.goto("/admin/auth/group/add/")
    assert tab.page.locator("select#id_permissions_to").count() == 1
    tab.page.goto("/admin/accounts/user/")
    tab.page.check("#action-toggle")
    assert "1 of 1 selected" in tab.page.inner_text(".action-counter")
    assert tab.wrong == []


def test_a_script_in_a_page_would_not_run(tab):
    """The tests above can fail: the browser enforces the policy and tells of it."""
    tab.wrong.clear()
    tab.page.goto("/")
    tab.page.evaluate(
        "() => { const s = document.createElement('script'); s.text = 'window.ran = 1';"
        " document.body.append(s) }"
    )
    assert tab.page.evaluate("() => window.ran") is None
    assert "Content Security Policy" in tab.wrong[0]


def test_one_browser_logs_in_to_development_and_production(tab, development):
    """Both are on localhost, and cookies know no port: each needs names of its own for them."""
    development.manage("shell", "--command", BOSS)
    tab.page.goto("/admin/")
    other = tab.page.context.new_page()
    other.goto(f"{development.address}/admin/login/")
    other.fill("#id_username", "boss")
    other.fill("#id_password", PASSWORD)
    other.click("input[type=submit]")
    other.wait_for_url(f"{development.address}/admin/")
    tab.page.goto("/admin/")
    assert "Site administration" in tab.page.inner_text("h1")


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_home_page_fits_the_screen(width, scheme, chromium, development):
    tab = Tab(
        chromium,
        development.address,
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
    )
    tab.page.goto("/", wait_until="networkidle")
    assert tab.page.evaluate("() => document.documentElement.scrollWidth") == width
    assert tab.page.locator(".unstyled:visible").count() == 0
    assert tab.wrong == []
