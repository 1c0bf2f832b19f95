"""Get a certificate from an ACME server for each name in DOMAIN and REDIRECT_DOMAINS, for nginx.

Each name has a certificate of its own, so that a name which fails does not hold up the others.
Every 20 minutes this program runs certbot for each name; certbot decides whether a certificate is
due. The log has one line for each new certificate and for each failed attempt.

nginx reads <name>.pem in /etc/nginx/certificates. It is a link to a certificate in self-signed/
(signed when nginx started) or in acme/ (written by this program). A regular file in its place is
the owner's own certificate; this program leaves such a name alone.
"""

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Top-level domains for private networks and tests; RFC 2606, 6762, 8375 and ICANN's .internal.
PRIVATE_NAME = re.compile(
    r".*\.(example|home\.arpa|internal|invalid|local|localhost|test)"
)

# Rounds without an attempt: with 20 minutes a round, a name is tried at least once a day.
MAXIMUM_ROUNDS_TO_SKIP = 71


@dataclass(frozen=True)
class Settings:
    """What the environment configures, and the folders on the container's volumes."""

    domain: str
    acme_server: str
    round_seconds: int
    certificates: Path = Path("/etc/nginx/certificates")
    certbot_states: Path = Path("/var/lib/letsencrypt")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read DOMAIN, REDIRECT_DOMAINS, ACME_SERVER and ROUND (seconds).

        Exit with a message if one is invalid.
        """
        for variable in ("DOMAIN", "ACME_SERVER"):
            if not environment.get(variable):
                sys.exit(f"{variable} is not set.")
        seconds = environment.get("ROUND") or "1200"
        if not re.fullmatch("[1-9][0-9]{0,5}", seconds):
            sys.exit(
                f"ROUND must be a number of seconds from 1 to 999999, not {seconds}."
            )
        names = f"{environment['DOMAIN']} {environment.get('REDIRECT_DOMAINS', '')}".rstrip()
        return cls(names, environment["ACME_SERVER"], int(seconds))

    @property
    def certbot_state(self) -> Path:
        """Return certbot's folder for this ACME server.

        With one folder for all servers, certbot would not replace a staging server's certificate.
        """
        return self.certbot_states / self.acme_server.split("://", 1)[-1]


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed.

    `name_rejected` is true if the ACME server checked the name and the check failed.
    """

    reason: str
    name_rejected: bool = False


@dataclass
class Backoff:
    """When the next attempt for a name is due.

    Let's Encrypt pauses names that fail for weeks, so the attempt after the n-th rejection in a
    row is n rounds away. Other failures say nothing about the name: the next round retries them.
    """

    rejections: int = 0
    rounds_to_skip: int = 0

    def skip_round(self) -> bool:
        """Return whether to make no attempt in this round, and count the round."""
        if self.rounds_to_skip == 0:
            return False
        self.rounds_to_skip -= 1
        return True

    def record(self, failure: Failure | None) -> None:
        """Take note of how an attempt ended; None is a success."""
        if failure is None:
            self.rejections = 0
        elif failure.name_rejected:
            self.rejections += 1
            self.rounds_to_skip = min(self.rejections - 1, MAXIMUM_ROUNDS_TO_SKIP)


def main() -> None:
    """Run a round, wait, and repeat until SIGTERM."""
    # Linux ignores SIGTERM for process 1 that has no handler.
    signal.signal(signal.SIGTERM, stop)
    os.umask(0o077)
    settings = Settings.from_environment(os.environ)
    backoffs = {name: Backoff() for name in names_to_sign(settings.domain)}
    while True:
        run_round(backoffs, settings)
        time.sleep(settings.round_seconds)


def stop(signal_number: int, frame: object) -> None:
    """Handle SIGTERM: end this program with status 0. `run` ends the command that is running."""
    sys.exit(0)


def names_to_sign(domain: str) -> list[str]:
    """Return the names in this list that get a certificate; log what gets none."""
    names = []
    for listed in re.findall(r"[^\s,]+", domain):
        name = listed.removeprefix(".")
        if listed != name:
            log(
                listed,
                f"the certificate is for {name} only; list each subdomain in DOMAIN.",
            )
        if "." not in name or PRIVATE_NAME.fullmatch(name):
            log(name, "stays self-signed, because no public CA signs such a name.")
        elif name not in names:
            names.append(name)
    return names


def run_round(backoffs: dict[str, Backoff], settings: Settings) -> None:
    """Make an attempt for each name that is due; log each failure and when the next attempt is."""
    for name, backoff in backoffs.items():
        if not is_ours(settings.certificates / f"{name}.pem") or backoff.skip_round():
            continue
        failure = attempt(name, settings)
        backoff.record(failure)
        if failure:
            seconds = (backoff.rounds_to_skip + 1) * settings.round_seconds
            due = format_time(time.time() + seconds)
            log(name, f"no new certificate, next attempt {due}: {failure.reason}")


def is_ours(link: Path) -> bool:
    """Return whether this program may replace this path: it is a link, or there is nothing."""
    return link.is_symlink() or not link.exists()


def attempt(name: str, settings: Settings) -> Failure | None:
    """Let certbot get or renew the certificate of a name, if it is due, and give it to nginx.

    Return why that failed, or None.
    """
    try:
        # Ask the ACME server only for names that exist: it limits failed requests.
        if run("getent", "ahosts", f"{name}.").returncode != 0:
            return Failure("the name has no address in DNS")
        remove_incomplete_state(settings.certbot_state, name)
        certbot = run(
            *("certbot", "certonly", "--config-dir", str(settings.certbot_state)),
            *("--server", settings.acme_server, "--cert-name", name, "--domain", name),
        )
        if certbot.returncode != 0:
            return failure_from(certbot.stdout)
        hand_over(name, settings)
    except OSError as error:  # such as a full disk
        return Failure(str(error))
    return None


def remove_incomplete_state(state: Path, name: str) -> None:
    """Delete what a full disk or a power cut left of a name's first certificate.

    With these files certbot would never get a certificate for this name.
    """
    renewal = state / "renewal" / f"{name}.conf"
    if renewal.exists() and renewal.stat().st_size > 0:
        return
    renewal.unlink(missing_ok=True)
    for folder in (state / "live" / name, state / "archive" / name):
        if folder.exists():
            shutil.rmtree(folder)


def failure_from(output: str) -> Failure:
    """Return the reason from certbot's output: the ACME server's detail, or the last line."""
    if detail := re.search(r"^ *Detail: (.*)", output, re.MULTILINE):
        return Failure(detail[1], name_rejected=True)
    lines = [
        line for line in output.splitlines() if not line.startswith("Ask for help")
    ]
    return Failure(lines[-1] if lines else "certbot failed without a message")


def hand_over(name: str, settings: Settings) -> None:
    """Copy certbot's certificate and its key to where nginx reads them.

    Raise ssl.SSLError, and leave what nginx has, if the two do not fit together.
    """
    live = settings.certbot_state / "live" / name
    pem = (live / "fullchain.pem").read_bytes() + (live / "privkey.pem").read_bytes()
    target = settings.certificates / "acme" / f"{name}.pem"
    if not target.exists() or target.read_bytes() != pem:
        target.parent.mkdir(exist_ok=True)
        new = target.with_name("new")
        new.write_bytes(pem)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(new)
        # A rename is atomic: nginx never reads a certificate with the key of another.
        new.replace(target)
        log(name, f"new certificate, valid until {expiry(target)}")
    link_to(target, settings.certificates / f"{name}.pem")


def link_to(target: Path, link: Path) -> None:
    """Replace `link` by a link to `target`, atomically, unless the owner has put a file there."""
    destination = target.relative_to(link.parent)
    if not is_ours(link) or (link.is_symlink() and link.readlink() == destination):
        return
    new = target.with_name("link")
    new.unlink(missing_ok=True)
    new.symlink_to(destination)
    new.replace(link)


def expiry(certificate: Path) -> str:
    """Return when the first certificate in this PEM file expires, as text."""
    printed = run(
        "openssl", "x509", "-in", str(certificate), "-noout", "-enddate"
    ).stdout
    return format_time(
        ssl.cert_time_to_seconds(printed.strip().removeprefix("notAfter="))
    )


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; return its exit status and its output, stderr included.

    On SIGTERM, end the command, too, and wait for it: certbot removes its files from /srv/acme.
    """
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            output, _ = process.communicate()
        except SystemExit:
            process.terminate()
            process.communicate()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output)


def format_time(timestamp: float) -> str:
    """Return a Unix timestamp as text, such as 2026-01-02 03:04 UTC."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(timestamp))


def log(name: str, message: str) -> None:
    """Write one line about a name to the container's log."""
    print(f"{name}: {message}", flush=True)


if __name__ == "__main__":
    main()
