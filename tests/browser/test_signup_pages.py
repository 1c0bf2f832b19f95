"""Sign-up, login and account pages in Chromium, one after the other as a person opens them."""

import pytest

from tests.helpers.browser import Tab
from tests.helpers.login import PASSWORD
from tests.helpers.mail import first_link, mail_server

pytestmark = pytest.mark.containers


def test_a_person_walks_through_all_pages_and_none_violates_the_csp(browser, rested):
    with mail_server(rested):
        assert walk(browser, rested) == []


def walk(browser, stack) -> list[str]:
    """Sign up, confirm, log in, change all there is, log out, forget the password, log in again."""
    tab = Tab(browser, stack.address, viewport={"width": 390, "height": 844})
    # Chromium drops what it loads when the machine gets a network, as it just did by the stack.
    tab.page.wait_for_timeout(3000)
    go(tab, "/")
    click(tab, "text=Sign up", "Sign Up")
    fill(tab, email="eve@example.com", password1=PASSWORD, password2=PASSWORD)
    click(tab, "main button", "Confirm your email address")
    go(tab, link(stack))
    click(tab, "main button", "Sign In")
    fill(tab, login="eve@example.com", password=PASSWORD)
    click(tab, "main button", "Your account")
    fill(tab, first_name="Eve", last_name="Example")
    click(tab, "text=Save", "Your account")
    assert tab.page.input_value("#id_first_name") == "Eve"
    click(tab, "text=Change email", "Your email address")
    fill(tab, email="new@example.com")
    click(tab, "[name=action_add]", "Your email address")
    go(tab, link(stack))
    click(tab, "main button", "Your account")
    assert "new@example.com" in tab.page.inner_text("main")
    click(tab, "text=Change password", "Change Password")
    fill(tab, oldpassword=PASSWORD, password1=f"{PASSWORD} 2", password2=f"{PASSWORD} 2")
    click(tab, "main button", "Your account")
    click(tab, "text=Sign out", "Sign In")
    click(tab, "text=Forgot", "Forgot your password?")
    fill(tab, email="new@example.com")
    click(tab, "main button", "Set a new password")
    go(tab, link(stack))
    fill(tab, password1=f"{PASSWORD} 3", password2=f"{PASSWORD} 3")
    click(tab, "main button", "Your password is set")
    click(tab, "main .button", "Sign In")
    fill(tab, login="new@example.com", password=f"{PASSWORD} 3")
    click(tab, "main button", "Your account")
    return tab.wrong


def link(stack) -> str:
    """Return the link in the newest message that production's mail server got."""
    return first_link(stack, stack.exec("app", "cat", "/tmp/mail.txt"))


def go(tab, address: str) -> None:
    tab.page.goto(address, wait_until="networkidle")


def fill(tab, **fields: str) -> None:
    for name, text in fields.items():
        tab.page.fill(f"#id_{name}", text)


def click(tab, what: str, heading: str) -> None:
    """Click on something that leads to a page with this heading, which fits the screen."""
    tab.page.click(what)
    tab.page.wait_for_load_state("networkidle")
    assert tab.page.inner_text("h1") == heading
    assert tab.page.evaluate("() => document.documentElement.scrollWidth") == 390
