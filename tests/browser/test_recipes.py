"""What a person's browser makes of the recipes that touch the Content Security Policy."""

import pytest

from tests.helpers import recipes
from tests.helpers.browser import Tab
from tests.helpers.login import PASSWORD
from tests.helpers.project import a_slug
from tests.helpers.stack import DEVELOPMENT

pytestmark = pytest.mark.containers

NAMES = ["Debug toolbar", "An admin theme", "Login with GitHub"]


@pytest.fixture(scope="module")
def development(bake_once, lasting_stacks):
    """Follows three recipes and starts development: about 40 s."""
    stack = lasting_stacks(bake_once(project_slug=a_slug()).path, DEVELOPMENT)
    with (stack.path / ".env").open("a") as env:
        env.write(f"APP_PORT={stack.ports['APP_PORT']}\n")
    recipes.cook(stack.path, NAMES)
    create = ("createsuperuser", "--no-input", "--username=boss", "--email=boss@example.com")
    stack.manage(*create, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    return stack


@pytest.fixture
def tab(browser, development):
    return Tab(browser, development.address)


def test_the_debug_toolbar_opens(tab):
    tab.page.goto("/", wait_until="networkidle")
    tab.page.click("#djDebugPanelList a.SQLPanel")
    tab.page.wait_for_selector("#SQLPanel table")
    assert tab.wrong == []


def test_the_admin_theme_works_under_its_policy(tab):
    tab.page.goto("/admin/", wait_until="networkidle")
    tab.page.fill("#id_username", "boss")
    tab.page.fill("#id_password", PASSWORD)
    tab.page.click("button[type=submit]")
    tab.page.wait_for_url("**/admin/")
    for path in ("/admin/", "/admin/accounts/user/", "/admin/accounts/user/1/change/"):
        answer = tab.page.goto(path, wait_until="networkidle")
        assert answer.status == 200
        assert "boss" in tab.page.content()
    assert tab.page.title().endswith("My Site")
    tab.page.goto("/admin/accounts/user/add/", wait_until="networkidle")
    style = "field => getComputedStyle(field).borderTopWidth"
    for field in ("#id_username", "#id_password1"):
        assert tab.page.eval_on_selector(field, style) == "1px"
    assert tab.wrong == []


def test_the_button_leads_to_github(tab):
    tab.page.goto("/accounts/login/")
    tab.page.click("text=Continue with GitHub")
    with tab.page.expect_request("https://github.com/login/oauth/authorize*"):
        tab.page.click("main button[type=submit]")
    assert [words for words in tab.wrong if "Content Security Policy" in words] == []
