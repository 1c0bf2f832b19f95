"""Measure what the template generates, beside the leanest image that a person would write by hand.

make bench             two hours at most; writes docs/benchmarks.md, its plots and docs/benchmarks.json
make bench QUICK=1     ten minutes; prints the tables, and writes nothing
make bench ONLY=builds one subject; prints its tables, and writes nothing
"""

import argparse
import fcntl
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks import machine, report
from benchmarks.plan import FULL, QUICK
from benchmarks.refusal import Refusal
from benchmarks.subjects import SUBJECTS, measure

LOCK = Path(tempfile.gettempdir(), "django-docker-benchmarks.lock")


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="measure each thing once, and briefly")
    parser.add_argument("--only", choices=SUBJECTS, action="append", help="measure this subject")
    return parser.parse_args(arguments)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(arguments: list[str]) -> None:
    chosen = options(arguments)
    machine.check()
    with tempfile.TemporaryDirectory(prefix="django-docker-benchmarks-") as scratch:
        results = measure(
            Path(scratch), QUICK if chosen.quick else FULL, chosen.only or SUBJECTS, say
        )
    if chosen.quick or chosen.only:
        print(report.tables(results))
    else:
        report.write(results)
        say("docs/benchmarks.md has the figures.")


def main(arguments: list[str]) -> int:
    """Run the benchmarks; return the exit status."""
    # The end of a block removes what it started, and so it does when somebody stops this program.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("bench: another run of the benchmarks is under way.")
            return 1
        try:
            run(arguments)
        except Refusal as refusal:
            say(f"bench: {refusal}")
            return 1
        except KeyboardInterrupt:
            say(
                "bench: interrupted; nothing is left running, and earlier figures are as they were."
            )
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
