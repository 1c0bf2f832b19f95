"""Signals: the first one makes a command go back, and then no other one reaches it."""

from __future__ import annotations

import signal
from types import FrameType

from ops.process import UNINTERRUPTED

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal came, such as Ctrl-C, or a lost connection. `status` is the exit status for it."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def raise_interrupted(number: int, frame: FrameType | None) -> None:
    """Handle a signal: ignore all later ones, then raise Interrupted."""
    ignore_signals()
    raise Interrupted(number)


def catch_signals() -> None:
    """Raise Interrupted at the first signal. Signals that are ignored, as with nohup, stay ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, raise_interrupted)


def hold_signals() -> None:
    """Let signals wait until release_signals."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def release_signals() -> None:
    """Let a signal that came meanwhile interrupt now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def ignore_signals() -> None:
    """Let no signal interrupt what comes, nor the programs that it runs."""
    UNINTERRUPTED.set(True)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
