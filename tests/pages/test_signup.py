"""Sign-up, login and the account page."""

import re
from smtplib import SMTPRecipientsRefused

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.mail.backends.locmem import EmailBackend
from django.db import DatabaseError

from accounts.models import User

ADA = "ada@example.com"
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(params=[ConnectionRefusedError("not here"), SMTPRecipientsRefused("not there")])
def no_mail(request, monkeypatch):
    """A mail server that is not there, or that refuses."""

    def fails(backend, messages):
        raise request.param

    monkeypatch.setattr(EmailBackend, "send_messages", fails)


@pytest.fixture
def ada(client, mailoutbox) -> User:
    """Somebody who has signed up and confirmed her address."""
    sign_up(client)
    client.post(link(mailoutbox), follow=True)
    mailoutbox.clear()
    return User.objects.get(email=ADA)


def sign_up(client, email: str = ADA):
    form = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
    return client.post("/accounts/signup/", form, follow=True)


def sign_in(client, email: str = ADA, password: str = PASSWORD, **options):
    form = {"login": email, "password": password}
    return client.post("/accounts/login/", form, follow=True, **options)


def ask_for_password(client, email: str = ADA):
    return client.post("/accounts/password/reset/", {"email": email}, follow=True)


def link(outbox) -> str:
    """Return the one link in the newest message that leads to an account page."""
    (url,) = re.findall(r"^http://testserver(/accounts/\S+)$", outbox[-1].body, re.MULTILINE)
    return url


def heading(page) -> str:
    return re.search("<h1>(.*?)</h1>", page.text)[1]


def messages(page) -> list[str]:
    return re.findall(r'<li class="\w+">(.*?)</li>', page.text)


# Sign-up


def test_a_mail_may_have_a_page_of_html_too(client, mailoutbox, settings, tmp_path):
    page = tmp_path / "account/email/email_confirmation_signup_message.html"
    page.parent.mkdir(parents=True)
    page.write_text("<a href='{{ activate_url }}'>This is me</a>")
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [engine | {"DIRS": [tmp_path, *engine["DIRS"]]}]
    sign_up(client)
    (part,) = mailoutbox[0].alternatives
    assert (part.mimetype, link(mailoutbox) in part.content) == ("text/html", True)


def test_whoever_confirms_an_address_can_sign_in(client, mailoutbox):
    page = sign_up(client)
    assert heading(page) == "Confirm your email address"
    assert messages(page) == ["We have sent mail to ada@example.com."]
    assert mailoutbox[0].to == [ADA]

    assert "Is <strong>ada@example.com</strong> yours?" in client.get(link(mailoutbox)).text
    page = client.post(link(mailoutbox), follow=True)
    assert messages(page) == ["You have confirmed ada@example.com."]
    page = sign_in(client)
    assert heading(page) == "Your account"
    assert messages(page) == []


def test_nobody_signs_in_before_that(client, mailoutbox):
    sign_up(client)
    assert heading(sign_in(client)) == "Confirm your email address"
    assert client.get("/accounts/").status_code == 302


def test_a_link_works_once(client, ada, mailoutbox):
    sign_up(client, "bob@example.com")
    client.post(link(mailoutbox))
    assert heading(client.get(link(mailoutbox))) == "This link does not work any more"


def test_mail_has_the_name_of_the_site_and_whole_links(client, mailoutbox, settings):
    subject = f"[{settings.SITE_NAME}] Please Confirm Your Email Address"
    settings.SITE_NAME = "Quay & <Sons>"
    sign_up(client)
    assert mailoutbox[0].subject == subject
    text = mailoutbox[0].message().as_string()
    assert "gave this email address to Quay & <Sons>." in text
    assert f"\nhttp://testserver{link(mailoutbox)}\n" in text
    assert text.endswith("\nQuay & <Sons>\nhttp://testserver/\n")


def test_sign_up_does_not_tell_who_has_an_account(client, mailoutbox):
    User.objects.create_user("ada", ADA)
    known, unknown = sign_up(client), sign_up(client, "bob@example.com")
    assert heading(known) == heading(unknown)
    assert messages(known) == ["We have sent mail to ada@example.com."]
    assert messages(unknown) == ["We have sent mail to bob@example.com."]
    assert [mail.to for mail in mailoutbox] == [[ADA], ["bob@example.com"]]
    assert User.objects.count() == 2


# A forgotten password


def test_a_forgotten_password_is_replaced_by_mail(client, ada, mailoutbox):
    assert messages(ask_for_password(client)) == ["We have sent mail to ada@example.com."]
    form = client.get(link(mailoutbox), follow=True)
    passwords = {"password1": "another horse battery", "password2": "another horse battery"}
    page = client.post(form.request["PATH_INFO"], passwords, follow=True)
    assert heading(page) == "Your password is set"
    assert heading(client.get(link(mailoutbox))) == "This link does not work any more"
    assert heading(sign_in(client, password="another horse battery")) == "Your account"


def test_asking_for_a_password_does_not_tell_who_has_an_account(client, ada, mailoutbox):
    known, unknown = ask_for_password(client), ask_for_password(client, "bob@example.com")
    assert heading(known) == heading(unknown)
    assert messages(unknown) == ["We have sent mail to bob@example.com."]
    assert [mail.to for mail in mailoutbox] == [[ADA], ["bob@example.com"]]


# Mail that cannot be sent

NOT_SENT = ["We could not send mail to ada@example.com. Please try again later."]


def test_sign_up_without_mail_keeps_the_account_and_tells(client, no_mail, caplog):
    page = sign_up(client)
    assert page.status_code == 200
    assert messages(page) == NOT_SENT
    assert '<li class="error">' in page.text
    assert User.objects.get().email == ADA

    (line,) = caplog.messages
    assert re.search("to ada@example.com: not (here|there). Set EMAIL_URL", line)
    assert 'tick "verified"' in line


def test_each_login_without_mail_tells_again(client, no_mail):
    sign_up(client)
    assert messages(sign_in(client)) == NOT_SENT
    assert messages(sign_in(client)) == NOT_SENT


def test_an_address_that_the_admin_has_confirmed_can_sign_in(client, admin_client, no_mail):
    sign_up(client)
    address = User.objects.get(email=ADA).emailaddress_set.get()
    action = {"action": "make_verified", "_selected_action": address.pk}
    admin_client.post("/admin/account/emailaddress/", action)
    assert heading(sign_in(client)) == "Your account"


def test_asking_for_a_password_without_mail_tells_and_looks_the_same(client, ada, no_mail):
    known, unknown = ask_for_password(client), ask_for_password(client, "bob@example.com")
    assert messages(known) == NOT_SENT
    assert messages(unknown) == [NOT_SENT[0].replace("ada", "bob")]
    assert heading(known) == heading(unknown)


# The account page


def test_the_account_page_is_for_those_who_signed_in(client):
    assert client.get("/accounts/")["location"] == "/accounts/login/?next=/accounts/"


def test_the_account_page_shows_the_address_and_keeps_a_name(client, ada):
    page = sign_in(client)
    assert ADA in page.text
    assert '<p class="confirmed">' in page.text
    client.post("/accounts/", {"first_name": "Ada", "last_name": "Lovelace"})
    ada.refresh_from_db()
    assert ada.get_full_name() == "Ada Lovelace"


def test_a_superuser_has_an_account_page_too(admin_client):
    assert '<p class="unconfirmed">' in admin_client.get("/accounts/").text


def test_a_new_address_counts_once_it_is_confirmed(client, ada, mailoutbox):
    sign_in(client)
    form = {"email": "countess@example.com", "action_add": ""}
    page = client.post("/accounts/email/", form, follow=True)
    assert messages(page) == ["We have sent mail to countess@example.com."]
    assert "Not confirmed yet" in page.text
    assert ADA in client.get("/accounts/").text

    client.post(link(mailoutbox))
    assert "countess@example.com" in client.get("/accounts/").text


def test_a_new_password_leads_back_to_the_account_page(client, ada):
    sign_in(client)
    new = "another horse battery"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", form)["location"] == "/accounts/"
    client.logout()
    assert heading(sign_in(client, password=new)) == "Your account"


def test_signing_out_ends_in_the_login_page(client, ada):
    sign_in(client)
    assert messages(client.post("/accounts/logout/", follow=True)) == ["You have signed out."]
    assert client.get("/accounts/").status_code == 302


# Limits


def test_guessing_is_limited_for_each_client(client):
    here, elsewhere = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2"}
    pages = [sign_in(client, f"{number}@example.com", **here) for number in range(11)]
    assert [page.status_code for page in pages] == [200] * 10 + [429]
    assert heading(pages[-1]) == "That was too often"
    assert sign_in(client, "12@example.com", **elsewhere).status_code == 200


def test_a_stranger_does_not_lock_the_owner_out(client, ada):
    home, elsewhere = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2"}
    sign_in(client, **home)
    client.logout()
    for number in range(20):
        sign_in(client, "Ada@example.com ", "wrong", REMOTE_ADDR=f"198.51.100.{number}")
    assert sign_in(client, **elsewhere).status_code == 429
    assert heading(sign_in(client, **home)) == "Your account"


def test_the_password_that_confirms_who_somebody_is_counts_too(client, ada):
    sign_in(client)
    form = {"password": "wrong"}
    pages = [client.post("/accounts/reauthenticate/", form) for _ in range(11)]
    assert [page.status_code for page in pages] == [200] * 10 + [429]


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-real-ip", "forwarded"])
def test_a_client_cannot_choose_its_own_address(client, header):
    for number in range(20):
        forged = {header: f"198.51.100.{number}"}
        assert client.post("/accounts/signup/", headers=forged).status_code == 200
    assert client.post("/accounts/signup/").status_code == 429


def test_a_new_password_is_no_guess(client):
    pages = [ask_for_password(client, f"{number}@example.com") for number in range(15)]
    assert {page.status_code for page in pages} == {200}
    assert sign_in(client).status_code == 200


def test_too_many_requests_get_a_page_of_the_site(client):
    pages = [client.post("/accounts/login/", {}) for _ in range(31)]
    assert [page.status_code for page in pages] == [200] * 30 + [429]
    assert heading(pages[-1]) == "That was too often"


# The frame of all pages


def test_the_header_leads_to_the_account(client, ada):
    assert 'href="/accounts/signup/"' in client.get("/").text
    sign_in(client)
    assert 'href="/accounts/signup/"' not in client.get("/").text
    assert 'href="/accounts/">Your account' in client.get("/").text


def test_the_frame_stands_when_the_database_does_not(client, ada, monkeypatch):
    def fails(session):
        raise DatabaseError

    sign_in(client)
    monkeypatch.setattr(SessionStore, "load", fails)
    assert client.get("/").status_code == 200


def test_the_admin_has_a_login_of_its_own(client):
    User.objects.create_superuser("boss", password=PASSWORD)
    assert client.get("/admin/")["location"] == "/admin/login/?next=/admin/"
    client.post("/admin/login/", {"username": "boss", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "path", ["", "login/", "signup/", "logout/", "email/", "password/change/", "password/reset/"]
)
def test_no_page_needs_what_the_content_security_policy_forbids(client, ada, path):
    sign_in(client)
    form = {"email": "new@example.com", "action_add": ""}
    client.post("/accounts/email/", form)
    page = client.get(f"/accounts/{path}", follow=True).text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|(src|href)=\"(https?:)?//", page)
