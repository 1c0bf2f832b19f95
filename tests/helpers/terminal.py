"""A command in a terminal, as a person runs it."""

import os
import pty
import select
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Terminal:
    """What a person sees of a running command, and types into it."""

    descriptor: int

    def type(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def read_until(self, text: str) -> str:
        """Return what is shown until this is there; fails when nothing comes for 30 seconds."""
        shown = ""
        while text not in shown:
            assert select.select([self.descriptor], [], [], 30)[0], shown
            shown += os.read(self.descriptor, 1000).decode()
        return shown


@contextmanager
def in_terminal(*command: str, **options):
    """Run a command in a terminal, with these options of Popen; it is killed at the end."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, **options
    ) as process:
        try:
            yield Terminal(ours)
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)
