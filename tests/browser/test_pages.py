"""What a person's browser makes of the pages: Chromium obeys the CSP and tells of violations."""

import pytest

from tests.helpers.browser import Tab
from tests.helpers.login import PASSWORD

pytestmark = pytest.mark.containers

BOSS = (
    "from accounts.models import User; User.objects.filter(username='boss').delete(); "
    f"User.objects.create_superuser('boss', password={PASSWORD!r})"
)
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


# The pages are the same behind both app servers.
once = pytest.mark.parametrize("app_server", ["uwsgi"], indirect=True)


@pytest.fixture(scope="session")
def tab(browser, production, admin):
    """Opens a tab on `production` and logs in as its superuser: about 3 s."""
    tab = Tab(browser, production.address)
    tab.log_in(admin, PASSWORD)
    return tab


@once
@pytest.mark.parametrize("path", PAGES)
def test_no_page_violates_the_csp(path, tab, production):
    tab.wrong.clear()
    answer = tab.page.goto(path, wait_until="networkidle")
    assert answer.status == (404 if "/no/such/" in path else 200)
    assert tab.page.url == f"{production.address}{path}"  # and not the page for logging in
    assert tab.wrong == []


@once
def test_the_admin_works_under_the_csp(tab):
    """Its scripts run: the widget for permissions is built by one, and so is the list's counter."""
    tab.wrong.clear()
    tab.page.goto("/admin/auth/group/add/")
    assert tab.page.locator("select#id_permissions_to").count() == 1
    tab.page.goto("/admin/accounts/user/")
    tab.page.check("#action-toggle")
    assert "1 of 1 selected" in tab.page.inner_text(".action-counter")
    assert tab.wrong == []


@once
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


@once
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
def test_the_home_page_fits_the_screen(width, scheme, browser, development):
    tab = Tab(
        browser,
        development.address,
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
    )
    tab.page.goto("/", wait_until="networkidle")
    assert tab.page.evaluate("() => document.documentElement.scrollWidth") == width
    assert tab.page.locator(".unstyled:visible").count() == 0
    assert tab.wrong == []
