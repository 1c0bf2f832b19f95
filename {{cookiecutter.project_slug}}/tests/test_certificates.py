"""docker/certbot/certificates.py, with a stand-in for certbot."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

# By its path, because an app of this project may be called `certificates` too.
SCRIPT = Path(__file__).parent.parent / "docker/certbot/certificates.py"
SPEC = importlib.util.spec_from_file_location("certificate_loop", SCRIPT)
certificates = sys.modules[SPEC.name] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(certificates)

ENVIRONMENT = {"DOMAIN": "example.com", "ACME_SERVER": "https://acme.test/directory"}
REJECTED = certificates.Failure("Connection refused", name_rejected=True)
UNREACHABLE = certificates.Failure("Max retries exceeded")


@dataclass
class Commands:
    ran: list = field(default_factory=list)
    failing: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        self.ran.append(command)
        status = int(command[0] in self.failing)
        return subprocess.CompletedProcess(
            command, status, self.failing.get(command[0], "")
        )


@pytest.fixture
def settings(tmp_path):
    """Settings with folders of their own, in which nginx has a self-signed certificate."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "example.com.pem").symlink_to("self-signed/example.com.pem")
    states = tmp_path / "letsencrypt"
    return certificates.Settings(
        "example.com", "https://acme.test/directory", 60, folder, states
    )


@pytest.fixture
def commands(monkeypatch):
    """Stand-ins for commands: which ran, and the output of those that fail. The others succeed."""
    commands = Commands()
    monkeypatch.setattr(certificates, "run", commands.run)
    monkeypatch.setattr(certificates, "hand_over", lambda name, settings: None)
    return commands


@pytest.fixture
def issue(settings):
    """issue() writes a certificate and its key as certbot does, and returns both."""
    live = settings.certbot_state / "live/example.com"

    def issue_certificate() -> bytes:
        live.mkdir(parents=True, exist_ok=True)
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=test",
        ]
        files = ["-keyout", live / "privkey.pem", "-out", live / "fullchain.pem"]
        subprocess.run([*command, *files], check=True, capture_output=True)
        return (live / "fullchain.pem").read_bytes() + (
            live / "privkey.pem"
        ).read_bytes()

    return issue_certificate


# Settings


def test_a_round_is_twenty_minutes_and_each_server_has_a_folder_for_its_state():
    settings = certificates.Settings.from_environment(ENVIRONMENT)
    assert settings.round_seconds == 1200
    assert settings.certbot_state == Path("/var/lib/letsencrypt/acme.test/directory")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"DOMAIN": ""}, "DOMAIN is not set."),
        ({"ACME_SERVER": ""}, "ACME_SERVER is not set."),
        (
            {"ROUND": "1h"},
            "ROUND must be a number of seconds from 1 to 999999, not 1h.",
        ),
        ({"ROUND": "0"}, "ROUND must be a number of seconds from 1 to 999999, not 0."),
    ],
)
def test_an_invalid_setting_exits_with_one_sentence(changed, message):
    with pytest.raises(SystemExit, match=f"^{message}$"):
        certificates.Settings.from_environment(ENVIRONMENT | changed)


def test_names_that_redirect_get_a_certificate_too():
    both = ENVIRONMENT | {"REDIRECT_DOMAINS": "www.example.com, b.org"}
    settings = certificates.Settings.from_environment(both)
    names = certificates.names_to_sign(settings.domain)
    assert names == ["example.com", "www.example.com", "b.org"]


def test_names_are_separated_by_commas_or_spaces_and_listed_once(capsys):
    names = certificates.names_to_sign("b.example.com,a.example.com ,  b.example.com")
    assert names == ["b.example.com", "a.example.com"]
    assert capsys.readouterr().out == ""


def test_a_leading_dot_is_a_certificate_without_subdomains(capsys):
    assert certificates.names_to_sign(".example.com") == ["example.com"]
    assert capsys.readouterr().out == (
        ".example.com: the certificate is for example.com only; list each subdomain in DOMAIN.\n"
    )


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "app.localhost",
        "shop.test",
        "nas.home.arpa",
        "db.internal",
        "a.local",
    ],
)
def test_a_private_name_stays_self_signed(name, capsys):
    assert certificates.names_to_sign(name) == []
    assert capsys.readouterr().out == (
        f"{name}: stays self-signed, because no public CA signs such a name.\n"
    )


def test_a_public_name_may_look_like_a_private_one():
    names = ["test.example.com", "mytest.com", "internal.example.org", "notlocal.net"]
    assert certificates.names_to_sign(" ".join(names)) == names


# When the next attempt is due


def rounds_until_next_attempt(backoff) -> int:
    rounds = 1
    while backoff.skip_round():
        rounds += 1
    return rounds


def test_a_rejected_name_is_tried_less_and_less_often_and_at_least_once_a_day():
    backoff = certificates.Backoff()
    rounds = []
    for _ in range(80):
        backoff.record(REJECTED)
        rounds.append(rounds_until_next_attempt(backoff))
    assert rounds == [*range(1, 72)] + [72] * 9


def test_a_success_ends_the_waiting():
    backoff = certificates.Backoff()
    for failure in (REJECTED, REJECTED, REJECTED, None, REJECTED):
        backoff.record(failure)
    assert backoff.rejections == 1


def test_an_unreachable_server_neither_adds_to_the_waiting_nor_ends_it():
    backoff = certificates.Backoff(rejections=3)
    backoff.record(UNREACHABLE)
    assert rounds_until_next_attempt(backoff) == 1
    backoff.record(REJECTED)
    assert rounds_until_next_attempt(backoff) == 4


# What certbot says


def test_the_reason_is_what_the_server_says_about_the_name():
    output = (
        "Certbot failed to authenticate some domains\n"
        "  Domain: example.com\n"
        "  Detail: 203.0.113.1: Connection refused\n"
        "  Detail: another\n"
        "Some challenges have failed.\n"
        "Ask for help or search for solutions at https://community.letsencrypt.org.\n"
    )
    failure = certificates.failure_from(output)
    assert failure == certificates.Failure(
        "203.0.113.1: Connection refused", name_rejected=True
    )


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "Saving debug log\nMax retries exceeded\nAsk for help\n",
            "Max retries exceeded",
        ),
        ("", "certbot failed without a message"),
    ],
)
def test_without_it_the_reason_is_the_last_line_and_no_rejection(output, reason):
    assert certificates.failure_from(output) == certificates.Failure(reason)


# A round


def test_a_failure_is_one_line_with_the_reason_and_the_time_of_the_next_attempt(
    settings, commands, monkeypatch, capsys
):
    commands.failing["certbot"] = "  Detail: Connection refused\n"
    monkeypatch.setattr(time, "time", lambda: 1767323040)
    certificates.run_round(
        {"example.com": certificates.Backoff(rejections=2)}, settings
    )
    assert capsys.readouterr().out == (
        "example.com: no new certificate, next attempt 2026-01-02 03:07 UTC: Connection refused\n"
    )


def test_the_server_is_not_asked_for_a_name_without_an_address(
    settings, commands, capsys
):
    commands.failing["getent"] = ""
    certificates.run_round({"example.com": certificates.Backoff()}, settings)
    assert commands.ran == [("getent", "ahosts", "example.com.")]
    assert capsys.readouterr().out.endswith(": the name has no address in DNS\n")


def test_a_skipped_name_does_not_hold_up_another(settings, commands):
    backoffs = {
        "skipped.example.com": certificates.Backoff(rounds_to_skip=1),
        "example.com": certificates.Backoff(),
    }
    certificates.run_round(backoffs, settings)
    assert {command[-1] for command in commands.ran} == {"example.com.", "example.com"}


def test_no_attempt_is_made_for_a_name_with_the_owners_certificate(settings, commands):
    (settings.certificates / "example.com.pem").unlink()
    (settings.certificates / "example.com.pem").touch()
    certificates.run_round({"example.com": certificates.Backoff()}, settings)
    assert commands.ran == []


def test_a_full_disk_is_a_line_in_the_log_and_not_the_end(
    settings, commands, monkeypatch, capsys
):
    def hand_over(name, settings):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(certificates, "hand_over", hand_over)
    certificates.run_round({"example.com": certificates.Backoff()}, settings)
    assert capsys.readouterr().out.endswith(": [Errno 28] No space left on device\n")


# Files


def state_files(settings) -> set[str]:
    state = settings.certbot_state
    return {str(file.relative_to(state)) for file in state.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("renewal", "kept"),
    [
        ("renew_before_expiry = 30 days", True),
        ("", False),
        (None, False),
    ],
    ids=["complete", "empty", "missing"],
)
def test_only_incomplete_state_is_deleted(renewal, kept, settings):
    files = {"live/example.com/README", "archive/example.com/privkey1.pem"}
    if renewal is not None:
        files.add("renewal/example.com.conf")
    others = {"renewal/example.org.conf", "live/example.org/README"}
    for file in files | others:
        (settings.certbot_state / file).parent.mkdir(parents=True, exist_ok=True)
        (settings.certbot_state / file).write_text(renewal or "")
    certificates.remove_incomplete_state(settings.certbot_state, "example.com")
    assert state_files(settings) == (files | others if kept else others)


def test_an_attempt_starts_without_incomplete_state(settings, commands):
    incomplete = settings.certbot_state / "live/example.com"
    incomplete.mkdir(parents=True)
    assert certificates.attempt("example.com", settings) is None
    assert not incomplete.exists()


def test_nginx_gets_the_certificate_and_its_key_in_one_file(settings, issue, capsys):
    pem = issue()
    certificates.hand_over("example.com", settings)
    link = settings.certificates / "example.com.pem"
    assert (str(link.readlink()), link.read_bytes()) == ("acme/example.com.pem", pem)
    assert capsys.readouterr().out.startswith(
        "example.com: new certificate, valid until 20"
    )
    certificates.hand_over("example.com", settings)
    assert capsys.readouterr().out == ""


def test_a_file_that_nginx_is_reading_does_not_change(settings, issue):
    before = issue()
    certificates.hand_over("example.com", settings)
    link = settings.certificates / "example.com.pem"
    with link.open("rb") as opened:
        after = issue()
        certificates.hand_over("example.com", settings)
        assert opened.read() == before
    assert link.read_bytes() == after


def test_a_certificate_without_its_own_key_does_not_replace_one_that_works(
    settings, issue
):
    pem = issue()
    certificates.hand_over("example.com", settings)
    key = settings.certbot_state / "live/example.com/privkey.pem"
    other_key = key.read_bytes()
    issue()
    key.write_bytes(other_key)
    with pytest.raises(OSError, match="(?i)key values mismatch"):
        certificates.hand_over("example.com", settings)
    assert (settings.certificates / "example.com.pem").read_bytes() == pem


def test_a_rename_that_fails_leaves_the_link_that_is_there(settings, monkeypatch):
    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    link = settings.certificates / "example.com.pem"
    (settings.certificates / "acme").mkdir()
    with pytest.raises(OSError, match="No space left"):
        certificates.link_to(settings.certificates / "acme/example.com.pem", link)
    assert str(link.readlink()) == "self-signed/example.com.pem"


def test_a_file_that_the_owner_puts_there_meanwhile_stays(settings, issue):
    issue()
    own = settings.certificates / "example.com.pem"
    own.unlink()
    own.write_text("the owner's")
    certificates.hand_over("example.com", settings)
    assert own.read_text() == "the owner's"


def test_a_name_that_is_given_back_is_linked_to_its_certificate_again(settings, issue):
    issue()
    certificates.hand_over("example.com", settings)
    link = settings.certificates / "example.com.pem"
    link.unlink()
    link.symlink_to("self-signed/example.com.pem")
    certificates.hand_over("example.com", settings)
    assert str(link.readlink()) == "acme/example.com.pem"


# The end


def test_sigterm_ends_the_command_that_is_running_and_lets_it_clean_up(tmp_path):
    started, cleaned_up = tmp_path / "started", tmp_path / "cleaned-up"
    wait = "for _ in $(seq 100); do sleep 0.1; done"
    script = f"trap 'touch {cleaned_up}; exit' TERM; touch {started}; {wait}"

    def send_sigterm():
        for _ in range(200):
            if started.exists():
                break
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, certificates.stop)
    sender = threading.Thread(target=send_sigterm)
    sender.start()
    try:
        with pytest.raises(SystemExit) as ended:
            certificates.run("sh", "-c", script)
    finally:
        sender.join()
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 0
    assert cleaned_up.exists()
