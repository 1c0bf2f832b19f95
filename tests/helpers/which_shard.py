"""Read SHARD, such as 2/5. It needs no package, so a typing error is told before anything is set up."""

from __future__ import annotations

import sys


def parse(text: str) -> tuple[int, int]:
    """Return the number of a shard and the count of shards, from text such as "2/5".

    Raises ValueError, with a sentence, for any other text.
    """
    number, _, count = text.partition("/")
    if number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise ValueError(f"SHARD is a number and how many shards there are, such as 2/5, not {text!r}.")


if __name__ == "__main__":
    try:
        parse(sys.argv[1])
    except ValueError as refusal:
        sys.exit(str(refusal))
