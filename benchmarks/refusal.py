"""The error that ends a benchmark with one sentence."""


class Refusal(Exception):
    """The benchmark cannot go on. The message says why, and what to do."""
