"""Run other programs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import ContextVar, copy_context
from typing import Any

# Whether programs run in a session of their own, where Ctrl-C at the terminal does not reach them.
UNINTERRUPTED: ContextVar[bool] = ContextVar("UNINTERRUPTED", default=False)


class CommandFailed(Exception):
    """A program ended with an error, or could not be started.

    `output` is what it printed on stdout and stderr.
    """

    def __init__(self, command: Sequence[str], status: int, output: str):
        super().__init__(f"{' '.join(command[:4])} failed with exit status {status}")
        self.command = command
        self.status = status
        self.output = output


def run(
    *command: str,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    merge: bool = False,
    timeout: float | None = None,
) -> str:
    """Run a program, wait for its end, and return what it printed on stdout.

    `stdin` is the text that it reads. With `merge`, what it prints on stderr is a part of the result.
    Raises CommandFailed when the exit status is not 0, or when the program has not ended after
    `timeout` seconds.
    """
    try:
        child = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=UNINTERRUPTED.get(),
        )
    except OSError as error:
        raise CommandFailed(command, 127, f"{command[0]}: {error.strerror}") from error
    stdout, stderr = communicate(child, command, stdin, timeout)
    if child.returncode:
        raise CommandFailed(command, child.returncode, stdout + (stderr or ""))
    return stdout


def communicate(
    child: subprocess.Popen, command: Sequence[str], stdin: str, timeout: float | None
) -> tuple[str, str | None]:
    """Send stdin to a program and return its stdout and stderr when it has ended. It is never left behind."""
    try:
        return child.communicate(stdin, timeout)
    except subprocess.TimeoutExpired as expired:
        end(child)
        late = f"{command[0]} did not end within {timeout} seconds"
        raise CommandFailed(command, 124, late) from expired
    except BaseException:
        end(child)
        raise


def end(child: subprocess.Popen) -> None:
    """Ask a program to end, and kill it when it has not ended 10 seconds later.

    A docker client that is killed at once would leave its container behind.
    """
    child.send_signal(signal.SIGINT)
    try:
        child.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()


def side_by_side(*functions: Callable[[], Any]) -> list[Any]:
    """Call functions at the same time and return their results in order.

    Waits for all of them; then raises the first exception that one of them raised.
    """
    with ThreadPoolExecutor(len(functions) or 1) as pool:
        futures = [pool.submit(copy_context().run, function) for function in functions]
        # A signal interrupts this; then the end of the block waits, before anything is taken back.
        wait(futures)
    return [future.result() for future in futures]


def stream(*command: str) -> Iterator[bytes]:
    """Run a program and yield the lines that it prints, on stderr too, each with its end.

    For more output than fits into memory. Raises CommandFailed after the last line when the exit
    status is not 0; its `output` is the last 20 lines.
    """
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=UNINTERRUPTED.get(),
        )
    except OSError as error:
        raise CommandFailed(command, 127, f"{command[0]}: {error.strerror}") from error
    last = deque(maxlen=20)
    with child:
        try:
            for line in child.stdout:
                last.append(line)
                yield line
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        output = b"".join(last).decode(errors="replace")
        raise CommandFailed(command, child.returncode, output)


def replace(*command: str) -> None:
    """Let this program end, and another one run in its place, at the same terminal."""
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise CommandFailed(command, 127, f"{command[0]}: {error.strerror}") from error
